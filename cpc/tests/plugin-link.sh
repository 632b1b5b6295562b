#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# CC=cpc-clang alone: what no compiler sees in one file stops the program from being linked,
# however it is linked, with the way and the fix; and nothing else does.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1
n=0

cat >a.c <<'C'
#include <cpc/coroutine.h>
void MARK middle(void);
void coroutine_mixed_fn either(void)
{
    if (cpc_in_coroutine()) {
        cpc_yield();
    }
}
static void coroutine_fn run(void *opaque) { middle(); }
int main(void) { cpc_enter(cpc_create(run, 0)); return 0; }
C
cat >b.c <<'C'
#include <cpc/coroutine.h>
void coroutine_mixed_fn either(void);
void MARK middle(void);
void MARK middle(void)
{
    either();
}
C
echo "$CPC_PLUGIN_LIB $GLIB_LIBS" >runtime.rsp

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() {
    n=$((n + 1))
    echo "not ok $n - $1"
    sed 's/^/# /' err
}

cc() { "$CPC_CLANG" -I"$CPC_INCLUDE" "$@" 2>>err; }
link() { cc "$@" $CPC_PLUGIN_LIB $GLIB_LIBS -o program; }

# stopped NAME TEXT COMMAND...: it must fail, say TEXT, and leave no program
stopped() {
    name=$1 text=$2
    shift 2
    rm -f program err
    if "$@" || [ -e program ] || ! grep -qF -- "$text" err; then
        echo "# and not: $text"
        not_ok "$name"
    else
        ok "$name"
    fi
}

# made NAME COMMAND...: it must succeed without a word, and the program run
made() {
    name=$1
    shift
    rm -f program err
    if "$@" && [ ! -s err ] && ./program; then ok "$name"; else not_ok "$name"; fi
}

from_objects() {
    cc "$@" -c a.c && cc "$@" -c b.c && link "$@" a.o b.o
}
from_library() {
    mkdir -p sub
    cc -DMARK= -c a.c b.c && rm -f sub/libb.a && ar rc sub/libb.a b.o && link a.o -Lsub -lb
}
from_response_file() {
    cc "$@" -c a.c b.c && echo 'a.o "b.o"' >words.rsp &&
        cc @words.rsp @runtime.rsp -o program
}

echo 1..17
found="b.c:4: 'middle' runs in a coroutine and may have to wait"
stopped 'a function between coroutines is found from objects' "$found" \
    from_objects -DMARK=
stopped 'the way to it is named' "reached: 'run' (coroutine_fn) calls 'middle' (a.c:9)" \
    from_objects -DMARK=
stopped 'the fix is named' "fix:     mark it coroutine_fn" from_objects -DMARK=
stopped 'it is found when compiled and linked in one command' "$found" link -DMARK= a.c b.c
stopped 'it is found in a library' "$found" from_library
stopped 'it is found in what a response file names' "$found" from_response_file -DMARK=
stopped 'it is found with -flto' "$found" from_objects -DMARK= -flto -fuse-ld=lld
stopped 'it is found with ASan' "$found" from_objects -DMARK= -fsanitize=address
made 'with the mark the program is made' from_objects -DMARK=coroutine_fn
made 'and in one command' link -DMARK=coroutine_fn a.c b.c
made 'and from a response file' from_response_file -DMARK=coroutine_fn
if readelf -S a.o | grep -q cocheck && ! readelf -S program | grep -q cocheck; then
    ok 'what was noted is not in the program'
else
    not_ok 'what was noted is not in the program'
fi
rm -f program err
if CPC_COCHECK=off from_objects -DMARK= && [ -e program ]; then
    ok 'the check can be left out'
else
    not_ok 'the check can be left out'
fi

# lost - a.c, from stdin, after a coroutine_fn and a type without the mark
lost() {
    {
        cat <<'C'
#include <cpc/coroutine.h>
typedef void Callback(void *opaque);
static void coroutine_fn wait(void *opaque) { cpc_yield(); }
C
        cat
    } >a.c
}
lost <<'C'
static struct ops { int n; Callback *done; } ops = { 1, (Callback *)wait };
int main(void) { ops.done(0); return 0; }
C
stopped 'a pointer that a cast robbed of its mark is found in a field' \
    "a.c:5: field number 1 of ops has lost its mark" link a.c
lost <<'C'
int main(void) { Callback *kept = (Callback *)wait; kept(0); return 0; }
C
stopped 'it is found in a variable' "a.c:4: 'main' is ordinary and calls a coroutine_fn" \
    link a.c
lost <<'C'
static void *table[2];
int main(void) { table[1] = (void *)wait; ((Callback *)table[1])(0); return 0; }
C
stopped 'it is found behind a void pointer' "a.c:5: variable 'table' has lost its mark" \
    link a.c
lost <<'C'
static void call(Callback *done) { done(0); }
int main(void) { call((Callback *)wait); return 0; }
C
stopped 'it is found in a parameter' "a.c:4: parameter 1 of 'call' has lost its mark" \
    link a.c
