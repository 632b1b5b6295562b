#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the plugin cannot compile is an error at its line that says what to do.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

compile() {
    { echo '#include <cpc/coroutine.h>'; echo '#include <setjmp.h>'; cat; } >"$work/a.c"
    "$CPC_CLANG" $flags -I"$CPC_INCLUDE" -c "$work/a.c" -o "$work/a.o" 2>"$work/err"
}

# refused WHAT LINE MESSAGE - the program on stdin, which begins at line 3
refused() {
    for flags in -O0 -O2; do
        if compile; then
            echo "$1: compiled at $flags"
            failed=1
        elif ! grep -q "a.c:$2:.*error: .*$3" "$work/err"; then
            echo "$1: another error at $flags, or at another line:"
            cat "$work/err"
            failed=1
        fi <"$work/stdin"
    done
}

# accepted WHAT - the counterpart, so that a refusal is not just of anything
accepted() {
    cat >"$work/stdin"
    for flags in -O0 -O1 "-O2 -g"; do
        compile <"$work/stdin" || { echo "$1: refused"; cat "$work/err"; failed=1; }
    done
}

cat >"$work/stdin" <<'C'
void coroutine_fn wait(void);
void plain(void)
{
    wait();
}
C
refused "a call from ordinary C" 6 "'wait' called from an ordinary function"

cat >"$work/stdin" <<'C'
void plain(void coroutine_fn (*wait)(void))
{
    wait();
}
C
refused "a call through a pointer" 5 "pointer called from an ordinary function"

cat >"$work/stdin" <<'C'
void coroutine_fn wait(void);
void coroutine_fn jump(jmp_buf where)
{
    if (setjmp(where)) {
        wait();
    }
}
C
refused "setjmp" 6 "setjmp() in a coroutine_fn"

cat >"$work/stdin" <<'C'
void coroutine_fn wait(void);
void coroutine_fn jump(int i)
{
    void *labels[] = { &&one, &&two };
    goto *labels[i];
one:
    wait();
two:
    return;
}
C
# Clang merges all of them in a block of its own, so the line is the function's.
refused "computed goto" 4 "computed goto in a coroutine_fn; use a switch"

cat >"$work/stdin" <<'C'
void coroutine_fn wait(void);
void coroutine_fn jump(void)
{
    __asm__ goto("" : : : : out);
out:
    wait();
}
C
refused "asm goto" 6 "asm goto in a coroutine_fn"

cat >"$work/stdin" <<'C'
void coroutine_fn wait(int n, ...);
C
refused "variadic coroutine" 3 "variadic function cannot use"

cat >"$work/stdin" <<'C'
void coroutine_variadic_fn wait(int n, ...);
void plain(void)
{
    wait(1, 2);
}
C
refused "a variadic one called from ordinary C" 6 "'wait' called from an ordinary function"

cat >"$work/stdin" <<'C'
void coroutine_variadic_fn wait(int n, ...)
{
    cpc_yield();
}
void (*pointer)(int n, ...) = wait;
C
refused "address of a variadic one" 4 "address of a coroutine_variadic_fn"

cat >"$work/stdin" <<'C'
struct driver {
    int coroutine_mixed_fn (*open)(void);
};
int coroutine_fn lose(struct driver *driver)
{
    int (*open)(void) = driver->open;
    return open();
}
C
refused "a mixed pointer that loses its mark" 8 "coroutine_mixed_fn loses its mark"

cat >"$work/stdin" <<'C'
void coroutine_fn wait(void);
void (*lost)(void) = wait;
C
flags=-O0
refused "a mark lost by assignment" 4 "incompatible function pointer types"

cat >"$work/stdin" <<'C'
void coroutine_fn wait(void *opaque);
typedef void Callback(void *opaque);
void coroutine_fn lose(void)
{
    ((Callback *)wait)(0);
}
C
flags=-O0
refused "a mark lost by a cast in a coroutine" 7 "through a cast that loses its mark"

cat >"$work/stdin" <<'C'
void coroutine_fn wait(void *opaque);
typedef void Callback(void *opaque);
void lose(void)
{
    ((Callback *)wait)(0);
}
C
refused "a mark lost by a cast in ordinary C" 7 "through a cast that loses its mark"

cat >"$work/stdin" <<'C'
void plain(void *opaque);
void coroutine_fn mark(void)
{
    ((CoroutineEntry *)plain)(0);
}
C
refused "a mark made up by a cast" 6 "an ordinary function is called through a cast"

accepted "what is allowed" <<'C'
int printf(const char *format, ...);
void coroutine_fn wait(void);
inline int coroutine_fn in_a_header(int n)
{
    for (int i = 0; i < n; i++) {
        wait();
    }
    return n;
}
int coroutine_fn use_of_it(void)
{
    return in_a_header(3);
}
void coroutine_mixed_fn either(void)
{
    if (cpc_in_coroutine()) {
        wait();
    }
}
void plain(jmp_buf where)
{
    if (!setjmp(where)) {
        printf("%d\n", 1);
        either();
    }
}
C

[ "$failed" = 0 ] && echo "all refused, with a reason"
exit $failed
