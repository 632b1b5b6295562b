/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GLib's own writer looks for the journal's socket, which a confined program must not,
 * and colours its lines; so this one calls write() and nothing else.
 */
#include "base/log.h"

#include <string.h>
#include <unistd.h>

#include "base/table.h"

static const char prefix[] = "ostler-"; /* of every domain of ours */

static const struct {
    GLogLevelFlags levels;
    const char *word;
} words[] = {
    { G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL, "error: " },
    { G_LOG_LEVEL_WARNING, "warning: " },
    { G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO, "debug: " },
    { G_LOG_LEVEL_MESSAGE, "" },
};

static const char *word_of(GLogLevelFlags level)
{
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (level & words[i].levels) {
            return words[i].word;
        }
    }
    return "";
}

static const char *folder_of(const char *domain)
{
    if (!domain) {
        return "";
    }
    return g_str_has_prefix(domain, prefix) ? domain + strlen(prefix) : domain;
}

static bool is_debugged(const char *folder)
{
    const char *wish = g_getenv("OSTLER_DEBUG");
    g_auto(GStrv) folders = g_strsplit_set(wish ? wish : "", ", ", -1);

    return g_strv_contains((const char *const *)folders, "all") ||
           g_strv_contains((const char *const *)folders, folder);
}

bool ostler_log_is_wanted(GLogLevelFlags level, const char *domain)
{
    return !(level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO)) ||
           is_debugged(folder_of(domain));
}

char *ostler_log_line(const char *program, GLogLevelFlags level, const char *domain,
                      const char *message)
{
    g_autofree char *printable = ostler_printable(message);
    bool is_debug = level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO);

    return g_strconcat(program, ": ", word_of(level), is_debug ? folder_of(domain) : "",
                       is_debug ? ": " : "", printable, "\n", NULL);
}

static const char *find_field(const GLogField *fields, gsize n, const char *key)
{
    for (gsize i = 0; i < n; i++) {
        if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0) {
            return fields[i].value;
        }
    }
    return NULL;
}

/* One write a line, so that the lines of several programs do not mix. */
static GLogWriterOutput write_line(GLogLevelFlags level, const GLogField *fields,
                                   gsize n_fields, gpointer program)
{
    const char *domain = find_field(fields, n_fields, "GLIB_DOMAIN");
    const char *message = find_field(fields, n_fields, "MESSAGE");

    if (!ostler_log_is_wanted(level, domain)) {
        return G_LOG_WRITER_HANDLED;
    }
    g_autofree char *line = ostler_log_line(program, level, domain, message);
    return write(STDERR_FILENO, line, strlen(line)) < 0 ? G_LOG_WRITER_UNHANDLED
                                                        : G_LOG_WRITER_HANDLED;
}

void ostler_log_open(const char *program)
{
    g_log_set_writer_func(write_line, (gpointer)program, NULL);
}
