/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import.h - libvirt domain XML to a definition, and a list of what was left behind
 *
 * Every element and attribute of the document ends in one of two places: in the
 * definition, or in a row of the report.  That holds by construction: what the importer
 * reads it marks, and whatever is unmarked at the end becomes a row by itself, so that
 * an element nobody has heard of is named just like one that is known and not carried.
 *
 * Sources:    libvirt 9.0 docs/formatdomain.rst and docs/schemas/domaincommon.rng.
 * Ownership:  definition and report belong to the caller and borrow nothing.
 * Errors:     OSTLER_IMPORT_ERROR, "old.xml:12: ..."; what a definition refuses
 *             (a name with '/') keeps its OSTLER_DEFINITION_ERROR.
 * Safety:     the document may be hostile: no network, no DTD, bounded in bytes, depth
 *             and elements.
 * Threads:    not shared between calls; any thread.
 */
#pragma once

#include "guest/definition.h"

#define OSTLER_IMPORT_MAX_BYTES    (4u << 20)
#define OSTLER_IMPORT_MAX_DEPTH    128
#define OSTLER_IMPORT_MAX_ELEMENTS 20000
#define OSTLER_IMPORT_MAX_ROWS     2000

#define OSTLER_IMPORT_ERROR ostler_import_error_quark()
GQuark ostler_import_error_quark(void);
typedef enum {
    OSTLER_IMPORT_ERROR_SYNTAX,      /* not well-formed XML, or past a limit above */
    OSTLER_IMPORT_ERROR_NOT_DOMAIN,  /* well-formed, but no domain: a network, ... */
    OSTLER_IMPORT_ERROR_UNSUPPORTED, /* a domain that no QEMU system emulator runs */
    OSTLER_IMPORT_ERROR_VALUE,       /* a value without which there is no guest */
} OstlerImportError;

typedef enum {
    OSTLER_IMPORT_NOT_CARRIED, /* the guest will lack it */
    OSTLER_IMPORT_CHANGED,     /* carried as the nearest thing a definition can say */
    OSTLER_IMPORT_NOT_NEEDED,  /* has no meaning here; the reason says why */
    OSTLER_IMPORT_N_CLASSES,
} OstlerImportClass;

typedef struct {
    OstlerImportClass class;
    unsigned line;
    char *path; /* "/domain/devices/disk[2]/iotune"; an index where there are several */
    char *what; /* the text that stood there: one line, printable, shortened */
    char *why;  /* one sentence; never NULL */
} OstlerImportRow;

/* Rows in the order of the document. */
typedef struct OstlerImportReport OstlerImportReport;
unsigned ostler_import_report_count(const OstlerImportReport *report,
                                    OstlerImportClass class);
unsigned ostler_import_report_size(const OstlerImportReport *report);
const OstlerImportRow *ostler_import_report_row(const OstlerImportReport *report,
                                                unsigned index);
/* One line a row: "old.xml:12: /domain/devices/lease: not carried: ...". */
char *ostler_import_report_text(const OstlerImportReport *report,
                                bool with_not_needed); /* caller frees */
void ostler_import_report_free(OstlerImportReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerImportReport, ostler_import_report_free)

/*
 * Read the domain in @xml; @file names it in messages.  The report is set on success
 * only, and may be empty.  A build without libxml2 answers G_IO_ERROR_NOT_SUPPORTED.
 */
OstlerDefinition *ostler_import_domain(const char *xml, size_t size, const char *file,
                                       OstlerImportReport **out_report, GError **error);
/* The same from a file; relative paths inside it stay as they are. */
OstlerDefinition *ostler_import_file(const char *path, OstlerImportReport **out_report,
                                     GError **error);
