#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Editing changes what is stored, and what somebody typed is never lost.
. "$(dirname "$0")/lib.sh"

# editor NAME COMMAND: an editor that does this to the file "$1".
editor() {
    printf '#!/bin/sh\n%s\n' "$2" >"$tmp/$1"
    chmod +x "$tmp/$1"
}
unset VISUAL
TMPDIR=$tmp/drafts
export TMPDIR
mkdir "$TMPDIR"
define_guest 'my web' 'memory = 1G' >/dev/null

editor grow 'sed -i s/1G/2G/ "$1"'
expect 0 env EDITOR="$tmp/grow" "$OSTLER" edit 'my web'
is out "Guest 'my web' edited"
expect 0 "$OSTLER" dump-definition 'my web'
says out 'memory = 2G'

# $VISUAL goes before $EDITOR, and either may have arguments.
editor set 'sed -i "s/2G/$1/" "$2"'
expect 0 env VISUAL="$tmp/set 3G" EDITOR=false "$OSTLER" edit 'my web'
expect 0 "$OSTLER" dump-definition 'my web'
says out 'memory = 3G'

expect 0 env EDITOR=true "$OSTLER" edit 'my web'
is out "Guest 'my web' was not changed"
expect 1 env EDITOR=false "$OSTLER" edit 'my web'
says err "The editor 'false' failed"
rm -f "$TMPDIR"/*

# Wrong, and nobody there to ask: the draft is kept, the definition too.
editor break 'sed -i s/memory/memroy/ "$1"'
expect 5 env EDITOR="$tmp/break" "$OSTLER" edit 'my web' </dev/null
says err "my web:3: Unknown key 'memroy' in [guest]; did you mean 'memory'?"
says err 'The draft is kept'
draft=$(echo "$TMPDIR"/ostler-edit-*.guest)
says "$draft" 'memroy = 3G'
says err "$draft"
[ "$(stat -c %a "$draft")" = 600 ] || fail "others can read the draft"
expect 0 "$OSTLER" dump-definition 'my web'
says out 'memory = 3G'
rm "$draft"

# Nothing is left over after an edit that worked.
expect 0 env EDITOR="$tmp/set 4G" "$OSTLER" edit 'my web'
[ -z "$(ls -A "$TMPDIR")" ] || fail "a draft was left behind"

# On a terminal one is asked, and goes on from the draft.
requires script --version
editor stepwise 'if grep -q memroy "$1"; then
    sed -i "s/memroy = 3G/memory = 5G/" "$1"
else
    sed -i "s/memory/memroy/" "$1"
fi'
printf 'y\n' | expect 0 script -qec \
    "env EDITOR='$tmp/stepwise' '$OSTLER' edit 'my web'" /dev/null
says out 'Edit it again'
says out "Guest 'my web' edited"
expect 0 "$OSTLER" dump-definition 'my web'
says out 'memory = 5G'
