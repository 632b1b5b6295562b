/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * QEMU has no command that describes a machine, so it is asked five things, each of a
 * QEMU of its own because the first answer must not be changed by the next question:
 *
 * 1. look()         The bare machine (-S -nodefaults): a walk of /machine with qom-list
 *                   finds the buses, what sits on them, and the machine's properties.
 *                   USB root ports are not in QOM: a tablet is plugged into port 1, 2,
 *                   3... until there is none.
 * 2. look_wired()   The same with four -net nic and four -serial: the devices whose
 *                   "netdev" and "chardev" then name ours are the board's own.  What
 *                   lands on PCI instead was put there by QEMU's defaults; its slot is
 *                   the first one that QEMU deems usable (11 on versatilepb).
 * 3. read_drives()  if=sd and if=floppy units that the board does not have are refused
 *                   one by one ("machine type does not support if=sd,bus=0,unit=1"),
 *                   those it has are not; if=xen makes sure that it always ends there.
 * 4. try_memory()   -m with some sizes; a board with fixed memory says so.
 * 5. order_mmio()   The device tree (dumpdtb=), for the order of virtio-mmio in it.
 *
 * A machine that refuses to start bare gets one aid after the other: more memory, a
 * kernel, a firmware image, a flash image.  The aid that helped is in "needs".
 */
#include "guest/machines/probe.h"
#include "guest/machines/emulator.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB              (UINT64_C(1) << 20)
#define MAX_DEPTH        16
#define MAX_USB_PORTS    16
#define MAX_SD           4
#define MAX_WIRES        4
#define MAX_FLOPPY       2
#define TREE_MS          1500 /* a board whose tree comes from a file writes none */
#define QUESTION_MS      10000
#define QEMU_DEFAULT_RAM (128 * MIB) /* QEMU hw/core/machine.c, class default */

/* Always refused outside of Xen guests, so a run that gets there ends by itself. */
#define REFUSED_DRIVE "if=xen,index=0,driver=null-co,size=1M"
#define REFUSAL       "does not support if=xen"

typedef struct {
    OstlerMachine *machine;
    GPtrArray *args;          /* "-machine", ..., and the aid that was needed */
    OstlerQmp *qmp;           /* of the emulator being asked; borrowed */
    GHashTable *bus_types;    /* set of QOM type names */
    GHashTable *device_types; /* likewise */
    GHashTable *aarch64_cpus; /* likewise */
    GArray *buses;            /* OstlerMachineBus */
    GHashTable *properties;   /* set of names, owned */
    GHashTable *onboard;      /* set of types, owned */
    unsigned n_flash_chips;
    char *stand_in; /* a file that serves as kernel or firmware */
} Probe;

static json_object *text(const char *value)
{
    return json_object_new_string(value);
}

static json_object *coroutine_fn ask(Probe *probe, const char *command,
                                     json_object *arguments)
{
    return ostler_qmp_execute(probe->qmp, command, arguments, QUESTION_MS, NULL);
}

static json_object *coroutine_fn list_path(Probe *probe, const char *path)
{
    return ask(probe, "qom-list", ostler_json_object("path", text(path), NULL));
}

static json_object *coroutine_fn get_property(Probe *probe, const char *path,
                                              const char *property)
{
    return ask(
        probe, "qom-get",
        ostler_json_object("path", text(path), "property", text(property), NULL));
}

/* A string property; caller frees, NULL when there is none or it is empty. */
static char *coroutine_fn get_text(Probe *probe, const char *path, const char *property)
{
    g_autoptr(json_object) value = get_property(probe, path, property);
    const char *string = json_object_is_type(value, json_type_string)
                             ? json_object_get_string(value)
                             : NULL;
    return string && *string ? g_strdup(string) : NULL;
}

