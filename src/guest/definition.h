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
 * Syntax:     [section], key = value, and comments on lines of their own (# or ;), in
 *             UTF-8.  A key that may be repeated makes a list; where its values hold no
 *             blanks, one line may also carry several.  There are no escapes and no
 *             quotes: a value is what stands between the '=' and the end of the line,
 *             without the blanks around it, so a backslash is a backslash.
 * Comments:   stay with the section or key that follows them, and are printed again.
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
    OSTLER_VALUE_PATH,   /* made absolute against the definition file's folder; "~/" is
                            the home folder; OstlerKeyRow.words stay as they are */
    OSTLER_VALUE_SIZE,   /* bytes; 512M, 2G; K, M, G, T are powers of 1024 */
    OSTLER_VALUE_NUMBER, /* unsigned decimal */
    OSTLER_VALUE_BOOL,   /* yes or no */
    OSTLER_VALUE_WORD,   /* one of OstlerKeyRow.words */
    OSTLER_VALUE_MAC,
    OSTLER_VALUE_UUID,
    OSTLER_VALUE_FORWARD, /* tcp:HOSTPORT:GUESTPORT or tcp:ADDRESS:HOSTPORT:GUESTPORT */
    OSTLER_VALUE_NAME,    /* a guest's name, see ostler_guest_name_check() */
    OSTLER_VALUE_PROGRAM, /* a path if it has a slash, else looked up in PATH */
    OSTLER_VALUE_URL,     /* begins with one of OstlerKeyRow.words, "nbd://" */
    OSTLER_VALUE_SECTION, /* "disk.root": a section of the same definition */
    OSTLER_VALUE_RANGES,  /* 0-3,8 */
    OSTLER_VALUE_PCI,     /* a host device's address, 0000:01:00.0 or 01:00.0 */
    OSTLER_VALUE_USB,     /* a host device as VENDOR:PRODUCT (hex) or BUS.DEVICE */
    OSTLER_N_VALUE_TYPES
} OstlerValueType;

/* "size": what the manual page calls a value of @type; and an example, or NULL. */
const char *ostler_value_type_name(OstlerValueType type);
const char *ostler_value_type_example(OstlerValueType type);

typedef struct {
    const char *name;
    OstlerValueType type;
    const char *const *words; /* NULL-terminated; for WORD, PATH and URL */
    const char *fallback;     /* the value when the key is absent, or NULL */
    bool is_list;             /* may be repeated */
    bool is_required;         /* the section is wrong without it */
    uint64_t minimum;         /* of a SIZE or NUMBER */
    uint64_t maximum;         /* 0: no limit */
    const char *help;         /* one sentence for ostler-definition(5) */
} OstlerKeyRow;

typedef struct {
    const char *kind;         /* "disk" */
    bool is_labelled;         /* [disk.LABEL], any number of them */
    bool can_boot;            /* may be named by boot = in [guest] */
    const OstlerKeyRow *keys; /* ends with a NULL name */
    const char *help;
} OstlerSectionRow;

/* Everything a definition can say; ends with a NULL kind. */
extern const OstlerSectionRow ostler_vocabulary[];
const OstlerSectionRow *ostler_vocabulary_find(const char *kind);
const OstlerKeyRow *ostler_vocabulary_find_key(const OstlerSectionRow *row,
                                               const char *key);

typedef struct OstlerDefinition OstlerDefinition;
typedef struct OstlerSection OstlerSection;

/*
 * @file names the text in messages and is what relative paths start from.  A file called
 * NAME.guest names its guest, too: [guest] may then leave 'name' out, and the definition
 * has the name NAME as if it stood there.
 */
OstlerDefinition *ostler_definition_parse(const char *text, size_t size,
                                          const char *file, GError **error);
/* The same, but the guest is called @name (checked; NULL: as above) whatever the text
 * says. */
OstlerDefinition *ostler_definition_parse_as(const char *text, size_t size,
                                             const char *file, const char *name,
                                             GError **error);
OstlerDefinition *ostler_definition_load(const char *path, GError **error);
/* Only a [guest] section with @name, which ostler_guest_name_check() has passed. */
OstlerDefinition *ostler_definition_new(const char *name);
void ostler_definition_free(OstlerDefinition *definition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerDefinition, ostler_definition_free)

/* A guest's name: not empty, at most 200 bytes of UTF-8, no '/', no control
 * characters, no leading '.' or '-'.  Spaces and any script are fine. */
bool ostler_guest_name_check(const char *name, GError **error);
const char *ostler_definition_name(const OstlerDefinition *definition);
/* Give the guest another name, which ostler_guest_name_check() has passed. */
void ostler_definition_rename(OstlerDefinition *definition, const char *name);
/* The machine asked for, or what this project starts when none is: q35 on x86, virt
 * elsewhere (QEMU's own default has no place for a disk on most architectures). */
const char *ostler_definition_machine(const OstlerDefinition *definition);
/* How many processors it starts with: cpus, or what sockets, cores and threads make. */
uint64_t ostler_definition_cpus(const OstlerDefinition *definition);

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
 * Values.  @key must be in the vocabulary (anything else is a bug and aborts).  An
 * absent key answers with its fallback, or NULL, 0 and false without one.  So does an
 * absent section in the ostler_definition_get family, which is for kinds without
 * labels: ostler_definition_get(d, "display", "type") needs no [display].
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
/* Forget @section, which is freed. */
void ostler_definition_remove(OstlerDefinition *definition, OstlerSection *section);
/* Set, or for a list key append, @value.  What a line of a key file cannot carry
 * (control characters, blanks at either end) is refused. */
bool ostler_section_set(OstlerSection *section, const char *key, const char *value,
                        GError **error);
/* What only the whole can say: required keys, two sections of one name, a boot order
 * that names no device.  ostler_definition_parse() has done it. */
bool ostler_definition_check(const OstlerDefinition *definition, GError **error);

char *ostler_definition_text(const OstlerDefinition *definition); /* key file */
json_object *ostler_definition_json(const OstlerDefinition *definition);
