/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* <serial>, <console>, <parallel>, <channel>: character devices and where they lead. */
#include <string.h>

#include "guest/import/parts.h"

#define NO_BACKEND "The port leads nowhere: a definition has no such backend"

/* libvirt's @type and ours.  @place: where the path is, and which key carries it. */
static const struct {
    const char *from;
    const char *to;
    const char *step;
    const char *key;
    const char *why;
} types[] = {
    { "pty", "pty" },
    { "file", "file", "source/@path", "path" },
    { "unix", "socket", "source/@path", "path" },
    { "dev", "device", "source/@path", "path" },
    { "pipe", "pipe", "source/@path", "path" },
    { "null", "none" },
    { "stdio", "console", .why = "The guest's console is there for any terminal" },
    { "tcp", "tcp" },
    { "spicevmc", "spice" },
    { "vc", "none", .why = NO_BACKEND },
    { "udp", "none", .why = NO_BACKEND },
    { "spiceport", "none", .why = NO_BACKEND },
    { "dbus", "none", .why = NO_BACKEND },
    { "nmdm", "none", .why = NO_BACKEND },
};

/* A TCP port is waited on or called, by @mode; with QEMU telnet is a word of its own. */
static void read_tcp(OstlerImporter *import, xmlNode *node, OstlerSection *section)
{
    const char *mode = ostler_import_take(import, node, "source/@mode");
    const char *host = ostler_import_take(import, node, "source/@host");
    const char *port = ostler_import_take(import, node, "source/@service");
    const char *protocol = ostler_import_peek(import, node, "protocol/@type");
    bool is_server = g_strcmp0(mode, "bind") == 0;
    g_autofree char *place =
        g_strdup_printf("%s:%s", host ? host : "127.0.0.1", port ? port : "");

    if (g_strcmp0(protocol, "raw") == 0) {
        ostler_import_take(import, node, "protocol/@type");
    }
    ostler_import_set(import, node, section, is_server ? "listen" : "connect", place);
}

static void read_type(OstlerImporter *import, xmlNode *node, OstlerSection *section,
                      size_t i)
{
    if (types[i].why) {
        ostler_import_change(import, node, "@type", "%s", types[i].why);
    } else {
        ostler_import_take(import, node, "@type");
    }
    ostler_import_set(import, node, section, "type", types[i].to);
    if (types[i].step) {
        ostler_import_carry(import, node, section, types[i].step, types[i].key);
    }
    if (strcmp(types[i].to, "tcp") == 0) {
        read_tcp(import, node, section);
    }
    if (strcmp(types[i].to, "socket") != 0) {
        return;
    }
    if (g_strcmp0(ostler_import_peek(import, node, "source/@mode"), "connect") == 0) {
        ostler_import_change(import, node, "source/@mode",
                             "QEMU listens on the socket, and the other side connects");
    } else {
        ostler_import_take(import, node, "source/@mode");
    }
}

static void read_backend(OstlerImporter *import, xmlNode *node, OstlerSection *section)
{
    const char *type = ostler_import_peek(import, node, "@type");

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_strcmp0(type, types[i].from) == 0) {
            read_type(import, node, section, i);
            return;
        }
    }
    ostler_import_set(import, node, section, "type", "none");
    ostler_import_change(import, node, "@type", NO_BACKEND);
}

static OstlerSection *add_numbered(OstlerImporter *import, xmlNode *node,
                                   const char *kind)
{
    g_autofree char *label =
        g_strdup_printf("%u", ostler_definition_count(import->definition, kind));

    return ostler_import_add(import, node, kind, label);
}

/* --- serial and console --------------------------------------------------------- */

/* The first port of the kind that virsh console opens is what ostler console opens. */
static void offer_console(OstlerImporter *import, xmlNode *node, OstlerSection *section)
{
    const char *type = ostler_section_get(section, "type");

    if (!import->has_console && strcmp(type, "pty") == 0) {
        ostler_import_take(import, node, "source/@path");
        ostler_import_set(import, node, section, "type", "console");
        import->has_console = true;
    }
}

static const OstlerImportWord serial_targets[] = {
    { "isa-serial", "isa" },
    { "pci-serial", "pci" },
    { "usb-serial", "usb" },
    { "system-serial", "auto" },
    { "serial", "auto" },
    { "virtio", "virtio" },
    { NULL },
};

static const OstlerImportCarry serial_rows[] = {
    { "target/@type", "model", serial_targets },
    { NULL },
};

/* Ports that are no serial ports at all in QEMU. */
static bool is_foreign(OstlerImporter *import, xmlNode *node)
{
    static const char *const foreign[] = { "isa-debug", "xen",    "lxc", "uml",
                                           "openvz",    "sclplm", NULL };
    const char *target = ostler_import_peek(import, node, "target/@type");

    return target && g_strv_contains(foreign, target);
}

void ostler_import_serial(OstlerImporter *import, xmlNode *node)
{
    if (is_foreign(import, node)) {
        ostler_import_drop(import, node, "", "A definition has no such port");
        return;
    }

    OstlerSection *section = add_numbered(import, node, "serial");
    if (!section) {
        return;
    }
    read_backend(import, node, section);
    offer_console(import, node, section);
    ostler_import_carry_all(import, node, section, serial_rows);
}

static bool is_virtio(OstlerImporter *import, xmlNode *console)
{
    return g_strcmp0(ostler_import_peek(import, console, "target/@type"), "virtio") ==
           0;
}

/* libvirt shows the first serial port a second time, as <console>. */
void ostler_import_console(OstlerImporter *import, xmlNode *node)
{
    if (!is_virtio(import, node) && ostler_import_first(node->parent, "serial")) {
        ostler_import_excuse(import, node, "", "The serial port once more");
    } else {
        ostler_import_serial(import, node);
    }
}

void ostler_import_parallel(OstlerImporter *import, xmlNode *node)
{
    OstlerSection *section = add_numbered(import, node, "parallel");

    if (section) {
        read_backend(import, node, section);
    }
}

/* --- channels ------------------------------------------------------------------- */

/* virDomainChrDefParseTargetXML(): what a Spice channel is called without a name. */
#define SPICE_NAME "com.redhat.spice.0"

void ostler_import_channel(OstlerImporter *import, xmlNode *node)
{
    const char *target = ostler_import_take(import, node, "target/@type");
    const char *type = ostler_import_peek(import, node, "@type");
    const char *name = ostler_import_peek(import, node, "target/@name");

    if (g_strcmp0(target, "virtio") != 0 || g_strcmp0(type, "qemu-vdagent") == 0) {
        ostler_import_drop(import, node, "",
                           "A definition has channels over virtio "
                           "only, to a file, a socket or a viewer");
        return;
    }

    OstlerSection *section =
        ostler_import_add(import, node, "channel", name ? name : "channel");
    if (!section) {
        return;
    }
    read_backend(import, node, section);
    if (name) {
        ostler_import_carry(import, node, section, "target/@name", "name");
    } else if (g_strcmp0(type, "spicevmc") == 0) {
        ostler_import_set(import, node, section, "name", SPICE_NAME);
    }
    ostler_import_take(import, node, "target/@state");
}
