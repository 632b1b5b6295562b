/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "guest/definition-private.h"
#include "guest/value.h"

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

static json_object *size_json(const char *value)
{
    uint64_t bytes = 0;

    ostler_size_parse(value, &bytes); /* it was checked when it was set */
    return json_object_new_int64((int64_t)bytes);
}

static json_object *value_json(const OstlerEntry *entry)
{
    switch (entry->row->type) {
    case OSTLER_VALUE_SIZE:
        return size_json(entry->value);
    case OSTLER_VALUE_NUMBER:
        return json_object_new_int64(g_ascii_strtoll(entry->value, NULL, 10));
    case OSTLER_VALUE_BOOL:
        return json_object_new_boolean(strcmp(entry->value, "yes") == 0);
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
