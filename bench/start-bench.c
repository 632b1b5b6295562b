/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start-bench - what Ostler adds to starting a guest, and what listing many costs
 *
 *     start-bench OSTLER
 *
 * By hand: the same command line with the same descriptors, started and asked over QMP
 * until it says "running".  Against it, "OSTLER start".  The two take turns, so that what
 * else the machine does falls on both.
 */
#include <cpc/glib.h>
#include <glib/gstdio.h>
#include <ostler/ostler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/running/prepare.h"
#include "platform/datagram.h"
#include "platform/process.h"
#include "qmp/session.h"

#define N_STARTS       15
#define N_DEFINITIONS  1000
#define START_LIMIT_MS 40.0
#define LIST_LIMIT_MS  15.0

static const char definition_text[] =
    "[guest]\nname = bench\nmachine = q35\n"
    "accel = tcg\nmemory = 64M\n[nic.0]\n[serial.0]\n";

typedef struct {
    char *folder;
    OstlerDefinition *definition;
    OstlerRunPreparation *preparation;
    double ms;
} ByHand;

static void coroutine_fn prepare(void *opaque)
{
    ByHand *by_hand = opaque;

    by_hand->preparation =
        ostler_run_prepare(by_hand->definition, by_hand->folder, NULL);
    g_assert(by_hand->preparation);
}

static int make_socket(ByHand *by_hand, const OstlerPlanSocket *socket, GPtrArray *kept)
{
    g_autofree char *path =
        g_strdup_printf("%s/%s.sock", by_hand->folder, socket->name);
    int fd, other;

    if (socket->type == OSTLER_PLAN_DATAGRAM) {
        g_assert(ostler_datagram_pair(&fd, &other, NULL));
        return fd; /* the other stays open until the end */
    }
    OstlerListener *listener = ostler_listener_new(path, NULL);
    g_assert(listener);
    g_ptr_array_add(kept, listener);
    return ostler_listener_fd(listener);
}

static OstlerProcess *start_qemu(ByHand *by_hand)
{
    const OstlerPlan *plan = by_hand->preparation->plan;
    g_autofree OstlerFdMap *fds = g_new(OstlerFdMap, plan->n_sockets);
    g_autoptr(GPtrArray) kept =
        g_ptr_array_new_with_free_func((GDestroyNotify)ostler_listener_free);
    OstlerProcessConfig config = {
        .argv = (const char *const *)plan->argv,
        .directory = by_hand->folder,
        .fds = fds,
        .n_fds = plan->n_sockets,
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = -1,
    };

    for (unsigned i = 0; i < plan->n_sockets; i++) {
        fds[i].source = make_socket(by_hand, &plan->sockets[i], kept);
        fds[i].target = plan->sockets[i].target_fd;
    }
    return ostler_process_start(&config, NULL);
}

static void coroutine_fn start_by_hand(void *opaque)
{
    ByHand *by_hand = opaque;
    g_autofree char *path = g_build_filename(by_hand->folder, "qmp.sock", NULL);
    gint64 start_us = g_get_monotonic_time();
    g_autoptr(OstlerProcess) qemu = start_qemu(by_hand);
    OstlerChannel *channel = ostler_channel_connect(path, NULL);
    OstlerQmp *qmp = ostler_qmp_open(channel, NULL, 20000, NULL);

    json_object_put(ostler_qmp_execute(qmp, "cont", NULL, 5000, NULL));
    g_autoptr(json_object) status =
        ostler_qmp_execute(qmp, "query-status", NULL, 5000, NULL);
    g_assert(ostler_json_find_bool(status, "running", false));
    by_hand->ms = (double)(g_get_monotonic_time() - start_us) / 1000.0;
    ostler_qmp_free(qmp);
    ostler_process_kill(qemu);
    ostler_process_wait(qemu, -1, NULL);
}

static double run_ms(const char *const *argv)
{
    gint64 start_us = g_get_monotonic_time();
    int status = -1;

    g_assert(g_spawn_sync(NULL, (char **)argv, NULL,
                          G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                              G_SPAWN_STDERR_TO_DEV_NULL,
                          NULL, NULL, NULL, NULL, &status, NULL));
    g_assert(status == 0);
    return (double)(g_get_monotonic_time() - start_us) / 1000.0;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof(*values), compare);
    return values[n / 2];
}

static bool bench_start(OstlerHost *host, const char *ostler, const char *home)
{
    const char *const argv[] = { ostler, "start", "bench", NULL };
    double by_hand_ms[N_STARTS], ostler_ms[N_STARTS];
    OstlerGuest *guest = ostler_host_define(host, definition_text, "/bench", NULL);
    ByHand by_hand = {
        .folder = g_build_filename(home, "by-hand", NULL),
        .definition = ostler_definition_parse(definition_text, strlen(definition_text),
                                              "/bench", NULL),
    };

    g_mkdir(by_hand.folder, 0700);
    cpc_run(prepare, &by_hand);
    for (unsigned i = 0; i < N_STARTS; i++) {
        cpc_run(start_by_hand, &by_hand);
        by_hand_ms[i] = by_hand.ms;
        ostler_ms[i] = run_ms(argv);
        g_assert(ostler_guest_destroy(guest, NULL));
    }
    double hand = median(by_hand_ms, N_STARTS), ours = median(ostler_ms, N_STARTS);
    printf(
        "ostler start: %.1f ms, by hand %.1f ms (x %.2f): %.1f ms more, limit %.0f\n",
        ours, hand, ours / hand, ours - hand, START_LIMIT_MS);
    ostler_guest_free(guest);
    return ours - hand <= START_LIMIT_MS;
}

static bool bench_list(OstlerHost *host, const char *ostler)
{
    const char *const argv[] = { ostler, "list", "--all", NULL };
    const char *const nothing[] = { ostler, "version", NULL };
    double list_ms[N_STARTS], nothing_ms[N_STARTS];

    for (unsigned i = 0; i < N_DEFINITIONS; i++) {
        g_autofree char *text = g_strdup_printf("[guest]\nname = guest-%04u\n", i);
        ostler_guest_free(ostler_host_define(host, text, "/bench", NULL));
    }
    for (unsigned i = 0; i < N_STARTS; i++) {
        list_ms[i] = run_ms(argv);
        nothing_ms[i] = run_ms(nothing);
    }
    double list = median(list_ms, N_STARTS);
    printf(
        "ostler list --all, %u guests: %.1f ms, ostler version %.1f ms, limit %.0f\n",
        N_DEFINITIONS, list, median(nothing_ms, N_STARTS), LIST_LIMIT_MS);
    return list <= LIST_LIMIT_MS;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: start-bench OSTLER\n");
        return 2;
    }
    /* Where run directories are: in memory.  A disk's flushes would be timed else. */
    g_autofree char *home = g_strdup("/dev/shm/ostler-bench-XXXXXX");
    g_assert(g_mkdtemp(home));
    g_setenv("OSTLER_HOME", home, TRUE);

    OstlerHost *host = ostler_host_open(NULL);
    bool is_good = bench_start(host, argv[1], home);
    is_good = bench_list(host, argv[1]) && is_good;
    ostler_host_free(host);
    const char *const clean[] = { "rm", "-rf", home, NULL };
    run_ms(clean);
    return is_good ? 0 : 1;
}
