/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan-boot.c - firmware, direct kernel boot, and what the kernel is told */
#include "guest/planner.h"

#include <string.h>

/* The name that Linux gives to the console behind a serial device: the drivers under
 * drivers/tty/serial, each one's uart_driver.dev_name. */
static const struct {
    const char *device;
    const char *tty;
} consoles[] = {
    { "isa-serial", "ttyS0" },        { "serial-mm", "ttyS0" },
    { "serial-mm-16550", "ttyS0" },   { "pl011", "ttyAMA0" },
    { "pl011_luminary", "ttyAMA0" },  { "cadence_uart", "ttyPS0" },
    { "xlnx-zynqmp-uart", "ttyPS0" }, { "exynos4210.uart", "ttySAC0" },
    { "imx.serial", "ttymxc0" },      { "riscv.sifive.uart", "ttySIF0" },
    { "digic-uart", "ttyDIGIC0" },    { "strongarm-uart", "ttySA0" },
    { "omap_uart", "ttyS0" },         { "npcm7xx-uart", "ttyS0" },
};

static const char *console_name(const OstlerMachine *machine)
{
    const char *device = machine->serials ? machine->serials[0] : NULL;

    for (unsigned i = 0; device && i < G_N_ELEMENTS(consoles); i++) {
        if (strcmp(consoles[i].device, device) == 0) {
            return consoles[i].tty;
        }
    }
    return device ? NULL : "hvc0"; /* a virtio console stands in, plan-ports.c */
}

static bool is_x86(const OstlerMachine *machine)
{
    return strcmp(machine->arch, "x86_64") == 0 || strcmp(machine->arch, "i386") == 0;
}

/*
 * Linux measures the TSC against the HPET or the ACPI PM timer.  A machine with neither
 * leaves it the PIT, against which it never finishes under TCG (measured with Linux 6.1
 * on microvm), so it is told the frequency that TCG passes through: the host's.
 */
static bool needs_tsc_khz(const OstlerPlanner *planner)
{
    static const char *const timers[] = { "hpet", "PIIX4_PM", "ICH9-LPC" };

    if (!is_x86(planner->machine) || strcmp(planner->host->accel, "tcg") != 0 ||
        planner->host->tsc_khz == 0) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(timers); i++) {
        if (ostler_machine_has_onboard(planner->machine, timers[i])) {
            return false;
        }
    }
    return true;
}

/* The definition's words first: what it says wins over what is added. */
static char *build_append(const OstlerPlanner *planner)
{
    const char *given = ostler_definition_get(planner->definition, "guest", "append");
    const char *console = console_name(planner->machine);
    GString *append = g_string_new(given);

    if (console && !strstr(append->str, "console=")) {
        g_string_append_printf(append, "%sconsole=%s", append->len ? " " : "", console);
    }
    if (needs_tsc_khz(planner) && !strstr(append->str, "tsc_early_khz=")) {
        g_string_append_printf(append, "%stsc_early_khz=%u", append->len ? " " : "",
                               planner->host->tsc_khz);
    }
    return g_string_free(append, false);
}

/* The definition has checked that initrd, append and dtb come with a kernel. */
static void add_kernel(OstlerPlanner *planner)
{
    static const char *const files[] = { "kernel", "initrd", "dtb" };
    const OstlerDefinition *definition = planner->definition;

    if (!ostler_definition_get(definition, "guest", "kernel")) {
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        const char *file = ostler_definition_get(definition, "guest", files[i]);
        if (file) {
            g_autofree char *option = g_strdup_printf("-%s", files[i]);
            ostler_plan_add(planner, option, "%s", file);
        }
    }
    g_autofree char *append = build_append(planner);
    if (*append) {
        ostler_plan_add(planner, "-append", "%s", append);
    }
}

/* A flash chip of the machine's firmware: pflash0 holds code, pflash1 variables. */
static void add_flash(OstlerPlanner *planner, unsigned index, const char *file,
                      const char *options)
{
    GString *drive = g_string_new(NULL);

    g_string_append_printf(drive, "if=none,id=flash%u,format=raw%s", index, options);
    ostler_option(drive, "file", file);
    ostler_plan_take(planner, "-drive", drive);
    ostler_plan_add(planner, "-machine", "pflash%u=flash%u", index, index);
}

static bool add_flash_pair(OstlerPlanner *planner, const char *code, const char *vars,
                           GError **error)
{
    if (!ostler_machine_has_property(planner->machine, "pflash1")) {
        return ostler_plan_unsupported(
            error,
            "The machine '%s' has no flash for a firmware and "
            "its variables",
            planner->machine->name);
    }
    add_flash(planner, 0, code, ",readonly=on");
    if (vars) {
        add_flash(planner, 1, vars, "");
    } else if (planner->host->efi_vars) {
        add_flash(planner, 1, planner->host->efi_vars, ",snapshot=on");
        ostler_plan_note(planner,
                         "The firmware's variables are forgotten when the guest "
                         "ends: there is no firmware-vars");
    }
    return true;
}

static bool add_efi(OstlerPlanner *planner, const char *vars, GError **error)
{
    if (!planner->host->efi_code) {
        return ostler_plan_unsupported(
            error, "There is no EFI firmware for %s machines here: install %s",
            planner->machine->arch,
            is_x86(planner->machine) ? "the package ovmf" : "one with an EFI image");
    }
    return add_flash_pair(planner, planner->host->efi_code, vars, error);
}

static bool add_firmware(OstlerPlanner *planner, GError **error)
{
    const char *firmware =
        ostler_definition_get(planner->definition, "guest", "firmware");
    const char *vars =
        ostler_definition_get(planner->definition, "guest", "firmware-vars");

    if (!firmware || strcmp(firmware, "bios") == 0) {
        return true; /* the machine's own */
    }
    if (strcmp(firmware, "efi") == 0) {
        return add_efi(planner, vars, error);
    }
    if (vars) {
        return add_flash_pair(planner, firmware, vars, error);
    }
    ostler_plan_add(planner, "-bios", "%s", firmware);
    return true;
}

/* What a machine does not start without (machine.h) and the definition lacks. */
static bool check_needs(OstlerPlanner *planner, GError **error)
{
    static const char *const needs[] = { "kernel", "firmware" };

    for (unsigned i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (ostler_machine_needs(planner->machine, needs[i]) &&
            !ostler_definition_get(planner->definition, "guest", needs[i])) {
            return ostler_plan_unsupported(error, "The machine '%s' needs a %s",
                                           planner->machine->name, needs[i]);
        }
    }
    if (!ostler_machine_needs(planner->machine, "flash")) {
        return true;
    }
    for (const OstlerSection *disk =
             ostler_definition_first(planner->definition, "disk");
         disk; disk = ostler_section_next(disk, "disk")) {
        if (strcmp(ostler_section_get(disk, "bus"), "pflash") == 0) {
            return true;
        }
    }
    return ostler_plan_unsupported(error,
                                   "The machine '%s' needs a disk with bus = pflash",
                                   planner->machine->name);
}

bool ostler_plan_boot(OstlerPlanner *planner, GError **error)
{
    if (!check_needs(planner, error) || !add_firmware(planner, error)) {
        return false;
    }
    add_kernel(planner);
    if (ostler_definition_get_bool(planner->definition, "guest", "boot-menu")) {
        ostler_plan_add(planner, "-boot", "menu=on");
    }
    return true;
}
