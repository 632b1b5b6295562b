/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/import/import.h"

#include "api/api.h"
#include "guest/running/error.h"

struct OstlerImport {
    char *definition;
    OstlerImportReport *report; /* owns what the notes point to */
    GArray *notes;              /* of OstlerImportNote */
};

void ostler_import_free(OstlerImport *import)
{
    if (!import) {
        return;
    }
    g_free(import->definition);
    g_clear_pointer(&import->report, ostler_import_report_free);
    g_array_unref(import->notes);
    g_free(import);
}

const char *ostler_import_definition(const OstlerImport *import)
{
    return import->definition;
}

size_t ostler_import_size(const OstlerImport *import)
{
    return import->notes->len;
}

const OstlerImportNote *ostler_import_at(const OstlerImport *import, size_t i)
{
    return &g_array_index(import->notes, OstlerImportNote, i);
}

static void add_notes(OstlerImport *import)
{
    for (unsigned i = 0; i < ostler_import_report_size(import->report); i++) {
        const OstlerImportRow *row = ostler_import_report_row(import->report, i);
        const OstlerImportNote note = {
            .path = row->path,
            .what = row->why,
            .is_lost = row->class == OSTLER_IMPORT_NOT_CARRIED,
            .is_needed = row->class != OSTLER_IMPORT_NOT_NEEDED,
            .line = row->line,
            .value = row->what,
        };
        g_array_append_val(import->notes, note);
    }
}

OstlerImport *ostler_host_import(OstlerHost *host, const char *xml, size_t size,
                                 const char *file, OstlerError **error)
{
    GError *why = NULL;
    OstlerImportReport *report = NULL;
    g_autoptr(OstlerDefinition) definition =
        ostler_import_domain(xml, size, file, &report, &why);

    if (!definition) {
        ostler_run_error_become(&why, OSTLER_RUN_ERROR_DEFINITION);
        ostler_api_fail_with(error, why);
        return NULL;
    }
    OstlerImport *import = g_new0(OstlerImport, 1);
    import->definition = ostler_definition_text(definition);
    import->report = report;
    import->notes = g_array_new(FALSE, FALSE, sizeof(OstlerImportNote));
    add_notes(import);
    return import;
}
