/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/accel.h"
#include "guest/machines/cache.h"
#include "guest/machines/emulator.h"
#include "guest/machines/firmware.h"

#include <cpc/glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/testing.h"

static char *home; /* $OSTLER_HOME of the tests */

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(home, name, NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

static void the_reason_is_the_line_that_is_no_warning(void)
{
    static const struct {
        const char *said;
        const char *reason;
    } cases[] = {
        { "qemu-system-arm: Invalid RAM size, should be 1 GiB\n",
          "Invalid RAM size, should be 1 GiB" },
        { "qemu-system-arm: warning: missing SecureDigital device\n"
          "qemu: module audio-audio-pa not found, do you want it?\n"
          "Kernel or ROM image must be specified\n",
          "Kernel or ROM image must be specified" },
        { "", "QEMU ended without a word" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reason = ostler_emulator_reason(cases[i].said);
        g_assert_cmpstr(reason, ==, cases[i].reason);
    }
}

static void an_answer_is_kept_until_the_binary_changes(void)
{
    g_autofree char *binary = g_build_filename(home, "qemu", NULL);
    g_autoptr(json_object) answer = json_object_new_string("yes");

    write_file("qemu", "one");
    ostler_cache_store(binary, "q", answer);
    g_autoptr(json_object) same = ostler_cache_load(binary, "q");
    g_autoptr(json_object) other = ostler_cache_load(binary, "another q");
    write_file("qemu", "other");
    g_autoptr(json_object) changed = ostler_cache_load(binary, "q");

    g_assert_cmpstr(json_object_get_string(same), ==, "yes");
    g_assert_null(other);
    g_assert_null(changed);
}

/* An emulator that starts with more memory or with a kernel; the system kills it when
 * it has more memory, until there is a file "calm". */
static char *write_killed_emulator(void)
{
    g_autofree char *script =
        g_strdup_printf("#!/bin/sh\n"
                        "case \"$*\" in\n"
                        "*'-m 2G'*) [ -e '%s/calm' ] || kill -KILL $$ ;;\n"
                        "*-kernel*) ;;\n"
                        "*) echo 'it needs more' >&2; exit 1 ;;\n"
                        "esac\n"
                        "exec qemu-system-x86_64 \"$@\"\n",
                        home);
    char *path = g_build_filename(home, "killed", NULL);

    write_file("killed", script);
    g_assert_cmpint(g_chmod(path, 0700), ==, 0);
    return path;
}

static void coroutine_fn ask_hindered_and_again(void *opaque)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_machine_probe("x86_64", "isapc", opaque, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==, "QEMU was killed by signal 9 (Killed)");
    g_clear_error(&error);

    write_file("calm", "");
    g_autoptr(OstlerMachine) machine =
        ostler_machine_probe("x86_64", "isapc", opaque, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(machine->needs), ==, 0);
}

static void a_killed_emulator_refuses_nothing_and_is_asked_again(void)
{
    g_autofree char *real = g_find_program_in_path("qemu-system-x86_64");
    g_autofree char *emulator = write_killed_emulator();

    if (!real) {
        g_test_skip("there is no qemu-system-x86_64");
        return;
    }
    cpc_run(ask_hindered_and_again, emulator);
}

static void efi_is_found_by_machine_and_without_secure_boot(void)
{
#define DESCRIPTOR(code, features)                                                     \
    "{\"interface-types\": [\"uefi\"], \"features\": [" features "],"                  \
    "\"mapping\": {\"device\": \"flash\", \"executable\": {\"filename\": \"" code      \
    "\"}, \"nvram-template\": {\"filename\": \"/vars\"}},"                             \
    "\"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"pc-q35-*\"]}]}"
    const char *const folders[] = { home, NULL };

    write_file("40-secure.json", DESCRIPTOR("/secure", "\"secure-boot\""));
    write_file("50-broken.json", "{");
    write_file("60-plain.json", DESCRIPTOR("/plain", ""));
    g_autoptr(OstlerFirmware) q35 =
        ostler_firmware_find_in(folders, "x86_64", "pc-q35-7.2");
    g_autoptr(OstlerFirmware) pc =
        ostler_firmware_find_in(folders, "x86_64", "pc-i440fx-7.2");

    g_assert_nonnull(q35);
    g_assert_cmpstr(q35->code, ==, "/plain");
    g_assert_cmpstr(q35->vars, ==, "/vars");
    g_assert_null(pc);
}

typedef struct {
    const char *arch;
    char *emulator;
    char *why;
} Trial;

static void coroutine_fn try_tcg(void *opaque)
{
    Trial *trial = opaque;
    trial->why = ostler_accel_try(trial->arch, trial->emulator, "tcg");
}

/* TCG always works, so here it is the tiny guest that is tested. */
static void the_tiny_guest_runs(gconstpointer arch)
{
    Trial trial = { .arch = arch, .emulator = ostler_emulator_find(arch, NULL, NULL) };

    if (!trial.emulator) {
        g_test_skip_printf("there is no qemu-system-%s", trial.arch);
        return;
    }
    cpc_run(try_tcg, &trial);
    g_assert_cmpstr(trial.why, ==, NULL);
    g_free(trial.emulator);
}

/* An accelerator that does not exist is one that does not run guests. */
static void coroutine_fn try_nonsense(void *opaque)
{
    Trial *trial = opaque;
    trial->why = ostler_accel_try(trial->arch, trial->emulator, "nonsense");
}

static void an_accelerator_that_runs_nothing_is_noticed(void)
{
    Trial trial = { .arch = "x86_64",
                    .emulator = ostler_emulator_find("x86_64", NULL, NULL) };

    if (!trial.emulator) {
        g_test_skip("there is no qemu-system-x86_64");
        return;
    }
    cpc_run(try_nonsense, &trial);
    g_assert_nonnull(trial.why);
    g_free(trial.why);
    g_free(trial.emulator);
}

/* Whatever the answer is here, the second one comes from the cache and is the same. */
static void coroutine_fn choose_twice(void *opaque)
{
    g_autofree char *why = NULL, *again = NULL;
    const char *first = ostler_accel_choose("x86_64", NULL, &why);
    const char *second = ostler_accel_choose("x86_64", NULL, &again);

    g_assert_cmpstr(first, ==, second);
    g_assert_cmpstr(why, ==, again);
    g_assert_true((strcmp(first, "tcg") == 0) == (why != NULL));
}

static void the_choice_of_the_accelerator_lasts_for_this_boot(void)
{
    cpc_run(choose_twice, NULL);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    home = g_dir_make_tmp("ostler-machines-XXXXXX", &error);
    g_assert_no_error(error);
    g_setenv("OSTLER_HOME", home, true);

#define ADD(function) g_test_add_func("/machines/" #function, function)
    ADD(the_reason_is_the_line_that_is_no_warning);
    ADD(an_answer_is_kept_until_the_binary_changes);
    ADD(a_killed_emulator_refuses_nothing_and_is_asked_again);
    ADD(efi_is_found_by_machine_and_without_secure_boot);
    ADD(an_accelerator_that_runs_nothing_is_noticed);
    ADD(the_choice_of_the_accelerator_lasts_for_this_boot);
    g_test_add_data_func("/machines/the_tiny_guest_runs/x86_64", "x86_64",
                         the_tiny_guest_runs);
    g_test_add_data_func("/machines/the_tiny_guest_runs/aarch64", "aarch64",
                         the_tiny_guest_runs);
    int result = g_test_run();
    ostler_test_remove(home);
    g_free(home);
    return result;
}
