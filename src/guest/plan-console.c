/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan-console.c - monitors, serial ports, the console */
#include "guest/planner.h"

#include <string.h>

bool ostler_plan_monitors(OstlerPlanner *planner, GError **error)
{
    static const char *const names[] = { "qmp", "qmp-user" };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        ostler_plan_listen(planner, names[i], names[i]);
        ostler_plan_add(planner, "-mon", "chardev=%s,mode=control", names[i]);
    }
    return true;
}

/* The first port of type console is the console; each further one its own socket. */
static void add_console(OstlerPlanner *planner, const char *id, const char *label)
{
    if (!planner->console) {
        planner->console = g_strdup("console");
        ostler_plan_listen(planner, id, "console");
        return;
    }
    g_autofree char *name = g_strdup_printf("serial-%s", label);
    ostler_plan_listen(planner, id, name);
}

static void add_path(OstlerPlanner *planner, const char *type, const char *id,
                     const char *path, const char *more)
{
    GString *chardev = g_string_new(type);

    ostler_option(chardev, "id", id);
    ostler_option(chardev, "path", path);
    g_string_append(chardev, more);
    ostler_plan_take(planner, "-chardev", chardev);
}

static bool add_chardev(OstlerPlanner *planner, const OstlerSection *serial,
                        const char *id, const char *who, GError **error)
{
    const char *type = ostler_section_get(serial, "type");
    const char *path = ostler_section_get(serial, "path");

    if (strcmp(type, "file") == 0 && !path) {
        return ostler_plan_unsupported(error, "%s leads to a file, but has no path",
                                       who);
    }
    if (strcmp(type, "file") == 0) {
        add_path(planner, "file", id, path, "");
    } else if (strcmp(type, "socket") == 0 && path) {
        add_path(planner, "socket", id, path, ",server=on,wait=off");
    } else if (strcmp(type, "pty") == 0) {
        ostler_plan_add(planner, "-chardev", "pty,id=%s", id);
    } else if (strcmp(type, "none") == 0) {
        ostler_plan_add(planner, "-chardev", "null,id=%s", id);
    } else {
        add_console(planner, id, ostler_section_label(serial));
    }
    return true;
}

/* A machine without a serial port of its own still has a console where virtio is. */
static bool attach_virtio(OstlerPlanner *planner, const char *id, const char *who,
                          GError **error)
{
    if (!planner->has_virtio_serial &&
        !ostler_plan_virtio(planner, "virtio-serial", "consoles", "", who, error)) {
        return false;
    }
    planner->has_virtio_serial = true;
    ostler_plan_add(planner, "-device", "virtconsole,bus=consoles.0,chardev=%s", id);
    return true;
}

static bool attach(OstlerPlanner *planner, const char *id, const char *who,
                   GError **error)
{
    bool has_own = planner->machine->serials && planner->machine->serials[0];

    if (!has_own && ostler_plan_has_virtio(planner)) {
        return attach_virtio(planner, id, who, error);
    }
    int index = ostler_slots_take_serial(planner->slots, who, error);
    if (index < 0) {
        return false;
    }
    ostler_plan_add(planner, "-serial", "chardev:%s", id);
    ostler_plan_became(planner, who, planner->machine->serials[index], NULL);
    return true;
}

bool ostler_plan_serials(OstlerPlanner *planner, GError **error)
{
    const OstlerSection *first = ostler_definition_first(planner->definition, "serial");

    if (!first) {
        add_console(planner, "console", NULL);
        return attach(planner, "console", "the console", error);
    }
    for (const OstlerSection *serial = first; serial;
         serial = ostler_section_next(serial, "serial")) {
        g_autofree char *id = ostler_plan_id(planner, serial);
        g_autofree char *who = ostler_plan_who(serial);
        if (!add_chardev(planner, serial, id, who, error) ||
            !attach(planner, id, who, error)) {
            return false;
        }
    }
    return true;
}
