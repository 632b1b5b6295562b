/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/probe-private.h"

#include <string.h>

#define MAX_SD           4
#define MAX_FLOPPY       2
#define QEMU_DEFAULT_RAM (128 * MIB) /* QEMU hw/core/machine.c, class default */

/* Always refused outside of Xen guests, so a run that gets there ends by itself. */
#define REFUSED_DRIVE "if=xen,index=0,driver=null-co,size=1M"
#define REFUSAL       "does not support if=xen"

/* What QEMU says of the machine with @extra (pairs of option and value). */
static char *coroutine_fn refusal_with(Probe *probe, const char *const *extra)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new();

    for (unsigned i = 0; i + 1 < probe->args->len; i++) {
        g_ptr_array_add(args, probe->args->pdata[i]);
    }
    for (; *extra; extra++) {
        g_ptr_array_add(args, (gpointer)*extra);
    }
    g_ptr_array_add(args, (gpointer) "-drive");
    g_ptr_array_add(args, (gpointer)REFUSED_DRIVE);
    g_ptr_array_add(args, NULL);
    return ostler_emulator_refusal(probe->machine->emulator,
                                   (const char *const *)args->pdata, NULL);
}

/* How many of @max units of @interface were not among those refused. */
static unsigned count_units(const char *said, const char *interface, unsigned max)
{
    unsigned n = 0;

    while (n < max) {
        g_autofree char *refused =
            g_strdup_printf("-drive if=%s,index=%u,", interface, n);
        if (strstr(said, refused)) {
            break;
        }
        n++;
    }
    return n;
}

/* Every unit that a board could have, with nothing in it. */
#define EMPTY ",driver=null-co,size=64M,read-zeroes=on"
#define UNITS                                                                          \
    "-drive", "if=sd,index=0" EMPTY, "-drive", "if=sd,index=1" EMPTY, "-drive",        \
        "if=sd,index=2" EMPTY, "-drive", "if=sd,index=3" EMPTY, "-drive",              \
        "if=floppy,index=0" EMPTY, "-drive", "if=floppy,index=1" EMPTY

/* Question 3; false when the answer was about something else. */
static bool read_drives(Probe *probe, const char *said)
{
    if (!said || !strstr(said, REFUSAL)) {
        return false;
    }
    probe->machine->n_sd = count_units(said, "sd", MAX_SD);
    probe->machine->n_floppy = count_units(said, "floppy", MAX_FLOPPY);
    return true;
}

/* What a board has by itself suits it better than what else it takes. */
static void set_memory(OstlerMachine *machine, uint64_t accepted)
{
    machine->memory =
        machine->default_memory > QEMU_DEFAULT_RAM ? machine->default_memory : accepted;
}

/*
 * Question 4.  The machine's own size is not among those tried: a board with fixed
 * memory takes that one.
 */
static void coroutine_fn try_memory(Probe *probe)
{
    static const unsigned sizes_mib[] = { 1024, 512, 256, 192, 2048 };
    OstlerMachine *machine = probe->machine;
    g_autofree char *refusal = NULL;

    machine->memory = machine->default_memory;
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes_mib); i++) {
        if (sizes_mib[i] * MIB == machine->default_memory) {
            continue;
        }
        g_autofree char *size = g_strdup_printf("%uM", sizes_mib[i]);
        const char *const extra[] = { "-m", size, NULL };
        g_autofree char *said = refusal_with(probe, extra);

        if (said && strstr(said, REFUSAL)) {
            set_memory(machine, sizes_mib[i] * MIB);
            return;
        }
        if (!refusal) {
            refusal = ostler_emulator_reason(said ? said : "");
        }
    }
    machine->memory_refusal = g_steal_pointer(&refusal);
}

/* Questions 3 and 4, in one start where that settles both. */
void coroutine_fn probe_try_drives_and_memory(Probe *probe)
{
    static const char *const both[] = { UNITS, "-m", "1G", NULL };
    static const char *const drives[] = { UNITS, NULL };
    /* A board of 1 GiB takes that size whether or not it takes another. */
    bool is_telling = probe->machine->default_memory != 1024 * MIB;
    g_autofree char *said = is_telling ? refusal_with(probe, both) : NULL;

    if (read_drives(probe, said)) {
        set_memory(probe->machine, 1024 * MIB);
        return;
    }
    g_autofree char *again = refusal_with(probe, drives);
    read_drives(probe, again);
    try_memory(probe);
}
