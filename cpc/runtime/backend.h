/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * backend.h - what a way of suspending has to offer, and gets in return
 *
 * coroutine.c holds everything that is the same for all backends: who runs, who is due
 * next, the pool.  A backend can do five things with one coroutine and knows nothing
 * about the others.  Exactly one backend is linked; ucontext.c is the portable one.
 * Compiled by the plugin, coroutine.c has its backend inline: continuation.h.
 *
 * Ownership:  a backend makes a struct Coroutine as the first member of its own.
 * Threads:    run() may be called from another thread each time; run() and yield() must
 *             not carry the address of anything thread-local over the switch.
 */
#pragma once

#include <cpc/coroutine.h>

struct Coroutine {
    Coroutine *next; /* in one list: the pool's, or that of who is woken */
    int is_due;      /* atomic: scheduled or woken, and not yet entered */
    bool is_running;
};

typedef enum {
    CPC_YIELDED,
    CPC_ENDED,
} CpcOutcome;

/* Ordinary C that calls a coroutine_fn, which only a backend may. */
#if defined(CPC_MARKS) || defined(COCHECK) || defined(CPC_PLUGIN)
#define coroutine_start_fn __attribute__((annotate("coroutine_start_fn")))
#else
#define coroutine_start_fn
#endif

#ifdef CPC_PLUGIN
#include "continuation.h"
#else

/* A coroutine at its beginning; aborts when there is no memory. */
Coroutine *cpc_backend_new(void);
/* @co is at its beginning: never run, or ended. */
void cpc_backend_free(Coroutine *co);

/* What @co, which is at its beginning, will do: call @entry(@opaque). */
void cpc_backend_prepare(Coroutine *co, CoroutineEntry *entry, void *opaque);

/*
 * Run @co from where it stopped until it stops again.  When the entry returns it has
 * ended, and is at its beginning again.
 */
CpcOutcome cpc_backend_run(Coroutine *co);
/* Inside of @co: return from the cpc_backend_run() that runs it. */
void coroutine_fn cpc_backend_yield(Coroutine *co);
#endif
