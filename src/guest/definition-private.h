/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition-private.h - what definition.c and check.c share
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

/* The first entry of @key, or NULL. */
OstlerEntry *ostler_section_entry(const OstlerSection *section, const char *key);
/* "[disk.root]"; caller frees. */
char *ostler_section_title(const OstlerSection *section);
