/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rule.h - what a flat's list says of a rule
 *
 * Source:     the flat's RULE lines, "id\tcites\tsays\tconfirmed\tboot\tcve".
 * Ownership:  a rule owns its strings.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *id, *cites, *says;
    bool is_confirmed;
    char *boot; /* "shared", "smp", "alone" */
    char *cve;  /* "2021-3653", or "" */
} Rule;

/* NULL if @line is not one (caller frees). */
Rule *rule_parse(const char *line);
/* For a test of somebody else's flat, which says nothing but its name. */
Rule *rule_of_foreign(const char *name);
void rule_free(void *rule);

/* What the rule is about: "SVM.ENTRY" of SVM.ENTRY.CR0, "other" of what has no such name
 * (caller frees). */
char *rule_area(const Rule *rule);
