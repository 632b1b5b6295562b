/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A definition is an ordered list of sections, a section an ordered list of entries,
 * each with its row of the vocabulary, its checked value, its line and the comment that
 * stood above it.  Everything is small (a file is at most 1 MiB), so finding is a walk.
 *
 * Parsing and building go through the same two functions, add_section() and
 * add_value(), so a definition that import/ or `run` made is as sound as one read from
 * disk.  What only the whole can say is check.c's.
 *
 * Messages carry "file:line: " when the definition was read from a file, and nothing
 * when it was built: then the caller knows better what went wrong where.
 */
#include "guest/definition-private.h"

#include <gio/gio.h>
#include <string.h>

#include "base/nearest.h"
#include "guest/keyfile.h"
#include "guest/value.h"

#define MAX_NAME_BYTES  200
#define MAX_LABEL_BYTES 64

G_DEFINE_QUARK(ostler - definition - error - quark, ostler_definition_error)

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
static OstlerDefinition *make_definition(const char *file)
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
    OstlerDefinition *definition = make_definition(NULL);
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

/* ---- names ---- */

static bool refuse_name(GError **error, const char *name, const char *why)
{
    g_autofree char *shown = g_strescape(name, NULL);

    g_set_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_VALUE,
                "'%s' cannot be a guest's name: %s", shown, why);
    return false;
}

static bool has_unprintable(const char *text)
{
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        if (g_unichar_iscntrl(g_utf8_get_char(at))) {
            return true;
        }
    }
    return false;
}

