/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdio.h>
#include <string.h>

#include "guest/running/log-file.h"

#define MAX_LOG_BYTES (256u << 10)

/* GLib has one log writer a process, and so one log. */
static OstlerLogFile *keeper_log;
static bool is_shown;

void keeper_log_line(const char *who, const char *line, size_t size)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%F %T");
    g_autofree char *text =
        g_strdup_printf("%s %s: %.*s\n", time, who, (int)size, line);

    if (keeper_log) {
        ostler_log_file_append(keeper_log, text, strlen(text));
    }
    if (is_shown) {
        fputs(text, stderr);
    }
}

static const char *field(const GLogField *fields, gsize n_fields, const char *key)
{
    for (gsize i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0) {
            return fields[i].value;
        }
    }
    return NULL;
}

static const char *level_word(GLogLevelFlags level)
{
    return level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? "error"
           : level & G_LOG_LEVEL_WARNING                      ? "warning"
           : level & G_LOG_LEVEL_DEBUG                        ? "debug"
                                                              : "message";
}

static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields,
                                  gsize n_fields, gpointer unused)
{
    const char *domain = field(fields, n_fields, "GLIB_DOMAIN");
    const char *text = field(fields, n_fields, "MESSAGE");

    if (!text || g_log_writer_default_would_drop(level, domain)) {
        return G_LOG_WRITER_HANDLED;
    }
    keeper_log_line(level_word(level), text, strlen(text));
    return G_LOG_WRITER_HANDLED;
}

void keeper_log_begin(bool is_foreground)
{
    is_shown = is_foreground;
    g_log_set_writer_func(write_log, NULL, NULL);
}

void keeper_log_open(const char *path, bool keep)
{
    keeper_log = ostler_log_file_new(path, MAX_LOG_BYTES, keep);
}
