/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan-ports.c - monitors, serial and parallel ports, channels, the console */
#include "guest/planner.h"

#include <string.h>

#define VIRTIO_SERIAL "ports" /* the id of the one controller that all share */

bool ostler_plan_monitors(OstlerPlanner *planner, GError **error)
{
    static const char *const names[] = { "qmp", "qmp-user" };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        ostler_plan_listen(planner, names[i], names[i]);
        ostler_plan_add(planner, "-mon", "chardev=%s,mode=control", names[i]);
    }
    return true;
}

/* A port of the definition on its way to a -chardev. */
typedef struct {
    const OstlerSection *section;
    char *id;
    char *who;
} Port;

static void clear_port(Port *port)
{
    g_free(port->id);
    g_free(port->who);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Port, clear_port)

static Port new_port(const OstlerSection *section)
{
    return (Port){
        .section = section,
        .id = ostler_plan_id(section),
        .who = ostler_plan_who(section),
    };
}

typedef bool AddChardev(OstlerPlanner *planner, const Port *port, GError **error);

/* -chardev @type,id=,path= with @more; an error when there is no path. */
static bool add_path(OstlerPlanner *planner, const Port *port, const char *type,
                     const char *more, GError **error)
{
    const char *path = ostler_section_get(port->section, "path");
    if (!path) {
        return ostler_plan_unsupported(error, "%s needs a path", port->who);
    }

    GString *chardev = g_string_new(type);
    ostler_option(chardev, "id", port->id);
    ostler_option(chardev, "path", path);
    g_string_append(chardev, more);
    ostler_plan_take(planner, "-chardev", chardev);
    return true;
}

/* "serial-LABEL": the listener of a port that names no path. */
static void listen_by_label(OstlerPlanner *planner, const Port *port)
{
    g_autofree char *name = g_strdup_printf("%s-%s", ostler_section_kind(port->section),
                                            ostler_section_label(port->section));
    ostler_plan_listen(planner, port->id, name);
}

/* The first port of type console is the console; each further one its own socket. */
static bool add_console(OstlerPlanner *planner, const Port *port, GError **error)
{
    if (planner->console) {
        listen_by_label(planner, port);
        return true;
    }
    planner->console = g_strdup("console");
    ostler_plan_listen(planner, port->id, "console");
    return true;
}

static bool add_socket(OstlerPlanner *planner, const Port *port, GError **error)
{
    if (ostler_section_has(port->section, "path")) {
        return add_path(planner, port, "socket", ",server=on,wait=off", error);
    }
    listen_by_label(planner, port);
    return true;
}

static bool add_file(OstlerPlanner *planner, const Port *port, GError **error)
{
    return add_path(planner, port, "file", "", error);
}

static bool add_device(OstlerPlanner *planner, const Port *port, GError **error)
{
    bool is_parallel = strcmp(ostler_section_kind(port->section), "parallel") == 0;
    return add_path(planner, port, is_parallel ? "parport" : "serial", "", error);
}

static bool add_pipe(OstlerPlanner *planner, const Port *port, GError **error)
{
    return add_path(planner, port, "pipe", "", error);
}

static bool add_pty(OstlerPlanner *planner, const Port *port, GError **error)
{
    ostler_plan_add(planner, "-chardev", "pty,id=%s", port->id);
    return true;
}

static bool add_nothing(OstlerPlanner *planner, const Port *port, GError **error)
{
    ostler_plan_add(planner, "-chardev", "null,id=%s", port->id);
    return true;
}

static bool add_spice(OstlerPlanner *planner, const Port *port, GError **error)
{
    ostler_plan_add(planner, "-chardev", "spicevmc,id=%s,name=vdagent", port->id);
    return true;
}

/* ADDRESS:PORT, where an IPv6 address stands in brackets. */
static bool add_tcp(OstlerPlanner *planner, const Port *port, GError **error)
{
    const char *listen = ostler_section_get(port->section, "listen");
    const char *connect = ostler_section_get(port->section, "connect");
    const char *address = listen ? listen : connect;
    const char *colon = address ? strrchr(address, ':') : NULL;
    if (!colon) {
        return ostler_plan_unsupported(
            error, "%s needs listen or connect, as ADDRESS:PORT", port->who);
    }

    bool is_bracketed = *address == '[' && colon > address && colon[-1] == ']';
    g_autofree char *host =
        g_strndup(address + is_bracketed, (gsize)(colon - address) - 2 * is_bracketed);
    GString *chardev = g_string_new("socket");
    ostler_option(chardev, "id", port->id);
    ostler_option(chardev, "host", host);
    ostler_option(chardev, "port", colon + 1);
    g_string_append(chardev, listen ? ",server=on,wait=off" : ",reconnect=1");
    ostler_plan_take(planner, "-chardev", chardev);
    return true;
}

static const struct {
    const char *type;
    AddChardev *add;
} chardevs[] = {
    { "console", add_console }, { "socket", add_socket }, { "file", add_file },
    { "pty", add_pty },         { "device", add_device }, { "pipe", add_pipe },
    { "tcp", add_tcp },         { "spice", add_spice },   { "none", add_nothing },
};

