#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A keeper's whole life, without a wrong byte: started, used, and ended, under valgrind.
. "$(dirname "$0")/lib.sh"
requires qemu-system-x86_64 --version
requires valgrind --version
! grep -q __asan_init "$OSTLER_KEEPER" || skip "valgrind and a sanitizer exclude one another"

define_guest web 'machine = pc' 'accel = tcg' 'memory = 64M' '[nic.0]' '[serial.0]'
"$OSTLER" start web # so that the machine's description is cached
"$OSTLER" destroy web

valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
    --log-file=valgrind.log "$OSTLER_KEEPER" --start-timeout=60000 web &
keeper=$!
wait_for 60 test -S "$OSTLER_HOME/run/web/control.sock"
wait_for 60 sh -c '"$0" domstate web | grep -q running' "$OSTLER"
"$OSTLER" suspend web
"$OSTLER" resume web
"$OSTLER" domifaddr web >addresses
"$OSTLER" qemu-monitor-command web '{"execute": "query-status"}' >answer
says answer running
# The end of its input is no wish to leave, so it is ended.
timeout 2 "$OSTLER" console web </dev/null >console || true
"$OSTLER" destroy web
status=0
wait "$keeper" || status=$?
[ "$status" = 0 ] || {
    cat valgrind.log >&2
    fail "the keeper ended with $status"
}
