/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/import/report.h"

#define MAX_SHOWN 100 /* characters of a value: enough to recognise it by */

struct OstlerImportReport {
    char *file;
    GPtrArray *rows; /* of OstlerImportRow */
};

static const char *const class_names[] = {
    [OSTLER_IMPORT_NOT_CARRIED] = "not carried",
    [OSTLER_IMPORT_CHANGED] = "changed",
    [OSTLER_IMPORT_NOT_NEEDED] = "not needed",
};
G_STATIC_ASSERT(G_N_ELEMENTS(class_names) == OSTLER_IMPORT_N_CLASSES);

G_DEFINE_QUARK(ostler - import - error - quark, ostler_import_error)

static void free_row(void *data)
{
    OstlerImportRow *row = data;

    g_free(row->path);
    g_free(row->what);
    g_free(row->why);
    g_free(row);
}

OstlerImportReport *ostler_import_report_new(const char *file)
{
    OstlerImportReport *report = g_new0(OstlerImportReport, 1);

    report->file = g_strdup(file);
    report->rows = g_ptr_array_new_with_free_func(free_row);
    return report;
}

void ostler_import_report_free(OstlerImportReport *report)
{
    if (!report) {
        return;
    }
    g_ptr_array_unref(report->rows);
    g_free(report->file);
    g_free(report);
}

void ostler_import_report_add(OstlerImportReport *report, OstlerImportClass class,
                              unsigned line, char *path, char *what, char *why)
{
    OstlerImportRow *row = g_new(OstlerImportRow, 1);

    *row = (OstlerImportRow){ class, line, path, what, why };
    g_ptr_array_add(report->rows, row);
}

static int by_line(const void *a, const void *b)
{
    const OstlerImportRow *left = *(OstlerImportRow *const *)a;
    const OstlerImportRow *right = *(OstlerImportRow *const *)b;

    return left->line < right->line ? -1 : left->line > right->line;
}

/* GLib's sort is stable: rows of one line stay in the order they were found. */
void ostler_import_report_sort(OstlerImportReport *report)
{
    g_ptr_array_sort(report->rows, by_line);
}

unsigned ostler_import_report_size(const OstlerImportReport *report)
{
    return report->rows->len;
}

const OstlerImportRow *ostler_import_report_row(const OstlerImportReport *report,
                                                unsigned index)
{
    return g_ptr_array_index(report->rows, index);
}

unsigned ostler_import_report_count(const OstlerImportReport *report,
                                    OstlerImportClass class)
{
    unsigned count = 0;

    for (unsigned i = 0; i < report->rows->len; i++) {
        count += ostler_import_report_row(report, i)->class == class;
    }
    return count;
}

static void append_row(GString *text, const char *file, const OstlerImportRow *row)
{
    g_string_append_printf(text, "%s:%u: %s: %s", file, row->line, row->path,
                           class_names[row->class]);
    if (*row->what) {
        g_string_append_printf(text, ": %s", row->what);
    }
    g_string_append_printf(text, " (%s)\n", row->why);
}

char *ostler_import_report_text(const OstlerImportReport *report, bool with_not_needed)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < report->rows->len; i++) {
        const OstlerImportRow *row = ostler_import_report_row(report, i);

        if (with_not_needed || row->class != OSTLER_IMPORT_NOT_NEEDED) {
            append_row(text, report->file, row);
        }
    }
    return g_string_free(text, FALSE);
}

/* White space of any length becomes one blank; what could move a terminal's cursor
 * becomes '?', since the document may come from anywhere. */
char *ostler_import_shorten(const char *text)
{
    GString *line = g_string_new(NULL);
    unsigned shown = 0;

    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (g_unichar_isspace(c)) {
            if (line->len == 0 || line->str[line->len - 1] == ' ') {
                continue;
            }
            c = ' ';
        }
        if (shown++ == MAX_SHOWN) {
            g_string_append(line, "...");
            break;
        }
        g_string_append_unichar(line, g_unichar_isprint(c) ? c : '?');
    }
    g_strchomp(line->str);
    return g_string_free(line, FALSE);
}
