#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest with a share is suspended, saved and restored while it reads a file, and loses its
# ostler-mtp: at worst it sees a replug, it never hangs, and QEMU goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
. "$(dirname "$0")/mtp-reading-lib.sh"
requires qemu-system-x86_64 --version
requires qemu-img --version

guest_image x86_64
ln -s "$image/vmlinuz" "$image/initrd" .
big_and_small share

# in_guest NAME COMMAND: its output is in ./out; it must succeed.  Typed as one line.
in_guest() {
    "$GUEST_RUN" 200 "$(echo "$2" | tr '\n' ' ')" "$OSTLER" console "$1" >out || {
        cat out >&2
        fail "in the guest: $2"
    }
}

# The share and the guest can be used again.
works() {
    can_read "$1"
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
