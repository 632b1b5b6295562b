/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A definition is an ordered list of sections, a section an ordered list of entries,
 * each with its row of the vocabulary, its checked value, its line and the comment that
 * stood above it.  Everything is small (a file is at most 1 MiB), so finding is a walk.
 *
 * Parsing and building go through the same two functions, ostler_definition_add_at() and
 * ostler_section_append(), so a definition that import/ or `run` made is as sound as one
 * read from disk.  What only the whole can say is definition-check.c's.
 *
 * Messages carry "file:line: " when the definition was read from a file, and nothing
 * when it was built: then the caller knows better what went wrong where.
 */
#include "guest/definition-private.h"

#include <gio/gio.h>
#include <string.h>

#include "base/nearest.h"
#include "guest/value.h"

#define MAX_LABEL_BYTES 64

GQuark ostler_definition_error_quark(void)
{
    return g_quark_from_static_string("ostler-definition-error-quark");
}

static void free_entry(gpointer data)
{
    OstlerEntry *entry = data;

    g_free(entry->value);
    g_free(entry->comment);
    g_free(entry);
}

static void free_section(gpointer data)
{
    OstlerSection *section = data;

    g_clear_pointer(&section->entries, g_ptr_array_unref);
    g_free(section->label);
    g_free(section->comment);
    g_free(section);
}

void ostler_definition_free(OstlerDefinition *definition)
{
    if (!definition) {
        return;
    }
    g_clear_pointer(&definition->sections, g_ptr_array_unref);
    g_free(definition->file);
    g_free(definition->folder);
    g_free(definition->trailer);
    g_free(definition);
}

/* An empty definition whose relative paths start at the folder of @file, or here. */
OstlerDefinition *ostler_definition_empty(const char *file)
{
    OstlerDefinition *definition = g_new0(OstlerDefinition, 1);
    g_autofree char *folder = file ? g_path_get_dirname(file) : g_strdup(".");

    definition->sections = g_ptr_array_new_with_free_func(free_section);
    definition->file = g_strdup(file);
    definition->folder = g_canonicalize_filename(folder, NULL);
    return definition;
}

OstlerDefinition *ostler_definition_new(const char *name)
{
    OstlerDefinition *definition = ostler_definition_empty(NULL);
    OstlerSection *guest = ostler_definition_add(definition, "guest", NULL, NULL);

    g_assert(ostler_section_set(guest, "name", name, NULL));
    return definition;
}

bool ostler_definition_fail(const OstlerDefinition *definition, unsigned line,
                            OstlerDefinitionError code, GError **error,
                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    if (!definition->file) {
        g_set_error_literal(error, OSTLER_DEFINITION_ERROR, code, message);
    } else if (line == 0) {
        g_set_error(error, OSTLER_DEFINITION_ERROR, code, "%s: %s", definition->file,
                    message);
    } else {
        g_set_error(error, OSTLER_DEFINITION_ERROR, code, "%s:%u: %s", definition->file,
                    line, message);
    }
    return false;
}

