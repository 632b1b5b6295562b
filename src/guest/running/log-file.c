/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define G_LOG_DOMAIN "ostler-guest"

#include "guest/running/log-file.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

struct OstlerLogFile {
    char *path;
    char *older_path;
    FILE *file; /* NULL: could not be opened, tried again at the next append */
    size_t size_bytes;
    size_t max_bytes;
};

static void open_file(OstlerLogFile *log, bool keep)
{
    log->file = g_fopen(log->path, keep ? "abe" : "wbe");
    log->size_bytes = 0;
    if (log->file) {
        setvbuf(log->file, NULL, _IONBF, 0); /* readers see it at once */
        fseek(log->file, 0, SEEK_END);
        log->size_bytes = (size_t)MAX(ftell(log->file), 0);
    }
}

OstlerLogFile *ostler_log_file_new(const char *path, size_t max_bytes, bool keep)
{
    OstlerLogFile *log = g_new0(OstlerLogFile, 1);

    log->path = g_strdup(path);
    log->older_path = g_strconcat(path, ".1", NULL);
    log->max_bytes = max_bytes;
    if (!keep) {
        g_unlink(log->older_path);
    }
    open_file(log, keep);
    return log;
}

void ostler_log_file_free(OstlerLogFile *log)
{
    if (!log) {
        return;
    }
    g_clear_pointer(&log->file, fclose);
    g_free(log->path);
    g_free(log->older_path);
    g_free(log);
}

static void rotate(OstlerLogFile *log)
{
    g_clear_pointer(&log->file, fclose);
    g_rename(log->path, log->older_path);
    open_file(log, false);
}

void ostler_log_file_append(OstlerLogFile *log, const void *data, size_t size)
{
    if (log->size_bytes >= log->max_bytes) {
        rotate(log);
    } else if (!log->file) {
        open_file(log, true);
    }
    if (!log->file) {
        return;
    }
    size_t n = fwrite(data, 1, size, log->file);
    log->size_bytes += n;
    if (n < size) {
        g_debug("Cannot write '%s': %s", log->path, g_strerror(errno));
        clearerr(log->file);
    }
}

static void append_file(GByteArray *whole, const char *path)
{
    g_autofree char *text = NULL;
    gsize size = 0;

    if (g_file_get_contents(path, &text, &size, NULL)) {
        g_byte_array_append(whole, (const guint8 *)text, (guint)size);
    }
}

char *ostler_log_file_read(const char *path, size_t *out_size)
{
    g_autofree char *older = g_strconcat(path, ".1", NULL);
    GByteArray *whole = g_byte_array_new();

    append_file(whole, older);
    append_file(whole, path);
    *out_size = whole->len;
    g_byte_array_append(whole, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(whole, FALSE);
}
