#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Autostart leaves a unit that systemd takes, and undefining takes it away.
. "$(dirname "$0")/lib.sh"

wants=$XDG_CONFIG_HOME/systemd/user/default.target.wants
define_guest 'my $web' >/dev/null

expect 0 "$OSTLER" autostart 'my $web'
is out "Guest 'my \$web' marked as autostarted"
unit=$(echo "$wants"/ostler-*-guest-my*.service)
says "$unit" "\"start\" \"--\" \"my \$web\""
says "$unit" "Environment=\"OSTLER_HOME=$OSTLER_HOME\""
if systemd-analyze --version >/dev/null 2>&1; then
    systemd-analyze verify --user "$unit" 2>verdict || true
    refute grep -F "$(basename "$unit")" verdict
fi
expect 0 "$OSTLER" list --all --json
says out '"autostart":true'

expect 0 "$OSTLER" autostart --disable 'my $web'
is out "Guest 'my \$web' unmarked as autostarted"
[ -z "$(ls "$wants")" ] || fail "a unit is left"

expect 0 "$OSTLER" autostart 'my $web'
expect 0 "$OSTLER" undefine 'my $web'
[ -z "$(ls "$wants")" ] || fail "a unit of a guest that is no more is left"
expect 3 "$OSTLER" autostart 'my $web'
