/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * QEMU has no command that describes a machine, so it is asked five things, each of a
 * QEMU of its own because the first answer must not be changed by the next question:
 *
 * 1. probe-buses.c  The bare machine (-S -nodefaults): a walk of /machine with qom-list
 *                   finds the buses, what sits on them, and the machine's properties.
 *                   USB root ports are not in QOM: a tablet is plugged into port 1, 2,
 *                   3... until there is none.
 * 2. probe-wires.c  The same with four -net nic and four -serial: the devices whose
 *                   "netdev" and "chardev" then name ours are the board's own.  What
 *                   lands on PCI instead was put there by QEMU's defaults; its slot is
 *                   the first one that QEMU deems usable (11 on versatilepb).
 * 3. probe-drives.c if=sd and if=floppy units that the board does not have are refused
 *                   one by one ("machine type does not support if=sd,bus=0,unit=1"),
 *                   those it has are not; if=xen makes sure that it always ends there.
 * 4. probe-drives.c -m with some sizes; a board with fixed memory says so.
 * 5. probe-mmio.c   The device tree (dumpdtb=), for the order of virtio-mmio in it.
 *
 * A machine that refuses to start bare gets one aid after the other: more memory, a
 * kernel, a firmware image, a flash image (probe-aids.c).  The aid that helped is in
 * "needs".
 */
#include "guest/machines/probe.h"
#include "guest/machines/probe-private.h"

#include <glib/gstdio.h>
#include <string.h>

/* Add the names of a list of properties that are not children of the machine. */
static void add_properties(Probe *probe, json_object *members)
{
    for (size_t i = 0; members && i < json_object_array_length(members); i++) {
        json_object *member = json_object_array_get_idx(members, i);
        const char *name = ostler_json_find_string(member, "name");
        const char *type = ostler_json_find_string(member, "type");
        if (name && type && !g_str_has_prefix(type, "child<")) {
            g_hash_table_add(probe->properties, g_strdup(name));
        }
    }
}

static void coroutine_fn read_properties(Probe *probe)
{
    g_autoptr(json_object) members = probe_list_path(probe, "/machine");
    add_properties(probe, members);
}

/*
 * Some exist only until the machine is made: a PC drops the flash that nobody used.
 * They are asked of the type, which makes a second machine for a moment, and must be
 * the last question: microvm's asserts then (QEMU 7.2, acpi_setup_microvm).
 */
static void coroutine_fn read_type_properties(Probe *probe)
{
    g_autofree char *type = probe_get_text(probe, "/machine", "type");
    g_autoptr(json_object) members =
        type ? probe_ask(probe, "qom-list-properties",
                         ostler_json_object("typename", probe_text(type), NULL))
             : NULL;
    add_properties(probe, members);
}

/* The row of query-machines for "virt,secure=on", by name or alias; borrowed. */
static json_object *find_row(json_object *rows, const char *machine)
{
    g_autofree char *name = g_strndup(machine, strcspn(machine, ","));

    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        json_object *row = json_object_array_get_idx(rows, i);
        if (g_strcmp0(ostler_json_find_string(row, "name"), name) == 0 ||
            g_strcmp0(ostler_json_find_string(row, "alias"), name) == 0) {
            return row;
        }
    }
    return NULL;
}

/*
 * What -cpu is worth saying when the definition does not.  x86's default is a CPU of
 * 2005; a 64-bit Arm machine that lets one choose still starts as a 32-bit one.
 */
static const char *prefer_cpu(const Probe *probe)
{
    const OstlerMachine *machine = probe->machine;

    if (strcmp(machine->arch, "x86_64") == 0 || strcmp(machine->arch, "i386") == 0) {
        return "max";
    }
    if (strcmp(machine->arch, "aarch64") == 0 && machine->default_cpu &&
        !g_hash_table_contains(probe->aarch64_cpus, machine->default_cpu) &&
        g_hash_table_contains(probe->properties, "gic-version")) {
        return "cortex-a57";
    }
    return NULL;
}

static void coroutine_fn read_row(Probe *probe)
{
    g_autoptr(json_object) rows = probe_ask(probe, "query-machines", NULL);
    json_object *row = find_row(rows, probe->machine->name);
    OstlerMachine *machine = probe->machine;

    machine->full_name = g_strdup(ostler_json_find_string(row, "name"));
    machine->default_cpu = g_strdup(ostler_json_find_string(row, "default-cpu-type"));
    machine->max_cpus = (unsigned)ostler_json_find_int(row, "cpu-max", 1);

    g_autoptr(json_object) memory = probe_get_property(probe, "/machine", "memory");
    machine->default_memory = (uint64_t)ostler_json_find_int(memory, "size", 0);
}

