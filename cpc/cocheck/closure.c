/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "closure.h"

/* Calling a coroutine_fn is what waiting means; whether it does wait is its affair. */
static gboolean is_coroutine_call(const CocheckCall *call)
{
    return call->is_marked || (call->to && call->to->mark == COCHECK_COROUTINE);
}

static gboolean can_be_in(const CocheckCall *call, unsigned contexts)
{
    return (call->context & contexts) != 0;
}

const CocheckCall *cocheck_coroutine_call(const CocheckFunction *function,
                                          unsigned contexts)
{
    for (guint i = 0; i < function->calls->len; i++) {
        const CocheckCall *call = function->calls->pdata[i];
        if (is_coroutine_call(call) && can_be_in(call, contexts)) {
            return call;
        }
    }
    return NULL;
}

/* --- reached --------------------------------------------------------------------------- */

/* Who is known not to wait stays ordinary, and so calls others as ordinary ones. */
static void reach(CocheckFunction *function, const CocheckCall *by, GPtrArray *queue)
{
    if (!function->is_reached && !function->is_excepted) {
        function->is_reached = TRUE;
        function->reached_by = by;
        g_ptr_array_add(queue, function);
    }
}

static gboolean begins_in_coroutine(const CocheckFunction *function)
{
    return function->mark == COCHECK_COROUTINE || function->mark == COCHECK_MIXED ||
           function->entry_of;
}

/* Breadth first, so that the way we name is a shortest one. */
static void find_reached(GPtrArray *functions)
{
    g_autoptr(GPtrArray) queue = g_ptr_array_new();

    for (guint i = 0; i < functions->len; i++) {
        if (begins_in_coroutine(functions->pdata[i])) {
            reach(functions->pdata[i], NULL, queue);
        }
    }
    for (guint at = 0; at < queue->len; at++) {
        const CocheckFunction *function = queue->pdata[at];
        for (guint i = 0; i < function->calls->len; i++) {
            const CocheckCall *call = function->calls->pdata[i];
            if (call->to && call->to->mark == COCHECK_UNMARKED &&
                can_be_in(call, COCHECK_CALL_IN_COROUTINE)) {
                reach(call->to, call, queue);
            }
        }
    }
}

/* --- waits ------------------------------------------------------------------------------- */

static void wait_by(CocheckFunction *function, const CocheckCall *by, GPtrArray *queue)
{
    if (!function->waits && !function->is_excepted && function->mark != COCHECK_START) {
        function->waits = TRUE;
        function->waits_by = by;
        g_ptr_array_add(queue, function);
    }
}

/* A coroutine_mixed_fn waits if it calls who does; one that we cannot see does. */
static void begin_waits(CocheckFunction *function, GPtrArray *queue)
{
    const CocheckCall *call =
        cocheck_coroutine_call(function, COCHECK_CALL_IN_COROUTINE);
    gboolean is_unknown = function->mark == COCHECK_MIXED && !function->file;

    if (function->mark == COCHECK_COROUTINE) {
        function->waits = TRUE;
    } else if (call || is_unknown) {
        wait_by(function, call, queue);
    }
}

static void find_waiting(GPtrArray *functions)
{
    g_autoptr(GPtrArray) queue = g_ptr_array_new();

    for (guint i = 0; i < functions->len; i++) {
        begin_waits(functions->pdata[i], queue);
    }
    for (guint at = 0; at < queue->len; at++) {
        const CocheckFunction *function = queue->pdata[at];
        for (guint i = 0; i < function->callers->len; i++) {
            const CocheckCall *call = function->callers->pdata[i];
            if (can_be_in(call, COCHECK_CALL_IN_COROUTINE)) {
                wait_by(call->from, call, queue);
            }
        }
    }
}

/* --- ordinary ---------------------------------------------------------------------------- */

static void make_ordinary(CocheckFunction *function, const CocheckCall *by,
                          GPtrArray *queue)
{
    if (!function->is_ordinary) {
        function->is_ordinary = TRUE;
        function->ordinary_by = by;
        g_ptr_array_add(queue, function);
    }
}

static gboolean lacks_mark(const CocheckFunction *function)
{
    return function->mark == COCHECK_UNMARKED && function->is_reached &&
           function->waits;
}

