/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/nearest.h"
#include "guest/machines/cache.h"
#include "guest/machines/machine.h"
#include "guest/machines/probe.h"

#include <string.h>

char *ostler_emulator_find(const char *arch, const char *emulator, GError **error)
{
    g_autofree char *name =
        emulator ? g_strdup(emulator) : g_strdup_printf("qemu-system-%s", arch);
    char *path = g_find_program_in_path(name);

    if (!path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "There is no emulator '%s' to run%s%s", name,
                    emulator ? "" : "; install QEMU's package for ",
                    emulator ? "" : arch);
    }
    return path;
}

/* A refusal is an answer too, and worth not asking for again. */
static json_object *refusal_to_json(const GError *refused)
{
    return ostler_json_object("refusal", json_object_new_string(refused->message),
                              NULL);
}

static OstlerMachine *from_answer(json_object *answer, GError **error)
{
    const char *refusal = ostler_json_find_string(answer, "refusal");

    if (refusal) {
        g_set_error_literal(error, OSTLER_MACHINE_ERROR, OSTLER_MACHINE_ERROR_REFUSED,
                            refusal);
        return NULL;
    }
    return ostler_machine_from_json(answer, error);
}

/* What is known of @machine, or else what @path answers now. */
static OstlerMachine *coroutine_fn recall_or_ask(const char *path, const char *arch,
                                                 const char *machine, GError **error)
{
    g_autofree char *question = g_strdup_printf("machine:%s:%s", arch, machine);
    g_autoptr(json_object) cached = ostler_cache_load(path, question);
    if (cached) {
        return from_answer(cached, error);
    }

    GError *failed = NULL;
    g_autoptr(json_object) answer = NULL;
    OstlerMachine *asked = ostler_machine_ask(path, arch, machine, &failed);
    if (asked) {
        answer = ostler_machine_to_json(asked);
    } else if (g_error_matches(failed, OSTLER_MACHINE_ERROR,
                               OSTLER_MACHINE_ERROR_REFUSED)) {
        answer = refusal_to_json(failed);
    }
    if (answer) {
        ostler_cache_store(path, question, answer);
    }
    if (failed) {
        g_propagate_error(error, failed);
    }
    return asked;
}

/* QEMU 7.2 says "unsupported machine type" of a name that it does not know, and not
 * which; other refusals say enough. */
static void coroutine_fn explain_unknown(const char *path, const char *arch,
                                         const char *machine, GError **refused)
{
    g_auto(GStrv) names = ostler_machine_list(arch, path, NULL);
    g_autofree char *name = g_strndup(machine, strcspn(machine, ","));

    if (!names || g_strv_contains((const char *const *)names, name)) {
        return;
    }
    const char *nearest = ostler_nearest(name, (const char *const *)names);
    g_autofree char *hint =
        nearest ? g_strdup_printf("; did you mean '%s'?", nearest) : g_strdup("");
    g_clear_error(refused);
    g_set_error(refused, OSTLER_MACHINE_ERROR, OSTLER_MACHINE_ERROR_REFUSED,
                "QEMU for %s has no machine '%s'%s", arch, name, hint);
}

OstlerMachine *coroutine_fn ostler_machine_probe(const char *arch, const char *machine,
                                                 const char *emulator, GError **error)
{
    g_autofree char *path = ostler_emulator_find(arch, emulator, error);
    if (!path) {
        return NULL;
    }

    GError *refused = NULL;
    OstlerMachine *found = recall_or_ask(path, arch, machine, &refused);
    if (g_error_matches(refused, OSTLER_MACHINE_ERROR, OSTLER_MACHINE_ERROR_REFUSED)) {
        explain_unknown(path, arch, machine, &refused);
    }
    if (refused) {
        g_propagate_error(error, refused);
    }
    return found;
}

static char **names_from_json(json_object *array)
{
    size_t n = json_object_array_length(array);
    char **names = g_new0(char *, n + 1);

    for (size_t i = 0; i < n; i++) {
        names[i] =
            g_strdup(json_object_get_string(json_object_array_get_idx(array, i)));
    }
    return names;
}

static json_object *names_to_json(char **names)
{
    json_object *array = json_object_new_array();

    for (; *names; names++) {
        json_object_array_add(array, json_object_new_string(*names));
    }
    return array;
}

char **coroutine_fn ostler_machine_list(const char *arch, const char *emulator,
                                        GError **error)
{
    g_autofree char *path = ostler_emulator_find(arch, emulator, error);
    if (!path) {
        return NULL;
    }

    g_autoptr(json_object) cached = ostler_cache_load(path, "machines");
    if (json_object_is_type(cached, json_type_array)) {
        return names_from_json(cached);
    }

    char **names = ostler_machine_ask_list(path, error);
    if (names) {
        g_autoptr(json_object) answer = names_to_json(names);
        ostler_cache_store(path, "machines", answer);
    }
    return names;
}
