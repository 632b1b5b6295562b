/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machines.c - what QEMU's machines offer, as JSON
 */
#include <cpc/glib.h>
#include <gio/gio.h>

#include "api/api.h"
#include "guest/machines/machine.h"
#include "guest/machines/table.h"
#include "json/json.h"

typedef struct {
    const char *arch;
    const char *machine;
    const char *emulator;
    json_object *answer; /* or NULL, and why */
    GError *why;
} Question;

static void coroutine_fn ask_names(void *opaque)
{
    Question *question = opaque;
    g_auto(GStrv) names =
        ostler_machine_list(question->arch, question->emulator, &question->why);

    if (!names) {
        return;
    }
    question->answer = json_object_new_array();
    for (char **name = names; *name; name++) {
        json_object_array_add(question->answer, json_object_new_string(*name));
    }
}

static void coroutine_fn ask_machine(void *opaque)
{
    Question *question = opaque;
    g_autoptr(OstlerMachine) machine = ostler_machine_probe(
        question->arch, question->machine, question->emulator, &question->why);

    if (machine) {
        question->answer = ostler_machine_to_json(machine);
    }
}

static void coroutine_fn ask_table(void *opaque)
{
    Question *question = opaque;

    question->answer =
        ostler_machine_table(question->arch, question->emulator, &question->why);
}

/* Take the question to QEMU on a main context of its own, since the caller's is not
 * ours to run. */
static char *ask(Question *question, CoroutineEntry *entry, OstlerError **error)
{
    g_autoptr(GMainContext) context = g_main_context_new();

    g_main_context_push_thread_default(context);
    cpc_run(entry, question);
    g_main_context_pop_thread_default(context);
    if (!question->answer) {
        ostler_api_fail_with(error, question->why);
        return NULL;
    }
    char *text = ostler_json_text(question->answer);
    json_object_put(question->answer);
    return text;
}

char *ostler_host_machines(OstlerHost *host, const char *arch, const char *machine,
                           const char *emulator, OstlerError **error)
{
    Question question = { arch, machine, emulator };

    return ask(&question, machine ? ask_machine : ask_names, error);
}

char *ostler_host_machine_table(OstlerHost *host, const char *arch,
                                const char *emulator, OstlerError **error)
{
    Question question = { arch, NULL, emulator };

    return ask(&question, ask_table, error);
}
