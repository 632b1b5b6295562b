#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every MTP client that Debian has works with a folder of the host, in a Linux guest.
#
#     mtp-clients.sh CLIENT...      libmtp gphoto2 jmtpfs go-mtpfs gvfs
#
# What was typed in the guest and what came back stays in transcript-CLIENT.txt, in
# $TRANSCRIPTS if that is set.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
requires qemu-system-x86_64 --version

guest_image x86_64-clients
mkdir share share/Album
printf 'one\n' >share/one.txt
head -c 100000 /dev/urandom >share/Album/photo.jpg
# 256 x 64 pixels, all black: one bit each.
head -c 2048 /dev/zero | { printf 'BM\76\10\0\0\0\0\0\0\76\0\0\0\50\0\0\0\0\1\0\0\100\0\0\0\1\0\1\0'
    head -c 24 /dev/zero; printf '\0\0\0\0\377\377\377\0'; cat; } >share/black.bmp
printf 'deep\n' >share/Album/deep.txt

qemu-system-x86_64 -machine q35 -m 1024 -nodefaults -display none \
    -kernel "$image/vmlinuz" -initrd "$image/initrd" -append "console=ttyS0 quiet" \
    -chardev socket,id=console,path=console,server=on,wait=off \
    -serial chardev:console -device qemu-xhci \
    -chardev socket,id=mtp,path=mtp.sock,server=on,wait=off \
    -device usb-redir,chardev=mtp &
qemu=$!
cleanup "kill $qemu 2>/dev/null; wait $qemu 2>/dev/null"
wait_for 10 test -S mtp.sock
"$OSTLER_MTP" --connect mtp.sock --share "Pictures=$tmp/share" 2>>mtp.log &
mtp=$!

transcript=/dev/null

# in_guest COMMAND: its output is in ./out; it must succeed.  It is typed as one line.
in_guest() {
    printf 'guest# %s\n' "$1" >>"$transcript"
    "$GUEST_RUN" 180 "$(echo "$1" | tr '\n' ' ')" unix:console >out || {
        cat out mtp.log >&2
        fail "in the guest: $1"
    }
    cat out >>"$transcript"
}

hash_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

test_libmtp() {
    in_guest 'export LANG=C.UTF-8; cd /tmp; mtp-detect 2>&1'
    says out "StorageDescription: Pictures"
    in_guest 'mtp-files 2>&1'
    says out "Filename: one.txt"
    says out "Filename: photo.jpg"
    id=$(sed -n '/Filename: photo.jpg/!{s/^File ID: //p;};/Filename: photo.jpg/q' out |
        tail -n 1)
    in_guest 'mtp-folders 2>&1; mtp-filetree 2>&1'
    says out "Album"
    in_guest "mtp-getfile $id /tmp/got >/dev/null 2>&1; sha256sum </tmp/got"
    says out "$(hash_of share/Album/photo.jpg)"
    # libmtp 1.1.20 says "Yes" to any number: it asks its cache, wanting nothing.
    in_guest "mtp-trexist $id 2>&1"
    says out "Yes"
    in_guest 'echo sent >/tmp/sent.txt; mtp-sendfile /tmp/sent.txt sent.txt 2>&1'
    is share/sent.txt sent
    in_guest 'mtp-delfile -f sent.txt 2>&1'
    [ ! -e share/sent.txt ] || fail "mtp-delfile did nothing"
    in_guest 'mtp-newfolder made 0 65537 2>&1'
    [ -d share/made ] || fail "mtp-newfolder did nothing"
    in_guest 'mtp-connect --sendfile /tmp/sent.txt /made 2>&1'
    is share/made/sent.txt sent
    in_guest 'timeout 30 mtp-emptyfolders 2>&1; echo "status $?"'
    says out "status 0"
    # It sends a thumbnail, of which ours are none but those we make.
    in_guest "timeout 30 mtp-thumb -i $id /tmp/sent.txt 2>&1; echo status \$?"
    says out "Couldn't send thumbnail"
    says out "status 0"
    # It asks before it does anything, on its standard input.
    in_guest 'echo y | timeout 30 mtp-reset 2>&1; echo "status $?"'
    says out "OK."
    says out "status 0"
    in_guest 'mtp-files 2>&1'
    says out "Filename: one.txt"
}

