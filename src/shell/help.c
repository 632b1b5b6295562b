/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shell/help.h"

#include <string.h>

#define COLUMNS 80
#define INDENT  2
#define LIST_AT 28 /* where explanations begin */

static const char *next_line_end(const char *text, size_t width)
{
    if (strlen(text) <= width) {
        return text + strlen(text);
    }
    const char *end = text + width;
    while (end > text && *end != ' ') {
        end--;
    }
    return end > text ? end : text + strcspn(text, " ");
}

/* @text in lines that start at column @indent; the first is there already. */
static void append_wrapped(GString *out, const char *text, unsigned indent)
{
    size_t width = COLUMNS - indent;

    while (*text) {
        const char *end = next_line_end(text, width);
        g_string_append_len(out, text, end - text);
        g_string_append_c(out, '\n');
        text = *end ? end + 1 : end;
        if (*text) {
            g_string_append_printf(out, "%*s", (int)indent, "");
        }
    }
}

/* "  term                  explanation" */
static void append_entry(GString *out, const char *term, const char *explanation)
{
    int pad = LIST_AT - INDENT - (int)strlen(term);

    g_string_append_printf(out, "%*s%s", INDENT, "", term);
    if (pad < 2) {
        g_string_append_printf(out, "\n%*s", LIST_AT, "");
    } else {
        g_string_append_printf(out, "%*s", pad, "");
    }
    append_wrapped(out, explanation, LIST_AT);
}

static void append_paragraphs(GString *out, const char *text)
{
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);

    for (char **at = paragraphs; *at; at++) {
        g_string_append_c(out, '\n');
        append_wrapped(out, *at, 0);
    }
}

static void append_options(GString *out, const char *heading,
                           const OstlerOptionRow *rows)
{
    if (!rows || !rows->name) {
        return;
    }
    g_string_append_printf(out, "\n%s:\n", heading);
    for (; rows->name; rows++) {
        g_autofree char *usage = ostler_option_usage(rows);
        append_entry(out, usage, rows->help);
    }
}

char *ostler_help_program(const OstlerProgram *program)
{
    GString *out = g_string_new(NULL);
    const char *group = NULL;

    g_string_append_printf(out, "Usage: %s COMMAND [ARGUMENT...] [OPTION...]\n\n",
                           program->name);
    g_string_append_printf(out, "%s - %s\n", program->name, program->summary);
    for (const OstlerCommandRow *row = program->commands; row->name; row++) {
        if (g_strcmp0(group, row->group) != 0) {
            group = row->group;
            g_string_append_printf(out, "\n%s:\n", group);
        }
        g_autofree char *usage = ostler_arguments_usage(row);
        g_autofree char *term = g_strconcat(row->name, usage, NULL);
        append_entry(out, term, row->summary);
    }
    append_options(out, "Options of every command", program->options);
    g_string_append_printf(out, "\n'%s help COMMAND' says more about one.\n",
                           program->name);
    return g_string_free(out, FALSE);
}

static void append_arguments(GString *out, const OstlerArgumentRow *rows)
{
    if (!rows || !rows->name) {
        return;
    }
    g_string_append(out, "\nArguments:\n");
    for (; rows->name; rows++) {
        append_entry(out, rows->name, rows->help);
    }
}

static void append_examples(GString *out, const OstlerExampleRow *rows)
{
    if (!rows || !rows->line) {
        return;
    }
    g_string_append(out, "\nExamples:\n");
    for (; rows->line; rows++) {
        g_string_append_printf(out, "%*s%s\n%*s", INDENT, "", rows->line, 3 * INDENT,
                               "");
        append_wrapped(out, rows->help, 3 * INDENT);
    }
}

char *ostler_help_command(const OstlerProgram *program, const OstlerCommandRow *command)
{
    GString *out = g_string_new(NULL);
    g_autofree char *arguments = ostler_arguments_usage(command);

    g_string_append_printf(out, "Usage: %s %s%s%s\n\n", program->name, command->name,
                           arguments, command->options ? " [OPTION...]" : "");
    append_wrapped(out, command->summary, 0);
    if (command->alias) {
        g_string_append_printf(out, "Also called '%s'.\n", command->alias);
    }
    if (command->help) {
        append_paragraphs(out, command->help);
    }
    append_arguments(out, command->arguments);
    append_options(out, "Options", command->options);
    append_options(out, "Options of every command", program->options);
    append_examples(out, command->examples);
    return g_string_free(out, FALSE);
}
