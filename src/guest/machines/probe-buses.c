/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/probe-private.h"

#include <stdlib.h>
#include <string.h>

#define MAX_USB_PORTS 16

/* The devfn of the device that @link of the bus points to. */
static unsigned coroutine_fn get_devfn(Probe *probe, const char *bus_path,
                                       const char *link)
{
    g_autofree char *device = probe_get_text(probe, bus_path, link);
    g_autoptr(json_object) address =
        device ? probe_get_property(probe, device, "addr") : NULL;

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
    g_autoptr(json_object) members = probe_list_path(probe, path);
    g_autoptr(GArray) taken = g_array_new(false, false, sizeof(unsigned));

    for (size_t i = 0; members && i < json_object_array_length(members); i++) {
        json_object *member = json_object_array_get_idx(members, i);
        const char *name = ostler_json_find_string(member, "name");
        if (name && g_str_has_prefix(name, "child[")) {
            unsigned devfn = probe_is_pci(type) ? get_devfn(probe, path, name) : 0;
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
    g_autoptr(json_object) members = probe_list_path(probe, path);

    for (size_t i = 0; members && i < json_object_array_length(members); i++) {
        json_object *member = json_object_array_get_idx(members, i);
        g_autofree char *type =
            probe_child_type(ostler_json_find_string(member, "type"));
        if (!type || probe_is_leaf(type) || depth == MAX_DEPTH) {
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
        probe_ask(probe, "device_add",
                  ostler_json_object("driver", probe_text(type), "bus", probe_text(bus),
                                     "port", probe_text(number), NULL));
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

/* The buses of the bare machine, in the order that devices are given to them. */
void coroutine_fn probe_look_at_buses(Probe *probe)
{
    OstlerMachine *machine = probe->machine;

    walk(probe, "/machine", "", 0);
    g_array_sort(probe->buses, by_bus_name);
    machine->onboard = probe_sorted_texts(probe->onboard);
    machine->n_buses = probe->buses->len;
    machine->buses = (OstlerMachineBus *)g_array_steal(probe->buses, NULL);
    for (unsigned i = 0; i < machine->n_buses; i++) {
        OstlerMachineBus *bus = &machine->buses[i];
        if (strcmp(bus->type, "usb-bus") == 0) {
            look_at_usb(probe, bus);
        }
    }
}
