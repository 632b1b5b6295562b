#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages are well-formed and have every command, section and key.
. "$(dirname "$0")/lib.sh"
requires groff --version

for page in ostler.1 ostler-definition.5; do
    # grotty's -cbou: plain text, neither overstruck nor with escapes.
    groff -ww -man -Tutf8 -P-cbou "$BUILD_DIR/programs/ostler/$page" >"$page.plain" \
        2>warnings
    [ ! -s warnings ] || { cat warnings >&2; fail "groff warns of $page"; }
done

"$OSTLER" __complete '' | cut -f1 | while read -r command; do
    grep -q "^ *$command" ostler.1.plain || fail "ostler(1) lacks $command"
done
for heading in NAME SYNOPSIS 'EXIT STATUS' ENVIRONMENT FILES 'SEE ALSO'; do
    grep -q "^$heading" ostler.1.plain || fail "ostler(1) lacks $heading"
done

# The vocabulary's own source names what must be there.
sed -n 's/^ *{ "\([a-z-]*\)", *OSTLER_VALUE.*/\1/p' "$SOURCE_DIR/src/guest/vocabulary.c" |
    sort -u >keys
[ "$(wc -l <keys)" -ge 70 ] || fail "only $(wc -l <keys) keys were found"
while read -r key; do
    grep -q "^ *$key =" ostler-definition.5.plain ||
        fail "ostler-definition(5) lacks $key"
done <keys
for section in '\[guest\]' '\[disk.LABEL\]' '\[qemu\]'; do
    grep -q "$section" ostler-definition.5.plain ||
        fail "ostler-definition(5) lacks $section"
done
