/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/emulator.h"
#include "platform/channel.h"
#include "platform/process.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MONITOR_FD      3
#define MONITOR_CHARDEV "socket,id=ask,fd=3"
#define MAX_STDERR      (64 * 1024)

struct OstlerEmulator {
    OstlerProcess *process;
    OstlerQmp *qmp;
    int said_fd; /* a deleted file that QEMU's stderr goes to */
};

/* -audiodev: boards with sound on board look for the host's sound system else. */
static const char *const common_args[] = {
    "-S",     "-nodefaults", "-no-user-config", "-display",        "none",
    "-accel", "tcg",         "-audiodev",       "none,id=nosound",
};

static const char *const monitor_args[] = {
    "-chardev",
    MONITOR_CHARDEV,
    "-mon",
    "chardev=ask,mode=control",
};

static void add_all(GPtrArray *argv, const char *const *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_ptr_array_add(argv, (gpointer)args[i]);
    }
}

static GPtrArray *build_argv(const char *path, const char *const *args, bool monitor)
{
    GPtrArray *argv = g_ptr_array_new();

    g_ptr_array_add(argv, (gpointer)path);
    add_all(argv, common_args, G_N_ELEMENTS(common_args));
    add_all(argv, args, g_strv_length((char **)args));
    if (monitor) {
        add_all(argv, monitor_args, G_N_ELEMENTS(monitor_args));
    }
    g_ptr_array_add(argv, NULL);
    return argv;
}

/* A file without a name: what QEMU says must not block it, as a full pipe would. */
static int open_nameless(GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("ostler-ask-XXXXXX", &path, error);

    if (fd >= 0) {
        g_unlink(path);
    }
    return fd;
}

static char *read_said(int fd)
{
    char *text = g_malloc0(MAX_STDERR + 1);
    size_t size = 0;
    gssize got;

    lseek(fd, 0, SEEK_SET);
    while (size < MAX_STDERR && (got = read(fd, text + size, MAX_STDERR - size)) > 0) {
        size += (size_t)got;
    }
    return text;
}

static OstlerProcess *start_process(const char *const *argv, int monitor_fd,
                                    int said_fd, GError **error)
{
    OstlerFdMap map = { .source = monitor_fd, .target = MONITOR_FD };
    OstlerProcessConfig config = {
        .argv = argv,
        .fds = &map,
        .n_fds = monitor_fd >= 0 ? 1 : 0,
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = said_fd,
        .die_with_parent = true,
    };
    return ostler_process_start(&config, error);
}

/* Lines that accompany a refusal without being its reason. */
static bool is_noise(const char *line)
{
    return !*line || strstr(line, "warning: ") ||
           g_str_has_prefix(line, "qemu: module ") || g_str_has_prefix(line, "ALSA ") ||
           g_str_has_prefix(line, "audio: ");
}

char *ostler_emulator_reason(const char *said)
{
    g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
    const char *reason = NULL;

    for (char **line = lines; *line; line++) {
        if (!is_noise(g_strstrip(*line)) && !reason) {
            reason = *line;
        }
    }
    if (!reason) {
        return g_strdup("QEMU ended without a word");
    }
    if (g_str_has_prefix(reason, "qemu-system-")) {
        const char *colon = strstr(reason, ": ");
        reason = colon ? colon + 2 : reason;
    }
    return g_strdup(reason);
}

/* A signal says nothing about the machine: whoever ran out of memory sent it, or a bug. */
static GError *explain_end(const OstlerProcessEnd *end, const char *said)
{
    g_autofree char *reason = ostler_emulator_reason(said);

    if (end->signal) {
        g_autofree char *how = ostler_process_end_text(end);
        return g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED, "QEMU %s%s%s", how,
                           *said ? ": " : "", *said ? reason : "");
    }
    return g_error_new_literal(OSTLER_MACHINE_ERROR, OSTLER_MACHINE_ERROR_REFUSED,
                               reason);
}

/* Replace "connection closed" by the reason QEMU gave before it went. */
static void coroutine_fn explain(OstlerEmulator *emulator, GError **error)
{
    OstlerProcessEnd end;

    if (!ostler_process_wait(emulator->process, 1000, &end)) {
        return; /* it still runs: then the monitor's own error is the truth */
    }
    g_autofree char *said = read_said(emulator->said_fd);
    g_clear_error(error);
    *error = explain_end(&end, said);
}

static OstlerQmp *coroutine_fn open_monitor(OstlerEmulator *emulator,
                                            OstlerChannel *channel, GError **error)
{
    GError *failed = NULL;
    OstlerQmp *qmp =
        ostler_qmp_open(channel, NULL, OSTLER_EMULATOR_TIMEOUT_MS, &failed);

    if (!qmp) {
        explain(emulator, &failed);
        g_propagate_error(error, failed);
    }
    return qmp;
}

OstlerEmulator *coroutine_fn ostler_emulator_start(const char *path,
                                                   const char *const *args,
                                                   GError **error)
{
    g_autoptr(GPtrArray) argv = build_argv(path, args, true);
    OstlerEmulator *emulator = g_new0(OstlerEmulator, 1);
    int theirs = -1;
    OstlerChannel *channel = NULL;

    emulator->said_fd = open_nameless(error);
    if (emulator->said_fd >= 0) {
        channel = ostler_channel_pair(&theirs, error);
    }
    if (channel) {
        emulator->process = start_process((const char *const *)argv->pdata, theirs,
                                          emulator->said_fd, error);
        close(theirs);
    }
    if (emulator->process) {
        emulator->qmp = open_monitor(emulator, channel, error);
    } else {
        ostler_channel_free(channel);
    }
    if (!emulator->qmp) {
        ostler_emulator_stop(emulator);
        return NULL;
    }
    return emulator;
}

void coroutine_fn ostler_emulator_stop(OstlerEmulator *emulator)
{
    if (!emulator) {
        return;
    }
    g_clear_pointer(&emulator->qmp, ostler_qmp_free);
    if (emulator->process) {
        OstlerProcessEnd end;
        ostler_process_kill(emulator->process);
        ostler_process_wait(emulator->process, -1, &end);
        ostler_process_free(emulator->process);
    }
    if (emulator->said_fd >= 0) {
        close(emulator->said_fd);
    }
    g_free(emulator);
}

OstlerQmp *ostler_emulator_qmp(OstlerEmulator *emulator)
{
    return emulator->qmp;
}

char *coroutine_fn ostler_emulator_run(const char *const *argv, int timeout_ms,
                                       OstlerProcessEnd *out_end, GError **error)
{
    int said_fd = open_nameless(error);
    if (said_fd < 0) {
        return NULL;
    }

    char *said = NULL;
    OstlerProcess *process = start_process(argv, -1, said_fd, error);
    if (process) {
        if (!ostler_process_wait(process, timeout_ms, out_end)) {
            ostler_process_kill(process);
            ostler_process_wait(process, -1, out_end);
        }
        ostler_process_free(process);
        said = read_said(said_fd);
    }
    close(said_fd);
    return said;
}

char *coroutine_fn ostler_emulator_refusal(const char *path, const char *const *args,
                                           GError **error)
{
    g_autoptr(GPtrArray) argv = build_argv(path, args, false);
    OstlerProcessEnd end;

    return ostler_emulator_run((const char *const *)argv->pdata,
                               OSTLER_EMULATOR_TIMEOUT_MS, &end, error);
}
