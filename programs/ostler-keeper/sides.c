/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Each side program gets what it needs as descriptors that are connected already, so
 * that it can give up everything else before the first byte.  It dies with the keeper: a
 * new keeper starts its own.  (passt cannot be replaced, and is another matter: passt.c.)
 *
 * What a side program writes to its standard error goes into keeper.log, line by line
 * under its name.
 */
#define G_LOG_DOMAIN "ostler-keeper"

#include "sides.h"

#include <string.h>
#include <unistd.h>

#include "addresses.h"
#include "log.h"
#include "passt.h"
#include "programs.h"
#include "shares.h"
#include "wire/lines.h"

#define MAX_LINE        65536u
#define RECORD_PAUSE_MS 1000

typedef struct {
    Keeper *keeper;
    OstlerChannel *channel;
    KeeperLineFunc *take;
    const char *who;
} Stream;

static void coroutine_fn read_stream(Keeper *keeper, void *data)
{
    Stream *stream = data;
    OstlerLines lines;
    const char *line;
    char *room;
    size_t size;
    gssize n;

    ostler_lines_init(&lines, MAX_LINE);
    while ((room = ostler_lines_room(&lines, &size)) &&
           (n = ostler_channel_read(stream->channel, room, size, NULL)) > 0) {
        ostler_lines_add(&lines, (size_t)n);
        while ((line = ostler_lines_next(&lines, &size))) {
            if (stream->take) {
                stream->take(keeper, line, size);
            } else {
                keeper_log_line(stream->who, line, size);
            }
        }
    }
    ostler_lines_clear(&lines);
    ostler_channel_free(stream->channel);
    g_free(stream);
}

/* A descriptor for the side program to write lines to; the caller closes it. */
static int coroutine_mixed_fn open_stream(Keeper *keeper, const char *who,
                                          KeeperLineFunc *take, GError **error)
{
    int fd = -1;
    OstlerChannel *channel = ostler_channel_pair(&fd, error);

    if (channel) {
        Stream *stream = g_new(Stream, 1);
        *stream =
            (Stream){ .keeper = keeper, .channel = channel, .take = take, .who = who };
        keeper_spawn(keeper, read_stream, stream);
    }
    return fd;
}

int coroutine_mixed_fn keeper_open_log_stream(Keeper *keeper, const char *who,
                                              GError **error)
{
    return open_stream(keeper, who, NULL, error);
}

OstlerProcess *coroutine_mixed_fn keeper_start_side(Keeper *keeper, GPtrArray *argv,
                                                    const OstlerFdMap *fds,
                                                    unsigned n_fds,
                                                    KeeperLineFunc *take_output,
                                                    GError **error)
{
    static const char *const known[] = { "ostler-mtp", "ostler-address" };
    const char *who = argv->pdata[0];

    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(known[i], who) == 0) {
            who = known[i]; /* outlives argv, for the log */
        }
    }
    g_autofree char *program = keeper_find_program(who);
    g_ptr_array_add(argv, NULL);
    OstlerProcessConfig config = {
        .argv = (const char *const *)argv->pdata,
        .fds = fds,
        .n_fds = n_fds,
        .stdin_fd = -1,
        .stdout_fd = -1,
        .die_with_parent = true,
    };
    if (program) {
        g_free(argv->pdata[0]);
        argv->pdata[0] = g_strdup(program);
    }
    config.stderr_fd = open_stream(keeper, who, NULL, error);
    if (config.stderr_fd < 0) {
        return NULL;
    }
    if (take_output) {
        config.stdout_fd = open_stream(keeper, who, take_output, NULL);
    }
    OstlerProcess *process = ostler_process_start(&config, error);
    close(config.stderr_fd);
    if (config.stdout_fd >= 0) {
        close(config.stdout_fd);
    }
    return process;
}

GPtrArray *keeper_argv_new(const char *program)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(program));
    return argv;
}

void keeper_argv_add(GPtrArray *argv, const char *option, char *value)
{
    g_ptr_array_add(argv, g_strdup(option));
    g_ptr_array_add(argv, value);
}

/* --- ostler-address: who the guest says it is --- */

static bool wants_address(const Keeper *keeper)
{
    return keeper_addresses_n_mirrors(keeper->addresses) > 0;
}

