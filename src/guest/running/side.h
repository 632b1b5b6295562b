/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * side.h - keep a side program running beside the guest
 *
 * A side program that ends is started again, after a pause that doubles with each end
 * that comes soon and starts over once the program has run for a minute.  One that ends
 * orderly, with status 0, because its peer went away, never waits for longer than a
 * second, and ostler_side_hurry() ends any pause.
 *
 * Units:      milliseconds.
 * Ownership:  the side owns its process; @ops is borrowed and must outlive it.
 * Errors:     a program that is not there is reported and not tried again; everything
 *             else is reported and tried again.
 * Threads:    one main context.
 */
#pragma once

#include "platform/process.h"

#define OSTLER_SIDE_FIRST_PAUSE_MS 100u
#define OSTLER_SIDE_MAX_PAUSE_MS   30000u
#define OSTLER_SIDE_MAX_ORDERLY_MS 1000u
#define OSTLER_SIDE_LONG_RUN_MS    60000u

typedef struct {
    /* Start the program (once more); each start may need descriptors of its own. */
    OstlerProcess *coroutine_fn (*start)(void *opaque, GError **error);
    /* A sentence about an end or a failed start, for the log. */
    void (*report)(const char *name, const char *what, void *opaque);
} OstlerSideOps;

typedef struct OstlerSide OstlerSide;

/* Starts at once, in a coroutine. */
OstlerSide *coroutine_mixed_fn ostler_side_new(const char *name,
                                               const OstlerSideOps *ops, void *opaque);

/* Kill the program, wait for its end, and free. */
void coroutine_fn ostler_side_stop(OstlerSide *side);

/* The program's pid, 0 while it does not run; how often it was started again. */
int ostler_side_pid(const OstlerSide *side);
unsigned ostler_side_n_restarts(const OstlerSide *side);
const char *ostler_side_name(const OstlerSide *side);

/* Kill the program and start it again without a pause or a word: nothing went wrong. */
void ostler_side_renew(OstlerSide *side);

/* Something has changed for the better: if the side pauses, start its program now. */
void coroutine_mixed_fn ostler_side_hurry(OstlerSide *side);

/* How long to pause after the @n_ends-th end in a row that came soon. */
unsigned ostler_side_pause_ms(unsigned n_ends, bool is_orderly);