static unsigned count_flash(const Probe *probe)
{
    if (g_hash_table_contains(probe->properties, "pflash1")) {
        return 2;
    }
    return probe->n_flash_chips;
}

/* The option group exists only where libseccomp was there to build with. */
static bool coroutine_fn find_sandbox(Probe *probe)
{
    g_autoptr(json_object) options =
        probe_ask(probe, "query-command-line-options",
                  ostler_json_object("option", probe_text("sandbox"), NULL));
    json_object *row = options && json_object_array_length(options)
                           ? json_object_array_get_idx(options, 0)
                           : NULL;
    json_object *parameters = ostler_json_find(row, "parameters");

    return parameters && json_object_array_length(parameters) > 0;
}

/* Question 1, of the bare machine. */
static void coroutine_fn look(Probe *probe)
{
    OstlerMachine *machine = probe->machine;

    machine->version = ostler_qmp_version(probe->qmp);
    probe->bus_types = probe_list_types(probe, "bus");
    probe->device_types = probe_list_types(probe, "device");
    probe->aarch64_cpus = probe_list_types(probe, "aarch64-cpu");
    machine->devices = probe_sorted_texts(probe->device_types);
    machine->has_sandbox = find_sandbox(probe);
    read_properties(probe);
    read_row(probe);
    machine->preferred_cpu = g_strdup(prefer_cpu(probe));

    probe_look_at_buses(probe);
    read_type_properties(probe);
    machine->properties = probe_sorted_texts(probe->properties);
    machine->n_pflash = count_flash(probe);
}

static void clear_probe(Probe *probe)
{
    g_clear_pointer(&probe->machine, ostler_machine_free);
    g_clear_pointer(&probe->args, g_ptr_array_unref);
    g_clear_pointer(&probe->bus_types, g_hash_table_unref);
    g_clear_pointer(&probe->device_types, g_hash_table_unref);
    g_clear_pointer(&probe->aarch64_cpus, g_hash_table_unref);
    g_clear_pointer(&probe->buses, g_array_unref);
    g_clear_pointer(&probe->properties, g_hash_table_unref);
    g_clear_pointer(&probe->onboard, g_hash_table_unref);
    if (probe->stand_in) {
        g_unlink(probe->stand_in);
        g_clear_pointer(&probe->stand_in, g_free);
    }
}

OstlerMachine *coroutine_fn ostler_machine_ask(const char *emulator, const char *arch,
                                               const char *machine, GError **error)
{
    Probe probe = {
        .machine = g_new0(OstlerMachine, 1),
        .args = g_ptr_array_new(),
        .buses = g_array_new(false, false, sizeof(OstlerMachineBus)),
        .properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .onboard = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    probe.machine->emulator = g_strdup(emulator);
    probe.machine->arch = g_strdup(arch);
    probe.machine->name = g_strdup(machine);

    OstlerMachine *asked = NULL;
    OstlerEmulator *bare = probe_start_machine(&probe, error);
    if (bare) {
        probe.qmp = ostler_emulator_qmp(bare);
        look(&probe);
        ostler_emulator_stop(bare);
        probe_look_wired(&probe);
        probe_try_drives_and_memory(&probe);
        probe_order_mmio(&probe);
        asked = g_steal_pointer(&probe.machine);
    }
    clear_probe(&probe);
    return asked;
}

char **coroutine_fn ostler_machine_ask_list(const char *emulator, GError **error)
{
    static const char *const args[] = { "-machine", "none", NULL };
    OstlerEmulator *asked = ostler_emulator_start(emulator, args, error);
    if (!asked) {
        return NULL;
    }

    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(json_object) rows = ostler_qmp_execute(
        ostler_emulator_qmp(asked), "query-machines", NULL, QUESTION_MS, error);
    ostler_emulator_stop(asked);
    if (!rows) {
        return NULL;
    }
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        json_object *row = json_object_array_get_idx(rows, i);
        static const char *const keys[] = { "name", "alias" };
        for (unsigned k = 0; k < G_N_ELEMENTS(keys); k++) {
            const char *name = ostler_json_find_string(row, keys[k]);
            if (name) {
                g_hash_table_add(names, (gpointer)name);
            }
        }
    }
    return probe_sorted_texts(names);
}
