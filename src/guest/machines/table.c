/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/table.h"
#include "base/table.h"
#include "guest/machines/choose.h"
#include "guest/plan.h"

#include <cpc/glib.h>
#include <string.h>

#define MAX_WORKERS 4u

/* The parts of a guest that have a column.  @key = @value makes a section valid. */
static const struct {
    const char *column;
    const char *kind;
    const char *key;
    const char *value;
    const char *who;
} parts[] = {
    { "disk", "disk", "file", "/nonexistent", "[disk.a]" },
    { "nic", "nic", "type", "none", "[nic.a]" },
    { "console", NULL, NULL, NULL, "the console" },
    { "share", "share", "path", "/", "[share.a]" },
};

/* A guest of @machine with nothing but the part.  What the machine cannot start
 * without is there too: only names, since nothing is started. */
static OstlerDefinition *define(const char *arch, const char *machine,
                                const char *emulator, char **needs, unsigned part,
                                GError **error)
{
    g_autoptr(OstlerDefinition) definition = ostler_definition_new("table");
    OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);
    bool ok = ostler_section_set(guest, "arch", arch, error) &&
              ostler_section_set(guest, "machine", machine, error) &&
              (!emulator || ostler_section_set(guest, "emulator", emulator, error));

    for (char **need = needs; ok && need && *need; need++) {
        if (strcmp(*need, "flash") == 0) {
            OstlerSection *flash =
                ostler_definition_add(definition, "disk", "flash", error);
            ok = flash && ostler_section_set(flash, "file", "/nonexistent", error) &&
                 ostler_section_set(flash, "bus", "pflash", error);
        } else {
            ok = ostler_section_set(guest, *need, "/nonexistent", error);
        }
    }
    if (ok && parts[part].kind) {
        OstlerSection *section =
            ostler_definition_add(definition, parts[part].kind, "a", error);
        ok = section &&
             ostler_section_set(section, parts[part].key, parts[part].value, error);
    }
    return ok ? g_steal_pointer(&definition) : NULL;
}

static const char *find_device(const OstlerPlan *plan, const char *who)
{
    for (unsigned i = 0; i < plan->n_devices; i++) {
        if (strcmp(plan->devices[i].who, who) == 0) {
            return plan->devices[i].type;
        }
    }
    return NULL;
}

/* The device that the part becomes (caller frees), or NULL and the reason. */
static char *coroutine_fn plan_part(const OstlerMachine *machine, const char *emulator,
                                    unsigned part, GError **error)
{
    static const OstlerPlanHost host = { .accel = "tcg", .rundir = "/" };
    g_autoptr(OstlerDefinition) definition =
        define(machine->arch, machine->name, emulator, machine->needs, part, error);
    if (!definition) {
        return NULL;
    }

    g_autoptr(OstlerMachine) chosen = ostler_machine_choose(definition, NULL, error);
    g_autoptr(OstlerPlan) plan =
        chosen ? ostler_plan_new(definition, chosen, &host, error) : NULL;
    if (!plan) {
        return NULL;
    }
    const char *type = find_device(plan, parts[part].who);
    if (!type) {
        g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_UNSUPPORTED,
                    "The machine '%s' has no serial port", machine->name);
    }
    return g_strdup(type);
}

/* "The machine 'x' has no USB" -> "no USB": the row has the machine's name. */
static char *shorten(const char *reason, const char *machine)
{
    g_autofree char *prefix = g_strdup_printf("The machine '%s' has ", machine);
    const char *rest =
        g_str_has_prefix(reason, prefix) ? reason + strlen(prefix) : reason;
    static const char *const asides[] = { ", which [share.a] needs", ", [disk.a]",
                                          ", [nic.a]" };
    GString *text = g_string_new(rest);

    for (unsigned i = 0; i < G_N_ELEMENTS(asides); i++) {
        g_string_replace(text, asides[i], "", 0);
    }
    return g_string_free(text, false);
}

static void coroutine_fn add_parts(json_object *row, const OstlerMachine *machine,
                                   const char *emulator)
{
    json_object *reasons = json_object_new_object();
    json_object *needs = json_object_new_array();

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(GError) refused = NULL;
        g_autofree char *type = plan_part(machine, emulator, i, &refused);
        g_autofree char *reason =
            refused ? shorten(refused->message, machine->name) : NULL;
        json_object_object_add(type ? row : reasons, parts[i].column,
                               json_object_new_string(type ? type : reason));
    }
    for (char **need = machine->needs; need && *need; need++) {
        json_object_array_add(needs, json_object_new_string(*need));
    }
    if (machine->flash_bytes) {
        json_object_object_add(row, "flash-bytes",
                               json_object_new_int64((int64_t)machine->flash_bytes));
    }
    json_object_object_add(row, "needs", needs);
    json_object_object_add(row, "reasons", reasons);
}

