#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is installed works where it lies, wherever that is: the command finds libostler,
# libostler the keeper, the keeper the side programs; and nothing that belongs is missing.
. "$(dirname "$0")/lib.sh"
requires meson --version
requires qemu-system-x86_64 --version

# The build's own library would be found first.
unset LD_LIBRARY_PATH
meson install -C "$BUILD_DIR" --no-rebuild --quiet --destdir "$tmp/root"
prefix=$(find root -path '*/bin/ostler' -printf '%h')/..

present() {
    find "$prefix" -path "$1" | grep -q . || fail "$1 is not installed"
}
runs() {
    readlink /proc/[0-9]*/exe | grep -qxF "$1"
}

present '*/man/man1/ostler.1'
present '*/man/man1/ostler-address.1'
present '*/man/man1/ostler-keeper.1'
present '*/man/man1/ostler-mtp.1'
[ -z "${OSTLER_THUMBNAIL:-}" ] || present '*/man/man1/ostler-thumbnail.1'
present '*/man/man5/ostler-definition.5'
present '*/bash-completion/completions/ostler'
present '*/include/ostler/ostler.h'
present '*/pkgconfig/ostler.pc'
present '*/share/ostler/nested/known/tcg'

ostler=$prefix/bin/ostler
mkdir shared
define_guest web 'machine = pc' 'memory = 64M' 'accel = tcg' \
    '[share.docs]' 'path = shared' '[nic.0]' 'type = user'
expect 0 "$ostler" start web
programs=$(readlink -f "$prefix/bin")
for program in ostler-keeper ostler-mtp ostler-address; do
    wait_for 20 runs "$programs/$program"
done
[ -z "${OSTLER_THUMBNAIL:-}" ] || wait_for 20 runs "$programs/ostler-thumbnail"
expect 0 "$ostler" destroy web

# The rulebook finds its flats and lists beside it.
expect 0 "$prefix/bin/ostler-nested" list svm
says out 'SVM.ENTRY.'
