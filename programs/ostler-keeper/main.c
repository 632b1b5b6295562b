/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ostler-keeper - look after one running guest
 *
 * Started by libostler for each guest, or by systemd.  It claims the guest's run
 * directory, starts QEMU and the programs beside it (or adopts a QEMU whose keeper was
 * killed), serves the control channel, and goes when the guest goes.
 *
 * Exit codes: 0 the guest ran and is off; 1 to 6 it did not start, as ostler's
 * (OstlerRunError).
 */
#define G_LOG_DOMAIN "ostler-keeper"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "keeper.h"
#include "log.h"
#include "manual.h"
#include "platform/signals.h"
#include "ready.h"

static int ready_fd = -1;
static int definition_fd = -1;
static int start_timeout_ms = 30000;
static int stop_timeout_s = 60;
static int reboot_timeout_s = 300;
static gboolean is_adopting;
static gboolean is_paused;
static gboolean ends_with_keeper;
static gboolean is_detached;
static gboolean wants_methods;
static gboolean wants_manual;
static gboolean wants_version;

static const GOptionEntry options[] = {
    { "adopt", 0, 0, G_OPTION_ARG_NONE, &is_adopting,
      "Adopt the guest's QEMU, whose keeper was killed", NULL },
    { "paused", 0, 0, G_OPTION_ARG_NONE, &is_paused,
      "Start without running the guest's first instruction", NULL },
    { "end-with-keeper", 0, 0, G_OPTION_ARG_NONE, &ends_with_keeper,
      "Have QEMU killed if this keeper is", NULL },
    { "detach", 0, 0, G_OPTION_ARG_NONE, &is_detached,
      "Go on as a process that the starter need not wait for", NULL },
    { "definition-fd", 0, 0, G_OPTION_ARG_INT, &definition_fd,
      "Read the definition from the descriptor N, not from where they are stored",
      "N" },
    { "ready-fd", 0, 0, G_OPTION_ARG_INT, &ready_fd,
      "Say on the descriptor N how the start went", "N" },
    { "start-timeout", 0, 0, G_OPTION_ARG_INT, &start_timeout_ms,
      "How long QEMU may take to answer, in milliseconds (30000)", "MS" },
    { "stop-timeout", 0, 0, G_OPTION_ARG_INT, &stop_timeout_s,
      "How long after SIGTERM the guest may take to power off, in seconds (60)", "S" },
    { "reboot-timeout", 0, 0, G_OPTION_ARG_INT, &reboot_timeout_s,
      "How long after a request to reboot the guest may take to power off, in seconds "
      "(300)",
      "S" },
    { "methods", 0, 0, G_OPTION_ARG_NONE, &wants_methods,
      "Print the control channel's methods as Markdown", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &wants_version, "Print the version", NULL },
    { "manual", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &wants_manual,
      "Print the manual page", NULL },
    { NULL },
};

static void print_methods(void)
{
    printf("| method | params | result | |\n|---|---|---|---|\n");
    for (const OstlerControlMethod *row = keeper_methods; row->name; row++) {
        printf("| `%s` | %s | %s | %s |\n", row->name, row->params, row->result,
               row->help);
    }
}

typedef struct {
    KeeperConfig config;
    Keeper *keeper; /* NULL before and after its life */
    int exit_code;
} Life;

/* What starting took and running does not need: machine descriptions, plans. */
static void give_memory_back(void)
{
    malloc_trim(0);
}

static void coroutine_fn live(void *opaque)
{
    Life *life = opaque;
    g_autoptr(GError) why = NULL;

    life->keeper = keeper_new(&life->config);
    if (keeper_begin(life->keeper, &why)) {
        keeper_say_ready(ready_fd, life->keeper->status);
        give_memory_back();
        keeper_live(life->keeper);
    } else {
        keeper_say_failed(ready_fd, why);
        g_message("%s", why->message);
        life->exit_code = (int)ostler_run_error_code(why);
    }
    g_clear_pointer(&life->keeper, keeper_free);
}

static void on_signal(OstlerSignal signal, void *opaque)
{
    Life *life = opaque;

    if (life->keeper) {
        keeper_spawn(life->keeper, keeper_stop_orderly, NULL);
    }
}

static bool read_command_line(int *argc, char ***argv)
{
    g_autoptr(GError) refusal = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("NAME");

    g_option_context_set_summary(context, "Look after one running guest.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, argc, argv, &refusal) ||
        (*argc != 2 && !wants_methods && !wants_version && !wants_manual)) {
        fprintf(stderr, "ostler-keeper: %s\n",
                refusal ? refusal->message : "one name of a guest is wanted");
        return false;
    }
    if (*argc == 2 && !ostler_guest_name_check((*argv)[1], &refusal)) {
        fprintf(stderr, "ostler-keeper: %s\n", refusal->message);
        return false;
    }
    return true;
}

static int look_after(const char *name)
{
    Life life = {
        .config = {
            .name = name,
            .is_adopting = is_adopting,
            .is_paused = is_paused,
            .ends_with_keeper = ends_with_keeper,
            .definition_fd = definition_fd,
            .start_timeout_ms = start_timeout_ms,
            .stop_timeout_ms = stop_timeout_s * 1000,
            .reboot_timeout_ms = reboot_timeout_s * 1000,
        },
    };
    g_autoptr(OstlerSignals) signals = ostler_signals_watch(
        OSTLER_SIGNAL_TERMINATE | OSTLER_SIGNAL_INTERRUPT, on_signal, &life, NULL);

    ostler_signals_ignore_broken_pipes();
    cpc_run(live, &life);
    return life.exit_code;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) why = NULL;

    if (!read_command_line(&argc, &argv)) {
        return OSTLER_RUN_ERROR_ARGUMENT;
    }
    if (wants_version) {
        printf("ostler-keeper %s\n", OSTLER_VERSION);
        return EXIT_SUCCESS;
    }
    if (wants_manual) {
        print_manual(options);
        return EXIT_SUCCESS;
    }
    if (wants_methods) {
        print_methods();
        return EXIT_SUCCESS;
    }
    keeper_log_begin(!is_detached);
    if (is_detached && !ostler_process_detach(&why)) {
        keeper_say_failed(ready_fd, why);
        return OSTLER_RUN_ERROR_FAILED;
    }
    return look_after(argv[1]);
}
