#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who starts a guest through a pipe gets its end at once: nothing that goes on running
# holds a descriptor of the caller's.
. "$(dirname "$0")/lib.sh"
requires qemu-system-x86_64 --version

mkdir folder
define_guest web 'machine = pc' 'accel = tcg' 'memory = 32M' '[serial.0]' '[nic.0]' \
    '[share.docs]' "path = $tmp/folder"

# Descriptors 1 and 2, and one that nobody told anybody of.
expect 0 timeout 30 sh -c '"$0" start web 2>&1 9>&1 | cat' "$OSTLER"
is out "Guest 'web' started"

# Nor is one held by what is started later: side programs, and a keeper that adopts.
expect 0 "$OSTLER" dominfo --json web
keeper=$(sed -n 's/.*"keeper-pid":\([0-9]*\).*/\1/p' out)
[ -n "$keeper" ] || fail "no keeper's pid in $(cat out)"
kill -9 "$keeper"
wait_for 10 sh -c '! kill -0 "$0"' "$keeper"
expect 0 timeout 30 sh -c '"$0" domstate web 2>&1 9>&1 | cat' "$OSTLER"
is out running
expect 0 "$OSTLER" destroy web
