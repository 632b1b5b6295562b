/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <windows.h>

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

void *cpc_allocate(size_t size)
{
    return _aligned_malloc(size, 16);
}

void cpc_release(void *memory)
{
    _aligned_free(memory);
}

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static DWORD slot;
static void (*kept)(void *data);

static void WINAPI end_thread(void *data)
{
    if (data) {
        kept(data);
    }
}

static BOOL CALLBACK make_slot(INIT_ONCE *unused, void *also_unused, void **out_context)
{
    (void)unused;
    (void)also_unused;
    (void)out_context;
    slot = FlsAlloc(end_thread);
    return slot != FLS_OUT_OF_INDEXES;
}

void cpc_at_thread_exit(void (*act)(void *data), void *data)
{
    kept = act;
    if (!InitOnceExecuteOnce(&once, make_slot, NULL, NULL)) {
        cpc_fatal("No room for another slot of fiber-local storage");
    }
    FlsSetValue(slot, data);
}