/* For whoever adopts the guest.  Not at once: a guest may change its claims all day. */
static void coroutine_fn record_addresses_later(Keeper *keeper, void *unused)
{
    if (!ostler_process_wait(keeper->qemu, RECORD_PAUSE_MS, NULL)) {
        g_autoptr(json_object) known = keeper_addresses_json(keeper->addresses);
        json_object_put(keeper->status->addresses);
        keeper->status->addresses =
            json_object_get(ostler_json_find(known, "addresses"));
        keeper_save_status(keeper);
    }
    keeper->is_recording_addresses = false;
}

static void record_addresses(Keeper *keeper)
{
    if (!keeper->is_recording_addresses) {
        keeper->is_recording_addresses = true;
        keeper_spawn(keeper, record_addresses_later, NULL);
    }
}

static void take_finding(Keeper *keeper, const char *line, size_t size)
{
    if (keeper_addresses_take(keeper->addresses, line, size)) {
        record_addresses(keeper);
        ostler_control_server_tell(keeper->control, "address",
                                   keeper_addresses_json(keeper->addresses));
        cpc_queue_all(&keeper->changed);
    }
}

static OstlerProcess *coroutine_fn start_address(void *opaque, GError **error)
{
    Keeper *keeper = opaque;
    unsigned n = keeper_addresses_n_mirrors(keeper->addresses);
    g_autofree OstlerFdMap *fds = g_new(OstlerFdMap, n);
    g_autoptr(GPtrArray) argv = keeper_argv_new("ostler-address");

    for (unsigned i = 0; i < n; i++) {
        const KeeperMirror *mirror = keeper_addresses_mirror(keeper->addresses, i);
        fds[i] = (OstlerFdMap){ .source = mirror->fd, .target = 3 + (int)i };
        g_autofree char *option = g_strconcat("--", mirror->direction, NULL);
        keeper_argv_add(argv, option,
                        g_strdup_printf("%s=%d", mirror->nic, fds[i].target));
    }
    return keeper_start_side(keeper, argv, fds, n, take_finding, error);
}

/* --- all of them --- */

void keeper_report_side(const Keeper *keeper, const char *name, const char *what)
{
    if (!ostler_process_is_alive(keeper->qemu)) {
        return;
    }
    g_warning("%s %s", name, what);
}

static void report(const char *name, const char *what, void *opaque)
{
    keeper_report_side(opaque, name, what);
}

static const struct {
    const char *name;
    bool (*is_wanted)(const Keeper *keeper);
    OstlerSideOps ops;
} sides[] = {
    { "ostler-mtp", keeper_wants_mtp, { keeper_start_mtp, report } },
    { "ostler-address", wants_address, { start_address, report } },
};

static OstlerSide *find_side(const Keeper *keeper, const char *name)
{
    for (guint i = 0; i < keeper->sides->len; i++) {
        if (strcmp(ostler_side_name(keeper->sides->pdata[i]), name) == 0) {
            return keeper->sides->pdata[i];
        }
    }
    return NULL;
}

void coroutine_mixed_fn keeper_start_sides(Keeper *keeper)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(sides); i++) {
        if (sides[i].is_wanted(keeper) && !find_side(keeper, sides[i].name)) {
            g_ptr_array_add(keeper->sides,
                            ostler_side_new(sides[i].name, &sides[i].ops, keeper));
        }
    }
}

void coroutine_mixed_fn keeper_hurry_sides(Keeper *keeper)
{
    for (guint i = 0; i < keeper->sides->len; i++) {
        ostler_side_hurry(keeper->sides->pdata[i]);
    }
}

void keeper_replug_shares(Keeper *keeper)
{
    OstlerSide *mtp = find_side(keeper, "ostler-mtp");

    if (mtp) {
        ostler_side_renew(mtp);
    }
}

void coroutine_fn keeper_stop_sides(Keeper *keeper)
{
    keeper_stop_lending(keeper);
    while (keeper->sides->len > 0) {
        ostler_side_stop(g_ptr_array_steal_index_fast(keeper->sides, 0));
    }
    keeper_stop_passts(keeper);
}

json_object *keeper_describe_side(const OstlerSide *side)
{
    return ostler_json_object(
        "name", json_object_new_string(ostler_side_name(side)), "pid",
        json_object_new_int(ostler_side_pid(side)), "restarts",
        json_object_new_int64(ostler_side_n_restarts(side)), NULL);
}

json_object *keeper_describe_sides(const Keeper *keeper)
{
    json_object *list = json_object_new_array();

    for (guint i = 0; i < keeper->sides->len; i++) {
        json_object_array_add(list, keeper_describe_side(keeper->sides->pdata[i]));
    }
    keeper_describe_lenders(keeper, list);
    keeper_describe_passts(keeper, list);
    return list;
}
