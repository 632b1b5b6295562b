/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/probe-private.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define FLASH(size) "if=pflash,driver=null-co,read-zeroes=on,size=" size

/* Tried in this order on a machine that does not start bare. */
static const struct {
    const char *name; /* in "needs"; NULL: not the definition's business */
    const char *option;
    const char *value; /* NULL: the stand-in file */
    uint64_t flash_bytes;
} aids[] = {
    { NULL, "-m", "2G" },
    { "kernel", "-kernel", NULL },
    { "firmware", "-bios", NULL },
    { "flash", "-drive", FLASH("32M"), 32 * MIB },
    { "flash", "-drive", FLASH("16M"), 16 * MIB },
};

static bool make_stand_in(Probe *probe, GError **error)
{
    static const char zeroes[4096];
    int fd = g_file_open_tmp("ostler-image-XXXXXX", &probe->stand_in, error);

    if (fd < 0) {
        return false;
    }
    close(fd);
    return g_file_set_contents(probe->stand_in, zeroes, sizeof(zeroes), error);
}

static void set_args(Probe *probe, const char *option, const char *value)
{
    g_ptr_array_set_size(probe->args, 0);
    g_ptr_array_add(probe->args, (gpointer) "-machine");
    g_ptr_array_add(probe->args, probe->machine->name);
    if (option) {
        g_ptr_array_add(probe->args, (gpointer)option);
        g_ptr_array_add(probe->args, (gpointer)value);
    }
    g_ptr_array_add(probe->args, NULL);
}

static bool is_refusal(const GError *error)
{
    return g_error_matches(error, OSTLER_MACHINE_ERROR, OSTLER_MACHINE_ERROR_REFUSED);
}

/* Start it with the args of now. */
static OstlerEmulator *coroutine_fn start(Probe *probe, GError **error)
{
    return ostler_emulator_start(probe->machine->emulator,
                                 (const char *const *)probe->args->pdata, error);
}

/* NULL with @error set when the host was in the way: what the next aid would show then
 * is not what the machine needs.  NULL without when every aid is refused. */
static OstlerEmulator *coroutine_fn start_with_aid(Probe *probe, GError **error)
{
    if (!make_stand_in(probe, error)) {
        return NULL;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(aids); i++) {
        g_autoptr(GError) refused = NULL;
        set_args(probe, aids[i].option,
                 aids[i].value ? aids[i].value : probe->stand_in);
        OstlerEmulator *emulator = start(probe, &refused);
        if (emulator) {
            const char *const needs[] = { aids[i].name, NULL };
            probe->machine->needs = g_strdupv((char **)needs);
            probe->machine->flash_bytes = aids[i].flash_bytes;
            return emulator;
        }
        if (!is_refusal(refused)) {
            g_propagate_error(error, g_steal_pointer(&refused));
            return NULL;
        }
    }
    return NULL;
}

OstlerEmulator *coroutine_fn probe_start_machine(Probe *probe, GError **error)
{
    g_autoptr(GError) refused = NULL;
    GError *hindered = NULL;

    set_args(probe, NULL, NULL);
    OstlerEmulator *emulator = start(probe, &refused);
    if (!emulator && is_refusal(refused)) {
        emulator = start_with_aid(probe, &hindered);
    }
    if (!emulator) {
        g_propagate_error(error, hindered ? hindered : g_steal_pointer(&refused));
    }
    return emulator;
}
