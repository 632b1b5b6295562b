/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What import.h promises when the build has no libxml2. */
#include "guest/import/import.h"

OstlerDefinition *ostler_import_domain(const char *xml, size_t size, const char *file,
                                       OstlerImportReport **out_report, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "This build cannot read domain XML: it was made without libxml2");
    return NULL;
}

OstlerDefinition *ostler_import_file(const char *path, OstlerImportReport **out_report,
                                     GError **error)
{
    return ostler_import_domain(NULL, 0, path, out_report, error);
}
