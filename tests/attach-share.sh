#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A running guest gets folders and loses them again, the first one included.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
requires qemu-system-x86_64 --version

guest_image x86_64
ln -s "$image/vmlinuz" "$image/initrd" .
mkdir music pictures manual
echo song >music/song.mp3
echo picture >pictures/picture.jpg
echo read >manual/manual.txt

# in_guest COMMAND: its output is in ./out; it must succeed.  It is typed as one line.
in_guest() {
    "$GUEST_RUN" 120 "$(echo "$1" | tr '\n' ' ')" "$OSTLER" console web >out || {
        cat out >&2
        fail "in the guest: $1"
    }
}

# What the guest's libmtp sees; the device may be new to its USB, too.
storages='for try in $(seq 30); do mtp-detect 2>&1 | grep -q "Storage Devices" && break;
    sleep 0.3; done; mtp-detect 2>&1 | grep StorageDescription || true; mtp-files 2>&1'

define_guest web 'memory = 256M' 'accel = tcg' 'kernel = vmlinuz' 'initrd = initrd' \
    'append = console=ttyS0 quiet' '[input.tablet]' 'type = tablet' 'bus = usb'

echo "== a guest that is off: its definition"
"$OSTLER" attach-share web later music
"$OSTLER" dump-definition web >out
says out "[share.later]"
expect 4 "$OSTLER" attach-share web later pictures
says err "The definition of 'web' has a share 'later' already"
expect 4 "$OSTLER" attach-share web now pictures --live
"$OSTLER" share-list web --json >out
says out '"name":"later","path":"'"$tmp/music"'"'
says out '"used":null,"used-objects":null,"free":null'
"$OSTLER" detach-share web later
"$OSTLER" dump-definition web >out
refute grep -q later out
expect 4 "$OSTLER" detach-share web later

echo "== the first share of a running guest brings the device along"
"$OSTLER" start web
in_guest 'dmesg | grep -c "New USB device"'
"$OSTLER" attach-share web music music --json >out
is out '{"name":"web","share":"music"}'
in_guest "$storages"
says out "StorageDescription: music"
says out "Filename: song.mp3"

echo "== the others are more storages of the same device"
"$OSTLER" attach-share web pics pictures --title "My pictures" --live --config
"$OSTLER" attach-share web manual manual --readonly
in_guest "$storages"
says out "StorageDescription: music"
says out "StorageDescription: My pictures"
says out "StorageDescription: manual"
says out "Filename: picture.jpg"
in_guest 'mtp-newfolder made 0 131073 2>&1'
[ -d pictures/made ] || fail "the guest could not write into a share that was attached"
in_guest 'mtp-newfolder made 0 196609 2>&1 || true'
[ ! -e manual/made ] || fail "something was made in a read-only share"
expect 4 "$OSTLER" attach-share web pics pictures
expect 2 "$OSTLER" attach-share web none none
says err "'none' is no folder"

echo "== they are listed, and completed"
"$OSTLER" share-set web music quota=1G
"$OSTLER" share-list web >out
says out "Folder"
grep -q "^music  *read-write  *1.0 GiB  *5 bytes  *1024.0 MiB  *$tmp/music" out || fail "$(cat out)"
grep -q "^manual  *read-only  *-  *- .*$tmp/manual" out || fail "$(cat out)"
"$OSTLER" share-list web --json >out
says out '"quota":1073741824,"quota-objects":null,"used":5,"used-objects":1,"free":1073741819'
says out '"name":"pics","path":"'"$tmp/pictures"'","title":"My pictures","readonly":false,"quota":null'
"$OSTLER" __complete detach-share web m >out
says out "music	$tmp/music"
says out "manual	$tmp/manual"
refute grep -q pics out

echo "== a killed lender, and a killed ostler-mtp, are started again; handles stay"
pids_of() { pgrep -f "ostler-mtp .*$1.*$tmp"; }
before=$(pids_of "attach My pictures") || fail "nobody lends the pictures"
kill -9 $before
lent_again() {
    after=$(pids_of "attach My pictures") && [ "$after" != "$before" ]
}
wait_for 10 lent_again
id_of='for try in $(seq 60); do mtp-files 2>&1 | grep -q picture.jpg && break; sleep 0.3; done;
    mtp-files 2>&1 | grep -B 1 "Filename: picture.jpg" | grep "File ID"'
in_guest "$id_of"
id=$(grep "File ID" out)
kill -9 $(pids_of "connect")
in_guest "for try in \$(seq 60); do mtp-files 2>&1 | grep -q picture.jpg && break; sleep 0.3; done;
    $storages"
says out "Filename: song.mp3"
says out "Filename: picture.jpg"
says out "Filename: manual.txt"
in_guest "$id_of"
says out "$id"
refute pids_of "attach"

echo "== what is detached is gone, and the rest stays"
"$OSTLER" detach-share web pics --live --config
"$OSTLER" detach-share web music --json >out
is out '{"name":"web","share":"music"}'
expect 4 "$OSTLER" detach-share web music
in_guest "$storages"
refute grep -q "song.mp3\|picture.jpg\|My pictures" out
says out "Filename: manual.txt"
"$OSTLER" dump-definition web --as-started >out
says out "[share.manual]"
refute grep -q "share.music\|share.pics" out

echo "== whoever adopts the guest knows its shares"
kill -9 "$("$OSTLER" dominfo web --json | sed -n 's/.*"keeper-pid":\([0-9]*\).*/\1/p')"
"$OSTLER" attach-share web music music
wait_for 10 pids_of "connect.*manual=.*"
"$OSTLER" dump-definition web --as-started >out
says out "[share.manual]"
says out "[share.music]"
pids_of "attach music" >/dev/null || fail "nobody lends the music"
in_guest 'echo "the console goes on"' # it begins with what the last keeper was told
says out "the console goes on"
"$OSTLER" destroy web