static bool is_label(const char *label)
{
    return strlen(label) <= MAX_LABEL_BYTES &&
           label[strspn(label, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_")] == '\0';
}

/* ---- sections ---- */

char *ostler_section_title(const OstlerSection *section)
{
    return section->label
               ? g_strdup_printf("[%s.%s]", section->row->kind, section->label)
               : g_strdup_printf("[%s]", section->row->kind);
}

static const OstlerSectionRow *find_kind(const OstlerDefinition *definition,
                                         unsigned line, const char *kind,
                                         GError **error)
{
    const OstlerSectionRow *row = ostler_vocabulary_find(kind);
    if (row) {
        return row;
    }

    g_autoptr(GPtrArray) kinds = g_ptr_array_new();
    for (row = ostler_vocabulary; row->kind; row++) {
        g_ptr_array_add(kinds, (char *)row->kind);
    }
    g_ptr_array_add(kinds, NULL);
    const char *nearest = ostler_nearest(kind, (const char *const *)kinds->pdata);
    bool is_key =
        ostler_vocabulary_find_key(ostler_vocabulary_find("guest"), kind) != NULL;
    ostler_definition_fail(definition, line, OSTLER_DEFINITION_ERROR_SYNTAX, error,
                           is_key    ? "Unknown section [%s]; '%s' is a key of [guest]"
                           : nearest ? "Unknown section [%s]; did you mean [%s]?"
                                     : "Unknown section [%s]",
                           kind, is_key ? kind : nearest);
    return NULL;
}

static bool check_label(const OstlerDefinition *definition, unsigned line,
                        const OstlerSectionRow *row, const char *label, GError **error)
{
    const char *kind = row->kind;

    if (row->is_labelled && !label) {
        return ostler_definition_fail(
            definition, line, OSTLER_DEFINITION_ERROR_SYNTAX, error,
            "Section [%s] needs a label of your choice, like [%s.0]", kind, kind);
    }
    if (!row->is_labelled && label) {
        return ostler_definition_fail(definition, line, OSTLER_DEFINITION_ERROR_SYNTAX,
                                      error, "Section [%s] has no label: write [%s]",
                                      kind, kind);
    }
    if (label && !is_label(label)) {
        return ostler_definition_fail(
            definition, line, OSTLER_DEFINITION_ERROR_SYNTAX, error,
            "The label '%s' is not made of at most %d letters, digits, '-' and '_'",
            label, MAX_LABEL_BYTES);
    }
    return true;
}

static bool check_unique(const OstlerDefinition *definition, unsigned line,
                         const OstlerSectionRow *row, const char *label, GError **error)
{
    const OstlerSection *twin = ostler_definition_find(definition, row->kind, label);
    if (!twin) {
        return true;
    }

    g_autofree char *title = ostler_section_title(twin);
    return ostler_definition_fail(definition, line, OSTLER_DEFINITION_ERROR_SYNTAX,
                                  error, "A second section %s", title);
}

OstlerSection *ostler_definition_add_at(OstlerDefinition *definition, unsigned line,
                                        const char *kind, const char *label,
                                        GError **error)
{
    const OstlerSectionRow *row = find_kind(definition, line, kind, error);

    if (!row || !check_label(definition, line, row, label, error) ||
        !check_unique(definition, line, row, label, error)) {
        return NULL;
    }
    if (definition->sections->len == OSTLER_DEFINITION_MAX_SECTIONS) {
        ostler_definition_fail(definition, line, OSTLER_DEFINITION_ERROR_SYNTAX, error,
                               "More than %d sections", OSTLER_DEFINITION_MAX_SECTIONS);
        return NULL;
    }

    OstlerSection *section = g_new0(OstlerSection, 1);
    section->definition = definition;
    section->row = row;
    section->label = g_strdup(label);
    section->line = line;
    section->index = definition->sections->len;
    section->entries = g_ptr_array_new_with_free_func(free_entry);
    g_ptr_array_add(definition->sections, section);
    return section;
}

OstlerSection *ostler_definition_add(OstlerDefinition *definition, const char *kind,
                                     const char *label, GError **error)
{
    return ostler_definition_add_at(definition, 0, kind, label, error);
}

void ostler_definition_remove(OstlerDefinition *definition, OstlerSection *section)
{
    g_ptr_array_remove_index(definition->sections, section->index);
    for (guint i = 0; i < definition->sections->len; i++) {
        OstlerSection *left = definition->sections->pdata[i];
        left->index = i;
    }
}

static OstlerSection *find_from(const OstlerDefinition *definition, unsigned index,
                                const char *kind)
{
    for (; index < definition->sections->len; index++) {
        OstlerSection *section = definition->sections->pdata[index];
        if (!kind || strcmp(section->row->kind, kind) == 0) {
            return section;
        }
    }
    return NULL;
}

OstlerSection *ostler_definition_first(const OstlerDefinition *definition,
                                       const char *kind)
{
    return find_from(definition, 0, kind);
}

OstlerSection *ostler_section_next(const OstlerSection *section, const char *kind)
{
    return find_from(section->definition, section->index + 1, kind);
}

OstlerSection *ostler_definition_find(const OstlerDefinition *definition,
                                      const char *kind, const char *label)
{
    OstlerSection *section = ostler_definition_first(definition, kind);

    while (section && g_strcmp0(section->label, label) != 0) {
        section = ostler_section_next(section, kind);
    }
    return section;
}

const char *ostler_section_kind(const OstlerSection *section)
{
    return section->row->kind;
}

const char *ostler_section_label(const OstlerSection *section)
{
    return section->label;
}

unsigned ostler_definition_count(const OstlerDefinition *definition, const char *kind)
{
    unsigned count = 0;

    for (OstlerSection *at = ostler_definition_first(definition, kind); at;
         at = ostler_section_next(at, kind)) {
        count++;
    }
    return count;
}

/* ---- values ---- */

const OstlerKeyRow *ostler_section_need_row(const OstlerSection *section, unsigned line,
                                            const char *key, GError **error)
{
    const OstlerKeyRow *row = ostler_vocabulary_find_key(section->row, key);
    if (row) {
        return row;
    }

    g_autofree char *title = ostler_section_title(section);
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    for (row = section->row->keys; row->name; row++) {
        g_ptr_array_add(keys, (char *)row->name);
    }
    g_ptr_array_add(keys, NULL);
    const char *nearest = ostler_nearest(key, (const char *const *)keys->pdata);
    ostler_definition_fail(section->definition, line, OSTLER_DEFINITION_ERROR_SYNTAX,
                           error,
                           nearest ? "Unknown key '%s' in %s; did you mean '%s'?"
                                   : "Unknown key '%s' in %s",
                           key, title, nearest);
    return NULL;
}

OstlerEntry *ostler_section_entry(const OstlerSection *section, const char *key)
{
    for (unsigned i = 0; i < section->entries->len; i++) {
        OstlerEntry *entry = section->entries->pdata[i];
        if (strcmp(entry->row->name, key) == 0) {
            return entry;
        }
    }
    return NULL;
}

static bool fail_value(const OstlerSection *section, unsigned line,
                       const OstlerKeyRow *row, const char *text, const GError *why,
                       GError **error)
{
    g_autofree char *title = ostler_section_title(section);
    /* A comment behind a value is the likely mistake; it would be part of it. */
    const char *hint =
        strstr(text, " #") ? " (a comment stands on a line of its own)" : "";

    return ostler_definition_fail(section->definition, line,
                                  OSTLER_DEFINITION_ERROR_VALUE, error,
                                  "Bad value '%s' for '%s' in %s: %s%s", text,
                                  row->name, title, why->message, hint);
}

/* One checked value behind the others of @section. */
OstlerEntry *ostler_section_append(OstlerSection *section, unsigned line,
                                   const OstlerKeyRow *row, const char *text,
                                   GError **error)
{
    g_autoptr(GError) why = NULL;
    char *value = ostler_value_check(row, text, section->definition->folder, &why);

    if (!value) {
        fail_value(section, line, row, text, why, error);
        return NULL;
    }

    OstlerEntry *entry = g_new0(OstlerEntry, 1);
    entry->row = row;
    entry->value = value;
    entry->line = line;
    g_ptr_array_add(section->entries, entry);
    return entry;
}

static bool replace_value(OstlerEntry *entry, OstlerSection *section, const char *text,
                          GError **error)
{
    g_autoptr(GError) why = NULL;
    char *value =
        ostler_value_check(entry->row, text, section->definition->folder, &why);

    if (!value) {
        return fail_value(section, 0, entry->row, text, why, error);
    }
    g_free(entry->value);
    entry->value = value;
    return true;
}

bool ostler_section_set(OstlerSection *section, const char *key, const char *value,
                        GError **error)
{
    const OstlerKeyRow *row = ostler_section_need_row(section, 0, key, error);
    if (!row) {
        return false;
    }

    OstlerEntry *entry = row->is_list ? NULL : ostler_section_entry(section, key);
    if (entry) {
        return replace_value(entry, section, value, error);
    }
    return ostler_section_append(section, 0, row, value, error) != NULL;
}

/* The row of a key that the caller takes from the vocabulary. */
static const OstlerKeyRow *need_key(const OstlerSectionRow *row, const char *key)
{
    const OstlerKeyRow *key_row = ostler_vocabulary_find_key(row, key);

    if (!key_row) {
        g_error("The vocabulary has no '%s' in [%s]", key, row->kind);
    }
    return key_row;
}

static const OstlerSectionRow *need_kind(const char *kind)
{
    const OstlerSectionRow *row = ostler_vocabulary_find(kind);

    if (!row) {
        g_error("The vocabulary has no [%s]", kind);
    }
    return row;
}

static uint64_t to_size(const char *value)
{
    uint64_t bytes = 0;

    if (value && !ostler_size_parse(value, &bytes)) {
        g_error("'%s' passed for a size", value);
    }
    return bytes;
}

static uint64_t to_number(const char *value)
{
    return value ? g_ascii_strtoull(value, NULL, 10) : 0;
}

static bool to_bool(const char *value)
{
    return g_strcmp0(value, "yes") == 0;
}

const char *ostler_section_get(const OstlerSection *section, const char *key)
{
    const OstlerKeyRow *row = need_key(section->row, key);
    const OstlerEntry *entry = ostler_section_entry(section, key);

    return entry ? entry->value : row->fallback;
}

uint64_t ostler_section_get_size(const OstlerSection *section, const char *key)
{
    return to_size(ostler_section_get(section, key));
}

uint64_t ostler_section_get_number(const OstlerSection *section, const char *key)
{
    return to_number(ostler_section_get(section, key));
}

bool ostler_section_get_bool(const OstlerSection *section, const char *key)
{
    return to_bool(ostler_section_get(section, key));
}

bool ostler_section_has(const OstlerSection *section, const char *key)
{
    need_key(section->row, key);
    return ostler_section_entry(section, key) != NULL;
}

const char **ostler_section_get_list(const OstlerSection *section, const char *key)
{
    const OstlerKeyRow *row = need_key(section->row, key);
    GPtrArray *values = g_ptr_array_new();

    for (unsigned i = 0; i < section->entries->len; i++) {
        OstlerEntry *entry = section->entries->pdata[i];
        if (entry->row == row) {
            g_ptr_array_add(values, entry->value);
        }
    }
    g_ptr_array_add(values, NULL);
    return (const char **)g_ptr_array_free(values, FALSE);
}

const char *ostler_definition_get(const OstlerDefinition *definition, const char *kind,
                                  const char *key)
{
    const OstlerKeyRow *row = need_key(need_kind(kind), key);
    const OstlerSection *section = ostler_definition_find(definition, kind, NULL);

    return section ? ostler_section_get(section, key) : row->fallback;
}

uint64_t ostler_definition_get_size(const OstlerDefinition *definition,
                                    const char *kind, const char *key)
{
    return to_size(ostler_definition_get(definition, kind, key));
}

uint64_t ostler_definition_get_number(const OstlerDefinition *definition,
                                      const char *kind, const char *key)
{
    return to_number(ostler_definition_get(definition, kind, key));
}

bool ostler_definition_get_bool(const OstlerDefinition *definition, const char *kind,
                                const char *key)
{
    return to_bool(ostler_definition_get(definition, kind, key));
}

const char *ostler_definition_name(const OstlerDefinition *definition)
{
    return ostler_definition_get(definition, "guest", "name");
}

void ostler_definition_rename(OstlerDefinition *definition, const char *name)
{
    OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);

    g_assert(ostler_section_set(guest, "name", name, NULL));
}

const char *ostler_definition_machine(const OstlerDefinition *definition)
{
    const char *machine = ostler_definition_get(definition, "guest", "machine");
    const char *arch = ostler_definition_get(definition, "guest", "arch");
    bool is_pc = strcmp(arch, "x86_64") == 0 || strcmp(arch, "i386") == 0;

    return machine ? machine : is_pc ? "q35" : "virt";
}
