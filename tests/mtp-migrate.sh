#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest with a share moves from QEMU to QEMU, idle and in the middle of a read: at worst it
# sees a replug, the share works afterwards, and no QEMU aborts.
#
# The guest stands still while it moves.  With TCG a busy one that does not loses memory:
# QEMU 7.2, a guest that reads a disk (usb-storage on xHCI, virtio-blk) and has no share was
# dead or read wrong bytes after 7 of 9 moves, and after none of 3 when it was stopped.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
. "$(dirname "$0")/mtp-reading-lib.sh"
requires qemu-system-x86_64 --version

guest_image x86_64
big_and_small share
cut_short=0

# start_qemu NAME USB-SOCKET-OPTIONS [OPTION...]: $qemu is its pid.  Its monitor reads from
# NAME.monitor and writes to NAME.said; its last words are in NAME.log.
start_qemu() {
    name=$1
    chardev=$2
    shift 2
    mkfifo "$name.monitor"
    qemu-system-x86_64 -machine q35,accel=tcg -m 256 -nodefaults -display none \
        -kernel "$image/vmlinuz" -initrd "$image/initrd" -append "console=ttyS0 quiet" \
        -chardev "socket,id=console,path=$name.console,server=on,wait=off" \
        -serial chardev:console -device qemu-xhci,id=usb \
        -chardev "socket,id=mtp,$chardev" -device usb-redir,chardev=mtp,bus=usb.0 \
        -monitor stdio "$@" <"$name.monitor" >"$name.said" 2>"$name.log" &
    qemu=$!
    exec 8>"$name.monitor"
    cleanup "kill -9 $qemu 2>/dev/null; wait $qemu 2>/dev/null"
    wait_for 20 test -S "$name.console"
}

# start_mtp NAME OPTION...: one that shares the folder; $mtp is its pid.
start_mtp() {
    log=$1.mtp.log
    shift
    "$OSTLER_MTP" "$@" --share "Files=$tmp/share" --serial 1 2>>"$log" &
    mtp=$!
    cleanup "kill -9 $mtp 2>/dev/null; wait $mtp 2>/dev/null"
}

# in_guest NAME COMMAND: its output is in ./out; it must succeed.  Typed as one line.
in_guest() {
    "$GUEST_RUN" 200 "$(echo "$2" | tr '\n' ' ')" "unix:$1.console" >out || {
        cat out "$1.said" ./*.log >&2
        fail "in the guest: $2"
    }
}

# It has failed, since its device was gone; if it has not, all of the file came.
end_moved_reading() {
    end_reading "$1"
    if grep -q "ended with 0" out; then
        says out "$hash"
    else
        cut_short=$((cut_short + 1))
    fi
}

# migrate FROM TO: the guest goes on there, and the first QEMU ends in good order.
migrate() {
    wait_for 20 test -S "$2.incoming"
    echo stop >&7
    echo "migrate -d unix:$2.incoming" >&7
    wait_for 100 migrated "$1"
    echo cont >&8
    echo quit >&7
    wait "$from" || fail "QEMU $1 ended with $?"
}
migrated() {
    echo "info migrate" >&7
    sleep 0.2
    grep -q "Migration status: completed" "$1.said"
}

# What runs becomes what is left: 8 and $qemu are the next one's then.
next() {
    exec 7>&8
    from=$qemu
}

start_qemu first path=first.usb,server=on,wait=off
start_mtp first --connect first.usb
can_read first

echo "== idle, and the next ostler-mtp comes when the guest is there"
next
start_qemu second path=second.usb,server=on,wait=off -incoming unix:second.incoming
migrate first second
start_mtp second --connect second.usb
can_read second

echo "== idle, and the next ostler-mtp waits there"
next
start_qemu third path=third.usb,server=on,wait=off -incoming unix:third.incoming
start_mtp third --connect third.usb --reconnect
migrate second third
can_read third

echo "== in the middle of a read, and the next ostler-mtp waits there"
next
start_qemu fourth path=fourth.usb,server=on,wait=off -incoming unix:fourth.incoming
start_mtp fourth --connect fourth.usb --reconnect
start_reading third
migrate third fourth
end_moved_reading fourth
can_read fourth

echo "== in the middle of a read, and the next ostler-mtp comes when the guest is there"
next
start_qemu fifth path=fifth.usb,server=on,wait=off -incoming unix:fifth.incoming
start_reading fourth
migrate fourth fifth
start_mtp fifth --connect fifth.usb
end_moved_reading fifth
can_read fifth

echo "== to a QEMU that calls an ostler-mtp, and on to another that calls the same"
start_mtp both --listen both.usb
next
start_qemu sixth path=both.usb,reconnect=1 -incoming unix:sixth.incoming
migrate fifth sixth
can_read sixth
next
start_qemu seventh path=both.usb,reconnect=1 -incoming unix:seventh.incoming
start_reading sixth
migrate sixth seventh
end_moved_reading seventh
can_read seventh

[ "$cut_short" -gt 0 ] || fail "every read was over before its guest moved"
