/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * clock.h - how much time has passed, and how much is left
 *
 * Units:  milliseconds of the monotonic clock, which nobody can set; -1 is for ever.
 */
#pragma once

#include <stdint.h>

int64_t ostler_clock_ms(void);

/* The moment @timeout_ms from now, to spread one timeout over several waits. */
int64_t ostler_clock_deadline(int timeout_ms);

/* What is left until @deadline, as a timeout: never negative but for "for ever". */
int ostler_clock_left(int64_t deadline);
