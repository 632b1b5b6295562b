/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/import/not-needed.h"

#include <glib.h>
#include <string.h>

#define ADDRESS                                                                        \
    "Devices get their places anew, in the order of the definition; names that the "   \
    "guest derives from them (enp1s0) may change"
#define SECLABEL  "Guests run as the user who starts them, without labels of their own"
#define ALIAS     "Libvirt's own name for the device"
#define BUS       "Buses and bridges are planned from what the devices need"
#define DEFAULT   "This is what QEMU does anyway"
#define RUN_STATE "State of a run, not of the guest"

/* '*' stands for anything, slashes too.  @value NULL: whatever it is. */
static const struct {
    const char *path;
    const char *value;
    const char *why;
} rows[] = {
    { "/domain/@id", NULL, RUN_STATE },
    { "/domain/metadata", NULL, "Notes that other programs keep" },
    { "/domain/devices/*/alias", NULL, ALIAS },
    { "/domain/devices/*/address", NULL, ADDRESS },
    { "/domain/devices/*/acpi", NULL, ADDRESS },
    { "/domain/devices/*/seclabel", NULL, SECLABEL },
    { "/domain/seclabel", NULL, SECLABEL },
    { "/domain/resource", NULL, "There is no group of resources: no daemon, no root" },
    { "/domain/resource/*", NULL,
      "There is no group of resources: no daemon, no root" },
    { "/domain/currentMemory", NULL, "The guest starts with all of its memory" },
    { "/domain/vcpu/@placement", NULL, "Where CPUs run is the host's choice" },
    { "/domain/cpu/@check", NULL, "Only libvirt compares what QEMU made of the CPU" },
    { "/domain/cpu/@match", "exact", DEFAULT },
    { "/domain/cpu/model/@fallback", NULL, "There is no fallback model to choose" },
    { "/domain/features/pae", NULL, "Every processor model that could use it has PAE" },
    { "/domain/os/boot", "hd", "Disks boot in the order of the definition" },
    { "/domain/devices/controller", NULL, BUS },
    { "/domain/devices/controller/*", NULL, BUS },
    { "/domain/devices/hub", NULL, BUS },
    { "/domain/devices/disk/@snapshot", NULL, "Only libvirt's snapshots read it" },
    { "/domain/devices/disk/driver/@name", "qemu", DEFAULT },
    { "/domain/devices/disk/source/@index", NULL, ALIAS },
    { "/domain/devices/disk/source/@startupPolicy", NULL,
      "A missing file is found when the guest is started" },
    { "/domain/devices/disk/target/@tray", "closed", DEFAULT },
    { "/domain/devices/disk/backingStore", NULL,
      "The image itself names what lies below it" },
    { "/domain/devices/disk/mirror", NULL, RUN_STATE },
    { "/domain/devices/interface/target/@dev", NULL,
      "The host side's name; there is no host device" },
    { "/domain/devices/hostdev/@managed", NULL,
      "Binding the device to vfio-pci is the host's business" },
    { "/domain/devices/interface/@managed", NULL,
      "Binding the device to vfio-pci is the host's business" },
    { "/domain/devices/*/driver/@name", "vfio", DEFAULT },
    { "/domain/devices/serial/target/model", NULL, "The machine's own kind of port" },
    { "/domain/devices/console/target/model", NULL, "The machine's own kind of port" },
    { "/domain/features/hyperv/@mode", "custom", DEFAULT },
    { "/domain/devices/video/model/@heads", "1", DEFAULT },
    { "/domain/devices/video/model/@primary", NULL,
      "The first of the definition is the primary one" },
    { "/domain/devices/*/target/@port", NULL, "Ports are counted anew" },
};

static void append_path(GString *path, const xmlNode *node)
{
    if (node->parent && node->parent->type == XML_ELEMENT_NODE) {
        append_path(path, node->parent);
    }
    g_string_append_printf(path, "/%s%s%s",
                           node->ns && node->ns->prefix ? (char *)node->ns->prefix : "",
                           node->ns && node->ns->prefix ? ":" : "", node->name);
}

char *ostler_import_plain_path(const xmlNode *element, const xmlAttr *attribute)
{
    GString *path = g_string_new(NULL);

    append_path(path, element);
    if (attribute) {
        g_string_append_printf(path, "/@%s", attribute->name);
    }
    return g_string_free(path, FALSE);
}

const char *ostler_import_not_needed(const char *path, const char *value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_pattern_match_simple(rows[i].path, path) &&
            (!rows[i].value || g_strcmp0(rows[i].value, value) == 0)) {
            return rows[i].why;
        }
    }
    return NULL;
}
