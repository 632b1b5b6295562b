#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages are well-formed and have every command, section and key.
. "$(dirname "$0")/lib.sh"
requires groff --version

optional=
[ -z "${OSTLER_THUMBNAIL:-}" ] || optional=ostler-thumbnail

for path in ostler/ostler.1 ostler/ostler-definition.5 ostler-address/ostler-address.1 \
    ostler-keeper/ostler-keeper.1 ostler-mtp/ostler-mtp.1 ${optional:+$optional/$optional.1}; do
    page=${path#*/}
    # grotty's -cbou: plain text, neither overstruck nor with escapes.
    groff -ww -man -Tutf8 -P-cbou "$BUILD_DIR/programs/$path" >"$page.plain" 2>warnings
    [ ! -s warnings ] || { cat warnings >&2; fail "groff warns of $page"; }
done

"$OSTLER" __complete '' | cut -f1 | while read -r command; do
    grep -q "^ *$command" ostler.1.plain || fail "ostler(1) lacks $command"
done
for heading in NAME SYNOPSIS 'EXIT STATUS' ENVIRONMENT FILES 'SEE ALSO'; do
    grep -q "^$heading" ostler.1.plain || fail "ostler(1) lacks $heading"
done

for program in ostler-address ostler-keeper ostler-mtp $optional; do
    for heading in NAME SYNOPSIS OPTIONS 'EXIT STATUS' 'SEE ALSO'; do
        grep -q "^$heading" $program.1.plain || fail "$program(1) lacks $heading"
    done
    "$BUILD_DIR/programs/$program/$program" --help | grep -o -- ' --[a-z-]*' |
        grep -v -- --help >options
    grep -q . options || fail "$program --help shows no option"
    while read -r option; do
        grep -qE -- "^ {7}(-., )?$option( |\$)" $program.1.plain ||
            fail "$program(1) lacks $option"
    done <options
    grep -q "$program(1)" ostler.1.plain || fail "ostler(1) does not name $program(1)"
done
for heading in SIGNALS FILES; do
    grep -q "^$heading" ostler-keeper.1.plain || fail "ostler-keeper(1) lacks $heading"
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
