/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * log.h - what programs say on standard error: one line a message
 *
 *     ostler-keeper: warning: the display is gone, continuing
 *
 * Debug messages are shown for the folders that $OSTLER_DEBUG names ("qmp,mtp" or
 * "all"), and say which one they are from.  Text that a guest chose cannot forge a line
 * or speak to the terminal: control characters are shown as \xNN.
 *
 * Only programs call this; libraries use g_debug() with G_LOG_DOMAIN "ostler-<folder>".
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* From now on g_log() and its kin write lines that begin with @program (borrowed). */
void ostler_log_open(const char *program);

/* Whether a message is to be shown; @domain may be NULL. */
bool ostler_log_is_wanted(GLogLevelFlags level, const char *domain);

/* The line, newline included; caller frees. */
char *ostler_log_line(const char *program, GLogLevelFlags level, const char *domain,
                      const char *message);
