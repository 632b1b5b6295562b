/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition-private.h - what the files of definition.h share
 */
#pragma once

#include "guest/definition.h"

typedef struct {
    const OstlerKeyRow *row;
    char *value;   /* checked, as it is printed */
    char *comment; /* whole lines that stood above it, or NULL */
    unsigned line; /* 0: built, not read */
} OstlerEntry;

struct OstlerSection {
    OstlerDefinition *definition; /* borrowed: the owner */
    const OstlerSectionRow *row;
    char *label;
    char *comment;
    unsigned line;
    unsigned index; /* in the definition */
    GPtrArray *entries;
};

struct OstlerDefinition {
    char *file;   /* as messages name it, or NULL for one that was built */
    char *folder; /* absolute; relative paths start here */
    GPtrArray *sections;
    char *trailer; /* comment after the last key */
};

/* Set @error to "file:@line: ..." (as much of it as is known); false, for return. */
bool ostler_definition_fail(const OstlerDefinition *definition, unsigned line,
                            OstlerDefinitionError code, GError **error,
                            const char *format, ...) G_GNUC_PRINTF(5, 6);

/* Without any section; relative paths start at the folder of @file, or here. */
OstlerDefinition *ostler_definition_empty(const char *file);
/* A section read on @line (0: built). */
OstlerSection *ostler_definition_add_at(OstlerDefinition *definition, unsigned line,
                                        const char *kind, const char *label,
                                        GError **error);
/* The row of @key, or NULL and the nearest right word. */
const OstlerKeyRow *ostler_section_need_row(const OstlerSection *section, unsigned line,
                                            const char *key, GError **error);
/* One checked value behind the others of @section. */
OstlerEntry *ostler_section_append(OstlerSection *section, unsigned line,
                                   const OstlerKeyRow *row, const char *text,
                                   GError **error);

/* The first entry of @key, or NULL. */
OstlerEntry *ostler_section_entry(const OstlerSection *section, const char *key);
/* "[disk.root]"; caller frees. */
char *ostler_section_title(const OstlerSection *section);