static GHashTable *coroutine_fn list_types(Probe *probe, const char *implements)
{
    GHashTable *types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(json_object) list =
        ask(probe, "qom-list-types",
            ostler_json_object("implements", text(implements), "abstract",
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
static char **sorted_texts(GHashTable *set)
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
static char *child_type(const char *type)
{
    size_t length = type ? strlen(type) : 0;

    if (length < 8 || !g_str_has_prefix(type, "child<")) {
        return NULL;
    }
    return g_strndup(type + 6, length - 7);
}

/* Nothing can be plugged below these, and a machine has hundreds of them. */
static bool is_leaf(const char *type)
{
    return strcmp(type, "irq") == 0 || strcmp(type, "clock") == 0 ||
           g_str_has_suffix(type, "memory-region");
}

static bool is_pci(const char *bus_type)
{
    return strcmp(bus_type, "PCI") == 0 || strcmp(bus_type, "PCIE") == 0;
}

/* The devfn of the device that @link of the bus points to. */
static unsigned coroutine_fn get_devfn(Probe *probe, const char *bus_path,
                                       const char *link)
{
    g_autofree char *device = get_text(probe, bus_path, link);
    g_autoptr(json_object) address =
        device ? get_property(probe, device, "addr") : NULL;

    return address ? (unsigned)json_object_get_int(address) : 0;
}

static int by_number(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

static void coroutine_fn add_bus(Probe *probe, const char *type, const char *path,
                                 const char *controller)
{
    g_autoptr(json_object) members = list_path(probe, path);
    g_autoptr(GArray) taken = g_array_new(false, false, sizeof(unsigned));

    for (size_t i = 0; members && i < json_object_array_length(members); i++) {
        json_object *member = json_object_array_get_idx(members, i);
        const char *name = ostler_json_find_string(member, "name");
        if (name && g_str_has_prefix(name, "child[")) {
            unsigned devfn = is_pci(type) ? get_devfn(probe, path, name) : 0;
            g_array_append_val(taken, devfn);
        }
    }

    unsigned n_taken = taken->len;
    OstlerMachineBus bus = {
        .name = g_strdup(strrchr(path, '/') + 1),
        .type = g_strdup(type),
        .controller = g_strdup(controller),
        .n_taken = n_taken,
        .taken = (unsigned *)g_array_steal(taken, NULL),
    };
    if (bus.n_taken) {
        qsort(bus.taken, bus.n_taken, sizeof(unsigned), by_number);
    }
    g_array_append_val(probe->buses, bus);
}

static void coroutine_fn walk(Probe *probe, const char *path, const char *owner,
                              unsigned depth)
{
    g_autoptr(json_object) members = list_path(probe, path);

    for (size_t i = 0; members && i < json_object_array_length(members); i++) {
        json_object *member = json_object_array_get_idx(members, i);
        g_autofree char *type = child_type(ostler_json_find_string(member, "type"));
        if (!type || is_leaf(type) || depth == MAX_DEPTH) {
            continue;
        }
        g_autofree char *child =
            g_strdup_printf("%s/%s", path, ostler_json_find_string(member, "name"));
        if (g_hash_table_contains(probe->bus_types, type)) {
            add_bus(probe, type, child, owner);
            continue;
        }
        if (g_hash_table_contains(probe->device_types, type)) {
            g_hash_table_add(probe->onboard, g_strdup(type));
            probe->n_flash_chips += g_str_has_prefix(type, "cfi.pflash");
        }
        walk(probe, child, type, depth + 1);
    }
}

/* Names are compared without their last number, then by it: mmio 2 before mmio 10. */
static int by_bus_name(const void *a, const void *b)
{
    const char *x = ((const OstlerMachineBus *)a)->name;
    const char *y = ((const OstlerMachineBus *)b)->name;
    size_t x_stem = strcspn(x, "0123456789"), y_stem = strcspn(y, "0123456789");

    if (x_stem == y_stem && strncmp(x, y, x_stem) == 0) {
        int x_number = atoi(x + x_stem), y_number = atoi(y + y_stem);
        return (x_number > y_number) - (x_number < y_number);
    }
    return strcmp(x, y);
}

/* Plug a device into @port of @bus; false when there is no such port, or not for it. */
static bool coroutine_fn plug_usb(Probe *probe, const char *type, const char *bus,
                                  unsigned port)
{
    g_autofree char *number = g_strdup_printf("%u", port);
    g_autoptr(json_object) plugged =
        ask(probe, "device_add",
            ostler_json_object("driver", text(type), "bus", text(bus), "port",
                               text(number), NULL));
    return plugged != NULL;
}

/*
 * A hub of USB 1.1 shows whether full speed is understood: a bare EHCI refuses it.  A
 * tablet knows both speeds, so it counts the ports of either kind.
 */
static void coroutine_fn look_at_usb(Probe *probe, OstlerMachineBus *bus)
{
    unsigned port = 1;

    bus->full_speed = plug_usb(probe, "usb-hub", bus->name, port);
    if (bus->full_speed) {
        port++;
    }
    while (port <= MAX_USB_PORTS && plug_usb(probe, "usb-tablet", bus->name, port)) {
        port++;
    }
    bus->n_ports = port - 1;
}

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
    g_autoptr(json_object) members = list_path(probe, "/machine");
    add_properties(probe, members);
}

/*
 * Some exist only until the machine is made: a PC drops the flash that nobody used.
 * They are asked of the type, which makes a second machine for a moment, and must be
 * the last question: microvm's asserts then (QEMU 7.2, acpi_setup_microvm).
 */
static void coroutine_fn read_type_properties(Probe *probe)
{
    g_autofree char *type = get_text(probe, "/machine", "type");
    g_autoptr(json_object) members =
        type ? ask(probe, "qom-list-properties",
                   ostler_json_object("typename", text(type), NULL))
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
    g_autoptr(json_object) rows = ask(probe, "query-machines", NULL);
    json_object *row = find_row(rows, probe->machine->name);
    OstlerMachine *machine = probe->machine;

    machine->full_name = g_strdup(ostler_json_find_string(row, "name"));
    machine->default_cpu = g_strdup(ostler_json_find_string(row, "default-cpu-type"));
    machine->max_cpus = (unsigned)ostler_json_find_int(row, "cpu-max", 1);

    g_autoptr(json_object) memory = get_property(probe, "/machine", "memory");
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
        ask(probe, "query-command-line-options",
            ostler_json_object("option", text("sandbox"), NULL));
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
    probe->bus_types = list_types(probe, "bus");
    probe->device_types = list_types(probe, "device");
    probe->aarch64_cpus = list_types(probe, "aarch64-cpu");
    machine->devices = sorted_texts(probe->device_types);
    machine->has_sandbox = find_sandbox(probe);
    read_properties(probe);
    read_row(probe);
    machine->preferred_cpu = g_strdup(prefer_cpu(probe));

    walk(probe, "/machine", "", 0);
    g_array_sort(probe->buses, by_bus_name);
    machine->onboard = sorted_texts(probe->onboard);
    machine->n_buses = probe->buses->len;
    machine->buses = (OstlerMachineBus *)g_array_steal(probe->buses, NULL);
    for (unsigned i = 0; i < machine->n_buses; i++) {
        OstlerMachineBus *bus = &machine->buses[i];
        if (strcmp(bus->type, "usb-bus") == 0) {
            look_at_usb(probe, bus);
        }
    }
    read_type_properties(probe);
    machine->properties = sorted_texts(probe->properties);
    machine->n_pflash = count_flash(probe);
}

/* What look_wired() found behind the backends it named. */
typedef struct {
    char *nics[MAX_WIRES];
    char *serials[MAX_WIRES];
} Wiring;

static void clear_wiring(Wiring *wiring)
{
    for (unsigned i = 0; i < MAX_WIRES; i++) {
        g_clear_pointer(&wiring->nics[i], g_free);
        g_clear_pointer(&wiring->serials[i], g_free);
    }
}

/* QEMU put a default card on PCI: that slot is where usable ones begin. */
static void coroutine_fn note_first_slot(Probe *probe, const char *device,
                                         const char *bus_path)
{
    g_autoptr(json_object) address = get_property(probe, device, "addr");
    const char *name = strrchr(bus_path, '/') + 1;
    unsigned slot = (unsigned)json_object_get_int(address) / 8;

    for (unsigned i = 0; i < probe->machine->n_buses; i++) {
        OstlerMachineBus *bus = &probe->machine->buses[i];
        if (is_pci(bus->type) && strcmp(bus->name, name) == 0 &&
            (bus->first_slot == 0 || slot < bus->first_slot)) {
            bus->first_slot = slot;
        }
    }
}

/* A device that has our backend "ask-nic-0": the board's own unless it sits on a bus
 * that QEMU's defaults filled. */
static void coroutine_fn note_wire(Probe *probe, const char *device, const char *type,
                                   const char *backend, Wiring *wiring)
{
    g_autofree char *bus_path = get_text(probe, device, "parent_bus");
    unsigned index = (unsigned)atoi(backend + strlen(backend) - 1) % MAX_WIRES;

    if (!bus_path) {
        return; /* the inner half of a device, as serial in isa-serial */
    }
    if (g_str_has_prefix(backend, "ask-serial-")) {
        g_free(wiring->serials[index]);
        wiring->serials[index] = g_strdup(type);
        return;
    }
    g_autofree char *bus_type = get_text(probe, bus_path, "type");
    if (bus_type && is_pci(bus_type)) {
        note_first_slot(probe, device, bus_path);
    } else if (!bus_type || !strstr(bus_type, "virtio")) {
        g_free(wiring->nics[index]);
        wiring->nics[index] = g_strdup(type);
    }
}

static void coroutine_fn walk_wires(Probe *probe, const char *path,
                                    const char *own_type, Wiring *wiring,
                                    unsigned depth)
{
    g_autoptr(json_object) members = list_path(probe, path);

    for (size_t i = 0; members && i < json_object_array_length(members); i++) {
        json_object *member = json_object_array_get_idx(members, i);
        const char *name = ostler_json_find_string(member, "name");
        g_autofree char *type = child_type(ostler_json_find_string(member, "type"));

        if (type && !is_leaf(type) && depth < MAX_DEPTH) {
            g_autofree char *child = g_strdup_printf("%s/%s", path, name);
            walk_wires(probe, child, type, wiring, depth + 1);
        } else if (g_strcmp0(name, "netdev") == 0 || g_strcmp0(name, "chardev") == 0) {
            g_autofree char *backend = get_text(probe, path, name);
            if (backend && g_str_has_prefix(backend, "ask-")) {
                note_wire(probe, path, own_type, backend, wiring);
            }
        }
    }
}

/* A console that is no device, as spike's HTIF, still opens its port. */
static void coroutine_fn note_open_ports(Probe *probe, Wiring *wiring)
{
    g_autoptr(json_object) ports = ask(probe, "query-chardev", NULL);

    for (size_t i = 0; ports && i < json_object_array_length(ports); i++) {
        json_object *port = json_object_array_get_idx(ports, i);
        const char *label = ostler_json_find_string(port, "label");
        if (label && g_str_has_prefix(label, "ask-serial-") &&
            ostler_json_find_bool(port, "frontend-open", false)) {
            unsigned index = (unsigned)atoi(label + strlen("ask-serial-")) % MAX_WIRES;
            if (!wiring->serials[index]) {
                wiring->serials[index] = g_strdup("serial");
            }
        }
    }
}

static char **steal_prefix(char **texts)
{
    unsigned n = 0;

    while (n < MAX_WIRES && texts[n]) {
        n++;
    }
    char **prefix = g_new0(char *, n + 1);
    for (unsigned i = 0; i < n; i++) {
        prefix[i] = g_steal_pointer(&texts[i]);
    }
    return prefix;
}

static GPtrArray *wired_args(const Probe *probe, unsigned n_nics, unsigned n_serials)
{
    GPtrArray *args = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i + 1 < probe->args->len; i++) {
        g_ptr_array_add(args, g_strdup(probe->args->pdata[i]));
    }
    for (unsigned i = 0; i < n_nics; i++) {
        g_ptr_array_add(args, g_strdup("-netdev"));
        g_ptr_array_add(args, g_strdup_printf("hubport,id=ask-nic-%u,hubid=%u", i, i));
        g_ptr_array_add(args, g_strdup("-net"));
        g_ptr_array_add(args, g_strdup_printf("nic,netdev=ask-nic-%u", i));
    }
    for (unsigned i = 0; i < n_serials; i++) {
        g_ptr_array_add(args, g_strdup("-chardev"));
        g_ptr_array_add(args, g_strdup_printf("null,id=ask-serial-%u", i));
        g_ptr_array_add(args, g_strdup("-serial"));
        g_ptr_array_add(args, g_strdup_printf("chardev:ask-serial-%u", i));
    }
    g_ptr_array_add(args, NULL);
    return args;
}

/* Question 2.  A board that wants no second card or port is asked again with fewer. */
static void coroutine_fn look_wired(Probe *probe)
{
    static const unsigned attempts[][2] = { { 4, 4 }, { 1, 4 }, { 0, 4 }, { 0, 1 } };
    OstlerMachine *machine = probe->machine;
    OstlerEmulator *emulator = NULL;
    Wiring wiring = { 0 };

    for (unsigned i = 0; i < G_N_ELEMENTS(attempts) && !emulator; i++) {
        g_autoptr(GPtrArray) args = wired_args(probe, attempts[i][0], attempts[i][1]);
        emulator = ostler_emulator_start(machine->emulator,
                                         (const char *const *)args->pdata, NULL);
    }
    if (emulator) {
        probe->qmp = ostler_emulator_qmp(emulator);
        walk_wires(probe, "/machine", "", &wiring, 0);
        note_open_ports(probe, &wiring);
        ostler_emulator_stop(emulator);
    }
    machine->nics = steal_prefix(wiring.nics);
    machine->serials = steal_prefix(wiring.serials);
    clear_wiring(&wiring);
}

/* What QEMU says of the machine with @extra (pairs of option and value). */
static char *coroutine_fn refusal_with(Probe *probe, const char *const *extra)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new();

    for (unsigned i = 0; i + 1 < probe->args->len; i++) {
        g_ptr_array_add(args, probe->args->pdata[i]);
    }
    for (; *extra; extra++) {
        g_ptr_array_add(args, (gpointer)*extra);
    }
    g_ptr_array_add(args, (gpointer) "-drive");
    g_ptr_array_add(args, (gpointer)REFUSED_DRIVE);
    g_ptr_array_add(args, NULL);
    return ostler_emulator_refusal(probe->machine->emulator,
                                   (const char *const *)args->pdata, NULL);
}

/* How many of @max units of @interface were not among those refused. */
static unsigned count_units(const char *said, const char *interface, unsigned max)
{
    unsigned n = 0;

    while (n < max) {
        g_autofree char *refused =
            g_strdup_printf("-drive if=%s,index=%u,", interface, n);
        if (strstr(said, refused)) {
            break;
        }
        n++;
    }
    return n;
}

/* Every unit that a board could have, with nothing in it. */
#define EMPTY ",driver=null-co,size=64M,read-zeroes=on"
#define UNITS                                                                          \
    "-drive", "if=sd,index=0" EMPTY, "-drive", "if=sd,index=1" EMPTY, "-drive",        \
        "if=sd,index=2" EMPTY, "-drive", "if=sd,index=3" EMPTY, "-drive",              \
        "if=floppy,index=0" EMPTY, "-drive", "if=floppy,index=1" EMPTY

/* Question 3; false when the answer was about something else. */
static bool read_drives(Probe *probe, const char *said)
{
    if (!said || !strstr(said, REFUSAL)) {
        return false;
    }
    probe->machine->n_sd = count_units(said, "sd", MAX_SD);
    probe->machine->n_floppy = count_units(said, "floppy", MAX_FLOPPY);
    return true;
}

/* What a board has by itself suits it better than what else it takes. */
static void set_memory(OstlerMachine *machine, uint64_t accepted)
{
    machine->memory =
        machine->default_memory > QEMU_DEFAULT_RAM ? machine->default_memory : accepted;
}

/*
 * Question 4.  The machine's own size is not among those tried: a board with fixed
 * memory takes that one.
 */
static void coroutine_fn try_memory(Probe *probe)
{
    static const unsigned sizes_mib[] = { 1024, 512, 256, 192, 2048 };
    OstlerMachine *machine = probe->machine;
    g_autofree char *refusal = NULL;

    machine->memory = machine->default_memory;
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes_mib); i++) {
        if (sizes_mib[i] * MIB == machine->default_memory) {
            continue;
        }
        g_autofree char *size = g_strdup_printf("%uM", sizes_mib[i]);
        const char *const extra[] = { "-m", size, NULL };
        g_autofree char *said = refusal_with(probe, extra);

        if (said && strstr(said, REFUSAL)) {
            set_memory(machine, sizes_mib[i] * MIB);
            return;
        }
        if (!refusal) {
            refusal = ostler_emulator_reason(said ? said : "");
        }
    }
    machine->memory_refusal = g_steal_pointer(&refusal);
}

