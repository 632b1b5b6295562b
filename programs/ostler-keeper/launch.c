/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Everything that QEMU would create and others would wait for exists before QEMU does:
 * its sockets listen already, so the keeper's connections to monitor and console succeed
 * at once and are answered when QEMU is up.  The keeper closes its copies of the
 * listeners as soon as QEMU has them; from then on a QEMU that dies takes the pending
 * connections along, and nothing waits for an answer that cannot come.
 *
 * QEMU starts stopped (-S) and is let go last.  No event of the guest's life can then be
 * missed, nor a byte of its console.
 */
#define G_LOG_DOMAIN "ostler-keeper"

#include "keeper.h"

#include <string.h>
#include <unistd.h>

#include "addresses.h"
#include "guest/running/log-file.h"
#include "guest/running/place.h"
#include "guest/running/prepare.h"
#include "guest/store.h"
#include "passt.h"
#include "platform/datagram.h"
#include "platform/rundir.h"
#include "sides.h"
#include "words.h"

#define MAX_QEMU_LOG_BYTES    (256u << 10)
#define MAX_CONSOLE_LOG_BYTES (1u << 20)
#define LAST_WORDS_MS         1000

/* The descriptors that QEMU inherits; ours are closed when it has started. */
typedef struct {
    GArray *maps; /* OstlerFdMap */
    GPtrArray *listeners;
    GArray *ends; /* int: our copies of QEMU's ends */
} Inheritance;

static void inheritance_init(Inheritance *inheritance)
{
    inheritance->maps = g_array_new(FALSE, FALSE, sizeof(OstlerFdMap));
    inheritance->listeners =
        g_ptr_array_new_with_free_func((GDestroyNotify)ostler_listener_free);
    inheritance->ends = g_array_new(FALSE, FALSE, sizeof(int));
}

static void inheritance_clear(Inheritance *inheritance)
{
    for (guint i = 0; i < inheritance->ends->len; i++) {
        close(g_array_index(inheritance->ends, int, i));
    }
    g_array_unref(inheritance->ends);
    g_array_unref(inheritance->maps);
    g_ptr_array_unref(inheritance->listeners);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Inheritance, inheritance_clear)

static void bequeath(Inheritance *inheritance, int source, int target)
{
    OstlerFdMap map = { .source = source, .target = target };

    g_array_append_val(inheritance->maps, map);
}

static bool make_listener(Keeper *keeper, Inheritance *inheritance,
                          const OstlerPlanSocket *socket, GError **error)
{
    g_autofree char *file = g_strconcat(socket->name, ".sock", NULL);
    g_autofree char *path = ostler_run_path(keeper->config->name, file);
    OstlerListener *listener = ostler_listener_new(path, error);

    if (!listener) {
        return false;
    }
    g_ptr_array_add(inheritance->listeners, listener);
    bequeath(inheritance, ostler_listener_fd(listener), socket->target_fd);
    return true;
}

/* Our end goes to the side program that the socket is for. */
static bool make_stream(Keeper *keeper, Inheritance *inheritance,
                        const OstlerPlanSocket *socket, GError **error)
{
    int fd;
    OstlerChannel *channel = ostler_channel_pair(&fd, error);

    if (!channel) {
        return false;
    }
    g_array_append_val(inheritance->ends, fd);
    bequeath(inheritance, fd, socket->target_fd);
    keeper_give_passt(keeper, socket->name, ostler_channel_steal_fd(channel));
    return true;
}

static bool make_datagram(Keeper *keeper, Inheritance *inheritance,
                          const OstlerPlanSocket *socket, GError **error)
{
    int ours, theirs;

    if (!ostler_datagram_pair(&ours, &theirs, error)) {
        return false;
    }
    g_array_append_val(inheritance->ends, theirs);
    bequeath(inheritance, theirs, socket->target_fd);
    keeper_addresses_add_mirror(keeper->addresses, socket->name, ours);
    return true;
}

typedef bool MakeSocket(Keeper *keeper, Inheritance *inheritance,
                        const OstlerPlanSocket *socket, GError **error);

static MakeSocket *const make_socket[] = {
    [OSTLER_PLAN_LISTENER] = make_listener,
    [OSTLER_PLAN_STREAM] = make_stream,
    [OSTLER_PLAN_DATAGRAM] = make_datagram,
};

/* All of the plan's sockets, and the lock under the first number above theirs. */
static bool prepare_inheritance(Keeper *keeper, const OstlerPlan *plan,
                                Inheritance *inheritance, GError **error)
{
    int lock_target = 3;

    for (unsigned i = 0; i < plan->n_sockets; i++) {
        const OstlerPlanSocket *socket = &plan->sockets[i];

        if (!make_socket[socket->type](keeper, inheritance, socket, error)) {
            return false;
        }
        lock_target = MAX(lock_target, socket->target_fd + 1);
    }
    bequeath(inheritance, ostler_lock_fd(keeper->guest_lock), lock_target);
    return true;
}

