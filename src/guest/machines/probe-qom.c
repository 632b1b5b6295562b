/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/probe-private.h"

#include <stdlib.h>
#include <string.h>

json_object *probe_text(const char *value)
{
    return json_object_new_string(value);
}

json_object *coroutine_fn probe_ask(Probe *probe, const char *command,
                                    json_object *arguments)
{
    return ostler_qmp_execute(probe->qmp, command, arguments, QUESTION_MS, NULL);
}

json_object *coroutine_fn probe_list_path(Probe *probe, const char *path)
{
    return probe_ask(probe, "qom-list",
                     ostler_json_object("path", probe_text(path), NULL));
}

json_object *coroutine_fn probe_get_property(Probe *probe, const char *path,
                                             const char *property)
{
    return probe_ask(probe, "qom-get",
                     ostler_json_object("path", probe_text(path), "property",
                                        probe_text(property), NULL));
}

/* A string property; caller frees, NULL when there is none or it is empty. */
char *coroutine_fn probe_get_text(Probe *probe, const char *path, const char *property)
{
    g_autoptr(json_object) value = probe_get_property(probe, path, property);
    const char *string = json_object_is_type(value, json_type_string)
                             ? json_object_get_string(value)
                             : NULL;
    return string && *string ? g_strdup(string) : NULL;
}

GHashTable *coroutine_fn probe_list_types(Probe *probe, const char *implements)
{
    GHashTable *types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(json_object) list =
        probe_ask(probe, "qom-list-types",
                  ostler_json_object("implements", probe_text(implements), "abstract",
                                     json_object_new_boolean(false), NULL));

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        const char *name =
            ostler_json_find_string(json_object_array_get_idx(list, i), "name");
        if (name) {
            g_hash_table_add(types, g_strdup(name));
        }
    }
    return types;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The set as a sorted vector of copies. */
char **probe_sorted_texts(GHashTable *set)
{
    unsigned n = 0;
    g_autofree gpointer *keys = g_hash_table_get_keys_as_array(set, &n);
    char **texts = g_new0(char *, n + 1);

    for (unsigned i = 0; i < n; i++) {
        texts[i] = g_strdup(keys[i]);
    }
    qsort(texts, n, sizeof(*texts), by_text);
    return texts;
}

/* "child<virtio-mmio>" -> "virtio-mmio" (caller frees), NULL for anything else. */
char *probe_child_type(const char *type)
{
    size_t length = type ? strlen(type) : 0;

    if (length < 8 || !g_str_has_prefix(type, "child<")) {
        return NULL;
    }
    return g_strndup(type + 6, length - 7);
}

/* Nothing can be plugged below these, and a machine has hundreds of them. */
bool probe_is_leaf(const char *type)
{
    return strcmp(type, "irq") == 0 || strcmp(type, "clock") == 0 ||
           g_str_has_suffix(type, "memory-region");
}

bool probe_is_pci(const char *bus_type)
{
    return strcmp(bus_type, "PCI") == 0 || strcmp(bus_type, "PCIE") == 0;
}
