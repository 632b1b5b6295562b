#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# gdb follows a coroutine that runs, and says where one that is suspended waits.
set -u
command -v gdb >/dev/null || { echo "skip: gdb is missing"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

cat >"$work/a.c" <<'C'
#include <cpc/coroutine.h>
static int total;
__attribute__((noinline)) static int coroutine_fn inner(int n)
{
    total += n;
    cpc_yield();
    total += n;
    cpc_yield();
    return n;
}
__attribute__((noinline)) static int coroutine_fn outer(int n)
{
    int sum = inner(n);
    sum += inner(n + 1);
    return sum;
}
static void coroutine_fn start(void *opaque)
{
    total += outer(*(int *)opaque);
}
__attribute__((noinline)) void look(Coroutine *co)
{
    __asm__ volatile("" : : "r"(co) : "memory");
}
int main(void)
{
    int n = 5;
    Coroutine *co = cpc_create(start, &n);
    for (int i = 0; i < 4; i++) {
        cpc_enter(co);
        look(co);
    }
    cpc_enter(co);
    return 0;
}
C

# expect WHAT TEXT - a line of gdb's output matches
expect() {
    grep -qE "$2" "$work/out" && return
    echo "$level: no $1:"
    cat "$work/out"
    failed=1
}

for level in -O0 -O2; do
    "$CPC_CLANG" "$level" -g -I"$CPC_INCLUDE" "$work/a.c" "$CPC_PLUGIN_LIB" $GLIB_LIBS \
        -o "$work/a" || exit 1
    gdb -q -nx -batch -ex "set debuginfod enabled off" -ex "source $here/../gdb/cpc.py" \
        -ex "break a.c:7" -ex "break look" -ex run -ex "up" -ex "cpc-backtrace co" \
        -ex continue -ex "bt 1" -ex continue -ex "up" -ex "cpc-backtrace co" \
        -ex "delete 1" -ex continue -ex "up" -ex "cpc-backtrace co" "$work/a" >"$work/out" 2>&1
    expect "innermost frame" '^#0  inner \(\) at .*a\.c:6$'
    expect "caller of it" '^#1  outer \(\) at .*a\.c:13$'
    expect "stop in a coroutine that goes on" 'a\.c:7$'
    expect "frame after it went on" '^#0  inner \(\) at .*a\.c:8$'
    expect "second call" '^#1  outer \(\) at .*a\.c:14$'
done
[ "$failed" = 0 ] && echo "suspended coroutines have a backtrace"
exit $failed
