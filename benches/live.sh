#!/bin/sh
# The highest rate at which the daemon loses no packet of a mirror port, beside a bare libpcap counter
# (examples/count.rs) at the same rate. Sender and receiver share this machine's cores: the sender's
# share is printed. Needs root, iproute2, tcpreplay, curl, jq, time and a fast build:
#   cargo build --profile fast --bin ringfence --example count && benches/live.sh target/fast
set -eu

dir=${1:?name the folder of the programs}
bin=$dir/ringfence
rates=${RATES:-"20000 50000 100000 150000 200000 250000 300000"}
seconds=${SECONDS_EACH:-3}
net=rfbench$$
work=$(mktemp -d)
# shellcheck disable=SC2154 # set in the trap
trap 'status=$?; [ -n "${pid:-}" ] && kill "$pid" 2>/dev/null; ip netns del "$net" 2>/dev/null; rm -rf "$work"; exit $status' EXIT INT TERM

ip netns add "$net"
ip netns exec "$net" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip -n "$net" link set lo up
ip -n "$net" link add va type veth peer name vb
ip -n "$net" link set va up
ip -n "$net" link set vb up
inside() { ip netns exec "$net" "$@"; }

file=${FILE:-$(dirname "$0")/../fixtures/demo/capture.pcap}
printf '[capture]\ninterfaces = ["va"]\n[control]\nsocket = "%s/run/c.sock"\n[store]\npath = "%s/state/d.db"\n' "$work" "$work" >"$work/c.toml"
chmod 755 "$work"

echo "load before: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors, sender and receiver on the same"
echo "rate asked  rate sent  sender %CPU  ringfence lost  ringfence %CPU  bare libpcap lost"
for rate in $rates; do
    count=$((rate * seconds))
    ip netns exec "$net" "$bin" --config "$work/c.toml" run >"$work/log" 2>&1 &
    pid=$!
    until inside curl -fs localhost:9765/-/ready >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
        sleep 0.2
    done
    before=$(awk '{print $14 + $15}' "/proc/$pid/stat")
    inside /usr/bin/time -o "$work/time" -f '%P' tcpreplay -q -i vb --preload-pcap --pps="$rate" --loop=1000000 --limit="$count" "$file" >"$work/sent" 2>&1
    sent=$(sed -n 's/.*Actual: \([0-9]*\) packets.*/\1/p' "$work/sent" | head -1)
    # What still waits in the ring isn't lost.
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        sleep 0.5
        got=$(inside curl -s localhost:9765/api/v1/status | jq '.sources[0].received')
        [ "$got" -lt "$sent" ] || break
    done
    after=$(awk '{print $14 + $15}' "/proc/$pid/stat")
    kill "$pid"; wait "$pid" || true; pid=
    pps=$(sed -n 's/.*, \([0-9.]*\) pps.*/\1/p' "$work/sent" | head -1)
    ip netns exec "$net" "$dir/examples/count" va 6 >"$work/bare" &
    pid=$!
    sleep 1
    inside tcpreplay -q -i vb --preload-pcap --pps="$rate" --loop=1000000 --limit="$count" "$file" >/dev/null 2>&1
    wait "$pid" || true; pid=
    bare=$((sent - $(cut -d' ' -f1 "$work/bare")))
    used=$(((after - before) * 100 / (seconds * $(getconf CLK_TCK))))
    printf '%10s  %9s  %11s  %14s  %14s  %17s\n' "$rate" "$pps" "$(cat "$work/time")" "$((sent - got))" "$used%" "$bare"
done
