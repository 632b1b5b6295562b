/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - where a keeper's messages go: keeper.log, bounded
 *
 * All g_message(), g_warning() and so on of the process, and what side programs write to
 * their standard error, become lines with a time.  A keeper in the foreground (systemd's,
 * a person's) writes the same lines to its standard error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* From now on GLib's log is ours; first of all, before there is a file. */
void keeper_log_begin(bool is_foreground);

/* Write to @path as well, for the rest of the process's life; @keep what is there. */
void keeper_log_open(const char *path, bool keep);

/* One line by @who, as @who wrote it; not terminated. */
void keeper_log_line(const char *who, const char *line, size_t size);
