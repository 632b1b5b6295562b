/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan-screen.c - display, display card, sound */
#include "guest/planner.h"

#include <string.h>

#define VNC_BASE_PORT 5900 /* RFC 6143 section 9, display 0 */
#define VNC_DISPLAYS  99

static void add_vnc(OstlerPlanner *planner)
{
    const OstlerSection *display =
        ostler_definition_find(planner->definition, "display", NULL);
    const char *address = ostler_section_get(display, "address");
    bool is_v6 = strchr(address, ':') != NULL;
    uint64_t port = ostler_section_get_number(display, "port");
    GString *vnc = g_string_new(is_v6 ? "[" : "");

    ostler_option_escape(vnc, address);
    g_string_append(vnc, is_v6 ? "]" : "");
    if (port >= VNC_BASE_PORT) {
        g_string_append_printf(vnc, ":%" G_GUINT64_FORMAT, port - VNC_BASE_PORT);
    } else {
        g_string_append_printf(vnc, ":0,to=%d", VNC_DISPLAYS);
    }
    ostler_plan_add(planner, "-display", "none");
    ostler_plan_take(planner, "-vnc", vnc);
}

static bool add_spice(OstlerPlanner *planner, GError **error)
{
    const OstlerSection *display =
        ostler_definition_find(planner->definition, "display", NULL);
    GString *spice = g_string_new("disable-ticketing=on");

    if (ostler_section_has(display, "port")) {
        ostler_option(spice, "addr", ostler_section_get(display, "address"));
        ostler_option_number(spice, "port", ostler_section_get_number(display, "port"));
    } else {
        /* QEMU looks for no free port here, so a viewer comes by the run directory. */
        g_string_append(spice, ",unix=on,addr=spice.sock");
    }
    ostler_plan_add(planner, "-display", "none");
    ostler_plan_take(planner, "-spice", spice);
    return true;
}

static bool add_display(OstlerPlanner *planner, const char *type, GError **error)
{
    if (strcmp(type, "vnc") == 0) {
        add_vnc(planner);
        return true;
    }
    if (strcmp(type, "spice") == 0) {
        return add_spice(planner, error);
    }
    ostler_plan_add(planner, "-display", "%s", type);
    return true;
}

/* Cards that are PCI devices; what auto means is decided below. */
static const struct {
    const char *model;
    const char *device;
} cards[] = {
    { "std", "VGA" },
    { "qxl", "qxl-vga" },
    { "cirrus", "cirrus-vga" },
    { "vmware", "vmware-svga" },
    { "bochs", "bochs-display" },
    { "ati", "ati-vga" },
};

/* A PC's firmware and boot loaders know VGA; elsewhere virtio is what guests have. */
static const char *choose_card(const OstlerPlanner *planner)
{
    if (ostler_machine_has_onboard(planner->machine, "i8042") &&
        ostler_slots_has_pci(planner->slots)) {
        return "std";
    }
    return ostler_plan_has_virtio(planner) ? "virtio" : "none";
}

static bool add_card(OstlerPlanner *planner, const char *model, GError **error)
{
    if (strcmp(model, "auto") == 0) {
        model = choose_card(planner);
    }
    if (strcmp(model, "none") == 0) {
        return true;
    }
    if (strcmp(model, "virtio") == 0) {
        return ostler_plan_virtio(planner, "virtio-gpu", "video", "", "[video]", error);
    }
    if (strcmp(model, "ramfb") == 0) {
        ostler_plan_add(planner, "-device", "ramfb,id=video");
        return ostler_plan_need_device(planner, "ramfb", "[video]", error);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cards); i++) {
        if (strcmp(cards[i].model, model) == 0) {
            return ostler_plan_pci(planner, cards[i].device, "video", "", "[video]",
                                   error);
        }
    }
    g_assert_not_reached(); /* the vocabulary has no other word */
}

/* Sound cards; a codec hangs on the controller before it. */
static const struct {
    const char *model;
    const char *device;
    const char *codec; /* or NULL */
} sounds[] = {
    { "hda", "intel-hda", "hda-duplex" },
    { "ich9", "ich9-intel-hda", "hda-duplex" },
    { "ac97", "AC97", NULL },
    { "es1370", "ES1370", NULL },
    { "sb16", "sb16", NULL },
    { "usb", "usb-audio", NULL },
};

static bool add_sound(OstlerPlanner *planner, GError **error)
{
    static const char *const who = "[sound]";
    const char *model = ostler_definition_get(planner->definition, "sound", "model");
    unsigned row = 0;

    while (strcmp(sounds[row].model, model) != 0) {
        row++;
    }
    if (strcmp(model, "usb") == 0) {
        return ostler_plan_usb(planner, sounds[row].device, "sound", ",audiodev=audio",
                               who, error);
    }
    if (strcmp(model, "sb16") == 0) {
        ostler_plan_add(planner, "-device", "sb16,id=sound,audiodev=audio");
        return ostler_plan_need_device(planner, "sb16", who, error);
    }
    const char *options = sounds[row].codec ? "" : ",audiodev=audio";
    if (!ostler_plan_pci(planner, sounds[row].device, "sound", options, who, error)) {
        return false;
    }
    if (sounds[row].codec) {
        ostler_plan_add(planner, "-device", "%s,id=codec,bus=sound.0,audiodev=audio",
                        sounds[row].codec);
    }
    return true;
}

bool ostler_plan_screens(OstlerPlanner *planner, GError **error)
{
    const OstlerDefinition *definition = planner->definition;
    const OstlerSection *display = ostler_definition_find(definition, "display", NULL);
    const OstlerSection *video = ostler_definition_find(definition, "video", NULL);
    const char *type = display ? ostler_section_get(display, "type") : "none";
    const char *model = video ? ostler_section_get(video, "model") : "auto";
    bool is_shown = strcmp(type, "none") != 0;

    /* Without a backend a board's own sound looks for the host's. */
    ostler_plan_add(planner, "-audiodev", "%s,id=audio",
                    strcmp(type, "spice") == 0 ? "spice" : "none");
    if (!add_display(planner, type, error)) {
        return false;
    }
    if ((is_shown || strcmp(model, "auto") != 0) && !add_card(planner, model, error)) {
        return false;
    }
    return !ostler_definition_find(definition, "sound", NULL) ||
           add_sound(planner, error);
}
