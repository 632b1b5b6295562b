#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# differ.sh FIRST N - random programs do the same with every backend and -O level.
#
# Compiles and runs random-program's output for N seeds, FIRST and on, DIFFER_BATCH (50) of
# them in one file.  What differs is named by its seed, its file stays in $DIFFER_KEEP (the
# current folder), and the test fails.
#   DIFFER_LEVELS=all     each file at all -O levels with both backends (the default)
#   DIFFER_LEVELS=turns   at one level with the plugin and at another with ucontext, which
#                         take turns from file to file
#   DIFFER_SIZE           small, medium or large programs (see random-program)
#   DIFFER_FLAGS          for both compilers, -fsanitize=undefined for example
# The environment names, besides:
#   RANDOM_PROGRAM  random-program, or csmith-marked with DIFFER_BATCH=1
#   CPC_CLANG       the wrapper
#   CPC_PLUGIN_LIB  the runtime for it    CPC_LIB      the runtime on ucontext
#   CPC_INCLUDE     cpc/include           GLIB_LIBS    what both are linked with
set -u
first=$1
n=$2
batch=${DIFFER_BATCH:-50}
keep=${DIFFER_KEEP:-$PWD}
levels="-O0 -O1 -O2 -O3 -Os"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# take_turns TURN - which levels this file is compiled at
take_turns() {
    plugin_levels=$levels
    ucontext_levels=$levels
    [ "${DIFFER_LEVELS:-all}" = turns ] || return
    set -- $(($1 % 5)) $levels $levels
    shift $(($1 + 1))
    plugin_levels=$1
    ucontext_levels=$3
}

# answer COMPILER LIBRARY LEVEL FILE - what the programs print, or how they fail
answer() {
    $1 "$3" -std=gnu11 -w ${DIFFER_FLAGS:-} -I"$CPC_INCLUDE" "$work/programs.c" "$2" \
        $GLIB_LIBS -o "$work/programs" 2>"$work/err" || {
        echo "does not compile: $(grep -m 1 -E 'error|Assertion|LLVM ERROR' "$work/err")"
        return
    }
    timeout 20 "$work/programs" 2>"$work/err" || echo "failed: $?"
    [ ! -s "$work/err" ] || head -n 3 "$work/err"
}

# compare WAY COMPILER LIBRARY LEVEL... - with what came first
compare() {
    way=$1 compiler=$2 library=$3
    shift 3
    for level; do
        answer "$compiler" "$library" "$level" >"$work/got"
        [ -e "$work/expected" ] || cp "$work/got" "$work/expected"
        cmp -s "$work/got" "$work/expected" && continue
        echo "$way $level:"
        diff "$work/expected" "$work/got" | head -n 4
        return 1
    done
}

# is_same FIRST N - the file of N programs
is_same() {
    rm -f "$work/expected"
    "$RANDOM_PROGRAM" "$1" "$2" ${DIFFER_SIZE:-} >"$work/programs.c" || exit $?
    take_turns $(($1 / batch))
    compare ucontext "${CC_PLAIN:-clang-19}" "$CPC_LIB" $ucontext_levels || return 1
    # Some of csmith's do not come to an end.
    if grep -q '^failed: 124' "$work/expected"; then
        n_endless=$((n_endless + $2))
        return
    fi
    if grep '^failed\|^does not compile' "$work/expected" ||
        [ "$(grep -c . "$work/expected")" != "$2" ]; then
        echo "ucontext: not $2 answers"
        return 1
    fi
    compare plugin "$CPC_CLANG" "$CPC_PLUGIN_LIB" $plugin_levels
}

failed=0
n_endless=0
seed=$first
end=$((first + n))
while [ "$seed" -lt "$end" ]; do
    in_file=$((end - seed < batch ? end - seed : batch))
    if ! is_same "$seed" "$in_file" >"$work/difference"; then
        echo "seeds $seed to $((seed + in_file - 1)) differ"
        cat "$work/difference"
        cp "$work/programs.c" "$keep/differs-$seed.c"
        failed=$((failed + 1))
    fi
    seed=$((seed + in_file))
done
echo "$((n - n_endless)) programs, seeds $first to $((end - 1)): $failed files with differences"
[ "$n_endless" = 0 ] || echo "not counted, as they do not come to an end: $n_endless"
[ "$failed" = 0 ]