/* Questions 3 and 4, in one start where that settles both. */
static void coroutine_fn try_drives_and_memory(Probe *probe)
{
    static const char *const both[] = { UNITS, "-m", "1G", NULL };
    static const char *const drives[] = { UNITS, NULL };
    /* A board of 1 GiB takes that size whether or not it takes another. */
    bool is_telling = probe->machine->default_memory != 1024 * MIB;
    g_autofree char *said = is_telling ? refusal_with(probe, both) : NULL;

    if (read_drives(probe, said)) {
        set_memory(probe->machine, 1024 * MIB);
        return;
    }
    g_autofree char *again = refusal_with(probe, drives);
    read_drives(probe, again);
    try_memory(probe);
}

#define NODE "virtio_mmio@"

/* The address in the first (or last) node name "virtio_mmio@10001000" of a tree. */
static uint64_t node_address(const char *tree, gsize size, bool last)
{
    uint64_t address = 0;

    for (gsize i = 0; i + strlen(NODE) + 1 < size; i++) {
        if (memcmp(tree + i, NODE, strlen(NODE)) == 0) {
            address = g_ascii_strtoull(tree + i + strlen(NODE), NULL, 16);
            if (!last) {
                break;
            }
        }
    }
    return address;
}

static bool is_mmio(const OstlerMachineBus *bus)
{
    return strcmp(bus->type, "virtio-mmio-bus") == 0;
}