/* A machine that has a place for nothing is refused as a whole. */
static bool has_any_part(json_object *row)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (ostler_json_find(row, parts[i].column)) {
            return true;
        }
    }
    return false;
}

static json_object *coroutine_fn describe(const char *arch, const char *name,
                                          const char *emulator)
{
    g_autoptr(GError) refused = NULL;
    g_autoptr(OstlerMachine) machine =
        ostler_machine_probe(arch, name, emulator, &refused);
    json_object *row =
        ostler_json_object("arch", json_object_new_string(arch), "machine",
                           json_object_new_string(name), NULL);

    if (machine) {
        add_parts(row, machine, emulator);
    }
    if (!machine || !has_any_part(row)) {
        json_object_object_del(row, "reasons");
        json_object_object_add(
            row, "refusal",
            json_object_new_string(machine ? "It has no place for any device"
                                           : refused->message));
    }
    return row;
}

/* Workers take names from one list; the rows keep the list's order. */
typedef struct {
    const char *arch;
    const char *emulator;
    char **names;
    json_object **rows;
    unsigned next;
    unsigned n_workers;
    CoEvent done;
} Survey;

static void coroutine_fn work(void *opaque)
{
    Survey *survey = opaque;

    while (survey->names[survey->next]) {
        unsigned mine = survey->next++;
        survey->rows[mine] =
            describe(survey->arch, survey->names[mine], survey->emulator);
    }
    if (--survey->n_workers == 0) {
        cpc_event_set(&survey->done);
    }
}

json_object *coroutine_fn ostler_machine_table(const char *arch, const char *emulator,
                                               GError **error)
{
    g_auto(GStrv) names = ostler_machine_list(arch, emulator, error);
    if (!names) {
        return NULL;
    }

    unsigned n = g_strv_length(names);
    g_autofree json_object **rows = g_new0(json_object *, n + 1);
    unsigned n_workers = MIN(g_get_num_processors(), MAX_WORKERS);
    Survey survey = {
        .arch = arch,
        .emulator = emulator,
        .names = names,
        .rows = rows,
        .n_workers = n_workers,
    };
    for (unsigned i = 0; i < n_workers; i++) {
        cpc_spawn(work, &survey);
    }
    cpc_event_wait(&survey.done, -1);

    json_object *table = json_object_new_array();
    for (unsigned i = 0; i < n; i++) {
        json_object_array_add(table, rows[i]);
    }
    return table;
}

/* What a row's cells leave unsaid: a refusal, needs, and why parts are missing. */
static char *note_of(json_object *row)
{
    const char *refusal = ostler_json_find_string(row, "refusal");
    if (refusal) {
        return g_strdup_printf("refused: %s", refusal);
    }

    GString *note = g_string_new(NULL);
    json_object *needs = ostler_json_find(row, "needs");
    for (size_t i = 0; needs && i < json_object_array_length(needs); i++) {
        g_string_append_printf(
            note, "%sneeds a %s", note->len ? "; " : "",
            json_object_get_string(json_object_array_get_idx(needs, i)));
    }
    json_object *reasons = ostler_json_find(row, "reasons");
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *reason = ostler_json_find_string(reasons, parts[i].column);
        if (reason) {
            g_string_append_printf(note, "%s%s", note->len ? "; " : "", reason);
        }
    }
    return g_string_free(note, false);
}

char *ostler_machine_table_text(json_object *rows)
{
    static const char *const headings[] = { "ARCH",    "MACHINE", "DISK", "NIC",
                                            "CONSOLE", "SHARE",   "NOTE", NULL };
    g_autoptr(OstlerTable) table = ostler_table_new(headings);

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        json_object *row = json_object_array_get_idx(rows, i);
        g_autofree char *note = note_of(row);
        const char *const cells[] = {
            ostler_json_find_string(row, "arch"),
            ostler_json_find_string(row, "machine"),
            ostler_json_find_string(row, "disk"),
            ostler_json_find_string(row, "nic"),
            ostler_json_find_string(row, "console"),
            ostler_json_find_string(row, "share"),
            note,
        };
        ostler_table_add(table, cells);
    }
    return ostler_table_text(table);
}

char *ostler_machine_table_markdown(json_object *rows)
{
    static const char *const columns[] = { "arch", "machine", "disk",
                                           "nic",  "console", "share" };
    GString *text =
        g_string_new("| arch | machine | disk | nic | console | share | note "
                     "|\n|---|---|---|---|---|---|---|\n");

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        json_object *row = json_object_array_get_idx(rows, i);
        g_autofree char *note = note_of(row);
        for (unsigned column = 0; column < G_N_ELEMENTS(columns); column++) {
            const char *cell = ostler_json_find_string(row, columns[column]);
            g_string_append_printf(text, "| %s ", cell ? cell : "-");
        }
        g_string_append_printf(text, "| %s |\n", note);
    }
    return g_string_free(text, false);
}
