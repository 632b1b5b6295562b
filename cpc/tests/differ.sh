#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# differ.sh FIRST N - random programs do the same with every backend and -O level.
#
# Compiles and runs random-program's output for N seeds, FIRST and on.  What differs stays
# in $DIFFER_KEEP (the current folder), and fails the test.  The environment names:
#   RANDOM_PROGRAM  the generator         CPC_CLANG    the wrapper
#   CPC_PLUGIN_LIB  the runtime for it    CPC_LIB      the runtime on ucontext
#   CPC_INCLUDE     cpc/include           GLIB_LIBS    what both are linked with
set -u
first=$1
n=$2
keep=${DIFFER_KEEP:-$PWD}
levels="-O0 -O1 -O2 -O3 -Os"
ucontext_levels=${DIFFER_UCONTEXT:-$levels}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# build NAME COMPILER LIBRARY LEVEL - one program; fails if it does not compile
build() {
    $2 "$4" -std=gnu11 -w -I"$CPC_INCLUDE" "$work/program.c" "$3" $GLIB_LIBS \
        -o "$work/$1" 2>"$work/$1.err" || { echo "$1: does not compile"; return 1; }
}

# answer COMPILER LIBRARY LEVEL - what the program prints, or how it fails
answer() {
    build program "$1" "$2" "$3" || return
    timeout 20 "$work/program" 2>"$work/program.err" || echo "failed: $?"
}

# compare WAY LEVELS COMPILER LIBRARY - sets expected if it is empty
compare() {
    for level in $2; do
        got=$(answer "$3" "$4" "$level")
        [ -n "$expected" ] || expected=$got
        [ "$got" = "$expected" ] && continue
        echo "$1 $level: $got, not $expected"
        return 1
    done
}

differs() {
    expected=
    compare ucontext "$ucontext_levels" "${CC_PLAIN:-clang-19}" "$CPC_LIB" || return 0
    compare plugin "$levels" "$CPC_CLANG" "$CPC_PLUGIN_LIB" || return 0
    case $expected in
        *fail* | *compile*) echo "all: $expected"; return 0 ;;
    esac
    return 1
}

failed=0
seed=$first
while [ "$seed" -lt $((first + n)) ]; do
    "$RANDOM_PROGRAM" "$seed" >"$work/program.c" || exit 1
    if differs; then
        echo "seed $seed differs" >&2
        cp "$work/program.c" "$keep/differs-$seed.c"
        failed=1
    fi
    seed=$((seed + 1))
done
echo "$n programs, seeds $first to $((first + n - 1)): $(
    [ "$failed" = 0 ] && echo "no difference" || echo "DIFFERENCES")"
exit $failed
