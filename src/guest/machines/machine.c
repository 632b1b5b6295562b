/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/machine.h"

#include <string.h>

G_DEFINE_QUARK(ostler - machine - error, ostler_machine_error)

/* How a member of the structs below is written in JSON, read and freed. */
typedef enum {
    TEXT,  /* char *, absent when NULL */
    WHOLE, /* unsigned or int */
    BYTES, /* uint64_t */
    TEXTS, /* char **, NULL-terminated */
} FieldType;

typedef struct {
    const char *key;
    FieldType type;
    size_t offset;
} Field;

static const Field machine_fields[] = {
    { "emulator", TEXT, offsetof(OstlerMachine, emulator) },
    { "arch", TEXT, offsetof(OstlerMachine, arch) },
    { "machine", TEXT, offsetof(OstlerMachine, name) },
    { "full-name", TEXT, offsetof(OstlerMachine, full_name) },
    { "version", WHOLE, offsetof(OstlerMachine, version) },
    { "default-cpu", TEXT, offsetof(OstlerMachine, default_cpu) },
    { "preferred-cpu", TEXT, offsetof(OstlerMachine, preferred_cpu) },
    { "max-cpus", WHOLE, offsetof(OstlerMachine, max_cpus) },
    { "default-memory", BYTES, offsetof(OstlerMachine, default_memory) },
    { "memory", BYTES, offsetof(OstlerMachine, memory) },
    { "memory-refusal", TEXT, offsetof(OstlerMachine, memory_refusal) },
    { "serials", TEXTS, offsetof(OstlerMachine, serials) },
    { "nics", TEXTS, offsetof(OstlerMachine, nics) },
    { "sd", WHOLE, offsetof(OstlerMachine, n_sd) },
    { "floppy", WHOLE, offsetof(OstlerMachine, n_floppy) },
    { "pflash", WHOLE, offsetof(OstlerMachine, n_pflash) },
    { "sandbox", WHOLE, offsetof(OstlerMachine, has_sandbox) },
    { "needs", TEXTS, offsetof(OstlerMachine, needs) },
    { "flash-bytes", BYTES, offsetof(OstlerMachine, flash_bytes) },
    { "onboard", TEXTS, offsetof(OstlerMachine, onboard) },
    { "devices", TEXTS, offsetof(OstlerMachine, devices) },
    { "properties", TEXTS, offsetof(OstlerMachine, properties) },
};

static const Field bus_fields[] = {
    { "name", TEXT, offsetof(OstlerMachineBus, name) },
    { "type", TEXT, offsetof(OstlerMachineBus, type) },
    { "controller", TEXT, offsetof(OstlerMachineBus, controller) },
    { "first-slot", WHOLE, offsetof(OstlerMachineBus, first_slot) },
    { "ports", WHOLE, offsetof(OstlerMachineBus, n_ports) },
    { "full-speed", WHOLE, offsetof(OstlerMachineBus, full_speed) },
};

static json_object *texts_to_json(char **texts)
{
    json_object *array = json_object_new_array();

    for (char **text = texts; text && *text; text++) {
        json_object_array_add(array, json_object_new_string(*text));
    }
    return array;
}

static json_object *field_to_json(const Field *field, const char *base)
{
    const void *member = base + field->offset;

    switch (field->type) {
    case TEXT:
        return *(char *const *)member ? json_object_new_string(*(char *const *)member)
                                      : NULL;
    case WHOLE:
        return json_object_new_int(*(const int *)member);
    case BYTES:
        return json_object_new_int64((int64_t) * (const uint64_t *)member);
    case TEXTS:
        return texts_to_json(*(char **const *)member);
    }
    g_assert_not_reached();
}

static json_object *fields_to_json(const Field *fields, unsigned n_fields,
                                   const void *base)
{
    json_object *object = json_object_new_object();

    for (unsigned i = 0; i < n_fields; i++) {
        json_object *value = field_to_json(&fields[i], base);
        if (value) {
            json_object_object_add(object, fields[i].key, value);
        }
    }
    return object;
}

static json_object *bus_to_json(const OstlerMachineBus *bus)
{
    json_object *object = fields_to_json(bus_fields, G_N_ELEMENTS(bus_fields), bus);
    json_object *taken = json_object_new_array();

    for (unsigned i = 0; i < bus->n_taken; i++) {
        json_object_array_add(taken, json_object_new_int((int)bus->taken[i]));
    }
    json_object_object_add(object, "taken", taken);
    return object;
}

json_object *ostler_machine_to_json(const OstlerMachine *machine)
{
    json_object *object =
        fields_to_json(machine_fields, G_N_ELEMENTS(machine_fields), machine);
    json_object *buses = json_object_new_array();

    for (unsigned i = 0; i < machine->n_buses; i++) {
        json_object_array_add(buses, bus_to_json(&machine->buses[i]));
    }
    json_object_object_add(object, "buses", buses);
    return object;
}

