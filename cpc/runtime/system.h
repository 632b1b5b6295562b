/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * system.h - what coroutines ask of the system they run on
 *
 * All that coroutine.c, arena.c and continuation.c need: a port without a C library writes
 * these.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/* Say @format, on a line of its own, and abort: an invariant is broken. */
_Noreturn void cpc_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Memory aligned to 16 bytes, which is more than malloc() promises on some 32-bit systems;
 * NULL if there is none.
 */
#if defined(__BIGGEST_ALIGNMENT__) && __BIGGEST_ALIGNMENT__ >= 16 && !defined(_WIN32)
static inline void *cpc_allocate(size_t size)
{
    return malloc(size);
}

static inline void cpc_release(void *memory)
{
    free(memory);
}
#else
void *cpc_allocate(size_t size);
void cpc_release(void *memory);
#endif

/* Call @act(@data) when the calling thread ends; one such call a thread is kept. */
void cpc_at_thread_exit(void (*act)(void *data), void *data);