/* The buses of one name stand together, sorted: turn that run around. */
static void reverse_mmio(OstlerMachine *machine)
{
    unsigned first = 0, end;

    while (first < machine->n_buses && !is_mmio(&machine->buses[first])) {
        first++;
    }
    for (end = first; end < machine->n_buses && is_mmio(&machine->buses[end]);) {
        end++;
    }
    for (; first + 1 < end; first++) {
        OstlerMachineBus bus = machine->buses[first];
        machine->buses[first] = machine->buses[--end];
        machine->buses[end] = bus;
    }
}

/*
 * A kernel finds virtio-mmio transports in the order of the device tree, and riscv64's
 * virt writes the highest first (QEMU 7.2): then the highest is the first to be taken.
 */
static void coroutine_fn order_mmio(Probe *probe)
{
    static const char *const mmio[] = { "virtio-mmio-bus", NULL };
    g_autofree char *tree = NULL, *path = NULL;
    gsize size = 0;
    int fd = -1;

    if (!ostler_machine_find_bus(probe->machine, mmio) ||
        !ostler_machine_has_property(probe->machine, "dumpdtb") ||
        (fd = g_file_open_tmp("ostler-tree-XXXXXX", &path, NULL)) < 0) {
        return;
    }
    close(fd);
    g_autofree char *with_dump =
        g_strdup_printf("%s,dumpdtb=%s", probe->machine->name, path);
    const char *const argv[] = {
        probe->machine->emulator,
        "-S",
        "-nodefaults",
        "-display",
        "none",
        "-audiodev",
        "none,id=nosound",
        "-machine",
        with_dump,
        NULL,
    };
    OstlerProcessEnd end;
    g_autofree char *said = ostler_emulator_run(argv, TREE_MS, &end, NULL);
    if (g_file_get_contents(path, &tree, &size, NULL) &&
        node_address(tree, size, false) > node_address(tree, size, true)) {
        reverse_mmio(probe->machine);
    }
    g_unlink(path);
}

