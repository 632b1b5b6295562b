/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan-usb.c - shares and input devices */
#include "guest/planner.h"

#include <string.h>

/* One usb-redir carries all shares: each is a storage of one MTP device. */
bool ostler_plan_shares(OstlerPlanner *planner, GError **error)
{
    const OstlerSection *share = ostler_definition_first(planner->definition, "share");
    if (!share) {
        return true;
    }

    g_autofree char *who = ostler_plan_who(share);
    ostler_plan_listen(planner, "shares", "shares");
    return ostler_plan_usb(planner, "usb-redir", "share", ",chardev=shares", who,
                           error);
}

/* What an input device is called on each bus; NULL: the machine has it built in. */
static const struct {
    const char *type;
    const char *usb;
    const char *virtio; /* before -pci or -device */
} inputs[] = {
    { "keyboard", "usb-kbd", "virtio-keyboard" },
    { "mouse", "usb-mouse", "virtio-mouse" },
    { "tablet", "usb-tablet", "virtio-tablet" },
};

static bool has_ps2(const OstlerPlanner *planner)
{
    return ostler_machine_has_onboard(planner->machine, "i8042") ||
           ostler_machine_has_onboard(planner->machine, "pl050_keyboard");
}

static bool offers_usb(const OstlerPlanner *planner)
{
    return ostler_slots_has_usb(planner->slots) || ostler_slots_has_pci(planner->slots);
}

static bool add_input(OstlerPlanner *planner, const OstlerSection *section,
                      GError **error)
{
    const char *type = ostler_section_get(section, "type");
    const char *bus = ostler_section_get(section, "bus");
    g_autofree char *id = ostler_plan_id(section);
    g_autofree char *who = ostler_plan_who(section);
    unsigned row = 0;

    while (strcmp(inputs[row].type, type) != 0) {
        row++; /* the vocabulary has no other word */
    }
    if (strcmp(bus, "ps2") == 0) {
        return has_ps2(planner) ||
               ostler_plan_unsupported(error, "The machine '%s' has no PS/2 for %s",
                                       planner->machine->name, who);
    }
    if (strcmp(bus, "virtio") == 0 ||
        (strcmp(bus, "auto") == 0 && !offers_usb(planner))) {
        return ostler_plan_virtio(planner, inputs[row].virtio, id, "", who, error);
    }
    return ostler_plan_usb(planner, inputs[row].usb, id, "", who, error);
}

bool ostler_plan_inputs(OstlerPlanner *planner, GError **error)
{
    for (const OstlerSection *input =
             ostler_definition_first(planner->definition, "input");
         input; input = ostler_section_next(input, "input")) {
        if (!add_input(planner, input, error)) {
            return false;
        }
    }
    return true;
}
