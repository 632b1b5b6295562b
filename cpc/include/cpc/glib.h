/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * glib.h - coroutines over GLib's main loop: sleep, wait for a descriptor, run
 *
 * Threads:    a wait belongs to the thread-default main context of the thread that
 *             calls it, and the coroutine goes on there.
 * Units:      milliseconds; a timeout of -1 is for ever.
 *
 * A wait can be called off: entering the waiting coroutine ends it at once, and it says
 * what it says when the time has run out.
 */
#pragma once

#include <cpc/coroutine.h>
#include <glib.h>

/* Create and enter in one: start @entry now, until its first yield. */
void coroutine_mixed_fn cpc_spawn(CoroutineEntry *entry, void *opaque);

/*
 * Enter @co from @context's (NULL: the default) next iteration; from any thread.
 *
 * A coroutine moves to another thread by scheduling itself there and yielding.  Another
 * thread may schedule one that is still about to yield only to the context it runs in.
 */
void cpc_schedule(Coroutine *co, GMainContext *context);

/* Let other sources run for @ms; 0 goes once around the main loop. */
void coroutine_fn cpc_sleep_ms(unsigned ms);

/*
 * Wait until @fd meets @condition (G_IO_HUP and G_IO_ERR always count).
 * Returns: what came true, or 0 after @timeout_ms.
 */
GIOCondition coroutine_fn cpc_wait_fd(int fd, GIOCondition condition, int timeout_ms);

/*
 * Run @entry in a coroutine and iterate the thread-default main context until it
 * has ended: how a program's main(), a test or libostler enters coroutine land.  Inside
 * of a coroutine this would block all others, and aborts.
 */
void cpc_run(CoroutineEntry *entry, void *opaque);

/*
 * A wake-up that may come before the wait: cpc_event_set() wakes the one waiter, or
 * makes the next wait return at once.  cpc_event_wait() says whether it came in time.
 * Both on one thread.
 */
typedef struct CoEvent {
    Coroutine *waiter;
    bool is_set;
} CoEvent;

void coroutine_mixed_fn cpc_event_set(CoEvent *event);
bool coroutine_fn cpc_event_wait(CoEvent *event, int timeout_ms);