static size_t array_length(json_object *value)
{
    return json_object_is_type(value, json_type_array) ? json_object_array_length(value)
                                                       : 0;
}

static char **texts_from_json(json_object *array)
{
    size_t n = array_length(array);
    char **texts = g_new0(char *, n + 1);
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(array, i));
        if (text) {
            texts[kept++] = g_strdup(text);
        }
    }
    return texts;
}

static void fields_from_json(const Field *fields, unsigned n_fields,
                             json_object *object, char *base)
{
    for (unsigned i = 0; i < n_fields; i++) {
        const char *key = fields[i].key;
        void *member = base + fields[i].offset;

        switch (fields[i].type) {
        case TEXT:
            *(char **)member = g_strdup(ostler_json_find_string(object, key));
            break;
        case WHOLE:
            *(int *)member = (int)ostler_json_find_int(object, key, 0);
            break;
        case BYTES:
            *(uint64_t *)member = (uint64_t)ostler_json_find_int(object, key, 0);
            break;
        case TEXTS:
            *(char ***)member = texts_from_json(ostler_json_find(object, key));
            break;
        }
    }
}

static void bus_from_json(json_object *object, OstlerMachineBus *bus)
{
    fields_from_json(bus_fields, G_N_ELEMENTS(bus_fields), object, (char *)bus);

    json_object *taken = ostler_json_find(object, "taken");
    bus->n_taken = (unsigned)array_length(taken);
    bus->taken = g_new0(unsigned, bus->n_taken);
    for (unsigned i = 0; i < bus->n_taken; i++) {
        bus->taken[i] =
            (unsigned)json_object_get_int(json_object_array_get_idx(taken, i));
    }
}

OstlerMachine *ostler_machine_from_json(json_object *description, GError **error)
{
    static const char *const needed[] = { "emulator", "arch", "machine" };

    for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++) {
        if (!ostler_json_need_string(description, needed[i], error)) {
            return NULL;
        }
    }

    OstlerMachine *machine = g_new0(OstlerMachine, 1);
    fields_from_json(machine_fields, G_N_ELEMENTS(machine_fields), description,
                     (char *)machine);

    json_object *buses = ostler_json_find(description, "buses");
    machine->n_buses = (unsigned)array_length(buses);
    machine->buses = g_new0(OstlerMachineBus, machine->n_buses);
    for (unsigned i = 0; i < machine->n_buses; i++) {
        bus_from_json(json_object_array_get_idx(buses, i), &machine->buses[i]);
    }
    return machine;
}

static void free_fields(const Field *fields, unsigned n_fields, char *base)
{
    for (unsigned i = 0; i < n_fields; i++) {
        void *member = base + fields[i].offset;

        if (fields[i].type == TEXT) {
            g_free(*(char **)member);
        } else if (fields[i].type == TEXTS) {
            g_strfreev(*(char ***)member);
        }
    }
}

void ostler_machine_free(OstlerMachine *machine)
{
    if (!machine) {
        return;
    }
    for (unsigned i = 0; i < machine->n_buses; i++) {
        free_fields(bus_fields, G_N_ELEMENTS(bus_fields), (char *)&machine->buses[i]);
        g_free(machine->buses[i].taken);
    }
    g_free(machine->buses);
    free_fields(machine_fields, G_N_ELEMENTS(machine_fields), (char *)machine);
    g_free(machine);
}

const char *ostler_machine_emulator(const OstlerMachine *machine)
{
    return machine->emulator;
}

const char *ostler_machine_arch(const OstlerMachine *machine)
{
    return machine->arch;
}

static bool contains(char **texts, const char *text)
{
    return texts && g_strv_contains((const char *const *)texts, text);
}

bool ostler_machine_has_device(const OstlerMachine *machine, const char *type)
{
    return contains(machine->devices, type);
}

bool ostler_machine_has_onboard(const OstlerMachine *machine, const char *type)
{
    return contains(machine->onboard, type);
}

bool ostler_machine_has_property(const OstlerMachine *machine, const char *name)
{
    return contains(machine->properties, name);
}

bool ostler_machine_needs(const OstlerMachine *machine, const char *what)
{
    return contains(machine->needs, what);
}

const OstlerMachineBus *ostler_machine_find_bus(const OstlerMachine *machine,
                                                const char *const *types)
{
    for (unsigned i = 0; i < machine->n_buses; i++) {
        if (g_strv_contains(types, machine->buses[i].type)) {
            return &machine->buses[i];
        }
    }
    return NULL;
}
