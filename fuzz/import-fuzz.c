/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes are refused with a reason, or become a definition whose text reads back as
 * itself and a report in which each row says where and why, in printable words.
 */
#include "fuzz.h"

#include "guest/import/import.h"
#include <string.h>

static void check_row(const OstlerImportRow *row)
{
    g_assert_true(g_str_has_prefix(row->path, "/domain"));
    g_assert_cmpuint(row->line, >, 0);
    g_assert_true(*row->why);
    g_assert_null(strpbrk(row->what, "\n\r\t\x1b"));
}

static void check_report(const OstlerImportReport *report)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < ostler_import_report_size(report); i++) {
        check_row(ostler_import_report_row(report, i));
    }
    for (int class = 0; class < OSTLER_IMPORT_N_CLASSES; class ++) {
        sum += ostler_import_report_count(report, class);
    }
    g_assert_cmpuint(sum, ==, ostler_import_report_size(report));
}

static void check_definition(const OstlerDefinition *definition)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = ostler_definition_text(definition);
    g_autoptr(OstlerDefinition) again =
        ostler_definition_parse(text, strlen(text), "again", &error);

    g_assert_no_error(error);
    g_autofree char *text_again = ostler_definition_text(again);
    g_assert_cmpstr(text, ==, text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerImportReport) report = NULL;
    g_autoptr(OstlerDefinition) definition =
        ostler_import_domain((const char *)data, size, "fuzz.xml", &report, &error);

    if (!definition) {
        g_assert_nonnull(error);
        g_assert_null(report);
        return 0;
    }
    g_assert_no_error(error);
    check_report(report);
    check_definition(definition);
    return 0;
}
