#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Coroutines, processes, channels and monitor sessions are clean under valgrind, which
# sees what ASan does not: the use of memory that was never written.
. "$(dirname "$0")/lib.sh"
. "$SOURCE_DIR/tests/valgrind/lib.sh"

set -- cpc/tests/cpc-test src/platform/channel-test src/platform/process-test \
    src/qmp/qmp-test
plain_build "$@"
for unit; do
    status=0
    under_valgrind "$plain/$unit" >out 2>&1 || status=$?
    [ "$status" = 0 ] || {
        cat out valgrind.*.log >&2
        fail "$unit ended with $status under valgrind"
    }
done