static char **qemu_environment(const Keeper *keeper)
{
    char **env = g_get_environ();
    OstlerSection *qemu = ostler_definition_find(keeper->definition, "qemu", NULL);
    g_autofree const char **settings =
        qemu ? ostler_section_get_list(qemu, "environment") : NULL;

    for (unsigned i = 0; settings && settings[i]; i++) {
        g_auto(GStrv) pair = g_strsplit(settings[i], "=", 2);
        if (pair[0]) {
            env = g_environ_setenv(env, pair[0], pair[1] ? pair[1] : "", TRUE);
        }
    }
    return env;
}

static bool coroutine_mixed_fn start_qemu(Keeper *keeper, const OstlerPlan *plan,
                                          const Inheritance *inheritance,
                                          GError **error)
{
    g_autofree char *place = ostler_run_path(keeper->config->name, NULL);
    g_autofree char *log_path = ostler_run_path(keeper->config->name, "qemu.log");
    g_auto(GStrv) env = qemu_environment(keeper);
    int words_fd;

    keeper->words = keeper_words_new(
        ostler_log_file_new(log_path, MAX_QEMU_LOG_BYTES, false), &words_fd, error);
    if (!keeper->words) {
        return false;
    }
    OstlerProcessConfig config = {
        .argv = (const char *const *)plan->argv,
        .directory = place,
        .env = (const char *const *)env,
        .fds = (const OstlerFdMap *)(void *)inheritance->maps->data,
        .n_fds = inheritance->maps->len,
        .stdin_fd = -1,
        .stdout_fd = words_fd,
        .stderr_fd = words_fd,
        .new_session = true,
        .die_with_parent = keeper->status->ends_with_keeper,
    };
    keeper->qemu = ostler_process_start(&config, error);
    close(words_fd);
    return keeper->qemu != NULL;
}

/* Why QEMU has ended, in its own words where it had some. */
static char *explain_end(Keeper *keeper, const OstlerProcessEnd *end)
{
    g_autofree char *how = ostler_process_end_text(end);
    const char *words = keeper->words ? keeper_words_last(keeper->words) : "";

    return *words ? g_strdup_printf("QEMU %s: %s", how, words)
                  : g_strdup_printf("QEMU %s", how);
}

static bool was_announced(const OstlerRunStatus *status)
{
    return status->state == OSTLER_RUN_POWERED_OFF ||
           status->state == OSTLER_RUN_ENDING || status->state == OSTLER_RUN_CRASHED;
}

static void coroutine_fn watch_qemu(Keeper *keeper, void *unused)
{
    OstlerProcessEnd end;

    ostler_process_wait(keeper->qemu, -1, &end);
    if (keeper->words) {
        keeper_words_wait(keeper->words, LAST_WORDS_MS);
    }
    keeper_hear_out(keeper, LAST_WORDS_MS); /* "SHUTDOWN" makes it no crash */
    if (!was_announced(keeper->status)) {
        keeper_set_why(keeper, explain_end(keeper, &end));
        g_message("%s", keeper->status->why);
    }
    keeper_feed(keeper, OSTLER_RUN_QEMU_GONE);
}

void coroutine_mixed_fn keeper_watch_qemu(Keeper *keeper)
{
    keeper_spawn(keeper, watch_qemu, NULL);
}

bool keeper_open_control(Keeper *keeper, GError **error)
{
    g_autofree char *path = ostler_run_path(keeper->config->name, "control.sock");
    OstlerListener *listener = ostler_listener_new(path, error);

    if (!listener) {
        return false;
    }
    keeper->control = ostler_control_server_new(listener, keeper_methods, keeper);
    return true;
}

/* Whoever comes to an adopted guest's console sees what it said to the last keeper. */
static void recall_log(OstlerRunConsole *console, const char *path)
{
    size_t size = 0;
    g_autofree char *said = ostler_log_file_read(path, &size);

    if (said) {
        ostler_run_console_recall(console, said, size);
    }
}

bool keeper_open_console(Keeper *keeper, bool keep_log, GError **error)
{
    const char *name = keeper->config->name;
    g_autofree char *log_path = ostler_run_path(name, "console.log");

    keeper->console = ostler_run_console_new(
        ostler_log_file_new(log_path, MAX_CONSOLE_LOG_BYTES, keep_log));
    if (keep_log) {
        recall_log(keeper->console, log_path);
    }
    if (!keeper->status->console) {
        return true;
    }
    g_autofree char *file = g_strconcat(keeper->status->console, ".sock", NULL);
    g_autofree char *path = ostler_run_path(name, file);
    OstlerChannel *line = ostler_channel_connect(path, error);
    if (!line) {
        return false;
    }
    ostler_run_console_connect(keeper->console, line);
    return true;
}

static char *read_all(int fd, gsize *out_size, GError **error)
{
    g_autoptr(GIOChannel) channel = g_io_channel_unix_new(fd);
    char *text = NULL;

    g_io_channel_set_encoding(channel, NULL, NULL);
    g_io_channel_set_close_on_unref(channel, TRUE);
    return g_io_channel_read_to_end(channel, &text, out_size, error) ==
                   G_IO_STATUS_NORMAL
               ? text
               : NULL;
}

