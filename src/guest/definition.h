/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition.h - what a guest is: sections of keys, read strictly
 *
 * A definition is a key file that a person can write by hand.  In memory it stays what
 * it is on disk, sections and keys in their order, with every value already checked
 * against vocabulary.c: who reads it later can rely on a size being a size.  Printing,
 * JSON, the manual page and completion come from the same rows.
 *
 *     [guest]            one section of this kind
 *     memory = 2G
 *     [disk.root]        kind "disk", label "root"; the order of disks is theirs here
 *     file = root.qcow2
 *
 * Syntax:     GKeyFile's ([section], key = value, # comment), plus: a key that may be
 *             repeated makes a list, and a value may not be empty.
 * Ownership:  a definition owns its sections and values; getters borrow from it.
 * Errors:     OSTLER_DEFINITION_ERROR; the message reads
 *             "web.guest:7: Unknown key 'memroy' in [guest]; did you mean 'memory'?".
 * Threads:    immutable once loaded; otherwise one thread.
 */
#pragma once

#include "json/json.h"

#define OSTLER_DEFINITION_MAX_BYTES    (1u << 20)
#define OSTLER_DEFINITION_MAX_SECTIONS 1024

#define OSTLER_DEFINITION_ERROR ostler_definition_error_quark()
GQuark ostler_definition_error_quark(void);
typedef enum {
    OSTLER_DEFINITION_ERROR_SYNTAX,  /* not a key file, unknown section or key */
    OSTLER_DEFINITION_ERROR_VALUE,   /* a value that does not fit its key */
    OSTLER_DEFINITION_ERROR_MISSING, /* a key that its section must have */
} OstlerDefinitionError;

typedef enum {
    OSTLER_VALUE_TEXT,
    OSTLER_VALUE_PATH,   /* made absolute against the definition file's folder */
    OSTLER_VALUE_SIZE,   /* bytes; 512M, 2G; K, M, G, T are powers of 1024 */
    OSTLER_VALUE_NUMBER, /* unsigned decimal */
    OSTLER_VALUE_BOOL,   /* yes or no */
    OSTLER_VALUE_WORD,   /* one of OstlerKeyRow.words */
    OSTLER_VALUE_MAC,
    OSTLER_VALUE_UUID,
    OSTLER_VALUE_FORWARD, /* tcp:HOSTPORT:GUESTPORT or tcp:ADDRESS:HOSTPORT:GUESTPORT */
} OstlerValueType;

typedef struct {
    const char *name;
    OstlerValueType type;
    const char *const *words; /* NULL-terminated, for OSTLER_VALUE_WORD */
    const char *fallback;     /* the value when the key is absent, or NULL */
    bool is_list;             /* may be repeated */
    const char *help;         /* one sentence for ostler-definition(5) */
} OstlerKeyRow;

typedef struct {
    const char *kind;         /* "disk" */
    bool is_labelled;         /* [disk.LABEL], any number of them */
    const OstlerKeyRow *keys; /* ends with a NULL name */
    const char *help;
} OstlerSectionRow;

/* Everything a definition can say; ends with a NULL kind. */
extern const OstlerSectionRow ostler_vocabulary[];
const OstlerSectionRow *ostler_vocabulary_find(const char *kind);

typedef struct OstlerDefinition OstlerDefinition;
typedef struct OstlerSection OstlerSection;

/* @file names the text in messages and is what relative paths start from. */
OstlerDefinition *ostler_definition_parse(const char *text, size_t size,
                                          const char *file, GError **error);
OstlerDefinition *ostler_definition_load(const char *path, GError **error);
OstlerDefinition *ostler_definition_new(const char *name);
void ostler_definition_free(OstlerDefinition *definition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerDefinition, ostler_definition_free)

/* A guest's name: not empty, at most 200 bytes of UTF-8, no '/', no control
 * characters, no leading '.' or '-'.  Spaces and any script are fine. */
bool ostler_guest_name_check(const char *name, GError **error);
const char *ostler_definition_name(const OstlerDefinition *definition);
/* "web.guest:7" for messages about the section, or the definition's name if built. */
char *ostler_section_where(const OstlerSection *section); /* caller frees */

/* Sections in file order.  @kind NULL: all. */
OstlerSection *ostler_definition_first(const OstlerDefinition *definition,
                                       const char *kind);
OstlerSection *ostler_section_next(const OstlerSection *section, const char *kind);
/* The section, or NULL; @label NULL for a kind that has none. */
OstlerSection *ostler_definition_find(const OstlerDefinition *definition,
                                      const char *kind, const char *label);
const char *ostler_section_kind(const OstlerSection *section);
const char *ostler_section_label(const OstlerSection *section);
unsigned ostler_definition_count(const OstlerDefinition *definition, const char *kind);

/*
 * Values.  @key must be in the vocabulary (anything else is a bug and aborts).  A
 * NULL section answers with the fallbacks of @kind's row, so that optional sections
 * need no special case: ostler_section_get(ostler_definition_find(d, "display",
 * NULL), ...) is written ostler_definition_get(d, "display", "type").
 */
const char *ostler_section_get(const OstlerSection *section, const char *key);
uint64_t ostler_section_get_size(const OstlerSection *section, const char *key);
uint64_t ostler_section_get_number(const OstlerSection *section, const char *key);
bool ostler_section_get_bool(const OstlerSection *section, const char *key);
/* All values of a list key; the array (not the strings) is freed by the caller. */
const char **ostler_section_get_list(const OstlerSection *section, const char *key);
bool ostler_section_has(const OstlerSection *section, const char *key);

const char *ostler_definition_get(const OstlerDefinition *definition, const char *kind,
                                  const char *key);
uint64_t ostler_definition_get_size(const OstlerDefinition *definition,
                                    const char *kind, const char *key);
uint64_t ostler_definition_get_number(const OstlerDefinition *definition,
                                      const char *kind, const char *key);
bool ostler_definition_get_bool(const OstlerDefinition *definition, const char *kind,
                                const char *key);

/* Building (import/, run): the same checks as the parser. */
OstlerSection *ostler_definition_add(OstlerDefinition *definition, const char *kind,
                                     const char *label, GError **error);
/* Set, or for a list key append, @value. */
bool ostler_section_set(OstlerSection *section, const char *key, const char *value,
                        GError **error);
/* What only the whole can say: required keys, two sections of one name, a boot order
 * that names no device.  ostler_definition_parse() has done it. */
bool ostler_definition_check(const OstlerDefinition *definition, GError **error);

char *ostler_definition_text(const OstlerDefinition *definition); /* key file */
json_object *ostler_definition_json(const OstlerDefinition *definition);