#define FLASH(size) "if=pflash,driver=null-co,read-zeroes=on,size=" size

/* Tried in this order on a machine that does not start bare. */
static const struct {
    const char *name; /* in "needs"; NULL: not the definition's business */
    const char *option;
    const char *value; /* NULL: the stand-in file */
    uint64_t flash_bytes;
} aids[] = {
    { NULL, "-m", "2G" },
    { "kernel", "-kernel", NULL },
    { "firmware", "-bios", NULL },
    { "flash", "-drive", FLASH("32M"), 32 * MIB },
    { "flash", "-drive", FLASH("16M"), 16 * MIB },
};

static bool make_stand_in(Probe *probe, GError **error)
{
    static const char zeroes[4096];
    int fd = g_file_open_tmp("ostler-image-XXXXXX", &probe->stand_in, error);

    if (fd < 0) {
        return false;
    }
    close(fd);
    return g_file_set_contents(probe->stand_in, zeroes, sizeof(zeroes), error);
}

static void set_args(Probe *probe, const char *option, const char *value)
{
    g_ptr_array_set_size(probe->args, 0);
    g_ptr_array_add(probe->args, (gpointer) "-machine");
    g_ptr_array_add(probe->args, probe->machine->name);
    if (option) {
        g_ptr_array_add(probe->args, (gpointer)option);
        g_ptr_array_add(probe->args, (gpointer)value);
    }
    g_ptr_array_add(probe->args, NULL);
}

