/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reader.h - read a domain so that what was not read is known
 *
 * Between the tree and the definition.  Reading something marks it; what is unmarked at
 * the end goes into the report by ostler_import_report_rest().  So a part that forgets
 * an element, or has never heard of it, cannot drop it in silence.
 *
 * Steps:      places are named relative to an element: "driver/@cache", "serial",
 *             "qemu:commandline", "@type", or "" for the element itself.  Reading
 *             through a step marks the elements on the way.  The first of several
 *             equals is taken; the others stay unmarked and are reported.
 * Ownership:  strings that are read live as long as the import.
 * Threads:    one.
 */
#pragma once

#include "guest/import/import.h"
#include <libxml/tree.h>

typedef struct OstlerImporter {
    xmlDoc *document;             /* borrowed */
    const char *file;             /* borrowed */
    OstlerDefinition *definition; /* borrowed */
    OstlerImportReport *report;   /* borrowed */
    GPtrArray *strings;           /* owns what was read */
    GHashTable *labels;           /* section labels in use: "disk.vda" */
    const char *arch;             /* QEMU's word, for what depends on it */
    GPtrArray *bootables;         /* boot.c's */
    bool is_emulated;             /* the domain asks for no KVM */
    unsigned n_nics;
    bool has_console;
} OstlerImporter;

/* One word of libvirt's and the definition's word for it. */
typedef struct {
    const char *from;
    const char *to;  /* NULL: there is none; @why says so */
    const char *why; /* if set: carried, but changed */
} OstlerImportWord;

/* One place in the XML and the key that carries it. */
typedef struct {
    const char *step;
    const char *key;
    const OstlerImportWord *words; /* ends with a NULL @from; NULL: as it stands */
    const char *present;           /* the value when the place is there at all */
} OstlerImportCarry;

/* The value at @step, or NULL if there is no such place.  Marks it. */
const char *ostler_import_take(OstlerImporter *import, xmlNode *node, const char *step);
/* The same without marking: for choosing who will read it. */
const char *ostler_import_peek(OstlerImporter *import, xmlNode *node, const char *step);
/* The element at @step, marked, or NULL. */
xmlNode *ostler_import_enter(xmlNode *node, const char *step);

/* Children of @node called @name, in order, unmarked. */
xmlNode *ostler_import_first(const xmlNode *node, const char *name);
xmlNode *ostler_import_next(const xmlNode *child);

/* The value at @step in bytes by its @unit, else @fallback_unit (1024: KiB, libvirt's
 * default for memory).  False if absent or nonsense, which is then reported. */
bool ostler_import_take_bytes(OstlerImporter *import, xmlNode *node, const char *step,
                              uint64_t fallback_unit, uint64_t *out_bytes);

/* Set @key from @step; a value that the definition refuses goes into the report with
 * the definition's own sentence.  True if it was set. */
bool ostler_import_carry(OstlerImporter *import, xmlNode *node, OstlerSection *section,
                         const char *step, const char *key);
/* All of @rows, which end with a NULL step. */
void ostler_import_carry_all(OstlerImporter *import, xmlNode *node,
                             OstlerSection *section, const OstlerImportCarry *rows);
/* Set @key to a value made up from @node; a refusal goes into the report. */
bool ostler_import_set(OstlerImporter *import, xmlNode *node, OstlerSection *section,
                       const char *key, const char *value);
bool ostler_import_set_bytes(OstlerImporter *import, xmlNode *node,
                             OstlerSection *section, const char *key, uint64_t bytes);
/* A section for @node with a label of @wish's characters, made unique; @wish NULL for
 * kinds without label. */
OstlerSection *ostler_import_add(OstlerImporter *import, xmlNode *node,
                                 const char *kind, const char *wish);
OstlerSection *ostler_import_section(OstlerImporter *import, const char *kind);

/* Rows of one's own.  @step names the place; it and all below it is marked. */
void ostler_import_drop(OstlerImporter *import, xmlNode *node, const char *step,
                        const char *why, ...) G_GNUC_PRINTF(4, 5);
void ostler_import_change(OstlerImporter *import, xmlNode *node, const char *step,
                          const char *why, ...) G_GNUC_PRINTF(4, 5);

void ostler_import_excuse(OstlerImporter *import, xmlNode *node, const char *step,
                          const char *why);

/* "old.xml:12: " and the rest, as an error. */
bool ostler_import_fail(OstlerImporter *import, const xmlNode *node,
                        OstlerImportError code, GError **error, const char *why, ...)
    G_GNUC_PRINTF(5, 6);

/* Everything unmarked becomes a row.  False if there are more than
 * OSTLER_IMPORT_MAX_ROWS. */
bool ostler_import_report_rest(OstlerImporter *import, GError **error);
