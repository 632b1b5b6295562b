/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shell/manual.h"

#include "shell/roff.h"

/* Sentences of rows have no full stop; prose has. */
static void append_sentence_entry(GString *page, const char *term, const char *plain,
                                  const char *help)
{
    g_autofree char *sentence = g_strconcat(help, ".", NULL);

    ostler_roff_entry(page, term, plain, sentence);
}

static void append_options(GString *page, const OstlerOptionRow *rows)
{
    for (; rows && rows->name; rows++) {
        g_autofree char *usage = ostler_option_usage(rows);
        append_sentence_entry(page, usage, NULL, rows->help);
    }
}

static void append_command(GString *page, const OstlerCommandRow *command)
{
    g_autofree char *arguments = ostler_arguments_usage(command);
    g_autofree char *usage = g_strconcat(command->name, arguments, NULL);
    g_autofree char *summary = g_strconcat(command->summary, ".", NULL);

    ostler_roff_subheading(page, usage);
    ostler_roff_text(page, summary);
    if (command->alias) {
        g_autofree char *alias =
            g_strdup_printf("It is also called %s.", command->alias);
        ostler_roff_text(page, alias);
    }
    if (command->help) {
        ostler_roff_text(page, command->help);
    }
    for (const OstlerArgumentRow *row = command->arguments; row && row->name; row++) {
        append_sentence_entry(page, row->name, NULL, row->help);
    }
    append_options(page, command->options);
    for (const OstlerExampleRow *row = command->examples; row && row->line; row++) {
        g_autofree char *sentence = g_strconcat(row->help, ":", NULL);
        ostler_roff_text(page, sentence);
        ostler_roff_example(page, row->line);
    }
}

char *ostler_manual_page(const OstlerProgram *program, const char *version,
                         const char *tail)
{
    GString *page =
        g_string_new(".\\\" Made from the table of commands; do not edit.\n");

    g_autofree char *source = g_strdup_printf("%s %s", program->name, version);
    ostler_roff_title(page, program->name, "1", source, "User Commands");
    ostler_roff_heading(page, "NAME");
    g_string_append_printf(page, "%s \\- %s\n", program->name, program->summary);
    ostler_roff_heading(page, "SYNOPSIS");
    g_string_append_printf(page,
                           "\\fB%s\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR...] "
                           "[\\fIOPTION\\fR...]\n",
                           program->name);
    ostler_roff_heading(page, "OPTIONS OF EVERY COMMAND");
    append_options(page, program->options);

    const char *group = NULL;
    for (const OstlerCommandRow *row = program->commands; row->name; row++) {
        if (g_strcmp0(group, row->group) != 0) {
            group = row->group;
            g_autofree char *heading = g_utf8_strup(group, -1);
            ostler_roff_heading(page, heading);
        }
        append_command(page, row);
    }
    g_string_append(page, tail);
    return g_string_free(page, FALSE);
}
