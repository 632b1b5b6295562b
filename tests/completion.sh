#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# TAB offers what makes sense where the cursor stands, and nothing else.
. "$(dirname "$0")/lib.sh"

define_guest web >/dev/null
define_guest 'my mail' >/dev/null
tab=$(printf '\t')

offers() {
    "$OSTLER" __complete "$@" >out 2>err
    [ ! -s err ] || fail "completion spoke to the terminal"
}

offers st
is out "start${tab}Start a defined guest"
offers start ''
is out "my mail${tab}shut off
web${tab}shut off"
offers start w
is out "web${tab}shut off"
offers start web ''
is out ''
offers shutdown '' # nothing runs
is out ''
offers domstate web --wait=sh
is out "--wait=shut off${tab}"
offers domstate web --wait run
is out "running${tab}"
offers define ''
is out ':files'
offers run --share ''
is out ':folders'
offers help dest
is out "destroy${tab}End a guest at once, like pulling its plug"
offers nonsense --all ''
says out "list$tab"

# The same through bash.
requires bash -c 'type complete'
cat >ask.bash <<'END'
. "$SOURCE_DIR/programs/ostler/ostler.bash"
compopt() { :; } # only a real TAB has options to change
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_ostler
printf '%s\n' "${COMPREPLY[@]}"
END
expect 0 bash ask.bash "$OSTLER" start w
is out web
expect 0 bash ask.bash "$OSTLER" start my
is out 'my\ mail'
touch one.guest
expect 0 bash ask.bash "$OSTLER" define one
is out one.guest