bool ostler_guest_name_check(const char *name, GError **error)
{
    size_t size = strlen(name);

    if (size == 0) {
        return refuse_name(error, name, "it is empty");
    }
    if (size > MAX_NAME_BYTES) {
        return refuse_name(error, name, "it is longer than 200 bytes");
    }
    if (!g_utf8_validate(name, -1, NULL)) {
        return refuse_name(error, name, "it is not UTF-8");
    }
    if (strchr(name, '/') || has_unprintable(name)) {
        return refuse_name(error, name, "it holds a '/' or a control character");
    }
    if (name[0] == '.' || name[0] == '-') {
        return refuse_name(error, name, "it begins with '.' or '-'");
    }
    if (name[0] == ' ' || name[size - 1] == ' ') {
        return refuse_name(error, name, "it begins or ends with a blank");
    }
    return true;
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
    ostler_definition_fail(definition, line, OSTLER_DEFINITION_ERROR_SYNTAX, error,
                           nearest ? "Unknown section [%s]; did you mean [%s]?"
                                   : "Unknown section [%s]",
                           kind, nearest);
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

static OstlerSection *add_section(OstlerDefinition *definition, unsigned line,
                                  const char *kind, const char *label, GError **error)
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
    return add_section(definition, 0, kind, label, error);
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

char *ostler_section_where(const OstlerSection *section)
{
    const OstlerDefinition *definition = section->definition;

    return definition->file && section->line != 0
               ? g_strdup_printf("%s:%u", definition->file, section->line)
               : g_strdup(ostler_definition_name(definition));
}

/* ---- values ---- */

static const OstlerKeyRow *find_key(const OstlerSection *section, unsigned line,
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
static OstlerEntry *append_value(OstlerSection *section, unsigned line,
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

/* "boot = disk.root nic.0" is two values. */
static bool append_words(OstlerSection *section, unsigned line, const OstlerKeyRow *row,
                         const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);

    for (char **word = words; *word; word++) {
        if (**word != '\0' && !append_value(section, line, row, *word, error)) {
            return false;
        }
    }
    return true;
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
    const OstlerKeyRow *row = find_key(section, 0, key, error);
    if (!row) {
        return false;
    }

    OstlerEntry *entry = row->is_list ? NULL : ostler_section_entry(section, key);
    if (entry) {
        return replace_value(entry, section, value, error);
    }
    return append_value(section, 0, row, value, error) != NULL;
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

/* ---- parsing ---- */

typedef struct {
    OstlerDefinition *definition;
    OstlerSection *section; /* the one that keys go to, or NULL */
    GString *comment;       /* read, and not yet given to what follows it */
} Parser;

static char *take_comment(Parser *parser)
{
    if (parser->comment->len == 0) {
        return NULL;
    }
    char *comment = g_strndup(parser->comment->str, parser->comment->len);
    g_string_truncate(parser->comment, 0);
    return comment;
}

static bool parse_section(Parser *parser, const OstlerKeyfileToken *token,
                          GError **error)
{
    g_autofree char *kind = g_strndup(token->name.at, token->name.size);
    g_autofree char *label =
        token->label.size ? g_strndup(token->label.at, token->label.size) : NULL;

    parser->section = add_section(parser->definition, token->line, kind, label, error);
    if (!parser->section) {
        return false;
    }
    parser->section->comment = take_comment(parser);
    return true;
}

static bool check_not_set(const OstlerSection *section, const OstlerKeyRow *row,
                          unsigned line, GError **error)
{
    const OstlerEntry *entry = ostler_section_entry(section, row->name);

    if (row->is_list || !entry) {
        return true;
    }
    return ostler_definition_fail(
        section->definition, line, OSTLER_DEFINITION_ERROR_SYNTAX, error,
        "A second '%s'; the first is on line %u", row->name, entry->line);
}

static bool parse_key(Parser *parser, const OstlerKeyfileToken *token, GError **error)
{
    OstlerSection *section = parser->section;
    g_autofree char *key = g_strndup(token->name.at, token->name.size);
    g_autofree char *value = g_strndup(token->value.at, token->value.size);

    if (!section) {
        return ostler_definition_fail(parser->definition, token->line,
                                      OSTLER_DEFINITION_ERROR_SYNTAX, error,
                                      "The key '%s' stands before any [section]", key);
    }

    const OstlerKeyRow *row = find_key(section, token->line, key, error);
    if (!row || !check_not_set(section, row, token->line, error)) {
        return false;
    }
    if (*value == '\0') {
        return ostler_definition_fail(
            parser->definition, token->line, OSTLER_DEFINITION_ERROR_VALUE, error,
            "'%s' has no value; leave the line out to get what it is without", key);
    }

    unsigned before = section->entries->len;
    bool is_many = row->is_list && !ostler_value_may_hold_blanks(row->type);
    if (is_many ? !append_words(section, token->line, row, value, error)
                : !append_value(section, token->line, row, value, error)) {
        return false;
    }
    OstlerEntry *first = section->entries->pdata[before];
    first->comment = take_comment(parser);
    return true;
}

static bool parse_line(Parser *parser, const OstlerKeyfileToken *token, GError **error)
{
    switch (token->type) {
    case OSTLER_KEYFILE_BLANK:
        return true;
    case OSTLER_KEYFILE_COMMENT:
        g_string_append_len(parser->comment, token->value.at,
                            (gssize)token->value.size);
        g_string_append_c(parser->comment, '\n');
        return true;
    case OSTLER_KEYFILE_SECTION:
        return parse_section(parser, token, error);
    case OSTLER_KEYFILE_KEY:
        return parse_key(parser, token, error);
    case OSTLER_KEYFILE_BAD:
        break;
    }
    return ostler_definition_fail(parser->definition, token->line,
                                  OSTLER_DEFINITION_ERROR_SYNTAX, error, "%s",
                                  token->why);
}

static bool parse_lines(OstlerDefinition *definition, const char *text, size_t size,
                        GError **error)
{
    Parser parser = { definition, .comment = g_string_new(NULL) };
    OstlerKeyfileReader reader;
    OstlerKeyfileToken token;
    bool is_good = true;

    ostler_keyfile_reader_init(&reader, text, size);
    while (is_good && ostler_keyfile_next(&reader, &token)) {
        is_good = parse_line(&parser, &token, error);
    }
    definition->trailer = take_comment(&parser);
    g_string_free(parser.comment, TRUE);
    return is_good;
}

static unsigned line_at(const char *text, const char *at)
{
    unsigned line = 1;

    for (; text < at; text++) {
        line += *text == '\n';
    }
    return line;
}

/* Bytes that no section and no key may hold. */
static bool check_bytes(const OstlerDefinition *definition, const char *text,
                        size_t size, GError **error)
{
    const char *end;

    if (size > OSTLER_DEFINITION_MAX_BYTES) {
        return ostler_definition_fail(definition, 0, OSTLER_DEFINITION_ERROR_SYNTAX,
                                      error, "Longer than %u bytes: not a definition",
                                      OSTLER_DEFINITION_MAX_BYTES);
    }
    if (!g_utf8_validate_len(text, size, &end)) {
        return ostler_definition_fail(definition, line_at(text, end),
                                      OSTLER_DEFINITION_ERROR_SYNTAX, error,
                                      "Not UTF-8 text");
    }
    return true;
}

OstlerDefinition *ostler_definition_parse(const char *text, size_t size,
                                          const char *file, GError **error)
{
    g_autoptr(OstlerDefinition) definition = make_definition(file);

    if (!check_bytes(definition, text, size, error) ||
        !parse_lines(definition, text, size, error) ||
        !ostler_definition_check(definition, error)) {
        return NULL;
    }
    return g_steal_pointer(&definition);
}

OstlerDefinition *ostler_definition_load(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize size;
    g_autoptr(GFile) file = g_file_new_for_path(path);

    if (!g_file_load_contents(file, NULL, &text, &size, NULL, error)) {
        g_prefix_error(error, "Cannot read '%s': ", path);
        return NULL;
    }
    return ostler_definition_parse(text, size, path, error);
}

/* ---- printing ---- */

static void print_section(GString *text, const OstlerSection *section)
{
    g_autofree char *title = ostler_section_title(section);

    if (section->index > 0) {
        g_string_append_c(text, '\n');
    }
    g_string_append_printf(text, "%s%s\n", section->comment ? section->comment : "",
                           title);
    for (unsigned i = 0; i < section->entries->len; i++) {
        const OstlerEntry *entry = section->entries->pdata[i];
        g_string_append_printf(text, "%s%s = %s\n",
                               entry->comment ? entry->comment : "", entry->row->name,
                               entry->value);
    }
}

char *ostler_definition_text(const OstlerDefinition *definition)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < definition->sections->len; i++) {
        print_section(text, definition->sections->pdata[i]);
    }
    if (definition->trailer) {
        g_string_append_printf(text, "\n%s", definition->trailer);
    }
    return g_string_free(text, FALSE);
}

static json_object *value_json(const OstlerEntry *entry)
{
    switch (entry->row->type) {
    case OSTLER_VALUE_SIZE:
        return json_object_new_int64((int64_t)to_size(entry->value));
    case OSTLER_VALUE_NUMBER:
        return json_object_new_int64((int64_t)to_number(entry->value));
    case OSTLER_VALUE_BOOL:
        return json_object_new_boolean(to_bool(entry->value));
    default:
        return json_object_new_string(entry->value);
    }
}

static void add_entry_json(json_object *object, const OstlerEntry *entry)
{
    const char *key = entry->row->name;

    if (!entry->row->is_list) {
        json_object_object_add(object, key, value_json(entry));
        return;
    }

    json_object *list = ostler_json_find(object, key);
    if (!list) {
        list = json_object_new_array();
        json_object_object_add(object, key, list);
    }
    json_object_array_add(list, value_json(entry));
}

static json_object *section_json(const OstlerSection *section)
{
    json_object *object = json_object_new_object();

    if (section->label) {
        json_object_object_add(object, "label", json_object_new_string(section->label));
    }
    for (unsigned i = 0; i < section->entries->len; i++) {
        add_entry_json(object, section->entries->pdata[i]);
    }
    return object;
}

json_object *ostler_definition_json(const OstlerDefinition *definition)
{
    json_object *object = json_object_new_object();

    for (const OstlerSectionRow *row = ostler_vocabulary; row->kind; row++) {
        json_object *list = row->is_labelled ? json_object_new_array() : NULL;
        for (OstlerSection *at = ostler_definition_first(definition, row->kind); at;
             at = ostler_section_next(at, row->kind)) {
            if (list) {
                json_object_array_add(list, section_json(at));
            } else {
                json_object_object_add(object, row->kind, section_json(at));
            }
        }
        if (list && json_object_array_length(list) > 0) {
            json_object_object_add(object, row->kind, list);
        } else if (list) {
            json_object_put(list);
        }
    }
    return object;
}
