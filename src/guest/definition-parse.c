/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <string.h>

#include "guest/definition-private.h"
#include "guest/keyfile.h"
#include "guest/value.h"

#define FILE_SUFFIX ".guest"

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

    parser->section =
        ostler_definition_add_at(parser->definition, token->line, kind, label, error);
    if (!parser->section) {
        return false;
    }
    parser->section->comment = take_comment(parser);
    return true;
}

/* "boot = disk.root nic.0" is two values. */
static bool append_words(OstlerSection *section, unsigned line, const OstlerKeyRow *row,
                         const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);

    for (char **word = words; *word; word++) {
        if (**word != '\0' &&
            !ostler_section_append(section, line, row, *word, error)) {
            return false;
        }
    }
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

    const OstlerKeyRow *row = ostler_section_need_row(section, token->line, key, error);
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
                : !ostler_section_append(section, token->line, row, value, error)) {
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

/* "web" for "/home/me/web.guest", or NULL when that is no guest's name. */
static char *name_from_file(const char *file)
{
    g_autofree char *base = file ? g_path_get_basename(file) : NULL;

    if (!base || !g_str_has_suffix(base, FILE_SUFFIX)) {
        return NULL;
    }
    base[strlen(base) - strlen(FILE_SUFFIX)] = '\0';
    return ostler_guest_name_check(base, NULL) ? g_steal_pointer(&base) : NULL;
}

/* @name, or the file's if the text has none; without either the check has its say. */
static void settle_name(OstlerDefinition *definition, const char *name)
{
    OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);
    bool has_name = guest && ostler_section_has(guest, "name");
    g_autofree char *file_name = has_name ? NULL : name_from_file(definition->file);

    name = name ? name : file_name;
    if (!guest || !name) {
        return;
    }
    ostler_definition_rename(definition, name);
    if (!has_name) { /* first, as people write it */
        guint last = guest->entries->len - 1;
        gpointer entry = g_ptr_array_steal_index(guest->entries, last);
        g_ptr_array_insert(guest->entries, 0, entry);
    }
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

OstlerDefinition *ostler_definition_parse_as(const char *text, size_t size,
                                             const char *file, const char *name,
                                             GError **error)
{
    g_autoptr(OstlerDefinition) definition = ostler_definition_empty(file);

    if (!check_bytes(definition, text, size, error) ||
        !parse_lines(definition, text, size, error)) {
        return NULL;
    }
    settle_name(definition, name);
    if (!ostler_definition_check(definition, error)) {
        return NULL;
    }
    return g_steal_pointer(&definition);
}

OstlerDefinition *ostler_definition_parse(const char *text, size_t size,
                                          const char *file, GError **error)
{
    return ostler_definition_parse_as(text, size, file, NULL, error);
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
