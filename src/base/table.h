/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * table.h - columns for people
 *
 * Cells may be anything: control characters in them are shown as \xNN, so a guest's
 * name cannot speak to the terminal, and widths are counted in columns, not bytes.
 *
 * Ownership:  cells are copied.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct OstlerTable OstlerTable;

/* @headings, NULL-terminated, say how many columns there are. */
OstlerTable *ostler_table_new(const char *const *headings);
void ostler_table_free(OstlerTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerTable, ostler_table_free)

/* As many cells as there are headings; NULL is shown as "-". */
void ostler_table_add(OstlerTable *table, const char *const *cells);

/* Colour a column's cells, but not the heading: @colour answers a cell's SGR parameters
 * ("32": green, ECMA-48 8.3.117) or NULL for none. */
void ostler_table_colour(OstlerTable *table, unsigned column,
                         const char *(*colour)(const char *cell));

/* Lines, headings first, each ended by a newline; caller frees. */
char *ostler_table_text(const OstlerTable *table);

/* @text with what a terminal would act on shown as \xNN; caller frees. */
char *ostler_printable(const char *text);
