#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With --json, standard output is one JSON value, and errors are JSON as well.
. "$(dirname "$0")/lib.sh"
requires python3 -c 'import json'

# value FILE EXPRESSION: of the one JSON value "v" in it.
value() {
    python3 -c 'import json, sys; v = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
        "$1" "$2"
}
# holds EXPRESSION: it is true of ./out.
holds() {
    [ "$(value out "$1")" = True ] || { cat out >&2; fail "is not true: $1"; }
}

printf '[guest]\nname = Bücherei "2"\nmemory = 1G\n[disk.a]\nfile = /a\n' >new.guest
expect 0 "$OSTLER" --json define new.guest
holds 'v == {"name": "Bücherei \"2\"", "new": True}'
expect 0 "$OSTLER" list --all --json
holds 'len(v) == 1 and v[0]["name"] == "Bücherei \"2\"" and v[0]["state"] == "shut off"'
holds 'v[0]["defined"] is True and v[0]["pid"] is None and v[0]["autostart"] is False'
expect 0 "$OSTLER" list --json
holds 'v == []'
expect 0 "$OSTLER" dump-definition --json 'Bücherei "2"'
holds 'v["guest"]["memory"] == 1 << 30 and v["disk"] == [{"label": "a", "file": "/a"}]'
expect 0 "$OSTLER" domstate --json 'Bücherei "2"'
holds 'v["state"] == "shut off"'
expect 0 "$OSTLER" dominfo --json 'Bücherei "2"'
holds 'v["memory"] == 1 << 30 and v["cpus"] == 1 and v["machine"] != ""'
expect 0 "$OSTLER" version --json
holds '"ostler" in v'
expect 0 "$OSTLER" undefine --json 'Bücherei "2"'
holds '"name" in v'

expect 3 "$OSTLER" --json domstate nobody
[ ! -s out ] || fail "an error printed an answer as well"
[ "$(value err 'v["error"]["code"]')" = 3 ] || fail "the error has another code"
expect 2 "$OSTLER" --json strat
[ "$(value err 'v["error"]["code"]')" = 2 ] || fail "the error has another code"
printf 'nonsense' >new.guest
expect 5 "$OSTLER" --json define new.guest
[ "$(value err 'v["error"]["message"]')" = \
    "new.guest:1: A line is '[section]', 'key = value' or '# comment'" ] ||
    fail "another message: $(cat err)"
