#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Linux guest imports the device over the network, with its own stock usbip.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
requires qemu-system-x86_64 --version

guest_image x86_64-usb

# in_guest COMMAND: its output is in ./out; it must succeed.  It is typed as one line.
in_guest() {
    "$GUEST_RUN" 120 "$(echo "$1" | tr '\n' ' ')" unix:console >out || {
        cat out mtp.log >&2
        fail "in the guest: $1"
    }
}

hash_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

start_mtp() {
    "$OSTLER_MTP" --usbip "$port" --share "Pictures=$tmp/share" 2>>mtp.log &
    mtp=$!
}

mkdir share
for size in 0 500 512 16372 16384 1048576; do
    head -c $size /dev/urandom >share/file-$size
done

expect 2 "$OSTLER_MTP" --usbip nowhere --share "Pictures=$tmp/share"
says err "'nowhere' is neither a port nor an address with one"

# A port that nobody has: the first free one from a number of this process's own.
port=$((20000 + $$ % 20000))
start_mtp
until kill -0 $mtp 2>/dev/null && grep -q ":$(printf %04X $port) .* 0A" /proc/net/tcp; do
    kill -0 $mtp 2>/dev/null || { port=$((port + 1)); start_mtp; }
    sleep 0.1
done

qemu-system-x86_64 -machine q35,accel=tcg -m 512 -nodefaults -display none \
    -kernel "$image/vmlinuz" -initrd "$image/initrd" -append "console=ttyS0 quiet" \
    -chardev socket,id=console,path=console,server=on,wait=off \
    -serial chardev:console -nic user,model=virtio-net-pci &
qemu=$!
cleanup "kill $qemu $mtp 2>/dev/null; wait $qemu $mtp 2>/dev/null"
wait_for 10 test -S console

echo "== the device is listed, and attached once"
in_guest "mkdir -p /var/run; modprobe vhci_hcd; usbip --tcp-port $port list -r 10.0.2.2 2>&1"
says out "1d6b:0100"
in_guest "usbip --tcp-port $port attach -r 10.0.2.2 -b 9-9 2>&1 || true"
in_guest "usbip --tcp-port $port attach -r 10.0.2.2 -b 1-1 2>&1 &&
    for try in \$(seq 50); do grep -q 1d6b /sys/bus/usb/devices/*-1/idVendor 2>/dev/null &&
    break; sleep 0.2; done; usbip port 2>&1"
says out "<Port in Use> at High Speed"
in_guest "usbip --tcp-port $port attach -r 10.0.2.2 -b 1-1 2>&1 || true"
refute grep -q "succeeded" out

echo "== libmtp works with it"
in_guest 'mtp-detect 2>&1'
says out "StorageDescription: Pictures"
for file in share/file-*; do
    name=${file##*/}
    in_guest "mtp-connect --getfile $name /tmp/got >/dev/null 2>&1;
        sha256sum </tmp/got; rm /tmp/got"
    says out "$(hash_of "$file")"
done
for size in 0 512 16372 1048576; do
    in_guest "head -c $size /dev/urandom >/tmp/sent-$size;
        mtp-sendfile /tmp/sent-$size sent-$size >/tmp/log 2>&1 || cat /tmp/log;
        sha256sum </tmp/sent-$size"
    says out "$(hash_of share/sent-$size)"
done

echo "== a killed server unplugs it; the next is attached anew"
kill -9 $mtp
in_guest "for try in \$(seq 100); do usbip port 2>/dev/null | grep -q 'Port in Use' || break;
    sleep 0.2; done; usbip port 2>&1; echo none"
refute grep -q "Port in Use" out
start_mtp
cleanup "kill $mtp 2>/dev/null; wait $mtp 2>/dev/null"
in_guest "for try in \$(seq 20); do
    usbip --tcp-port $port attach -r 10.0.2.2 -b 1-1 >/dev/null 2>&1 && break; sleep 0.3; done;
    for try in \$(seq 30); do mtp-files 2>/dev/null | grep -q file-512 && break; sleep 0.3; done;
    mtp-files 2>&1"
says out "Filename: file-512"

echo "== detached in good order"
in_guest 'usbip detach -p 0 2>&1'
kill $mtp
wait $mtp || fail "exit code $?"