# number_of FILE: in gphoto2's list of the top folder, which is in ./out.
number_of() { tr '\r' '\n' <out | sed -n "s/^#\([0-9]*\) *$1 .*/\1/p" | head -n 1; }

test_gphoto2() {
    in_guest 'cd /tmp; gphoto2 --folder /store_00010001 --list-files 2>&1'
    if [ -x "${OSTLER_THUMBNAIL:-}" ]; then
        says out black.bmp
        in_guest "gphoto2 -q --folder /store_00010001
            --get-thumbnail $(number_of black.bmp) --force-overwrite 2>&1;
            od -An -tx1 -N3 thumb_black.*"
        says out "ff d8 ff"
    else
        echo "skip: thumbnails, built without gdk-pixbuf"
    fi
    in_guest 'cd /tmp; gphoto2 -q --auto-detect 2>&1 | tr "\r" "\n" | grep -v Loading;
        gphoto2 -q --list-files 2>&1 | tr "\r" "\n" | grep -v Loading'
    says out "/store_00010001/Album"
    in_guest 'gphoto2 -q --folder /store_00010001/Album --get-file 2 --force-overwrite
        >/dev/null 2>&1; cat deep.txt photo.jpg 2>/dev/null | sha256sum;
        gphoto2 -q --folder /store_00010001/Album --get-file 1 --force-overwrite
        >/dev/null 2>&1; sha256sum <photo.jpg; cat deep.txt'
    says out "$(hash_of share/Album/photo.jpg)"
    says out deep
    in_guest 'echo up >up.txt; gphoto2 -q --folder /store_00010001/Album
        --upload-file up.txt >/dev/null 2>&1'
    is share/Album/up.txt up
    in_guest 'gphoto2 -q --folder /store_00010001/Album --delete-file 3 >/dev/null 2>&1'
    [ "$(ls share/Album | wc -l)" = 2 ] || fail "gphoto2 --delete-file did nothing"
    in_guest 'gphoto2 -q --folder /store_00010001 --mkdir by-gphoto2 >/dev/null 2>&1'
    [ -d share/by-gphoto2 ] || fail "gphoto2 --mkdir did nothing"
}

# work_on FOLDER: what any program does with files, on a mounted storage.
work_on() {
    in_guest "find $1 | sort; cat $1/one.txt; sha256sum <$1/Album/photo.jpg"
    says out "$1/Album/deep.txt"
    says out one
    says out "$(hash_of share/Album/photo.jpg)"
    in_guest "echo written >$1/written.txt; cat $1/written.txt"
    is share/written.txt written
    in_guest "mv $1/written.txt $1/renamed.txt; ls $1"
    is share/renamed.txt written
    [ ! -e share/written.txt ] || fail "the old name is still there"
    in_guest "mkdir $1/folder; dd if=/dev/zero of=$1/folder/zeros bs=1k count=300
        2>/dev/null; ls -l $1/folder"
    [ "$(wc -c <share/folder/zeros)" = 307200 ] || fail "a written file has another size"
    in_guest "rm $1/renamed.txt $1/folder/zeros; rmdir $1/folder; ls $1"
    [ ! -e share/renamed.txt ] && [ ! -e share/folder ] || fail "not all was removed"
}

test_jmtpfs() {
    in_guest 'modprobe fuse; mkdir -p /mnt/j; jmtpfs /mnt/j 2>&1; ls /mnt/j'
    work_on /mnt/j/Pictures
    in_guest 'umount /mnt/j'
}

