/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * libxml2 leaves a pointer in every node and attribute to its user (_private): here it
 * is the mark.  An element is marked when somebody enters it, its text and its
 * attributes when somebody takes them, so entering <driver> for @cache does not excuse
 * @queues.  The walk at the end descends into marked elements only: an unmarked element
 * is one row, with all that is in it shown as the row's value.
 *
 * A row that a reader writes itself (drop, change) marks its place, so that the walk
 * says nothing about it again.
 */
#include "guest/import/reader.h"

#include <stdarg.h>
#include <string.h>

#include "guest/import/not-needed.h"
#include "guest/import/report.h"
#include "guest/value.h"

#define MAX_STEPS 8
#define MAX_LABEL 60
#define QEMU_NS   "http://libvirt.org/schemas/domain/qemu/1.0"
#define QEMU_STEP "qemu:"

static void mark(void *node)
{
    static char read;
    ((xmlNode *)node)->_private = &read;
}

static bool is_marked(const void *node)
{
    return ((const xmlNode *)node)->_private;
}

static void mark_all(xmlNode *node)
{
    mark(node);
    for (xmlAttr *attribute = node->properties; attribute;
         attribute = attribute->next) {
        mark(attribute);
    }
    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            mark_all(child);
        } else {
            mark(child);
        }
    }
}

/* Libvirt's own elements have no namespace; qemu:commandline and its like have one. */
static bool is_called(const xmlNode *node, const char *name)
{
    if (node->type != XML_ELEMENT_NODE) {
        return false;
    }
    if (g_str_has_prefix(name, QEMU_STEP)) {
        return node->ns && g_str_equal(node->ns->href, QEMU_NS) &&
               g_str_equal(node->name, name + strlen(QEMU_STEP));
    }
    return !node->ns && g_str_equal(node->name, name);
}

static xmlNode *from_here(xmlNode *node, const char *name)
{
    while (node && !is_called(node, name)) {
        node = node->next;
    }
    return node;
}

xmlNode *ostler_import_first(const xmlNode *node, const char *name)
{
    return from_here(node->children, name);
}

xmlNode *ostler_import_next(const xmlNode *child)
{
    for (xmlNode *node = child->next; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && node->ns == child->ns &&
            g_str_equal(node->name, child->name)) {
            return node;
        }
    }
    return NULL;
}

/* Where a step leads: an element, or one of its attributes. */
typedef struct {
    xmlNode *element; /* NULL: nowhere */
    xmlAttr *attribute;
} Place;

static Place find_place(xmlNode *node, const char *step, bool is_reading)
{
    g_auto(GStrv) names = g_strsplit(step, "/", MAX_STEPS);

    for (char **name = names; *name; name++) {
        if (is_reading) {
            mark(node);
        }
        if (**name == '@') {
            xmlAttr *attribute = xmlHasNsProp(node, (const xmlChar *)*name + 1, NULL);
            return (Place){ attribute ? node : NULL, attribute };
        }
        node = ostler_import_first(node, *name);
        if (!node) {
            return (Place){ NULL };
        }
    }
    return (Place){ node };
}

static Place place_at(xmlNode *node, const char *step, bool is_reading)
{
    Place place = { node };

    if (*step) {
        place = find_place(node, step, is_reading);
    }
    if (is_reading && place.element) {
        mark(place.element);
    }
    if (is_reading && place.attribute) {
        mark(place.attribute);
    }
    return place;
}

