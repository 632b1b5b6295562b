/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/prepare.h"

#include <cpc/glib.h>
#include <string.h>

#include "guest/machines/choose.h"
#include "guest/machines/firmware.h"
#include "guest/running/error.h"

void ostler_run_preparation_free(OstlerRunPreparation *preparation)
{
    if (!preparation) {
        return;
    }
    ostler_plan_free(preparation->plan);
    g_free(preparation->accel);
    g_strfreev(preparation->notes);
    g_free(preparation);
}

/*
 * Under TCG the guest's time stamp counter is the host's own (QEMU cpu_get_host_ticks),
 * and a microvm has no timer that a kernel could calibrate it with.  Five milliseconds
 * give some 20 ppm.
 */
static unsigned coroutine_fn measure_tsc_khz(void)
{
#if defined(__x86_64__) || defined(__i386__)
    gint64 start_us = g_get_monotonic_time();
    uint64_t start_ticks = __builtin_ia32_rdtsc();

    cpc_sleep_ms(5);
    uint64_t ticks = __builtin_ia32_rdtsc() - start_ticks;
    return (unsigned)(ticks * 1000 / (uint64_t)(g_get_monotonic_time() - start_us));
#else
    return 0;
#endif
}

/* "kvm" or "tcg"; @out_note (caller frees) is what the user should know of it. */
static const char *coroutine_fn choose_accel(const OstlerDefinition *definition,
                                             const OstlerMachine *machine,
                                             char **out_note)
{
    const char *wanted = ostler_definition_get(definition, "guest", "accel");
    if (strcmp(wanted, "auto") != 0) {
        return strcmp(wanted, "kvm") == 0 ? "kvm" : "tcg";
    }

    g_autofree char *why = NULL;
    const char *accel = ostler_accel_choose(ostler_machine_arch(machine),
                                            ostler_machine_emulator(machine), &why);
    if (why && strcmp(accel, "tcg") == 0) {
        *out_note = g_strdup_printf("Using TCG, which is slow: %s", why);
    }
    return accel;
}

static char **join_notes(char **plan_notes, const char *accel_note,
                         const char *machine_note)
{
    g_autoptr(GStrvBuilder) notes = g_strv_builder_new();

    if (accel_note) {
        g_strv_builder_add(notes, accel_note);
    }
    if (machine_note) {
        g_strv_builder_add(notes, machine_note);
    }
    if (plan_notes) {
        g_strv_builder_addv(notes, (const char **)plan_notes);
    }
    return g_strv_builder_end(notes);
}

static bool wants_efi(const OstlerDefinition *definition)
{
    return g_strcmp0(ostler_definition_get(definition, "guest", "firmware"), "efi") ==
           0;
}

static OstlerMachine *coroutine_fn probe(const OstlerDefinition *definition,
                                         char **out_note, GError **error)
{
    OstlerMachine *machine = ostler_machine_choose(definition, out_note, error);

    if (!machine && error && (*error)->domain == OSTLER_MACHINE_ERROR) {
        ostler_run_error_become(error, OSTLER_RUN_ERROR_DEFINITION);
    }
    return machine;
}

OstlerRunPreparation *coroutine_fn ostler_run_prepare(
    const OstlerDefinition *definition, const char *rundir, GError **error)
{
    g_autofree char *machine_note = NULL;
    g_autoptr(OstlerMachine) machine = probe(definition, &machine_note, error);
    if (!machine) {
        return NULL;
    }

    g_autoptr(OstlerRunPreparation) preparation = g_new0(OstlerRunPreparation, 1);
    g_autofree char *accel_note = NULL;
    OstlerPlanHost host = { .rundir = rundir, .paused = true };

    host.accel = choose_accel(definition, machine, &accel_note);
    if (ostler_definition_get(definition, "guest", "kernel") &&
        strcmp(host.accel, "tcg") == 0) { /* it is a kernel's argument */
        host.tsc_khz = measure_tsc_khz();
    }
    g_autoptr(OstlerFirmware) efi =
        wants_efi(definition)
            ? ostler_firmware_find(ostler_machine_arch(machine), machine->full_name)
            : NULL;
    host.efi_code = efi ? efi->code : NULL;
    host.efi_vars = efi ? efi->vars : NULL;
    preparation->accel = g_strdup(host.accel);
    preparation->plan = ostler_plan_new(definition, machine, &host, error);
    if (!preparation->plan) {
        ostler_run_error_become(error, OSTLER_RUN_ERROR_DEFINITION);
        return NULL;
    }
    preparation->notes = join_notes(preparation->plan->notes, accel_note, machine_note);
    return g_steal_pointer(&preparation);
}
