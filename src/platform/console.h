/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console.h - the person's terminal, key by key
 *
 * Ownership:  the terminal's settings are put back when the console is freed; standard
 *             input and output themselves are borrowed.
 * Errors:     G_IO_ERROR.
 * Threads:    one main context.  One reader at a time.
 */
#pragma once

#include <cpc/coroutine.h>
#include <gio/gio.h>
#include <stdbool.h>

typedef struct OstlerConsole OstlerConsole;

/* Whether @fd (1: standard output) is a terminal. */
bool ostler_console_is_terminal(int fd);

/*
 * Standard input and output, raw if input is a terminal: every key comes through, Ctrl-C
 * included, and nothing is echoed.  A pipe or file is fine as well.
 */
OstlerConsole *ostler_console_open(GError **error);

/* Puts the terminal back and makes a waiting read answer 0. */
void ostler_console_free(OstlerConsole *console); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerConsole, ostler_console_free)

/* Read what there is, at most @size: the count, 0 at the end, -1 on error. */
gssize coroutine_fn ostler_console_read(OstlerConsole *console, void *buffer,
                                        size_t size, GError **error);

/* Write all; a terminal that is stopped (Ctrl-S) makes it block. */
bool ostler_console_write(OstlerConsole *console, const void *buffer, size_t size,
                          GError **error);
