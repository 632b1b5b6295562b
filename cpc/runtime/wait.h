/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wait.h - the one GSource that all waits of a coroutine are made of
 *
 * A wait ends when the source is dispatched or when somebody enters the coroutine,
 * whichever comes first.  It costs one allocation and no closure.
 */
#pragma once

#include <cpc/coroutine.h>
#include <glib.h>

/* Enters the running coroutine after @timeout_ms, or never by itself if that is -1. */
GSource *cpc_wait_source_new(int timeout_ms);

/* Yield until @source is ready; it is destroyed on return, but the caller's to unref. */
void coroutine_fn cpc_wait_for_source(GSource *source);
