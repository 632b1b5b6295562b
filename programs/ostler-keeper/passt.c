/* SPDX-License-Identifier: GPL-2.0-or-later */
#define G_LOG_DOMAIN "ostler-keeper"

#include "passt.h"

#include <string.h>
#include <unistd.h>

#include "guest/running/place.h"
#include "programs.h"
#include "sides.h"

#define LEAVE_TIMEOUT_MS 500 /* passt ends by itself when QEMU's end is closed */

struct KeeperPasst {
    Keeper *keeper;         /* borrowed */
    char *nic;              /* the label of the card's section */
    int fd;                 /* our end of its socket until it has been started, or -1 */
    OstlerProcess *process; /* NULL when it could not be started */
};

void keeper_passt_free(KeeperPasst *passt)
{
    if (passt->fd >= 0) {
        close(passt->fd);
    }
    ostler_process_free(passt->process);
    g_free(passt->nic);
    g_free(passt);
}

static KeeperPasst *add_passt(Keeper *keeper, const char *nic)
{
    KeeperPasst *passt = g_new(KeeperPasst, 1);

    *passt = (KeeperPasst){ .keeper = keeper, .nic = g_strdup(nic), .fd = -1 };
    g_ptr_array_add(keeper->passts, passt);
    return passt;
}

void keeper_give_passt(Keeper *keeper, const char *socket, int fd)
{
    add_passt(keeper, strchr(socket, '-') + 1)->fd = fd;
}

static void coroutine_fn watch(Keeper *keeper, void *data)
{
    KeeperPasst *passt = data;
    OstlerProcessEnd end;

    ostler_process_wait(passt->process, -1, &end);
    if (ostler_process_is_alive(keeper->qemu)) {
        g_autofree char *how = ostler_process_end_text(&end);
        g_warning("passt for [nic.%s] %s; the card has no network any more; its log is "
                  "passt-%s.log",
                  passt->nic, how, passt->nic);
    }
}

/* passt(1): -t ADDRESS/HOSTPORT:GUESTPORT; -u likewise. */
static void add_forward(GPtrArray *argv, const char *forward)
{
    g_auto(GStrv) parts = g_strsplit(forward, ":", 4);
    bool has_address = parts[1] && parts[2] && parts[3];

    g_ptr_array_add(argv, g_strdup(strcmp(parts[0], "udp") == 0 ? "-u" : "-t"));
    g_ptr_array_add(
        argv, has_address ? g_strdup_printf("%s/%s:%s", parts[1], parts[2], parts[3])
                          : g_strdup_printf("%s:%s", parts[1], parts[2]));
}

/* It logs to a file of its own, bounded by itself: ours may end before it does. */
static GPtrArray *argv_of(const KeeperPasst *passt)
{
    OstlerSection *nic =
        ostler_definition_find(passt->keeper->definition, "nic", passt->nic);
    g_autofree const char **forwards = ostler_section_get_list(nic, "forward");
    g_autofree char *file = g_strdup_printf("passt-%s.log", passt->nic);
    char *log = ostler_run_path(passt->keeper->config->name, file);
    char *program = keeper_find_program("passt");
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, program ? program : g_strdup("passt"));
    g_ptr_array_add(argv, g_strdup("--foreground"));
    g_ptr_array_add(argv, g_strdup("--quiet"));
    g_ptr_array_add(argv, g_strdup("--log-file"));
    g_ptr_array_add(argv, log);
    g_ptr_array_add(argv, g_strdup("--fd"));
    g_ptr_array_add(argv, g_strdup("3"));
    for (unsigned i = 0; forwards[i]; i++) {
        add_forward(argv, forwards[i]);
    }
    g_ptr_array_add(argv, NULL);
    return argv;
}

static OstlerProcess *coroutine_mixed_fn start(const KeeperPasst *passt, GError **error)
{
    g_autoptr(GPtrArray) argv = argv_of(passt);
    OstlerFdMap fd = { .source = passt->fd, .target = 3 };
    OstlerProcessConfig config = {
        .argv = (const char *const *)argv->pdata,
        .fds = &fd,
        .n_fds = 1,
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = keeper_open_log_stream(passt->keeper, "passt", error),
        .new_session = true,
    };

    if (config.stderr_fd < 0) {
        return NULL;
    }
    OstlerProcess *process = ostler_process_start(&config, error);
    close(config.stderr_fd);
    return process;
}

static void coroutine_mixed_fn start_one(Keeper *keeper, KeeperPasst *passt)
{
    g_autoptr(GError) refusal = NULL;

    passt->process = start(passt, &refusal);
    close(passt->fd);
    passt->fd = -1;
    if (!passt->process) {
        g_warning("[nic.%s] has no network: %s; continuing", passt->nic,
                  refusal->message);
        return;
    }
    ostler_run_status_add_passt(keeper->status, passt->nic,
                                ostler_process_identity(passt->process));
    keeper_spawn(keeper, watch, passt);
}

void coroutine_fn keeper_start_passts(Keeper *keeper)
{
    for (guint i = 0; i < keeper->passts->len; i++) {
        start_one(keeper, keeper->passts->pdata[i]);
    }
    if (keeper->passts->len > 0) {
        keeper_save_status(keeper);
    }
}

void coroutine_mixed_fn keeper_adopt_passts(Keeper *keeper)
{
    const GArray *recorded = keeper->status->passts;

    for (guint i = 0; i < recorded->len; i++) {
        const OstlerRunPasst *row = &g_array_index(recorded, OstlerRunPasst, i);
        g_autoptr(GError) refusal = NULL;
        OstlerProcess *process = ostler_process_adopt(&row->process, &refusal);

        if (!process) {
            g_warning("passt for [nic.%s] has ended; the card has no network any more",
                      row->nic);
            continue;
        }
        KeeperPasst *passt = add_passt(keeper, row->nic);
        passt->process = process;
        keeper_spawn(keeper, watch, passt);
    }
}

void coroutine_fn keeper_stop_passts(Keeper *keeper)
{
    for (guint i = 0; i < keeper->passts->len; i++) {
        KeeperPasst *passt = keeper->passts->pdata[i];

        if (passt->process &&
            !ostler_process_wait(passt->process, LEAVE_TIMEOUT_MS, NULL)) {
            ostler_process_kill(passt->process);
            ostler_process_wait(passt->process, LEAVE_TIMEOUT_MS, NULL);
        }
    }
}

void keeper_describe_passts(const Keeper *keeper, json_object *list)
{
    for (guint i = 0; i < keeper->passts->len; i++) {
        const KeeperPasst *passt = keeper->passts->pdata[i];
        bool is_alive = passt->process && ostler_process_is_alive(passt->process);
        int pid = is_alive ? ostler_process_identity(passt->process).pid : 0;
        json_object_array_add(
            list, ostler_json_object("name", json_object_new_string("passt"), "nic",
                                     json_object_new_string(passt->nic), "pid",
                                     json_object_new_int(pid), "restarts",
                                     json_object_new_int(0), NULL));
    }
}