static bool is_text(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

static char *text_of_element(const xmlNode *element, bool is_reading)
{
    GString *text = g_string_new(NULL);

    for (xmlNode *child = element->children; child; child = child->next) {
        if (is_text(child)) {
            g_string_append(text, (const char *)child->content);
        }
        if (is_text(child) && is_reading) {
            mark(child);
        }
    }
    return g_strstrip(g_string_free(text, FALSE));
}

static char *text_of_attribute(xmlDoc *document, const xmlAttr *attribute)
{
    xmlChar *value = xmlNodeListGetString(document, attribute->children, 1);
    char *text = g_strstrip(g_strdup(value ? (const char *)value : ""));

    xmlFree(value);
    return text;
}

static const char *value_at(OstlerImporter *import, Place place, bool is_reading)
{
    if (!place.element) {
        return NULL;
    }

    char *text = place.attribute ? text_of_attribute(import->document, place.attribute)
                                 : text_of_element(place.element, is_reading);
    g_ptr_array_add(import->strings, text);
    return text;
}

const char *ostler_import_take(OstlerImporter *import, xmlNode *node, const char *step)
{
    return value_at(import, place_at(node, step, true), true);
}

const char *ostler_import_peek(OstlerImporter *import, xmlNode *node, const char *step)
{
    return value_at(import, place_at(node, step, false), false);
}

xmlNode *ostler_import_enter(xmlNode *node, const char *step)
{
    return place_at(node, step, true).element;
}

/* --- paths and rows ------------------------------------------------------------- */

static unsigned index_among_equals(const xmlNode *node, bool *is_alone)
{
    unsigned before = 0;

    for (const xmlNode *other = node->prev; other; other = other->prev) {
        before += other->type == XML_ELEMENT_NODE &&
                  g_str_equal(other->name, node->name) && other->ns == node->ns;
    }
    *is_alone = before == 0 && !ostler_import_next(node);
    return before + 1;
}

static void append_path(GString *path, const xmlNode *node)
{
    bool is_alone;

    if (node->parent && node->parent->type == XML_ELEMENT_NODE) {
        append_path(path, node->parent);
    }
    g_string_append_c(path, '/');
    if (node->ns && node->ns->prefix) {
        g_string_append_printf(path, "%s:", node->ns->prefix);
    }
    g_string_append(path, (const char *)node->name);

    unsigned index = index_among_equals(node, &is_alone);
    if (!is_alone) {
        g_string_append_printf(path, "[%u]", index);
    }
}

static char *path_of(Place place)
{
    GString *path = g_string_new(NULL);

    append_path(path, place.element);
    if (place.attribute) {
        g_string_append_printf(path, "/@%s", place.attribute->name);
    }
    return g_string_free(path, FALSE);
}

static bool has_elements(const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            return true;
        }
    }
    return false;
}

