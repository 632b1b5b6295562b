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
requires qemu-system-x86_64 --version

guest_image x86_64
mkdir share
head -c 67108864 /dev/urandom >share/big
echo as small as can be >share/small
cut_short=0
hash=$(sha256sum <share/big | cut -d ' ' -f 1)

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

# A read that goes on while the host does something: "read ended with CODE", and what came.
start_reading() {
    in_guest "$1" 'rm -f /tmp/got /tmp/log; (timeout 150 mtp-connect --getfile big /tmp/got
        >/tmp/log 2>&1; echo "read ended with $?" >>/tmp/log) & for try in $(seq 100); do
        [ -s /tmp/got ] && break; sleep 0.1; done; ls -l /tmp/got'
}

# It ended, by itself: 143 is what timeout makes of one that hangs.  It has failed, since
# its device was gone; if it has not, all of the file came.
end_reading() {
    in_guest "$1" 'for try in $(seq 160); do grep -q "read ended" /tmp/log && break; sleep 1;
        done; tail -n 1 /tmp/log; sha256sum /tmp/got 2>&1 || true'
    says out "read ended with"
    refute grep -q "ended with 143" out
    if grep -q "ended with 0" out; then
        says out "$hash"
    else
        cut_short=$((cut_short + 1))
    fi
}

# The share can be used, after a replug if need be.
works() {
    in_guest "$1" 'for try in $(seq 40); do timeout 60 mtp-files 2>/dev/null | grep -q small &&
        break; sleep 0.5; done; timeout 60 mtp-connect --getfile small /tmp/small >/dev/null 2>&1;
        cat /tmp/small; rm -f /tmp/small'
    says out "as small as can be"
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
works first

echo "== idle, and the next ostler-mtp comes when the guest is there"
next
start_qemu second path=second.usb,server=on,wait=off -incoming unix:second.incoming
migrate first second
start_mtp second --connect second.usb
works second

echo "== idle, and the next ostler-mtp waits there"
next
start_qemu third path=third.usb,server=on,wait=off -incoming unix:third.incoming
start_mtp third --connect third.usb --reconnect
migrate second third
works third

echo "== in the middle of a read, and the next ostler-mtp waits there"
next
start_qemu fourth path=fourth.usb,server=on,wait=off -incoming unix:fourth.incoming
start_mtp fourth --connect fourth.usb --reconnect
start_reading third
migrate third fourth
end_reading fourth
works fourth

echo "== in the middle of a read, and the next ostler-mtp comes when the guest is there"
next
start_qemu fifth path=fifth.usb,server=on,wait=off -incoming unix:fifth.incoming
start_reading fourth
migrate fourth fifth
start_mtp fifth --connect fifth.usb
end_reading fifth
works fifth

echo "== to a QEMU that calls an ostler-mtp, and on to another that calls the same"
start_mtp both --listen both.usb
next
start_qemu sixth path=both.usb,reconnect=1 -incoming unix:sixth.incoming
migrate fifth sixth
works sixth
next
start_qemu seventh path=both.usb,reconnect=1 -incoming unix:seventh.incoming
start_reading sixth
migrate sixth seventh
end_reading seventh
works seventh

[ "$cut_short" -gt 0 ] || fail "every read was over before its guest moved"
