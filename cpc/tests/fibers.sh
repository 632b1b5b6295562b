#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The backend of Windows' fibers keeps what coroutine.h promises: under Wine.
set -u
compiler=x86_64-w64-mingw32-gcc
for program in $compiler wine; do
    command -v $program >/dev/null || { echo "skip: $program is missing"; exit 77; }
done
here=$(cd "$(dirname "$0")" && pwd)
runtime=$here/../runtime
work=$(mktemp -d)
export WINEPREFIX="$work/wine" WINEDEBUG=-all
# Its server writes into that folder for some seconds more.
trap 'wineserver -k; wineserver -w; rm -rf "$work"' EXIT

$compiler -static -O2 -std=gnu11 -D_WIN32_WINNT=0x0600 -I"$here/../include" \
    "$here/ports/port-test.c" "$runtime/coroutine.c" "$runtime/stack.c" \
    "$runtime/fiber.c" "$runtime/system-windows.c" -o "$work/test.exe" || exit 1
# On a busy machine it gives up on its own server now and then.
wine "$work/test.exe" >"$work/out" 2>"$work/err" ||
    wine "$work/test.exe" >"$work/out" 2>"$work/err"
status=$?
cat "$work/out"
[ "$status" = 0 ] || cat "$work/err"
exit "$status"
