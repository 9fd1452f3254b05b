#!/bin/sh
# SIPVicious against a real registrar (Kamailio) in two network namespaces.
# Usage: sipvicious.sh CAPTURE [OPTION of svmap, svwar and svcrack]...   Needs root.
set -eu
capture=$1
shift
dir=$(mktemp -d)
here="rfsv$$a"
there="rfsv$$b"
pids=
clean() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    ip netns del "$here" 2>/dev/null || true
    ip netns del "$there" 2>/dev/null || true
    rm -rf "$dir"
}
trap clean EXIT
ip netns add "$here"
ip netns add "$there"
ip link add "va$$" netns "$here" type veth peer name "vb$$" netns "$there"
ip -n "$here" addr add 10.77.0.5/24 dev "va$$"
for n in $(seq 100 140); do ip -n "$here" addr add "10.77.0.$n/24" dev "va$$"; done
ip -n "$there" addr add 10.77.0.66/24 dev "vb$$"
ip -n "$here" link set "va$$" up
ip -n "$there" link set "vb$$" up
ip -n "$here" link set lo up
cat > "$dir/kamailio.cfg" <<'C'
debug=0
log_stderror=yes
children=2
listen=udp:0.0.0.0:5060
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
request_route {
  if (method=="REGISTER") {
    if ($tU == "201" || $tU == "205") {
      if (!pv_www_authenticate("pbx", "9137", "0")) { www_challenge("pbx", "0"); exit; }
      save("location");
      exit;
    }
    sl_send_reply("404", "Not Found");
    exit;
  }
  sl_send_reply("200", "OK");
}
C
ip netns exec "$here" kamailio -f "$dir/kamailio.cfg" -DD -E -w "$dir" > "$dir/log" 2>&1 &
pids="$pids $!"
ip netns exec "$there" dumpcap -q -P -i "vb$$" -w "$capture" -f udp > /dev/null 2>&1 &
dumpcap=$!
pids="$pids $dumpcap"
sleep 2
attack() { HOME=$dir ip netns exec "$there" timeout 12 "$@" > /dev/null 2>&1 || true; }
attack svmap "$@" 10.77.0.100-140
attack svwar "$@" --force 10.77.0.5
attack svcrack "$@" -u201 -r9000-9100 10.77.0.5
sleep 1
kill -INT "$dumpcap"
wait "$dumpcap" || true
