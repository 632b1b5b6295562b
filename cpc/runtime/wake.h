/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wake.h - entering a coroutine later: what locks and main loop sources are made of
 *
 * A coroutine that is due belongs to whoever will enter it; making it due again, or
 * entering it by hand meanwhile, is a lost or doubled wake-up somewhere and aborts.
 */
#pragma once

#include <cpc/coroutine.h>

/*
 * Enter @co, which is suspended: at once when called outside of a coroutine, else as
 * soon as the running coroutine stops, so that a lock's holder is never interrupted.
 */
void coroutine_mixed_fn cpc_wake(Coroutine *co);

/* Take @co for a later cpc_enter_due(); from any thread. */
void cpc_make_due(Coroutine *co);
bool cpc_is_due(Coroutine *co);
void coroutine_mixed_fn cpc_enter_due(Coroutine *co);

/*
 * Call @stopped once, from the loop that runs this coroutine, after it has next yielded:
 * the first moment at which another thread may have it.
 */
void cpc_when_stopped(void (*stopped)(Coroutine *co, void *opaque), void *opaque);
