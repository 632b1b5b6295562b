/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/choose.h"

#include <string.h>

/* Whether a section of @kind exists whose @key is @word (NULL: any section). */
static bool any(const OstlerDefinition *definition, const char *kind, const char *key,
                const char *word)
{
    for (const OstlerSection *section = ostler_definition_first(definition, kind);
         section; section = ostler_section_next(section, kind)) {
        if (!key || g_strcmp0(ostler_section_get(section, key), word) == 0) {
            return true;
        }
    }
    return false;
}

static bool wants_usb(const OstlerDefinition *definition)
{
    return any(definition, "share", NULL, NULL) ||
           any(definition, "disk", "bus", "usb") ||
           any(definition, "input", "bus", "usb") ||
           any(definition, "serial", "model", "usb");
}

static bool can_have_usb(const OstlerMachine *machine)
{
    for (unsigned i = 0; i < machine->n_buses; i++) {
        const OstlerMachineBus *bus = &machine->buses[i];
        if (strcmp(bus->type, "PCI") == 0 || strcmp(bus->type, "PCIE") == 0 ||
            bus->n_ports > 0) {
            return true;
        }
    }
    return false;
}

/* The machine with usb=on, if that is how it comes to have USB; else NULL. */
static OstlerMachine *coroutine_fn probe_with_usb(const OstlerMachine *machine,
                                                  const char *emulator)
{
    if (strstr(machine->name, "usb=") || !ostler_machine_has_property(machine, "usb")) {
        return NULL;
    }

    g_autofree char *name = g_strdup_printf("%s,usb=on", machine->name);
    OstlerMachine *with = ostler_machine_probe(machine->arch, name, emulator, NULL);
    if (with && !can_have_usb(with)) {
        g_clear_pointer(&with, ostler_machine_free);
    }
    return with;
}

OstlerMachine *coroutine_fn ostler_machine_choose(const OstlerDefinition *definition,
                                                  char **out_note, GError **error)
{
    const char *emulator = ostler_definition_get(definition, "guest", "emulator");
    OstlerMachine *machine =
        ostler_machine_probe(ostler_definition_get(definition, "guest", "arch"),
                             ostler_definition_machine(definition), emulator, error);
    if (!machine || !wants_usb(definition) || can_have_usb(machine)) {
        return machine;
    }

    OstlerMachine *with = probe_with_usb(machine, emulator);
    if (!with) {
        return machine;
    }
    if (out_note) {
        *out_note = g_strdup_printf("The machine is '%s', because the guest needs USB",
                                    with->name);
    }
    ostler_machine_free(machine);
    return with;
}
