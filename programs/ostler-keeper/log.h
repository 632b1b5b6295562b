/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - where a keeper's messages go: keeper.log, bounded
 *
 * A keeper has no terminal.  All g_message(), g_warning() and so on of the process, and
 * what side programs write to their standard error, become lines with a time.
 */
#pragma once

#include "guest/running/log-file.h"

/* Open @path and send GLib's log there from now on; the log is the process's. */
OstlerLogFile *keeper_log_open(const char *path, bool keep);

/* One line by @who, as @who wrote it; not terminated. */
void keeper_log_line(const char *who, const char *line, size_t size);
