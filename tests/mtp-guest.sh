#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Linux guest's libmtp works with folders of the host, under a QEMU we did not start.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
requires qemu-system-x86_64 --version

guest_image x86_64

start_qemu() {
    qemu-system-x86_64 -machine q35 -m 512 -nodefaults -display none \
        -kernel "$image/vmlinuz" -initrd "$image/initrd" -append "console=ttyS0 quiet" \
        -chardev socket,id=console,path=console,server=on,wait=off \
        -serial chardev:console \
        -device qemu-xhci \
        -chardev socket,id=mtp,path=mtp.sock,server=on,wait=off \
        -device usb-redir,chardev=mtp &
    qemu=$!
    cleanup "kill $qemu 2>/dev/null; wait $qemu 2>/dev/null"
    wait_for 10 test -S mtp.sock
}

start_mtp() {
    "$OSTLER_MTP" --connect mtp.sock --share "Pictures=$tmp/share" \
        --share "Reference=$tmp/reference,readonly" 2>>mtp.log &
    mtp=$!
}

# in_guest COMMAND: its output is in ./out; it must succeed.  It is typed as one line.
in_guest() {
    "$GUEST_RUN" 120 "$(echo "$1" | tr '\n' ' ')" unix:console >out || {
        cat out mtp.log >&2
        fail "in the guest: $1"
    }
}

hash_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

mkdir share reference
echo secret >secret
ln -s ../secret share/out
ln -s .. share/up
echo "for reading" >reference/manual.txt
for size in 0 1 500 512 16372 16384 1048576 67108864; do
    head -c $size /dev/urandom >share/file-$size
done
long=$(printf '%0240d.txt' 0)
echo long >"share/$long"
echo unicode >"share/Grüße 日本語 😀.txt"

start_qemu
start_mtp

echo "== the device and its storages have the names that were given"
in_guest 'mtp-detect 2>&1'
says out "StorageDescription: Pictures"
says out "StorageDescription: Reference"
says out "AccessCapability: 0x0001 read only"
says out "Friendly name: Pictures"

echo "== files are listed, links are not"
in_guest 'mtp-files 2>&1'
says out "Filename: $long"
says out "Filename: Grüße 日本語 😀.txt"
says out "Filename: manual.txt"
refute grep -q 'Filename: \(out\|up\|secret\)$' out

echo "== files of every size are the same in the guest"
for file in share/file-* "share/$long"; do
    name=${file##*/}
    in_guest "mtp-connect --getfile $name /tmp/got >/dev/null 2>&1;
        sha256sum </tmp/got; rm /tmp/got"
    says out "$(hash_of "$file")"
done

echo "== what the guest sends is the same on the host, and there at once"
for size in 0 500 512 16372 16384 67108864; do
    in_guest "head -c $size /dev/urandom >/tmp/sent-$size;
        mtp-sendfile /tmp/sent-$size sent-$size >/tmp/log 2>&1 || cat /tmp/log;
        sha256sum </tmp/sent-$size; rm /tmp/sent-$size"
    says out "$(hash_of share/sent-$size)"
done

echo "== folders, and files in them"
in_guest 'mtp-newfolder made 0 65537 >/dev/null; echo in >/tmp/in;
    mtp-connect --sendfile /tmp/in /made >/dev/null 2>&1; mtp-folders 2>&1'
says out "made"
is share/made/in in
in_guest 'mtp-delfile -f file-500 >/dev/null 2>&1'
[ ! -e share/file-500 ] || fail "the guest's delete did nothing"

echo "== a read-only share stays as it was"
in_guest 'mtp-newfolder no 0 131073 2>&1; mtp-delfile -f manual.txt 2>&1; true'
is reference/manual.txt "for reading"
[ "$(ls reference)" = manual.txt ] || fail "something was made in a read-only share"

echo "== nothing outside was touched, nothing was left behind"
is secret secret
[ "$(ls | tr "\n" " ")" = "console mtp.log mtp.sock out reference secret share " ] || fail "something was made outside of the shares: $(ls)"
[ -z "$(find share -name '.ostler-*')" ] || fail "temporary files were left"

echo "== a program killed in mid-transfer is replugged, and the transfer leaves nothing"
in_guest 'dmesg | grep -c "USB disconnect" || true'
before=$(cat out)
# In the middle is when the sender first says how far it is.
in_guest 'truncate -s 200M /tmp/big;
    (mtp-sendfile /tmp/big big >/tmp/log 2>&1 &);
    for i in $(seq 300); do grep -q Progress /tmp/log && break; sleep 0.1; done;
    grep -c Progress /tmp/log'
kill -9 $mtp
start_mtp
in_guest 'for i in $(seq 60); do mtp-connect --getfile file-512 /tmp/got >/tmp/log 2>&1;
        [ ! -e /tmp/got ] || break; sleep 0.2; done;
    sha256sum </tmp/got || cat /tmp/log; dmesg | grep -c "USB disconnect"'
says out "$(hash_of share/file-512)"
[ "$(tail -n 1 out)" -gt "$before" ] || fail "the guest saw no replug"
[ ! -e share/big ] || fail "half a file appeared"

echo "== the program ends with its QEMU, in good order"
kill $qemu
wait $mtp || fail "exit code $?"
