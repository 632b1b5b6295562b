/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shell/command.h"

#include <string.h>

const OstlerCommandRow *ostler_program_find(const OstlerProgram *program,
                                            const char *name)
{
    for (const OstlerCommandRow *row = program->commands; row->name; row++) {
        if (strcmp(row->name, name) == 0 || g_strcmp0(row->alias, name) == 0) {
            return row;
        }
    }
    return NULL;
}

static const OstlerOptionRow *find_in(const OstlerOptionRow *rows, const char *name,
                                      char letter)
{
    for (; rows && rows->name; rows++) {
        if (name ? strcmp(rows->name, name) == 0 : rows->letter == letter) {
            return rows;
        }
    }
    return NULL;
}

static const OstlerOptionRow *find_option(const OstlerProgram *program,
                                          const OstlerCommandRow *command,
                                          const char *name, char letter)
{
    const OstlerOptionRow *own =
        command ? find_in(command->options, name, letter) : NULL;

    return own ? own : find_in(program->options, name, letter);
}

const OstlerOptionRow *ostler_option_find(const OstlerProgram *program,
                                          const OstlerCommandRow *command,
                                          const char *name)
{
    return find_option(program, command, name, 0);
}

const OstlerOptionRow *ostler_option_find_letter(const OstlerProgram *program,
                                                 const OstlerCommandRow *command,
                                                 char letter)
{
    return letter ? find_option(program, command, NULL, letter) : NULL;
}

char *ostler_option_usage(const OstlerOptionRow *option)
{
    GString *usage = g_string_new(NULL);

    if (option->letter) {
        g_string_append_printf(usage, "-%c, ", option->letter);
    }
    g_string_append_printf(usage, "--%s", option->name);
    if (option->value) {
        g_string_append_printf(usage, option->is_optional ? "[=%s]" : "=%s",
                               option->value);
    }
    return g_string_free(usage, FALSE);
}

char *ostler_arguments_usage(const OstlerCommandRow *command)
{
    GString *usage = g_string_new(NULL);

    for (const OstlerArgumentRow *row = command->arguments; row && row->name; row++) {
        g_string_append_printf(usage, row->is_optional ? " [%s%s]" : " %s%s", row->name,
                               row->is_list ? "..." : "");
    }
    return g_string_free(usage, FALSE);
}
