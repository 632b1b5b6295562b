#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Marks that are not in the source but in a list (cpc/plugin/list.h).
# CPC_CLANG, CPC_PLUGIN_LIB, CPC_INCLUDE and GLIB_LIBS as for differ.sh.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1

cat >program.c <<'C'
#include <cpc/coroutine.h>
#include <stdio.h>

typedef struct {
    void (*step)(int n);
    void (*other)(int n);
} Steps;

static void by_name(int n) { cpc_yield(); printf("name %d\n", n); }
static void by_pointer(int n) { cpc_yield(); printf("pointer %d\n", n); }
static void by_parameter(int n) { cpc_yield(); printf("parameter %d\n", n); }
static void ordinary(int n) { printf("ordinary %d\n", n); }
static void call(void (*what)(int n)) { what(7); }
static const Steps steps = { by_pointer, ordinary };

static void coroutine_fn run(void *opaque)
{
    const Steps *these = opaque;

    by_name(1);
    these->step(2);
    these->other(3);
    call(by_parameter);
}

int main(void)
{
    Coroutine *co = cpc_create(run, (void *)&steps);

    for (int i = 0; i < 4; i++) {
        cpc_enter(co);
        printf("-\n");
    }
    return 0;
}
C
cat >list <<'E2'
by_name
by_pointer
by_parameter
call
field struct.Steps 0
E2
printf '%s\n' - 'name 1' - 'pointer 2' 'ordinary 3' - 'parameter 7' - >wanted

echo 1..4
n=0
result() { # STATUS NAME
    n=$((n + 1))
    [ "$1" = 0 ] && echo "ok $n - $2" && return
    sed 's/^/# /' said
    echo "not ok $n - $2"
}
build() { # FLAG
    # shellcheck disable=SC2086
    "$CPC_CLANG" "$1" -I"$CPC_INCLUDE" program.c "$CPC_PLUGIN_LIB" $GLIB_LIBS \
        -o program >said 2>&1
}
export CPC_LIST=list
for level in -O0 -O2; do
    build $level && ./program >said 2>&1 && cmp -s wanted said
    result $? "functions and pointers on the list are mixed, $level"
done
CPC_LIST=missing build -O0
[ $? != 0 ] && grep -q "Cannot read CPC_LIST 'missing'" said
result $? 'a list that is missing is an error'
unset CPC_LIST
build -O0
[ $? != 0 ] && grep -q "coroutine_fn 'cpc_yield' called from an ordinary function" said
result $? 'without the list they are refused'
