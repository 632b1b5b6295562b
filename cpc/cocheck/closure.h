/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * closure.h - which functions lack a mark, and why
 *
 * A function is "reached" if it can run in a coroutine, "waits" if it can get to a
 * coroutine_fn there, and is "ordinary" if it can run outside of one.
 */
#pragma once

#include "graph.h"

/* Fill in what graph.h says is closure's. */
void cocheck_close(CocheckGraph *graph);

typedef enum {
    COCHECK_FINE,
    COCHECK_NEEDS_COROUTINE,
    COCHECK_NEEDS_MIXED,
    COCHECK_BAD_CALL,  /* ordinary code that calls a coroutine_fn */
    COCHECK_UNGUARDED, /* coroutine_mixed_fn that calls one without asking first */
} CocheckVerdict;

CocheckVerdict cocheck_judge(const CocheckFunction *function);

/* The first call of a coroutine_fn that may happen in one of @contexts, or NULL. */
const CocheckCall *cocheck_coroutine_call(const CocheckFunction *function,
                                          unsigned contexts);

/*
 * A coroutine_fn that is called through @place, which has no mark, or NULL; @out_call is
 * where.
 */
const CocheckFunction *cocheck_lost_mark(const CocheckPlace *place,
                                         const CocheckCall **out_call);

/*
 * A function that waits and is called, in a coroutine, through @place, which has no
 * mark, or NULL: such a pointer needs one, coroutine_fn or coroutine_mixed_fn.
 */
const CocheckFunction *cocheck_waits_through(const CocheckPlace *place,
                                             const CocheckCall **out_call);
