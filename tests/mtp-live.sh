#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest with a share is suspended, saved and restored while it reads a file, and loses its
# ostler-mtp: at worst it sees a replug, it never hangs, and QEMU goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
requires qemu-system-x86_64 --version
requires qemu-img --version

guest_image x86_64
ln -s "$image/vmlinuz" "$image/initrd" .
mkdir share
head -c 67108864 /dev/urandom >share/big
echo as small as can be >share/small
hash=$(sha256sum <share/big | cut -d ' ' -f 1)

# in_guest NAME COMMAND: its output is in ./out; it must succeed.  Typed as one line.
in_guest() {
    "$GUEST_RUN" 200 "$(echo "$2" | tr '\n' ' ')" "$OSTLER" console "$1" >out || {
        cat out >&2
        fail "in the guest: $2"
    }
}

# A read that goes on while the host does something: "read ended with CODE", and what came.
start_reading() {
    in_guest "$1" 'rm -f /tmp/got /tmp/log; (timeout 150 mtp-connect --getfile big /tmp/got
        >/tmp/log 2>&1; echo "read ended with $?" >>/tmp/log) & for try in $(seq 100); do
        [ -s /tmp/got ] && break; sleep 0.1; done; ls -l /tmp/got'
}

# It ended, by itself: 143 is what timeout makes of one that hangs.
end_reading() {
    in_guest "$1" 'for try in $(seq 160); do grep -q "read ended" /tmp/log && break; sleep 1;
        done; tail -n 1 /tmp/log; sha256sum /tmp/got 2>&1 || true'
    says out "read ended with"
    refute grep -q "ended with 143" out
}

# The share can be used again, after a replug if need be.
works() {
    in_guest "$1" 'for try in $(seq 40); do timeout 60 mtp-files 2>/dev/null | grep -q small &&
        break; sleep 0.5; done; timeout 60 mtp-connect --getfile small /tmp/small >/dev/null 2>&1;
        cat /tmp/small; rm -f /tmp/small'
    says out "as small as can be"
    [ "$("$OSTLER" domstate "$1")" = running ] || fail "the guest is not running"
}

monitor() {
    "$OSTLER" qemu-monitor-command "$@" >said || fail "the monitor refuses: $*"
    [ ! -s said ] || refute grep -q "Error\|error" said
}

qemu-img create -q -f qcow2 state.qcow2 64M
define_guest here 'memory = 256M' 'accel = tcg' 'kernel = vmlinuz' 'initrd = initrd' \
    'append = console=ttyS0 quiet' '[disk.state]' "file = $tmp/state.qcow2" \
    '[share.files]' "path = $tmp/share"
"$OSTLER" start here
works here

echo "== suspended and resumed in the middle of a read"
start_reading here
"$OSTLER" suspend here
sleep 3
"$OSTLER" resume here
end_reading here
says out "read ended with 0"
says out "$hash"
works here

echo "== killed in the middle of a read"
start_reading here
kill -9 "$(pgrep -f "ostler-mtp --connect $tmp/home/run/here/")"
end_reading here
works here

echo "== saved and restored, at rest"
monitor here --hmp savevm rest
works here
monitor here --hmp loadvm rest
works here

echo "== saved in the middle of a read, and restored after its end"
start_reading here
monitor here --hmp savevm busy
end_reading here
for round in 1 2 3; do
    monitor here --hmp loadvm busy
    end_reading here
    works here
done

echo "== saved in the middle of a read again and again"
for round in 1 2 3; do
    start_reading here
    monitor here --hmp savevm busy
    end_reading here
    works here # the replug that follows a savevm must be over before the next read
done
monitor here --hmp loadvm busy
works here

"$OSTLER" destroy here