static OstlerDefinition *load_stored(const char *name, GError **error)
{
    OstlerDefinition *definition = ostler_store_load(name, error);

    if (!definition && g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
        ostler_run_error_become(error, OSTLER_RUN_ERROR_NO_GUEST);
    }
    return definition;
}

static OstlerDefinition *load_definition(const KeeperConfig *config, GError **error)
{
    if (config->definition_fd < 0) {
        return load_stored(config->name, error);
    }
    gsize size = 0;
    g_autofree char *text = read_all(config->definition_fd, &size, error);
    return text ? ostler_definition_parse(text, size, config->name, error) : NULL;
}

bool keeper_keep_definition(Keeper *keeper, GError **error)
{
    g_autofree char *text = ostler_definition_text(keeper->definition);
    g_autofree char *path = ostler_run_path(keeper->config->name, "started.guest");

    return ostler_file_replace(path, text, strlen(text), error);
}

static bool take_definition(Keeper *keeper, GError **error)
{
    keeper->definition = load_definition(keeper->config, error);
    if (!keeper->definition || !keeper_keep_definition(keeper, error)) {
        return false;
    }
    const char *death =
        ostler_definition_get(keeper->definition, "guest", "keeper-death");
    keeper->status->ends_with_keeper |= strcmp(death, "end") == 0;
    return true;
}

static bool coroutine_fn save_status(Keeper *keeper, GError **error)
{
    return ostler_run_status_save(keeper->status, keeper->config->name, error);
}

/* A share's program would be started again and again to find no folder. */
static bool check_shares(const OstlerDefinition *definition, GError **error)
{
    for (const OstlerSection *share = ostler_definition_first(definition, "share");
         share; share = ostler_section_next(share, "share")) {
        const char *path = ostler_section_get(share, "path");
        if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                        "The share '%s' is of '%s', which is no folder",
                        ostler_section_label(share), path);
            return false;
        }
    }
    return true;
}

/* Plan, make the sockets, start; from here on QEMU runs and is watched. */
static bool coroutine_fn start_planned(Keeper *keeper, GError **error)
{
    g_autofree char *place = ostler_run_path(keeper->config->name, NULL);
    if (!check_shares(keeper->definition, error)) {
        return false;
    }
    g_autoptr(OstlerRunPreparation) preparation =
        ostler_run_prepare(keeper->definition, place, error);
    if (!preparation) {
        return false;
    }

    g_auto(Inheritance) inheritance;
    inheritance_init(&inheritance);
    keeper->status->accel = g_strdup(preparation->accel);
    keeper->status->console = g_strdup(preparation->plan->console);
    keeper->status->notes = g_strdupv(preparation->notes);
    if (!prepare_inheritance(keeper, preparation->plan, &inheritance, error) ||
        !start_qemu(keeper, preparation->plan, &inheritance, error)) {
        return false;
    }
    keeper->status->qemu = ostler_process_identity(keeper->qemu);
    keeper->status->started_at = g_get_real_time();
    keeper_watch_qemu(keeper);
    return true;
}

static bool coroutine_fn let_go(Keeper *keeper, GError **error)
{
    if (keeper->config->is_paused) {
        keeper_feed(keeper, OSTLER_RUN_FOUND_PAUSED);
        return true;
    }
    return keeper_obey(keeper, OSTLER_RUN_DO_CONT, error) &&
           keeper_find_status(keeper, error);
}

static bool coroutine_fn reach_qemu(Keeper *keeper, GError **error)
{
    return keeper_open_console(keeper, false, error) &&
           keeper_connect_monitor(keeper, keeper->config->start_timeout_ms, error) &&
           keeper_set_policy(keeper, error) && let_go(keeper, error);
}

/* A monitor that closed says less than the QEMU that died behind it. */
static void coroutine_fn prefer_last_words(Keeper *keeper, GError **error)
{
    OstlerProcessEnd end;

    if (!error || !ostler_process_wait(keeper->qemu, LAST_WORDS_MS, &end)) {
        return;
    }
    keeper_words_wait(keeper->words, LAST_WORDS_MS);
    g_clear_error(error);
    *error = g_error_new_literal(OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_FAILED, "");
    g_free((*error)->message);
    (*error)->message = explain_end(keeper, &end);
}

bool coroutine_fn keeper_launch(Keeper *keeper, GError **error)
{
    ostler_run_sweep(keeper->config->name);
    if (!save_status(keeper, error) || !take_definition(keeper, error) ||
        !keeper_open_control(keeper, error) || !start_planned(keeper, error) ||
        !save_status(keeper, error)) {
        return false;
    }
    if (!reach_qemu(keeper, error)) {
        prefer_last_words(keeper, error);
        return false;
    }
    keeper_start_passts(keeper);
    keeper_start_sides(keeper);
    return true;
}
