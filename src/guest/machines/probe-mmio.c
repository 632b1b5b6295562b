/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/probe-private.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define TREE_MS 1500 /* a board whose tree comes from a file writes none */

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
void coroutine_fn probe_order_mmio(Probe *probe)
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