static gboolean begins_ordinary(const CocheckFunction *function)
{
    if (function->mark == COCHECK_COROUTINE || function->entry_of) {
        return FALSE;
    }
    return !lacks_mark(function) || function->is_shown;
}

static void find_ordinary(GPtrArray *functions)
{
    g_autoptr(GPtrArray) queue = g_ptr_array_new();

    for (guint i = 0; i < functions->len; i++) {
        if (begins_ordinary(functions->pdata[i])) {
            make_ordinary(functions->pdata[i], NULL, queue);
        }
    }
    for (guint at = 0; at < queue->len; at++) {
        const CocheckFunction *function = queue->pdata[at];
        for (guint i = 0; i < function->calls->len; i++) {
            const CocheckCall *call = function->calls->pdata[i];
            if (call->to && lacks_mark(call->to) && !call->to->entry_of &&
                can_be_in(call, COCHECK_CALL_ORDINARY)) {
                make_ordinary(call->to, call, queue);
            }
        }
    }
}

void cocheck_close(CocheckGraph *graph)
{
    GPtrArray *functions = cocheck_graph_functions(graph);

    find_reached(functions);
    find_waiting(functions);
    find_ordinary(functions);
}

/* --- verdicts ------------------------------------------------------------------------------ */

static CocheckVerdict judge_unmarked(const CocheckFunction *function)
{
    if (function->is_excepted) {
        return COCHECK_FINE;
    }
    if (function->entry_of) {
        return COCHECK_NEEDS_COROUTINE;
    }
    if (lacks_mark(function)) {
        return function->is_ordinary ? COCHECK_NEEDS_MIXED : COCHECK_NEEDS_COROUTINE;
    }
    if (cocheck_coroutine_call(function, COCHECK_CALL_ORDINARY)) {
        return COCHECK_BAD_CALL;
    }
    /* It asked where it is, but nobody has called it in a coroutine yet. */
    return cocheck_coroutine_call(function, COCHECK_CALL_IN_COROUTINE)
               ? COCHECK_NEEDS_MIXED
               : COCHECK_FINE;
}

CocheckVerdict cocheck_judge(const CocheckFunction *function)
{
    switch (function->mark) {
    case COCHECK_UNMARKED:
        return judge_unmarked(function);
    case COCHECK_MIXED:
        return cocheck_coroutine_call(function, COCHECK_CALL_ORDINARY)
                   ? COCHECK_UNGUARDED
                   : COCHECK_FINE;
    default:
        return COCHECK_FINE;
    }
}

/* --- pointers ------------------------------------------------------------------------------ */

static const CocheckCall *unmarked_call(const CocheckPlace *place)
{
    for (guint i = 0; i < place->calls->len; i++) {
        const CocheckCall *call = place->calls->pdata[i];
        if (!call->is_marked && call->from->mark != COCHECK_START) {
            return call;
        }
    }
    return NULL;
}

const CocheckFunction *cocheck_lost_mark(const CocheckPlace *place,
                                         const CocheckCall **out_call)
{
    const CocheckCall *call = unmarked_call(place);

    for (guint i = 0; call && i < place->functions->len; i++) {
        const CocheckFunction *function = place->functions->pdata[i];
        if (function->mark == COCHECK_COROUTINE) {
            *out_call = call;
            return function;
        }
    }
    return NULL;
}

static const CocheckCall *unmarked_call_in_coroutine(const CocheckPlace *place)
{
    for (guint i = 0; i < place->calls->len; i++) {
        const CocheckCall *call = place->calls->pdata[i];
        if (!call->is_marked && !call->is_mixed && call->from->is_reached &&
            can_be_in(call, COCHECK_CALL_IN_COROUTINE)) {
            return call;
        }
    }
    return NULL;
}

const CocheckFunction *cocheck_waits_through(const CocheckPlace *place,
                                             const CocheckCall **out_call)
{
    const CocheckCall *call = unmarked_call_in_coroutine(place);

    for (guint i = 0; call && i < place->functions->len; i++) {
        const CocheckFunction *function = place->functions->pdata[i];
        if (function->waits) {
            *out_call = call;
            return function;
        }
    }
    return NULL;
}