static char *xml_of(xmlDoc *document, xmlNode *element)
{
    xmlBuffer *buffer = xmlBufferCreate();

    xmlNodeDump(buffer, document, element, 0, 0);
    char *shown = ostler_import_shorten((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return shown;
}

/* Passwords stand in clear text in a domain; a report goes to terminals and logs. */
static bool is_secret(const xmlAttr *attribute)
{
    return strcmp((const char *)attribute->name, "passwd") == 0;
}

static bool has_secret(const xmlNode *node)
{
    if (node->type != XML_ELEMENT_NODE) {
        return false;
    }
    for (const xmlAttr *attribute = node->properties; attribute;
         attribute = attribute->next) {
        if (is_secret(attribute)) {
            return true;
        }
    }
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (has_secret(child)) {
            return true;
        }
    }
    return false;
}

/* An attribute's value, a plain element's text, else the element as it is written. */
static char *shown_at(OstlerImporter *import, Place place)
{
    if (place.attribute ? is_secret(place.attribute) : has_secret(place.element)) {
        return g_strdup("a password");
    }
    if (place.attribute ||
        (!place.element->properties && !has_elements(place.element))) {
        return ostler_import_shorten(value_at(import, place, false));
    }
    return xml_of(import->document, place.element);
}

/* xmlGetLineNo() knows no attributes: theirs is their element's. */
static unsigned line_of(const xmlNode *element)
{
    return (unsigned)MAX(xmlGetLineNo(element), 1);
}

static void add_row(OstlerImporter *import, OstlerImportClass class, Place place,
                    char *why)
{
    /* The limit is checked at the end; this keeps memory bounded until then. */
    if (ostler_import_report_size(import->report) > OSTLER_IMPORT_MAX_ROWS) {
        g_free(why);
        return;
    }
    ostler_import_report_add(import->report, class, line_of(place.element),
                             path_of(place), shown_at(import, place), why);
}

static void G_GNUC_PRINTF(5, 0)
    add_own_row(OstlerImporter *import, OstlerImportClass class, xmlNode *node,
                const char *step, const char *why, va_list arguments)
{
    Place place = place_at(node, step, true);

    if (!place.element) {
        place.element = node;
    } else if (!place.attribute && class == OSTLER_IMPORT_NOT_CARRIED) {
        mark_all(place.element);
    }
    add_row(import, class, place, g_strdup_vprintf(why, arguments));
}

void ostler_import_drop(OstlerImporter *import, xmlNode *node, const char *step,
                        const char *why, ...)
{
    va_list arguments;

    va_start(arguments, why);
    add_own_row(import, OSTLER_IMPORT_NOT_CARRIED, node, step, why, arguments);
    va_end(arguments);
}

void ostler_import_change(OstlerImporter *import, xmlNode *node, const char *step,
                          const char *why, ...)
{
    va_list arguments;

    va_start(arguments, why);
    add_own_row(import, OSTLER_IMPORT_CHANGED, node, step, why, arguments);
    va_end(arguments);
}

void ostler_import_excuse(OstlerImporter *import, xmlNode *node, const char *step,
                          const char *why)
{
    Place place = place_at(node, step, true);

    mark_all(place.element);
    add_row(import, OSTLER_IMPORT_NOT_NEEDED, place, g_strdup(why));
}

bool ostler_import_fail(OstlerImporter *import, const xmlNode *node,
                        OstlerImportError code, GError **error, const char *why, ...)
{
    va_list arguments;

    va_start(arguments, why);
    g_autofree char *sentence = g_strdup_vprintf(why, arguments);
    va_end(arguments);
    g_set_error(error, OSTLER_IMPORT_ERROR, (int)code, "%s:%u: %s", import->file,
                line_of(node), sentence);
    return false;
}

/* --- into the definition -------------------------------------------------------- */

/* The definition's refusal names the guest first, which a report does not need. */
static const char *without_prefix(const OstlerImporter *import, const char *message)
{
    g_autofree char *prefix =
        g_strdup_printf("%s: ", ostler_definition_name(import->definition));

    return g_str_has_prefix(message, prefix) ? message + strlen(prefix) : message;
}

/* What a definition says anyway need not be written, unless it takes something back. */
static bool is_said_anyway(const OstlerSection *section, const char *key,
                           const char *value)
{
    const OstlerSectionRow *row = ostler_vocabulary_find(ostler_section_kind(section));
    const OstlerKeyRow *key_row = ostler_vocabulary_find_key(row, key);

    return !key_row->is_list && !ostler_section_has(section, key) &&
           g_strcmp0(key_row->fallback, value) == 0;
}

static bool set_or_report(OstlerImporter *import, Place place, OstlerSection *section,
                          const char *key, const char *value)
{
    g_autoptr(GError) refusal = NULL;

    if (is_said_anyway(section, key, value) ||
        ostler_section_set(section, key, value, &refusal)) {
        return true;
    }
    add_row(import, OSTLER_IMPORT_NOT_CARRIED, place,
            g_strdup(without_prefix(import, refusal->message)));
    return false;
}

bool ostler_import_set(OstlerImporter *import, xmlNode *node, OstlerSection *section,
                       const char *key, const char *value)
{
    return set_or_report(import, (Place){ node }, section, key, value);
}

bool ostler_import_carry(OstlerImporter *import, xmlNode *node, OstlerSection *section,
                         const char *step, const char *key)
{
    Place place = place_at(node, step, true);
    const char *value = value_at(import, place, true);

    return value && set_or_report(import, place, section, key, value);
}

static const OstlerImportWord *find_word(const OstlerImportWord *words,
                                         const char *value)
{
    while (words->from && strcmp(words->from, value) != 0) {
        words++;
    }
    return words->from ? words : NULL;
}

static void carry_word(OstlerImporter *import, Place place, OstlerSection *section,
                       const OstlerImportCarry *row, const char *value)
{
    const OstlerImportWord *word = find_word(row->words, value);

    if (!word) {
        add_row(import, OSTLER_IMPORT_NOT_CARRIED, place,
                g_strdup_printf("A definition has no word for this value"));
        return;
    }
    if (word->why) {
        add_row(import, word->to ? OSTLER_IMPORT_CHANGED : OSTLER_IMPORT_NOT_CARRIED,
                place, g_strdup(word->why));
    }
    if (word->to) {
        set_or_report(import, place, section, row->key, word->to);
    }
}

static void carry_row(OstlerImporter *import, xmlNode *node, OstlerSection *section,
                      const OstlerImportCarry *row)
{
    Place place = place_at(node, row->step, true);
    const char *value = value_at(import, place, true);

    if (!value) {
        return;
    }
    if (row->words) {
        carry_word(import, place, section, row, value);
    } else {
        set_or_report(import, place, section, row->key,
                      row->present ? row->present : value);
    }
}

void ostler_import_carry_all(OstlerImporter *import, xmlNode *node,
                             OstlerSection *section, const OstlerImportCarry *rows)
{
    for (; rows->step; rows++) {
        carry_row(import, node, section, rows);
    }
}

/* A label is a word in a section's name; libvirt's names may be anything. */
static char *label_from(const char *wish)
{
    GString *label = g_string_new(NULL);

    for (const char *at = wish; *at && label->len < MAX_LABEL; at++) {
        g_string_append_c(label, g_ascii_isalnum(*at) || *at == '_' ? *at : '-');
    }
    return g_string_free(label, FALSE);
}

static char *free_label(OstlerImporter *import, const char *kind, const char *wish)
{
    g_autofree char *label = label_from(wish);
    char *name = g_strdup_printf("%s.%s", kind, label);

    for (unsigned n = 2; !g_hash_table_add(import->labels, name); n++) {
        name = g_strdup_printf("%s.%s-%u", kind, label, n);
    }
    return g_strdup(name + strlen(kind) + 1);
}

OstlerSection *ostler_import_add(OstlerImporter *import, xmlNode *node,
                                 const char *kind, const char *wish)
{
    g_autoptr(GError) refusal = NULL;
    g_autofree char *label = wish ? free_label(import, kind, wish) : NULL;
    OstlerSection *section =
        ostler_definition_add(import->definition, kind, label, &refusal);

    if (!section) {
        ostler_import_drop(import, node, "", "%s",
                           without_prefix(import, refusal->message));
    }
    return section;
}

OstlerSection *ostler_import_section(OstlerImporter *import, const char *kind)
{
    OstlerSection *section = ostler_definition_find(import->definition, kind, NULL);

    /* One of a kind without label always fits: it is new, and they are few. */
    return section ? section
                   : ostler_definition_add(import->definition, kind, NULL, NULL);
}

/* --- sizes ---------------------------------------------------------------------- */

/* virScaleInteger(), libvirt src/util/virutil.c: "KB" is 1000, "K" and "KiB" 1024. */
static const struct {
    const char *unit;
    uint64_t bytes;
} units[] = {
    { "b", 1 },
    { "byte", 1 },
    { "bytes", 1 },
    { "k", UINT64_C(1) << 10 },
    { "kib", UINT64_C(1) << 10 },
    { "kb", UINT64_C(1000) },
    { "m", UINT64_C(1) << 20 },
    { "mib", UINT64_C(1) << 20 },
    { "mb", UINT64_C(1000000) },
    { "g", UINT64_C(1) << 30 },
    { "gib", UINT64_C(1) << 30 },
    { "gb", UINT64_C(1000000000) },
    { "t", UINT64_C(1) << 40 },
    { "tib", UINT64_C(1) << 40 },
    { "tb", UINT64_C(1000000000000) },
};

static uint64_t unit_bytes(const char *unit)
{
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_ascii_strcasecmp(units[i].unit, unit) == 0) {
            return units[i].bytes;
        }
    }
    return 0;
}

