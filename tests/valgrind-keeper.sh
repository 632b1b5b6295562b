#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A keeper's whole life, with a share, an address watch and clients that ask for
# everything, touches no memory that it should not, and leaks none.
. "$(dirname "$0")/lib.sh"
. "$SOURCE_DIR/tests/valgrind/lib.sh"
requires python3 --version
requires qemu-system-x86_64 --version

programs=
for program in ostler-keeper ostler-mtp ostler-address; do
    programs="$programs programs/$program/$program"
done
# shellcheck disable=SC2086
plain_build $programs

mkdir docs
echo hello >docs/hello.txt
cat >v.guest <<GUEST
[guest]
name = v
machine = q35
memory = 64M
[nic.0]
[share.docs]
path = $tmp/docs
GUEST

mkfifo ready
under_valgrind "$plain/programs/ostler-keeper/ostler-keeper" --definition-fd 3 --ready-fd 4 v \
    3<v.guest 4>ready 2>keeper.err &
keeper=$!
cleanup "kill $keeper 2>/dev/null"
# Not to its end: the shell that waits for valgrind has the other end open as well.
head -n 1 ready >answer
says answer '"state":"running"'

"$SOURCE_DIR/tests/valgrind/talk.py" "$OSTLER_HOME/run/v/control.sock" \
    status subscribe 'qmp={"execute": "query-status"}' 'qmp={"execute": "no-such"}' \
    no-such suspend resume reset addresses definition methods >talk
says talk '"status": "running"'
says talk 'CommandNotFound'
says talk "There is no method 'no-such'"
says talk '"ostler-mtp"'

# A client that comes, attaches to the console and is gone.
"$SOURCE_DIR/tests/valgrind/talk.py" "$OSTLER_HOME/run/v/control.sock" console >/dev/null
"$SOURCE_DIR/tests/valgrind/talk.py" "$OSTLER_HOME/run/v/control.sock" destroy >/dev/null

status=0
wait "$keeper" || status=$?
[ "$status" = 0 ] || {
    cat keeper.err valgrind.*.log >&2
    fail "the keeper ended with $status ($VALGRIND_FOUND: valgrind found something)"
}
