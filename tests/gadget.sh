#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real gadget: ostler-mtp inside a guest, as a USB device of the guest's own dummy
# controller, and in the same guest as its host libmtp, and at each speed the conversations
# of all transports (src/mtp/testing-conversation.h).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
requires qemu-system-x86_64 --version
requires ldd --version

guest_image x86_64-usb

# Programs with all their libraries, in an image that the kernel unpacks over the other.
pack() {
    root=$tmp/root
    mkdir -p "$root/mtp"
    for program; do
        cp "$program" "$root/mtp/"
        ldd "$program" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' >>libraries
    done
    sort -u libraries | while read -r library; do
        cp -L "$library" "$root/mtp/"
    done
    loader=$(ldd "$1" | sed -n 's/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\) .*/\1/p')
    cp -L "$loader" "$root/mtp/ld.so"
    (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >more
    cat "$image/initrd" more >initrd
}

# in_guest COMMAND: its output is in ./out; it must succeed.  It is typed as one line.
in_guest() {
    "$GUEST_RUN" 150 "$(echo "$1" | tr '\n' ' ')" unix:console >out || {
        cat out >&2
        fail "in the guest: $1"
    }
}

pack "$OSTLER_MTP" "$MTP_GADGET_HOST"
qemu-system-x86_64 -machine q35,accel=tcg -m 1024 -nodefaults -display none \
    -kernel "$image/vmlinuz" -initrd initrd -append "console=ttyS0 quiet" \
    -chardev socket,id=console,path=console,server=on,wait=off \
    -serial chardev:console &
qemu=$!
cleanup "kill $qemu 2>/dev/null; wait $qemu 2>/dev/null"
wait_for 10 test -S console

echo "== the gadget is made, and bound"
in_guest 'mkdir -p /tmp/share /dev/ffs; for size in 0 500 512 16372 16384 65524 65536 1048576;
    do head -c $size /dev/urandom >/tmp/share/file-$size; done;
    modprobe -a dummy_hcd libcomposite usb_f_fs; mount -t configfs none /sys/kernel/config;
    g=/sys/kernel/config/usb_gadget/g; mkdir $g; cd $g; echo 0x1d6b >idVendor;
    echo 0x0100 >idProduct; mkdir strings/0x409 configs/c.1; echo 0001 >strings/0x409/serialnumber;
    echo Gadget >strings/0x409/product; echo 1 >os_desc/use; echo 0xcd >os_desc/b_vendor_code;
    echo MSFT100 >os_desc/qw_sign; mkdir functions/ffs.mtp;
    ln -s functions/ffs.mtp configs/c.1; ln -s configs/c.1 os_desc;
    mount -t functionfs mtp /dev/ffs; cd /; ls /dev/ffs'
says out ep0
in_guest 'export LD_LIBRARY_PATH=/mtp; (/mtp/ld.so --library-path /mtp /mtp/ostler-mtp
    --functionfs /dev/ffs --share Pictures=/tmp/share >/tmp/mtp.log 2>&1; echo "ended with $?" >>/tmp/mtp.log) &
    unset LD_LIBRARY_PATH; for try in $(seq 50); do [ -e /dev/ffs/ep3 ] && break; sleep 0.2; done;
    cat /tmp/mtp.log; ls /sys/class/udc >/sys/kernel/config/usb_gadget/g/UDC;
    for try in $(seq 50); do grep -q 1d6b /sys/bus/usb/devices/*-1/idVendor 2>/dev/null && break;
    sleep 0.2; done; cat /sys/bus/usb/devices/*/interface'
says out MTP

echo "== libmtp works with it, both ways"
in_guest 'mtp-detect 2>&1'
says out "StorageDescription: Pictures"
in_guest 'for size in 0 500 512 16372 16384 65524 65536 1048576; do
    mtp-connect --getfile file-$size /tmp/got >/dev/null 2>&1;
    cmp /tmp/got /tmp/share/file-$size && echo same-$size; rm -f /tmp/got; done'
for size in 0 500 512 16372 16384 65524 65536 1048576; do
    says out "same-$size"
done
in_guest 'for size in 0 500 512 16372 16384 1048576; do
    head -c $size /dev/urandom >/tmp/sent-$size; mtp-sendfile /tmp/sent-$size sent >/tmp/log 2>&1;
    cmp /tmp/sent-$size /tmp/share/sent-$size && echo stored-$size || cat /tmp/log /tmp/mtp.log; done'
for size in 0 500 512 16372 16384 1048576; do
    says out "stored-$size"
done

echo "== a pulled plug is survived"
in_guest 'for round in 1 2 3; do echo >/sys/kernel/config/usb_gadget/g/UDC; sleep 0.3;
    ls /sys/class/udc >/sys/kernel/config/usb_gadget/g/UDC; sleep 1; done;
    for try in $(seq 30); do mtp-files 2>/dev/null | grep -q sent-512 && break; sleep 0.3; done;
    mtp-files 2>&1; cat /tmp/mtp.log'
says out "Filename: sent-512"
refute grep -q "ended with" out

# plug SPEED MODULE-OPTION...: a controller of that speed, and the gadget on it.
plug() {
    speed=$1
    shift
    in_guest "echo >/sys/kernel/config/usb_gadget/g/UDC; rmmod dummy_hcd;
        modprobe dummy_hcd $*; ls /sys/class/udc >/sys/kernel/config/usb_gadget/g/UDC;
        for try in \$(seq 100); do grep -q 1d6b /sys/bus/usb/devices/*-1/idVendor 2>/dev/null &&
        break; sleep 0.2; done; cat /sys/bus/usb/devices/*-1/speed"
    says out "$speed"
}

for row in "12 is_high_speed=0" "480" "5000 is_super_speed=1"; do
    echo "== the conversations of all transports, at $row"
    plug $row
    in_guest 'export LD_LIBRARY_PATH=/mtp;
        for try in $(seq 50); do [ -e /dev/bus/usb/*/002 ] && break; sleep 0.2; done;
        for device in /sys/bus/usb/devices/*-1; do bus=$(cat $device/busnum);
        number=$(cat $device/devnum); done;
        export OSTLER_USB_DEVICE=$(printf /dev/bus/usb/%03d/%03d $bus $number);
        /mtp/ld.so --library-path /mtp /mtp/mtp-gadget-host --tap 2>&1;
        echo "conversed: $?"; unset LD_LIBRARY_PATH'
    cat out
    says out "conversed: 0"
    for conversation in sessions files refusals edits cancels; do
        says out "/mtp-conversation/usbfs/$conversation"
    done
done

echo "== the program ends in good order"
in_guest 'kill $(pidof ld.so ostler-mtp) 2>/dev/null || killall ld.so;
    for try in $(seq 50); do grep -q "ended with" /tmp/mtp.log && break; sleep 0.2; done;
    cat /tmp/mtp.log'
says out "ended with 0"
