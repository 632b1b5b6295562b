#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# msan.sh FIRST N - what the plugin compiles is clean under MSan: the suite without GLib, and
# N random programs in turns, which must print what they print with ucontext.
#
# MSan wants all code built with it: no GLib, so the runtime is its core.  The environment
# is differ.sh's.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -D_GNU_SOURCE -w -I$CPC_INCLUDE"
cpc_clang="$CPC_CLANG -fsanitize=memory"

cd "$here/../runtime"
for source in coroutine continuation arena twin system-posix; do
    $cpc_clang -O1 -g $flags -c $source.c -o "$work/$source.o"
done
ar rc "$work/libcpc.a" "$work"/*.o
for level in -O0 -O2; do
    $cpc_clang $level $flags "$here/ports/port-test.c" "$work/libcpc.a" -o "$work/port-test"
    "$work/port-test" >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
done

cd "$here"
CPC_CLANG=$cpc_clang CPC_PLUGIN_LIB=$work/libcpc.a DIFFER_LEVELS=turns DIFFER_SIZE=small \
    ./differ.sh "$@"
