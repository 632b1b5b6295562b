/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * log-file.h - a log that cannot grow without end
 *
 * When the file has reached its limit it becomes <path>.1, in place of the one before,
 * and a new one begins: between one and two limits of the newest output are kept.
 *
 * Errors:     a log that cannot be written (a full disk) loses what was to be written
 *             and tries again with the next; whatever is logged must go on.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct OstlerLogFile OstlerLogFile;

/* @keep: go on with what is there (adoption); otherwise begin anew. */
OstlerLogFile *ostler_log_file_new(const char *path, size_t max_bytes, bool keep);
void ostler_log_file_free(OstlerLogFile *log); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerLogFile, ostler_log_file_free)

void ostler_log_file_append(OstlerLogFile *log, const void *data, size_t size);

/* All that is kept of the log at @path, oldest first; "" if nothing.  Caller frees. */
char *ostler_log_file_read(const char *path, size_t *out_size);
