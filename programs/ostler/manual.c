/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ostler-manual ostler VERSION TAIL - print ostler(1)
 * ostler-manual definition VERSION TAIL - print ostler-definition(5)
 *
 * Run by the build, so that the pages are made of the very tables that the program uses.
 * TAIL is a file with what no table knows: files, exit codes, examples.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "guest/definition.h"
#include "shell/manual.h"
#include "shell/roff.h"

/* "= size", "= auto | kvm | tcg"; caller frees. */
static char *describe_value(const OstlerKeyRow *key)
{
    if (key->type == OSTLER_VALUE_WORD) {
        g_autofree char *words = g_strjoinv(" | ", (char **)key->words);
        return g_strdup_printf(" = %s", words);
    }
    return g_strdup_printf(" = %s", ostler_value_type_name(key->type));
}

static void append_key(GString *page, const OstlerKeyRow *key)
{
    g_autofree char *value = describe_value(key);
    GString *text = g_string_new(key->help);

    g_string_append_c(text, '.');
    if (key->fallback) {
        g_string_append_printf(text, " Default: %s.", key->fallback);
    }
    if (key->is_required) {
        g_string_append(text, " Required.");
    }
    if (key->is_list) {
        g_string_append(text, " May be repeated.");
    }
    ostler_roff_entry(page, key->name, value, text->str);
    g_string_free(text, TRUE);
}

static void append_types(GString *page)
{
    for (unsigned type = 0; type < OSTLER_N_VALUE_TYPES; type++) {
        const char *example = ostler_value_type_example(type);
        g_autofree char *text =
            example ? g_strdup_printf("For example %s", example) : NULL;
        if (text) {
            ostler_roff_entry(page, ostler_value_type_name(type), NULL, text);
        }
    }
}

static char *definition_page(const char *version, const char *tail)
{
    GString *page =
        g_string_new(".\\\" Made from the vocabulary of definitions; do not edit.\n");
    g_autofree char *source = g_strdup_printf("ostler %s", version);

    ostler_roff_title(page, "ostler-definition", "5", source, "File Formats");
    ostler_roff_heading(page, "NAME");
    g_string_append(page, "ostler\\-definition \\- what a guest of ostler is\n");
    g_string_append(page, tail);
    append_types(page);
    ostler_roff_heading(page, "SECTIONS");
    for (const OstlerSectionRow *row = ostler_vocabulary; row->kind; row++) {
        g_autofree char *title =
            g_strdup_printf(row->is_labelled ? "[%s.LABEL]" : "[%s]", row->kind);
        g_autofree char *help = g_strconcat(row->help, ".", NULL);
        ostler_roff_subheading(page, title);
        ostler_roff_text(page, help);
        for (const OstlerKeyRow *key = row->keys; key->name; key++) {
            append_key(page, key);
        }
    }
    ostler_roff_heading(page, "SEE ALSO");
    g_string_append(page, ".BR ostler (1),\n.BR qemu (1)\n");
    return g_string_free(page, FALSE);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *tail = NULL;

    if (argc != 4 || !g_file_get_contents(argv[3], &tail, NULL, &error)) {
        fprintf(stderr, "ostler-manual: %s\n",
                error ? error->message : "needs a page, a version and a file");
        return 1;
    }
    g_autofree char *page = strcmp(argv[1], "ostler") == 0
                                ? ostler_manual_page(&cli_program, argv[2], tail)
                                : definition_page(argv[2], tail);
    fputs(page, stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
