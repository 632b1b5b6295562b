/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The session against the real QEMU, started as the keeper starts it: the listening
 * socket made here, deep enough that its path does not fit into sun_path, and inherited.
 */
#include "qmp/session.h"

#include <cpc/glib.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/process.h"

#define EMULATOR "qemu-system-x86_64"
#define CHILD_FD 7

typedef struct {
    char *top, *directory, *path;
    int complaints; /* QEMU's standard error */
    OstlerProcess *process;
    OstlerQmp *qmp;
    GString *events;
    CoEvent closed;
} Qemu;

static void note_event(const char *event, json_object *data, void *opaque)
{
    g_string_append_printf(((Qemu *)opaque)->events, "%s|", event);
}

static void note_closed(const GError *why, void *opaque)
{
    g_assert_error(why, G_IO_ERROR, G_IO_ERROR_CLOSED);
    cpc_event_set(&((Qemu *)opaque)->closed);
}

static void make_deep_directory(Qemu *qemu)
{
    g_autofree char *step = g_strnfill(200, 'd');

    qemu->top = g_dir_make_tmp("ostler-qmp-XXXXXX", NULL);
    qemu->directory = g_build_filename(qemu->top, step, NULL);
    g_assert_cmpint(g_mkdir(qemu->directory, 0700), ==, 0);
    qemu->path = g_build_filename(qemu->directory, "qmp", NULL);
}

static void start(Qemu *qemu)
{
    static const char *const argv[] = {
        EMULATOR,
        "-machine",
        "none",
        "-S",
        "-nodefaults",
        "-display",
        "none",
        "-chardev",
        "socket,id=qmp,fd=7,server=on,wait=off",
        "-mon",
        "chardev=qmp,mode=control",
        NULL,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerListener) listener = ostler_listener_new(qemu->path, &error);
    g_assert_no_error(error);
    OstlerFdMap fds[] = { { ostler_listener_fd(listener), CHILD_FD } };
    OstlerProcessConfig config = { .argv = argv,
                                   .directory = qemu->directory,
                                   .fds = fds,
                                   .n_fds = 1,
                                   .stdin_fd = -1,
                                   .stdout_fd = -1,
                                   .stderr_fd = qemu->complaints,
                                   .die_with_parent = true };

    qemu->process = ostler_process_start(&config, &error);
    g_assert_no_error(error);
}

static void coroutine_fn open_monitor(Qemu *qemu)
{
    OstlerQmpListener listener = { note_event, note_closed, qemu };
    g_autoptr(GError) error = NULL;
    OstlerChannel *channel = ostler_channel_connect(qemu->path, &error);

    g_assert_no_error(error);
    qemu->qmp = ostler_qmp_open(channel, &listener, 30000, &error);
    g_assert_no_error(error);
    g_assert_cmpint(ostler_qmp_version(qemu->qmp), >=, 70200);
    g_assert_true(ostler_qmp_has_oob(qemu->qmp));
}

static void coroutine_fn ask(Qemu *qemu)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) status =
        ostler_qmp_execute(qemu->qmp, "query-status", NULL, 10000, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ostler_json_find_string(status, "status"), ==, "prelaunch");
}

static void coroutine_fn be_refused(Qemu *qemu, const char *command,
                                    json_object *arguments, int code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_qmp_execute(qemu->qmp, command, arguments, 10000, &error));
    g_assert_error(error, OSTLER_QMP_ERROR, code);
}

static void coroutine_fn hand_over(Qemu *qemu)
{
    g_autoptr(GError) error = NULL;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    g_assert_true(ostler_qmp_getfd(qemu->qmp, "nothing", fd, &error));
    g_assert_no_error(error);
    close(fd);
    g_autoptr(json_object) result = ostler_qmp_execute(
        qemu->qmp, "closefd",
        ostler_json_object("fdname", json_object_new_string("nothing"), NULL), 10000,
        &error);
    g_assert_no_error(error);
}

/* yank is the one command that is allowed out of band and harmless (qapi/yank.json). */
static void coroutine_fn go_out_of_band(Qemu *qemu)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) result = ostler_qmp_execute_oob(
        qemu->qmp, "yank",
        ostler_json_object("instances", json_object_new_array(), NULL), 10000, &error);

    g_assert_no_error(error);
}

/* A stopped QEMU costs the timeout and nothing more: its late answers are dropped. */
static void coroutine_fn stall(Qemu *qemu)
{
    g_autoptr(GError) error = NULL;
    int pid = ostler_process_identity(qemu->process).pid;

    g_assert_cmpint(kill(pid, SIGSTOP), ==, 0);
    g_assert_null(ostler_qmp_execute(qemu->qmp, "query-version", NULL, 50, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    g_assert_cmpint(kill(pid, SIGCONT), ==, 0);
    ask(qemu);
}

static void coroutine_fn quit(Qemu *qemu)
{
    OstlerProcessEnd end;
    g_autoptr(json_object) result =
        ostler_qmp_execute(qemu->qmp, "quit", NULL, 10000, NULL);

    g_assert_nonnull(result);
    g_assert_true(cpc_event_wait(&qemu->closed, 10000));
    g_assert_true(ostler_process_wait(qemu->process, 10000, &end));
    g_assert_cmpint(end.code, ==, 0);
    g_assert_cmpstr(qemu->events->str, ==, "SHUTDOWN|");
}

/* It unlinks the name that its socket was bound to when it ends; that this name is gone,
 * and led through a descriptor that it does not have, must not make it complain. */
static void assert_no_complaints(Qemu *qemu)
{
    char text[4096];
    ssize_t n = pread(qemu->complaints, text, sizeof(text) - 1, 0);

    text[MAX(n, 0)] = '\0';
    g_assert_cmpstr(text, ==, "");
}

static void coroutine_fn run(void *opaque)
{
    Qemu *qemu = opaque;

    start(qemu);
    open_monitor(qemu);
    ask(qemu);
    be_refused(qemu, "no-such-command", NULL, OSTLER_QMP_ERROR_COMMAND_NOT_FOUND);
    be_refused(qemu, "device_del",
               ostler_json_object("id", json_object_new_string("nobody"), NULL),
               OSTLER_QMP_ERROR_DEVICE_NOT_FOUND);
    be_refused(qemu, "cont", json_object_new_array(), OSTLER_QMP_ERROR_GENERIC);
    hand_over(qemu);
    go_out_of_band(qemu);
    stall(qemu);
    quit(qemu);
    assert_no_complaints(qemu);
}

static void a_real_qemu_answers_stalls_and_quits(void)
{
    g_autofree char *emulator = g_find_program_in_path(EMULATOR);
    if (!emulator) {
        g_test_skip(EMULATOR " is not installed");
        return;
    }

    Qemu qemu = { .complaints = memfd_create("complaints", MFD_CLOEXEC),
                  .events = g_string_new(NULL) };
    make_deep_directory(&qemu);
    cpc_run(run, &qemu);
    ostler_qmp_free(qemu.qmp);
    ostler_process_free(qemu.process);
    close(qemu.complaints);
    g_string_free(qemu.events, TRUE);
    g_unlink(qemu.path);
    g_rmdir(qemu.directory);
    g_rmdir(qemu.top);
    g_free(qemu.path);
    g_free(qemu.directory);
    g_free(qemu.top);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/a-real-qemu-answers-stalls-and-quits",
                    a_real_qemu_answers_stalls_and_quits);
    return g_test_run();
}