bool ostler_import_set_bytes(OstlerImporter *import, xmlNode *node,
                             OstlerSection *section, const char *key, uint64_t bytes)
{
    g_autofree char *size = ostler_size_text(bytes);

    return ostler_import_set(import, node, section, key, size);
}

bool ostler_import_take_bytes(OstlerImporter *import, xmlNode *node, const char *step,
                              uint64_t fallback_unit, uint64_t *out_bytes)
{
    uint64_t number;
    g_autofree char *unit_step = NULL;
    Place place = place_at(node, step, true);
    const char *value = value_at(import, place, true);

    if (!value) {
        return false;
    }
    unit_step = place.attribute ? g_strdup("@unit")
                                : g_strconcat(step, *step ? "/" : "", "@unit", NULL);

    const char *unit =
        ostler_import_take(import, place.attribute ? place.element : node, unit_step);
    uint64_t scale = unit ? unit_bytes(unit) : fallback_unit;

    if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &number, NULL) ||
        scale == 0 || number > G_MAXINT64 / scale) {
        add_row(import, OSTLER_IMPORT_NOT_CARRIED, place, g_strdup("This is no size"));
        return false;
    }
    *out_bytes = number * scale;
    return true;
}

/* --- what is left --------------------------------------------------------------- */

static void report_place(OstlerImporter *import, Place place)
{
    g_autofree char *plain = ostler_import_plain_path(place.element, place.attribute);
    g_autofree char *value = g_strdup(value_at(import, place, false));
    const char *reason = ostler_import_not_needed(plain, value);

    if (reason) {
        add_row(import, OSTLER_IMPORT_NOT_NEEDED, place, g_strdup(reason));
    } else {
        add_row(import, OSTLER_IMPORT_NOT_CARRIED, place,
                g_strdup("A definition has no word for it"));
    }
}