static OstlerEmulator *coroutine_fn start_with_aid(Probe *probe, GError **error)
{
    if (!make_stand_in(probe, error)) {
        return NULL;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(aids); i++) {
        set_args(probe, aids[i].option,
                 aids[i].value ? aids[i].value : probe->stand_in);
        OstlerEmulator *emulator = ostler_emulator_start(
            probe->machine->emulator, (const char *const *)probe->args->pdata, NULL);
        if (emulator) {
            const char *const needs[] = { aids[i].name, NULL };
            probe->machine->needs = g_strdupv((char **)needs);
            probe->machine->flash_bytes = aids[i].flash_bytes;
            return emulator;
        }
    }
    return NULL;
}

/* Start the machine bare or with an aid; the error is what it said when bare. */
static OstlerEmulator *coroutine_fn start_machine(Probe *probe, GError **error)
{
    GError *refused = NULL;

    set_args(probe, NULL, NULL);
    OstlerEmulator *emulator = ostler_emulator_start(
        probe->machine->emulator, (const char *const *)probe->args->pdata, &refused);
    if (!emulator &&
        g_error_matches(refused, OSTLER_MACHINE_ERROR, OSTLER_MACHINE_ERROR_REFUSED)) {
        emulator = start_with_aid(probe, NULL);
    }
    if (!emulator) {
        g_propagate_error(error, refused);
        return NULL;
    }
    g_clear_error(&refused);
    return emulator;
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
    OstlerEmulator *bare = start_machine(&probe, error);
    if (bare) {
        probe.qmp = ostler_emulator_qmp(bare);
        look(&probe);
        ostler_emulator_stop(bare);
        look_wired(&probe);
        try_drives_and_memory(&probe);
        order_mmio(&probe);
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
    return sorted_texts(names);
}
