#!/bin/sh
# Installs a package, runs what it brought as its unit does, and purges it, on top of this machine's
# own files without touching them: overlays, in mount and network namespaces of its own.
#   unshare --mount --net tests/package/install.sh PACKAGE FOLDER
# Prints what was seen; `left: PATH` for what a purge leaves. FOLDER is an empty one to mount in.
set -eu
package=$1 top=$2

mount --make-rprivate /
mount -t tmpfs -o mode=755 top "$top"
for part in etc usr var; do
    mkdir -p "$top/new/$part" "$top/work/$part" "$top/old/$part"
    mount --bind /$part "$top/old/$part"
    mount -t overlay -o "lowerdir=$top/old/$part,upperdir=$top/new/$part,workdir=$top/work/$part" overlay /$part ||
        { echo "no overlay"; exit 77; }
done
# No systemd, and nobody's sockets.
mount -t tmpfs -o mode=755 run /run
ip link set lo up

# The index of manual pages is no business of this test, and takes long.
rm -f /var/lib/man-db/auto-update
dpkg -i "$package" >"$top/log" 2>&1 || { cat "$top/log"; exit 1; }
echo "installed: $(dpkg-query -W -f '${Status}' ringfence)"
echo "user: $(id -un ringfence) $(stat -c '%U %a' /var/lib/ringfence /var/log/ringfence | xargs)"
start=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/ringfence.service)

daemon=
trap '[ -z "$daemon" ] || kill -KILL $daemon' EXIT
ready() {
    for _ in $(seq 100); do
        [ "$(curl -s http://127.0.0.1:9765/-/ready)" != ok ] || return 0
        kill -0 $daemon || break
        sleep 0.1
    done
    cat "$top/log"
    exit 1
}
# Starts what the unit starts, with something before it.
try() {
    how=$1
    shift
    "$@" $start -i lo >"$top/log" 2>&1 &
    daemon=$!
    ready
    echo "$how: ready as $(stat -c %U /proc/$daemon) capabilities $(sed -n 's/^CapEff:\t//p' /proc/$daemon/status)"
    # With what the shipped configuration has, and through its control socket.
    ringfence --config /etc/ringfence/ringfence.toml status >"$top/status" || { cat "$top/log"; exit 1; }
    curl -s http://127.0.0.1:9765/metrics >"$top/metrics"
    sed -n "s/^\(ringfence_sandbox{.*\)/$how: \1/p" "$top/metrics"
    # Its start is told from figures of the whole system in /proc.
    echo "$how: started $(awk '/^process_start_time_seconds/ { print $2 }' "$top/metrics") of $(date +%s)"
    kill -HUP $daemon
    sleep 0.2
    kill -TERM $daemon
    code=0
    wait $daemon || code=$?
    daemon=
    echo "$how: ended with $code"
}
try root env
rm -rf /run/ringfence
# What systemd does: folders, user, one capability, and /proc without other processes.
install -d -m 0750 -o ringfence -g ringfence /run/ringfence
mount -t proc -o hidepid=invisible proc /proc
try unit setpriv --reuid ringfence --regid ringfence --clear-groups --no-new-privs \
    --bounding-set=-all,+net_raw --inh-caps=-all,+net_raw --ambient-caps=-all,+net_raw
umount /proc

dpkg --purge ringfence >"$top/log" 2>&1 || { cat "$top/log"; exit 1; }
cd "$top/new"
find . -mindepth 1 ! -type c | while read -r path; do
    [ -d "$path" ] && [ -d "$top/old/$path" ] || echo "left: ${path#./}"
done
find /run -mindepth 1 ! -path /run/mount | sed 's/^/left: /'
