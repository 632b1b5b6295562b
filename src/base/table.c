/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/table.h"

#include <string.h>

#define GAP 3 /* columns between two cells, as virsh has it */

struct OstlerTable {
    unsigned n_columns;
    unsigned *widths;
    const char *(**colours)(const char *cell); /* one for each column, or NULL */
    GPtrArray *cells;                          /* row after row */
};

static unsigned width_of(const char *text)
{
    unsigned width = 0;

    if (g_str_is_ascii(text)) {
        return (unsigned)strlen(text);
    }
    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        width += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

/* Bytes that are no UTF-8, and characters that are no glyphs. */
char *ostler_printable(const char *text)
{
    GString *shown = g_string_new(NULL);

    while (*text) {
        gunichar c = g_utf8_get_char_validated(text, -1);
        bool is_bad = c == (gunichar)-1 || c == (gunichar)-2;
        const char *next = is_bad ? text + 1 : g_utf8_next_char(text);
        if (!is_bad && !g_unichar_iscntrl(c)) {
            g_string_append_len(shown, text, next - text);
        } else {
            for (; text < next; text++) {
                g_string_append_printf(shown, "\\x%02x", (unsigned char)*text);
            }
        }
        text = next;
    }
    return g_string_free(shown, FALSE);
}

OstlerTable *ostler_table_new(const char *const *headings)
{
    OstlerTable *table = g_new0(OstlerTable, 1);

    table->n_columns = g_strv_length((char **)headings);
    table->widths = g_new0(unsigned, table->n_columns);
    table->colours = g_malloc0_n(table->n_columns, sizeof *table->colours);
    table->cells = g_ptr_array_new_with_free_func(g_free);
    ostler_table_add(table, headings);
    return table;
}

void ostler_table_free(OstlerTable *table)
{
    if (!table) {
        return;
    }
    g_ptr_array_unref(table->cells);
    g_free(table->widths);
    g_free(table->colours);
    g_free(table);
}

void ostler_table_add(OstlerTable *table, const char *const *cells)
{
    for (unsigned i = 0; i < table->n_columns; i++) {
        char *cell = ostler_printable(cells[i] ? cells[i] : "-");
        table->widths[i] = MAX(table->widths[i], width_of(cell));
        g_ptr_array_add(table->cells, cell);
    }
}

void ostler_table_colour(OstlerTable *table, unsigned column,
                         const char *(*colour)(const char *cell))
{
    table->colours[column] = colour;
}

static void append_cell(GString *text, const OstlerTable *table, unsigned i)
{
    const char *cell = table->cells->pdata[i];
    unsigned column = i % table->n_columns;
    const char *colour = NULL;

    if (i >= table->n_columns && table->colours[column]) {
        colour = table->colours[column](cell);
    }
    if (colour) {
        g_string_append_printf(text, "\x1b[%sm%s\x1b[0m", colour, cell);
    } else {
        g_string_append(text, cell);
    }
}

char *ostler_table_text(const OstlerTable *table)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < table->cells->len; i++) {
        const char *cell = table->cells->pdata[i];
        unsigned column = i % table->n_columns;
        append_cell(text, table, i);
        if (column + 1 == table->n_columns) {
            g_string_append_c(text, '\n');
        } else {
            int pad = (int)(table->widths[column] - width_of(cell) + GAP);
            g_string_append_printf(text, "%*s", pad, "");
        }
    }
    return g_string_free(text, FALSE);
}
