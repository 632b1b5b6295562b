/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/probe-private.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WIRES 4

/* What probe_look_wired() found behind the backends it named. */
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
    g_autoptr(json_object) address = probe_get_property(probe, device, "addr");
    const char *name = strrchr(bus_path, '/') + 1;
    unsigned slot = (unsigned)json_object_get_int(address) / 8;

    for (unsigned i = 0; i < probe->machine->n_buses; i++) {
        OstlerMachineBus *bus = &probe->machine->buses[i];
        if (probe_is_pci(bus->type) && strcmp(bus->name, name) == 0 &&
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
    g_autofree char *bus_path = probe_get_text(probe, device, "parent_bus");
    unsigned index = (unsigned)atoi(backend + strlen(backend) - 1) % MAX_WIRES;

    if (!bus_path) {
        return; /* the inner half of a device, as serial in isa-serial */
    }
    if (g_str_has_prefix(backend, "ask-serial-")) {
        g_free(wiring->serials[index]);
        wiring->serials[index] = g_strdup(type);
        return;
    }
    g_autofree char *bus_type = probe_get_text(probe, bus_path, "type");
    if (bus_type && probe_is_pci(bus_type)) {
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
    g_autoptr(json_object) members = probe_list_path(probe, path);

    for (size_t i = 0; members && i < json_object_array_length(members); i++) {
        json_object *member = json_object_array_get_idx(members, i);
        const char *name = ostler_json_find_string(member, "name");
        g_autofree char *type =
            probe_child_type(ostler_json_find_string(member, "type"));

        if (type && !probe_is_leaf(type) && depth < MAX_DEPTH) {
            g_autofree char *child = g_strdup_printf("%s/%s", path, name);
            walk_wires(probe, child, type, wiring, depth + 1);
        } else if (g_strcmp0(name, "netdev") == 0 || g_strcmp0(name, "chardev") == 0) {
            g_autofree char *backend = probe_get_text(probe, path, name);
            if (backend && g_str_has_prefix(backend, "ask-")) {
                note_wire(probe, path, own_type, backend, wiring);
            }
        }
    }
}

/* A console that is no device, as spike's HTIF, still opens its port. */
static void coroutine_fn note_open_ports(Probe *probe, Wiring *wiring)
{
    g_autoptr(json_object) ports = probe_ask(probe, "query-chardev", NULL);

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
void coroutine_fn probe_look_wired(Probe *probe)
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
