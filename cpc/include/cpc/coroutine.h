/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * coroutine.h - functions that can stop in the middle and go on later
 *
 * The programming model is QEMU's (include/qemu/coroutine.h): a coroutine runs
 * on its caller's thread until it yields or returns; whoever holds it enters it
 * again.  The same source builds on three backends - ucontext, Windows fibers,
 * and the cpc compiler plugin, which needs no stack per coroutine - and nothing
 * above cpc/ may know which.
 *
 * Marks:      every function that may yield carries coroutine_fn, between its
 *             return type and its name, on definition, declaration and function
 *             pointer type alike.  A function that works both inside and outside
 *             of a coroutine carries coroutine_mixed_fn.  The marks are nothing to
 *             a stack-switching compiler; with CPC_MARKS defined they become a
 *             calling convention, and clang refuses a pointer that lost its mark.
 *             A function with "..." carries coroutine_variadic_fn in place of
 *             coroutine_fn, and its address cannot be taken.
 *             A variable or field that points to functions which work in both
 *             worlds carries coroutine_mixed_fn too: int coroutine_mixed_fn (*open)(int);
 * Ownership:  a coroutine frees itself when its entry returns.  Until then the
 *             pointer is borrowed by whoever intends to enter it.
 * Errors:     none; running out of memory for a stack aborts, as g_malloc does.
 * Threads:    a coroutine may move between threads while it is suspended; entering
 *             one that runs is a broken invariant and aborts.
 */
#pragma once

#include <cpc/marks.h>

#include <stdbool.h>

typedef struct Coroutine Coroutine;
typedef void coroutine_fn CoroutineEntry(void *opaque);

/* A new coroutine that will run @entry(@opaque) when it is first entered. */
Coroutine *cpc_create(CoroutineEntry *entry, void *opaque);

/* Run @co until it yields or ends.  Callable from anywhere, coroutines included. */
void coroutine_mixed_fn cpc_enter(Coroutine *co);

/* Go back to whoever entered this coroutine; returns when it is entered again. */
void coroutine_fn coroutine_suspend_fn cpc_yield(void);

/* The running coroutine, or NULL outside of one. */
Coroutine *cpc_self(void);

/* Whether the caller runs inside a coroutine. */
bool cpc_in_coroutine(void);
