/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report.h - how the importer fills a report; import.h says what it is */
#pragma once

#include "guest/import/import.h"

OstlerImportReport *ostler_import_report_new(const char *file);

/* Takes @path, @what and @why over. */
void ostler_import_report_add(OstlerImportReport *report, OstlerImportClass class,
                              unsigned line, char *path, char *what, char *why);

/* Document order: rows come by device, the reader goes by line. */
void ostler_import_report_sort(OstlerImportReport *report);

/* One printable line of at most a hundred characters of @text; caller frees. */
char *ostler_import_shorten(const char *text);
