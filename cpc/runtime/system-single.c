/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * system-single.c - a system with a C library and one thread: WASI
 */
#include "system.h"

#include <stdarg.h>
#include <stdio.h>

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

/* The only thread ends with the program. */
void cpc_at_thread_exit(void (*act)(void *data), void *data)
{
    (void)act;
    (void)data;
}