static bool add_chardev(OstlerPlanner *planner, const Port *port, GError **error)
{
    const char *type = ostler_section_get(port->section, "type");

    for (unsigned i = 0; i < G_N_ELEMENTS(chardevs); i++) {
        if (strcmp(chardevs[i].type, type) == 0) {
            return chardevs[i].add(planner, port, error);
        }
    }
    g_assert_not_reached(); /* the vocabulary has no other word */
}

static bool need_virtio_serial(OstlerPlanner *planner, GError **error)
{
    if (planner->has_virtio_serial) {
        return true;
    }
    planner->has_virtio_serial = true;
    return ostler_plan_virtio(planner, "virtio-serial", VIRTIO_SERIAL, "",
                              "the virtio serial controller", error);
}

static bool attach_own(OstlerPlanner *planner, const char *id, const char *who,
                       GError **error)
{
    int index = ostler_slots_take_serial(planner->slots, who, error);
    if (index < 0) {
        return false;
    }
    ostler_plan_add(planner, "-serial", "chardev:%s", id);
    ostler_plan_became(planner, who, planner->machine->serials[index], NULL);
    return true;
}

static bool attach_virtio(OstlerPlanner *planner, const char *id, const char *who,
                          GError **error)
{
    if (!need_virtio_serial(planner, error)) {
        return false;
    }
    ostler_plan_add(planner, "-device",
                    "virtconsole,id=%s-port,bus=" VIRTIO_SERIAL ".0,chardev=%s", id,
                    id);
    g_autofree char *port = g_strdup_printf("%s-port", id);
    ostler_plan_became(planner, who, "virtconsole", port);
    return true;
}

/* The machine's own port while there is one, then a console over virtio. */
static bool attach_auto(OstlerPlanner *planner, const char *id, const char *who,
                        GError **error)
{
    if (ostler_slots_serials_left(planner->slots) > 0 ||
        !ostler_plan_has_virtio(planner)) {
        return attach_own(planner, id, who, error);
    }
    return attach_virtio(planner, id, who, error);
}

static bool attach_serial(OstlerPlanner *planner, const Port *port, GError **error)
{
    const char *model = ostler_section_get(port->section, "model");
    g_autofree char *options = g_strdup_printf(",chardev=%s", port->id);
    g_autofree char *id = g_strdup_printf("%s-port", port->id);

    if (strcmp(model, "virtio") == 0) {
        return attach_virtio(planner, port->id, port->who, error);
    }
    if (strcmp(model, "pci") == 0) {
        return ostler_plan_pci(planner, "pci-serial", id, options, port->who, error);
    }
    if (strcmp(model, "usb") == 0) {
        return ostler_plan_usb(planner, "usb-serial", id, options, port->who, error);
    }
    if (strcmp(model, "isa") == 0) {
        return attach_own(planner, port->id, port->who, error);
    }
    return attach_auto(planner, port->id, port->who, error);
}

/* Without any [serial] there is a console all the same, where the machine can. */
static bool add_default_console(OstlerPlanner *planner, GError **error)
{
    if (ostler_slots_serials_left(planner->slots) == 0 &&
        !ostler_plan_has_virtio(planner)) {
        ostler_plan_note(planner, "The machine '%s' has no port for a console",
                         planner->machine->name);
        return true;
    }
    planner->console = g_strdup("console");
    ostler_plan_listen(planner, "console", "console");
    return attach_auto(planner, "console", "the console", error);
}

bool ostler_plan_serials(OstlerPlanner *planner, GError **error)
{
    const OstlerSection *serial =
        ostler_definition_first(planner->definition, "serial");

    if (!serial) {
        return add_default_console(planner, error);
    }
    for (; serial; serial = ostler_section_next(serial, "serial")) {
        g_auto(Port) port = new_port(serial);
        if (!add_chardev(planner, &port, error) ||
            !attach_serial(planner, &port, error)) {
            return false;
        }
    }
    return true;
}

bool ostler_plan_parallels(OstlerPlanner *planner, GError **error)
{
    static const char *const isa[] = { "ISA", NULL };

    for (const OstlerSection *section =
             ostler_definition_first(planner->definition, "parallel");
         section; section = ostler_section_next(section, "parallel")) {
        g_auto(Port) port = new_port(section);
        if (!ostler_machine_find_bus(planner->machine, isa)) {
            return ostler_plan_unsupported(error,
                                           "The machine '%s' has no ISA bus for %s",
                                           planner->machine->name, port.who);
        }
        if (!ostler_plan_need_device(planner, "isa-parallel", port.who, error) ||
            !add_chardev(planner, &port, error)) {
            return false;
        }
        ostler_plan_add(planner, "-device", "isa-parallel,id=%s-port,chardev=%s",
                        port.id, port.id);
    }
    return true;
}

bool ostler_plan_channels(OstlerPlanner *planner, GError **error)
{
    for (const OstlerSection *section =
             ostler_definition_first(planner->definition, "channel");
         section; section = ostler_section_next(section, "channel")) {
        const char *name = ostler_section_get(section, "name");
        g_auto(Port) port = new_port(section);
        if (!add_chardev(planner, &port, error) ||
            !need_virtio_serial(planner, error)) {
            return false;
        }
        GString *device = g_string_new("virtserialport,bus=" VIRTIO_SERIAL ".0");
        g_string_append_printf(device, ",id=%s-port,chardev=%s", port.id, port.id);
        ostler_option(device, "name", name ? name : ostler_section_label(section));
        ostler_plan_take(planner, "-device", device);
    }
    return true;
}
