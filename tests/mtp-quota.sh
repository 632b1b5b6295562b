#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest cannot fill the host's disk: quotas, changed while it runs, and a reserve; and
# its handles outlive the program that gave them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
requires qemu-system-x86_64 --version

guest_image x86_64
ln -s "$image/vmlinuz" "$image/initrd" .
mkdir share

# in_guest COMMAND: its output is in ./out; it must succeed.  It is typed as one line.
in_guest() {
    "$GUEST_RUN" 120 "$(echo "$1" | tr '\n' ' ')" "$OSTLER" console web >out || {
        cat out >&2
        fail "in the guest: $1"
    }
}

# send SIZE NAME: the guest sends a file; what libmtp says of it is in ./out.
send() {
    in_guest "head -c $1 /dev/urandom >/tmp/$2;
        mtp-sendfile /tmp/$2 $2 2>&1; sha256sum </tmp/$2"
}

hash_of() { sha256sum <"$1" | cut -d ' ' -f 1; }
only() { [ "$(ls -A share | tr '\n' ' ')" = "$1 " ] || fail "in the share: $(ls -A share)"; }

echo "== settings that are none"
define_guest web 'memory = 256M' 'accel = tcg' 'kernel = vmlinuz' 'initrd = initrd' \
    'append = console=ttyS0 quiet' '[share.docs]' "path = $tmp/share" 'quota = 3M' \
    'reserve = 64M'
expect 2 "$OSTLER" share-set web docs quota
expect 2 "$OSTLER" share-set web docs path=/
says err "'path' of a share cannot be changed"
expect 2 "$OSTLER" share-set web docs quota=much
expect 4 "$OSTLER" share-set web none quota=1M
expect 4 "$OSTLER" share-set web docs quota=1M --live

"$OSTLER" start web
in_guest 'for try in $(seq 60); do mtp-detect 2>&1 | grep -q MaxCapacity && break; sleep 0.3; done'

echo "== what fits is stored, what does not is refused whole"
send 2000000 first
says out "$(hash_of share/first)"
send 2000000 second
says out "all device storage is full"
only first
in_guest 'mtp-detect 2>&1 | grep -E "MaxCapacity|FreeSpace"'
says out "MaxCapacity: 3145728"
says out "FreeSpaceInBytes: 1145728"

echo "== a quota that is raised while the guest runs counts at once"
"$OSTLER" share-set web docs quota=5M --json >out
is out '{"name":"web","share":"docs"}'
in_guest 'mtp-detect 2>&1 | grep FreeSpaceInBytes'
says out "FreeSpaceInBytes: 3242880"
send 2000000 second
says out "$(hash_of share/second)"

echo "== what the host puts there counts as well"
head -c 1000000 /dev/urandom >share/host
in_guest 'for try in $(seq 30); do mtp-detect 2>&1 | grep FreeSpaceInBytes >/tmp/free;
    grep -q " 242880" /tmp/free && break; sleep 0.3; done; cat /tmp/free'
says out "FreeSpaceInBytes: 242880"
send 1000000 third
[ ! -e share/third ] || fail "a file over the quota was stored"
rm share/host

echo "== so do objects"
"$OSTLER" share-set web docs quota=0 quota-objects=3
in_guest 'mtp-newfolder three 0 65537 2>&1; mtp-newfolder four 0 65537 2>&1 || true'
says out "Folder creation failed"
[ -d share/three ] || fail "the third object was refused"
[ ! -e share/four ] || fail "a fourth object was made"

echo "== a full disk is not filled further"
"$OSTLER" share-set web docs quota-objects=0 reserve=1000T
send 1000 fourth
[ ! -e share/fourth ] || fail "the reserve was not kept"
"$OSTLER" share-set web docs reserve=1M
send 1000 fourth
says out "$(hash_of share/fourth)"

echo "== the limits last until the guest ends, whoever restarts"
"$OSTLER" share-set web docs quota=4100000
in_guest 'mtp-files 2>&1'
id=$(grep -B 1 "Filename: second" out | sed -n 's/^File ID: //p' | tr -d '\r')
kill -9 "$(pgrep -f "ostler-mtp --connect $tmp")"
mv share/second share/renamed
in_guest "for try in \$(seq 60); do mtp-files 2>&1 | grep -q renamed && break; sleep 0.3; done;
    mtp-files 2>&1; mtp-detect 2>&1 | grep FreeSpaceInBytes"
says out "FreeSpaceInBytes: 99000"
[ "$(grep -B 1 "Filename: renamed" out | sed -n 's/^File ID: //p' | tr -d '\r')" = "$id" ] ||
    fail "the handle was $id, and is another one after a restart"
in_guest "mtp-getfile $id /tmp/got >/dev/null 2>&1; sha256sum </tmp/got"
says out "$(hash_of share/renamed)"
"$OSTLER" dump-definition web --as-started >out
says out "quota = 4100000"
"$OSTLER" dump-definition web >out
says out "quota = 3M"
"$OSTLER" share-set web docs quota=7M --config
"$OSTLER" dump-definition web >out
says out "quota = 7M"
"$OSTLER" destroy web
"$OSTLER" undefine web
[ ! -e "$OSTLER_HOME/state/web" ] || fail "handles of a guest that is no more were kept"