test_go_mtpfs() {
    in_guest 'modprobe fuse; mkdir -p /mnt/go; go-mtpfs /mnt/go >/tmp/go.log 2>&1 &
        for i in $(seq 100); do grep -q "FUSE mounted" /tmp/go.log && break; sleep 0.1;
        done; ls /mnt/go; cat /tmp/go.log'
    says out Pictures
    work_on /mnt/go/Pictures
    in_guest 'umount /mnt/go'
}

# A file manager that shows the folder is told what the host does in it.  When gio
# monitor has begun to listen it does not say, so the host makes files until one is seen.
hears_of_the_host() {
    (
        i=0
        while kill -0 "$qemu" && [ ! -e heard ]; do
            : >share/by-host-$((i += 1))
            sleep 1
        done
    ) &
    in_guest 'gio list "${uri}Pictures" >/dev/null;
        gio monitor "${uri}Pictures" >/tmp/seen 2>&1 &
        for i in $(seq 600); do grep -q "by-host-.*created" /tmp/seen && break; sleep 0.1;
        done; cat /tmp/seen'
    : >heard
    wait $!
    says out created
    rm share/by-host-1
    in_guest 'for i in $(seq 300); do grep -q "by-host-1.*deleted" /tmp/seen && break;
        sleep 0.1; done; cat /tmp/seen; kill %%'
    says out "deleted"
    rm -f share/by-host-*
}

# gvfs finds its devices by udev and is spoken to over D-Bus.
test_gvfs() {
    in_guest 'mkdir -p /run/udev; /lib/systemd/systemd-udevd --daemon;
        udevadm trigger; udevadm settle; echo root:x:0:0::/root:/bin/sh >/etc/passwd;
        dbus-uuidgen >/etc/machine-id; glib-compile-schemas /usr/share/glib-2.0/schemas;
        dbus-daemon --session --fork --print-address >/tmp/bus 2>&1;
        export DBUS_SESSION_BUS_ADDRESS=$(cat /tmp/bus) XDG_RUNTIME_DIR=/run;
        cat /tmp/bus'
    in_guest 'uri=$(printf "mtp://[usb:%03d,%03d]/"
        $(cat /sys/bus/usb/devices/1-1/busnum /sys/bus/usb/devices/1-1/devnum));
        gio mount "$uri" 2>&1; gio mount -l 2>&1; gio list "$uri" 2>&1'
    says out Pictures
    in_guest 'gio list -l "${uri}Pictures/Album" 2>&1; gio cat "${uri}Pictures/one.txt"'
    says out photo.jpg
    says out one
    in_guest 'echo copied >/tmp/copied.txt;
        gio copy /tmp/copied.txt "${uri}Pictures/copied.txt" 2>&1;
        gio copy "${uri}Pictures/Album/photo.jpg" /tmp/photo 2>&1; sha256sum </tmp/photo'
    is share/copied.txt copied
    says out "$(hash_of share/Album/photo.jpg)"
    in_guest 'gio rename "${uri}Pictures/copied.txt" renamed.txt 2>&1;
        gio mkdir "${uri}Pictures/by-gio" 2>&1'
    is share/renamed.txt copied
    [ -d share/by-gio ] || fail "gio mkdir did nothing"
    hears_of_the_host
    in_guest 'gio remove "${uri}Pictures/renamed.txt" "${uri}Pictures/by-gio" 2>&1;
        gio mount -u "$uri" 2>&1'
    [ ! -e share/renamed.txt ] && [ ! -e share/by-gio ] || fail "not all was removed"
}

for client; do
    echo "== $client"
    transcript=${TRANSCRIPTS:-$tmp}/transcript-$client.txt
    "test_$(echo "$client" | tr - _)"
    [ -z "$(find share -name '.ostler-*')" ] || fail "temporary files were left"
done

kill $qemu
wait $mtp || fail "exit code $?"
