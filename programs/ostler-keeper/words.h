/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words.h - what a program writes to its standard error
 *
 * Read through a socket rather than from a file, so that it stays bounded, and so that
 * the last of it can be quoted when the program ends.  A program that outlives the
 * keeper writes into the void (EPIPE), which QEMU takes in silence.
 */
#pragma once

#include "guest/running/log-file.h"
#include <cpc/coroutine.h>

typedef struct KeeperWords KeeperWords;

/* @log is taken over.  *@out_fd goes to the program; the caller closes it. */
KeeperWords *coroutine_mixed_fn keeper_words_new(OstlerLogFile *log, int *out_fd,
                                                 GError **error);
void keeper_words_free(KeeperWords *words);

/* Wait until the program, and whoever inherited from it, has closed the socket. */
void coroutine_fn keeper_words_wait(KeeperWords *words, int timeout_ms);

/* The last lines, trimmed, at most some KiB; "" when it said nothing.  Borrowed. */
const char *keeper_words_last(KeeperWords *words);
