#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A wrong command line is told with the right word and exit code 2, and every command's
# help has all of its options.
. "$(dirname "$0")/lib.sh"

expect 2 "$OSTLER"
says err 'Usage: ostler COMMAND'
expect 2 "$OSTLER" strat web
says err "Unknown command 'strat'; did you mean 'start'?"
expect 2 "$OSTLER" list --al
says err "'list' has no option '--al'; did you mean '--all'?"
expect 2 "$OSTLER" start
says err 'GUEST is missing: ostler start GUEST'
expect 2 "$OSTLER" undefine web mail
says err "'undefine' has no use for 'mail'"
expect 2 "$OSTLER" domifaddr web --wait=soon
says err "'--wait=soon' is no number of seconds"
expect 2 "$OSTLER" help strat
says err "did you mean 'start'?"
expect 2 "$OSTLER" run
says err 'Nothing to run'
expect 3 "$OSTLER" domstate -- --all
says err "No guest is named '--all'"

# Options stand anywhere; help wins over missing arguments.
expect 0 "$OSTLER" --json list -a
is out '[]'
expect 0 "$OSTLER" start --help
says out 'Usage: ostler start GUEST'
expect 0 "$OSTLER" --help
cp out list-of-commands
expect 0 "$OSTLER" --version
says out 'ostler '

# Each command the completion knows has help with each option it knows, and a place in
# the list and the manual.
"$OSTLER" __complete '' | cut -f1 >commands
[ "$(wc -l <commands)" -ge 20 ] || fail "only $(wc -l <commands) commands"
while read -r command; do
    expect 0 "$OSTLER" help "$command"
    says out "Usage: ostler $command"
    says list-of-commands "  $command"
    "$OSTLER" __complete "$command" -- | cut -f1 | tr -d = >options
    grep -q . options || fail "no options of $command"
    while read -r option; do
        says out "$option"
    done <options
done <commands

# Colour is for terminals, and for those who want it.
if script --version >/dev/null 2>&1; then
    env -u NO_COLOR TERM=xterm script -qec "'$OSTLER' strat" /dev/null >coloured || true
    says coloured "$(printf '\033[31m')"
    script -qec "'$OSTLER' strat" /dev/null >plain || true
    refute grep -q "$(printf '\033')" plain
fi
