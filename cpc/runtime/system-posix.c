/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void cpc_fatal(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fputs("cpc: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static void (*kept)(void *data);

static void make_key(void)
{
    if (pthread_key_create(&key, kept) != 0) {
        cpc_fatal("No room for another key of thread-specific data");
    }
}

void cpc_at_thread_exit(void (*act)(void *data), void *data)
{
    kept = act;
    pthread_once(&once, make_key);
    pthread_setspecific(key, data);
}

#if __BIGGEST_ALIGNMENT__ < 16
void *cpc_allocate(size_t size)
{
    return aligned_alloc(16, (size + 15) / 16 * 16);
}

void cpc_release(void *memory)
{
    free(memory);
}
#endif
