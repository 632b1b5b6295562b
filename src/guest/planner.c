/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/planner.h"

#include <string.h>

#define FIRST_FD   10 /* leaves room below for what process.h sets up */
#define XHCI_PORTS 15 /* QEMU hw/usb/hcd-xhci.h, XHCI_MAXPORTS_2 */

void ostler_plan_add(OstlerPlanner *planner, const char *option, const char *format,
                     ...)
{
    va_list args;

    g_ptr_array_add(planner->argv, g_strdup(option));
    va_start(args, format);
    g_ptr_array_add(planner->argv, g_strdup_vprintf(format, args));
    va_end(args);
}

void ostler_plan_take(OstlerPlanner *planner, const char *option, GString *value)
{
    g_ptr_array_add(planner->argv, g_strdup(option));
    g_ptr_array_add(planner->argv, g_string_free(value, false));
}

void ostler_plan_note(OstlerPlanner *planner, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(planner->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

void ostler_option_escape(GString *options, const char *text)
{
    for (; *text; text++) {
        g_string_append_c(options, *text);
        if (*text == ',') {
            g_string_append_c(options, ',');
        }
    }
}

void ostler_option(GString *options, const char *key, const char *value)
{
    g_string_append_printf(options, ",%s=", key);
    ostler_option_escape(options, value);
}

void ostler_option_number(GString *options, const char *key, uint64_t value)
{
    g_string_append_printf(options, ",%s=%" G_GUINT64_FORMAT, key, value);
}

static unsigned position(const OstlerPlanner *planner, const OstlerSection *section)
{
    const char *kind = ostler_section_kind(section);
    unsigned n = 0;

    for (const OstlerSection *s = ostler_definition_first(planner->definition, kind);
         s && s != section; s = ostler_section_next(s, kind)) {
        n++;
    }
    return n;
}

/* A label's letters are QEMU's too (definition.h; QEMU util/id.c). */
char *ostler_plan_id(const OstlerSection *section)
{
    const char *label = ostler_section_label(section);

    return label ? g_strdup_printf("%s-%s", ostler_section_kind(section), label)
                 : g_strdup(ostler_section_kind(section));
}

char *ostler_plan_who(const OstlerSection *section)
{
    const char *label = ostler_section_label(section);

    return label ? g_strdup_printf("[%s.%s]", ostler_section_kind(section), label)
                 : g_strdup_printf("[%s]", ostler_section_kind(section));
}

int ostler_plan_socket(OstlerPlanner *planner, OstlerPlanSocketType type,
                       const char *name)
{
    OstlerPlanSocket socket = {
        .type = type,
        .name = g_strdup(name),
        .target_fd = FIRST_FD + (int)planner->sockets->len,
    };
    g_array_append_val(planner->sockets, socket);
    return socket.target_fd;
}

void ostler_plan_listen(OstlerPlanner *planner, const char *id, const char *name)
{
    int fd = ostler_plan_socket(planner, OSTLER_PLAN_LISTENER, name);

    ostler_plan_add(planner, "-chardev", "socket,id=%s,fd=%d,server=on,wait=off", id,
                    fd);
}

void ostler_plan_became(OstlerPlanner *planner, const char *who, const char *type,
                        const char *id)
{
    OstlerPlanDevice device = {
        .who = g_strdup(who),
        .type = g_strdup(type),
        .id = g_strdup(id),
    };
    g_array_append_val(planner->devices, device);
}

bool ostler_plan_unsupported(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error) {
        *error = g_error_new_valist(OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_UNSUPPORTED,
                                    format, args);
    }
    va_end(args);
    return false;
}

bool ostler_plan_need_device(OstlerPlanner *planner, const char *type, const char *who,
                             GError **error)
{
    if (ostler_machine_has_device(planner->machine, type)) {
        return true;
    }
    return ostler_plan_unsupported(error, "'%s' has no device '%s' for %s",
                                   planner->machine->emulator, type, who);
}

bool ostler_plan_has_virtio(const OstlerPlanner *planner)
{
    return ostler_slots_transport(planner->slots) != OSTLER_TRANSPORT_NONE;
}

static GString *new_device(const char *type, const char *id, const char *options)
{
    GString *device = g_string_new(type);

    ostler_option(device, "id", id);
    g_string_append(device, options);
    return device;
}

static const char *virtio_suffix(OstlerTransport transport)
{
    return transport == OSTLER_TRANSPORT_PCI   ? "pci"
           : transport == OSTLER_TRANSPORT_CCW ? "ccw"
                                               : "device";
}

static bool take_virtio_place(OstlerPlanner *planner, GString *device, const char *who,
                              GError **error)
{
    switch (ostler_slots_transport(planner->slots)) {
    case OSTLER_TRANSPORT_PCI:
        return ostler_slots_take_pci(planner->slots, device, who, error);
    case OSTLER_TRANSPORT_CCW:
        ostler_slots_take_ccw(planner->slots, device);
        return true;
    default:
        return ostler_slots_take_mmio(planner->slots, device, who, error);
    }
}

bool ostler_plan_virtio(OstlerPlanner *planner, const char *kind, const char *id,
                        const char *options, const char *who, GError **error)
{
    OstlerTransport transport = ostler_slots_transport(planner->slots);
    if (transport == OSTLER_TRANSPORT_NONE) {
        return ostler_plan_unsupported(error,
                                       "The machine '%s' has no place for virtio, "
                                       "which %s needs",
                                       planner->machine->name, who);
    }

    g_autofree char *type = g_strdup_printf("%s-%s", kind, virtio_suffix(transport));
    if (!ostler_plan_need_device(planner, type, who, error)) {
        return false;
    }
    GString *device = new_device(type, id, options);
    if (!take_virtio_place(planner, device, who, error)) {
        g_string_free(device, true);
        return false;
    }
    ostler_plan_take(planner, "-device", device);
    ostler_plan_became(planner, who, type, id);
    return true;
}

bool ostler_plan_pci(OstlerPlanner *planner, const char *type, const char *id,
                     const char *options, const char *who, GError **error)
{
    if (!ostler_plan_need_device(planner, type, who, error)) {
        return false;
    }
    GString *device = new_device(type, id, options);
    if (!ostler_slots_take_pci(planner->slots, device, who, error)) {
        g_string_free(device, true);
        return false;
    }
    ostler_plan_take(planner, "-device", device);
    ostler_plan_became(planner, who, type, id);
    return true;
}

/* xHCI takes devices of every speed on every port, so it is added where it can be. */
static bool add_usb_controller(OstlerPlanner *planner, GError **error)
{
    g_autofree char *ports = g_strdup_printf(",p2=%d,p3=%d", XHCI_PORTS, XHCI_PORTS);

    if (!ostler_plan_pci(planner, "qemu-xhci", "usb", ports, "the USB controller",
                         error)) {
        return false;
    }
    ostler_slots_add_usb(planner->slots, "usb.0", XHCI_PORTS);
    return true;
}

static bool need_usb(OstlerPlanner *planner, const char *who, GError **error)
{
    if (ostler_slots_has_usb(planner->slots)) {
        return true;
    }
    if (ostler_slots_has_pci(planner->slots)) {
        return add_usb_controller(planner, error);
    }
    return ostler_plan_unsupported(
        error,
        "The machine '%s' has no USB, which %s needs, and no "
        "PCI to add it to",
        planner->machine->name, who);
}

/* Devices of QEMU whose descriptors have no high-speed configuration (hw/usb/dev-*). */
static bool is_full_speed(const char *type)
{
    static const char *const types[] = { "usb-net", "usb-audio", "usb-serial",
                                         "usb-hub", NULL };
    return g_strv_contains(types, type);
}

bool ostler_plan_usb(OstlerPlanner *planner, const char *type, const char *id,
                     const char *options, const char *who, GError **error)
{
    if (!need_usb(planner, who, error) ||
        !ostler_plan_need_device(planner, type, who, error)) {
        return false;
    }
    GString *device = new_device(type, id, options);
    if (!ostler_slots_take_usb(planner->slots, device, is_full_speed(type), who,
                               error)) {
        g_string_free(device, true);
        return false;
    }
    ostler_plan_take(planner, "-device", device);
    ostler_plan_became(planner, who, type, id);
    return true;
}

/* What boots without being told to: the disks, in their order. */
static unsigned default_boot_index(const OstlerPlanner *planner,
                                   const OstlerSection *section)
{
    if (strcmp(ostler_section_kind(section), "disk") != 0) {
        return 0;
    }
    return position(planner, section) + 1;
}

unsigned ostler_plan_boot_index(const OstlerPlanner *planner,
                                const OstlerSection *section)
{
    const OstlerSection *guest =
        ostler_definition_find(planner->definition, "guest", NULL);
    if (!ostler_section_has(guest, "boot")) {
        return default_boot_index(planner, section);
    }

    g_autofree const char **order = ostler_section_get_list(guest, "boot");
    g_autofree char *name = g_strdup_printf("%s.%s", ostler_section_kind(section),
                                            ostler_section_label(section));
    for (unsigned i = 0; order[i]; i++) {
        if (strcmp(order[i], name) == 0) {
            return i + 1;
        }
    }
    return 0;
}