static bool is_blank(const xmlNode *text)
{
    return xmlIsBlankNode(text);
}

/* Text where libvirt has none is the author's slip: name it with its element. */
static void report_text(OstlerImporter *import, xmlNode *text)
{
    if (is_text(text) && !is_marked(text) && !is_blank(text)) {
        ostler_import_report_add(import->report, OSTLER_IMPORT_NOT_CARRIED,
                                 line_of(text->parent),
                                 path_of((Place){ text->parent }),
                                 ostler_import_shorten((const char *)text->content),
                                 g_strdup("There is no place for text here"));
    }
}

static void report_below(OstlerImporter *import, xmlNode *node);

static void report_node(OstlerImporter *import, xmlNode *node)
{
    if (node->type != XML_ELEMENT_NODE) {
        report_text(import, node);
    } else if (is_marked(node)) {
        report_below(import, node);
    } else {
        report_place(import, (Place){ node });
    }
}

static void report_below(OstlerImporter *import, xmlNode *node)
{
    for (xmlAttr *attribute = node->properties; attribute;
         attribute = attribute->next) {
        if (!is_marked(attribute)) {
            report_place(import, (Place){ node, attribute });
        }
    }
    for (xmlNode *child = node->children; child; child = child->next) {
        report_node(import, child);
    }
}

bool ostler_import_report_rest(OstlerImporter *import, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(import->document);

    report_node(import, root);
    ostler_import_report_sort(import->report);
    if (ostler_import_report_size(import->report) > OSTLER_IMPORT_MAX_ROWS) {
        return ostler_import_fail(import, root, OSTLER_IMPORT_ERROR_SYNTAX, error,
                                  "More than %u things here have no place in a "
                                  "definition: is this a domain?",
                                  OSTLER_IMPORT_MAX_ROWS);
    }
    return true;
}
