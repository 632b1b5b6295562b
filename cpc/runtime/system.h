/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * system.h - what coroutines ask of the system they run on
 *
 * All that coroutine.c, arena.c, twin.c and continuation.c need besides memory from
 * malloc(): a port without a C library writes these.
 */
#pragma once

/* Say @format, on a line of its own, and abort: an invariant is broken. */
_Noreturn void cpc_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Call @act(@data) when the calling thread ends; one such call a thread is kept. */
void cpc_at_thread_exit(void (*act)(void *data), void *data);
