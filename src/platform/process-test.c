/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/process.h"

#include <cpc/glib.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run "sh -c @script" with @config's other wishes and give back what it printed. */
typedef struct {
    OstlerProcessConfig config;
    const char *script;
    char output[4096];
    OstlerProcessEnd end;
} Run;

static void coroutine_fn run_shell(void *opaque)
{
    Run *run = opaque;
    const char *argv[] = { "sh", "-c", run->script, NULL };
    g_autoptr(GError) error = NULL;
    int out[2];

    g_assert_cmpint(pipe2(out, O_CLOEXEC), ==, 0);
    run->config.argv = argv;
    run->config.stdin_fd = -1;
    run->config.stdout_fd = out[1];
    run->config.stderr_fd = -1;
    g_autoptr(OstlerProcess) process = ostler_process_start(&run->config, &error);
    g_assert_no_error(error);
    close(out[1]);

    size_t size = 0;
    ssize_t n;
    while ((n = read(out[0], run->output + size, sizeof(run->output) - 1 - size)) > 0) {
        size += (size_t)n;
    }
    close(out[0]);
    g_assert_true(ostler_process_wait(process, -1, &run->end));
    g_assert_false(ostler_process_is_alive(process));
}

static void assert_prints(Run *run, const char *expected)
{
    cpc_run(run_shell, run);
    g_assert_cmpstr(run->output, ==, expected);
    g_assert_true(run->end.is_known);
    g_assert_cmpint(run->end.code, ==, 0);
}

static void a_child_has_its_directory_and_environment(void)
{
    static const char *const env[] = { "COLOUR=bay", NULL };
    Run run = { .config = { .directory = "/usr", .env = env },
                .script = "pwd; echo $COLOUR" };

    assert_prints(&run, "/usr\nbay\n");
}

static void a_child_has_no_descriptors_but_those_given(void)
{
    int leaky = open("/dev/null", O_RDONLY); /* not close-on-exec */
    /* Named one by one: a glob over the directory would open it, and see itself. */
    Run run = { .script = "for f in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
                          "[ -e /proc/$$/fd/$f ] && echo $f; done; true" };
    assert_prints(&run, "");
    close(leaky);
}

/* A file that holds @letter, open under @number. */
static void open_letter(char letter, int number)
{
    int fd = memfd_create("letter", MFD_CLOEXEC);

    g_assert_cmpint(write(fd, &letter, 1), ==, 1);
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    g_assert_cmpint(dup2(fd, number), ==, number);
    close(fd);
}

static void descriptors_arrive_though_numbers_cross(void)
{
    static const OstlerFdMap fds[] = { { 27, 28 }, { 28, 27 }, { 29, 9 } };
    Run run = { .config = { .fds = fds, .n_fds = 3 },
                .script = "cat <&9; cat /proc/self/fd/27 /proc/self/fd/28" };

    for (int i = 0; i < 3; i++) {
        open_letter((char)('a' + i), fds[i].source);
    }
    assert_prints(&run, "cba");
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(close(fds[i].source), ==, 0); /* still ours */
    }
}

static void a_standard_stream_can_be_mapped_from_another(void)
{
    OstlerFdMap fds[] = { { .source = 0, .target = 5 } };
    Run run = { .config = { .fds = fds, .n_fds = 1 },
                .script = "[ -e /proc/self/fd/5 ] && readlink /proc/self/fd/0" };

    assert_prints(&run, "/dev/null\n");
}

static void signals_are_as_new_in_the_child(void)
{
    /* The 31 standard signals: 32 and 33 belong to the C library, which lets nobody
     * set them, so that a child has them as our own parent left them. */
    Run run = { .script = "sed -nE 's/^Sig(Blk|Ign):.*(.{8})$/\\1 0x\\2/p' "
                          "/proc/self/status | while read -r name mask; do "
                          "echo $name $((mask & 0x7fffffff)); done" };

    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    assert_prints(&run, "Blk 0\nIgn 0\n");
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static void a_new_session_is_led_by_the_child(void)
{
    Run run = { .config = { .new_session = true },
                .script = "set -- $(cat /proc/$$/stat); [ $6 = $$ ] && echo leader" };

    assert_prints(&run, "leader\n");
}

static void assert_start_fails(const char *program, const char *directory, int code)
{
    const char *argv[] = { program, NULL };
    OstlerProcessConfig config = { .argv = argv,
                                   .directory = directory,
                                   .stdin_fd = -1,
                                   .stdout_fd = -1,
                                   .stderr_fd = -1 };
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_process_start(&config, &error));
    g_assert_error(error, G_IO_ERROR, code);
    g_assert_nonnull(strstr(error->message, program));
    /* It has been reaped: there is no child to wait for. */
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
}

static void what_cannot_be_executed_fails_at_once(void)
{
    assert_start_fails("no-such-program-here", NULL, G_IO_ERROR_NOT_FOUND);
    assert_start_fails("/no/such/program", NULL, G_IO_ERROR_NOT_FOUND);
    assert_start_fails("/etc/passwd", NULL, G_IO_ERROR_PERMISSION_DENIED);
    assert_start_fails("true", "/no/such/directory", G_IO_ERROR_NOT_FOUND);
}

typedef struct {
    const char *script;
    int signal;
    const char *words;
} Ending;

static void coroutine_fn run_to_its_end(void *opaque)
{
    const Ending *ending = opaque;
    const char *argv[] = { "sh", "-c", ending->script, NULL };
    OstlerProcessConfig config = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
    };
    OstlerProcessEnd end;
    g_autoptr(OstlerProcess) process = ostler_process_start(&config, NULL);

    if (ending->signal) {
        g_assert_true(ostler_process_is_alive(process));
        g_assert_false(ostler_process_wait(process, 0, &end));
    }
    if (ending->signal == SIGTERM) {
        ostler_process_terminate(process);
    } else if (ending->signal == SIGKILL) {
        ostler_process_kill(process);
    }
    g_assert_true(ostler_process_wait(process, 10000, &end));
    g_autofree char *words = ostler_process_end_text(&end);
    g_assert_cmpstr(words, ==, ending->words);
    g_assert_true(ostler_process_wait(process, 0, NULL)); /* once more is no harm */
    ostler_process_kill(process);
}

static void the_end_is_told_in_words(void)
{
    Ending endings[] = {
        { "exit 0", 0, "exited with status 0" },
        { "exit 41", 0, "exited with status 41" },
        { "while :; do read x </dev/zero; done", SIGKILL,
          "was killed by signal 9 (Killed)" },
        { "while :; do read x </dev/zero; done", SIGTERM,
          "was killed by signal 15 (Terminated)" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        cpc_run(run_to_its_end, &endings[i]);
    }
}

/* A process that is alive and not ours: its parent has left it to init. */
static OstlerProcessIdentity start_stranger(int *out_stay)
{
    const char *argv[] = { "cat", NULL };
    int report[2], stay[2];
    OstlerProcessIdentity identity;

    g_assert_cmpint(pipe2(report, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(stay, O_CLOEXEC), ==, 0);
    pid_t parent = fork();
    if (parent == 0) {
        OstlerProcessConfig config = {
            .argv = argv, .stdin_fd = stay[0], .stdout_fd = -1, .stderr_fd = -1
        };
        g_autoptr(OstlerProcess) process = ostler_process_start(&config, NULL);
        identity = ostler_process_identity(process);
        _exit(write(report[1], &identity, sizeof(identity)) != sizeof(identity));
    }
    g_assert_cmpint(read(report[0], &identity, sizeof(identity)), ==, sizeof(identity));
    waitpid(parent, NULL, 0);
    close(report[0]);
    close(report[1]);
    close(stay[0]);
    *out_stay = stay[1];
    return identity;
}

static void coroutine_fn watch_a_stranger(void *opaque)
{
    int stay = -1;
    OstlerProcessEnd end;
    g_autoptr(GError) error = NULL;
    OstlerProcessIdentity identity = start_stranger(&stay);
    g_autoptr(OstlerProcess) process = ostler_process_adopt(&identity, &error);

    g_assert_no_error(error);
    g_assert_true(ostler_process_is_alive(process));
    close(stay);
    g_assert_true(ostler_process_wait(process, 10000, &end));
    g_assert_false(end.is_known);
    g_assert_false(ostler_process_is_alive(process));
    g_autofree char *words = ostler_process_end_text(&end);
    g_assert_cmpstr(words, ==, "ended");
}

static void a_stranger_can_be_watched_to_its_end(void)
{
    cpc_run(watch_a_stranger, NULL);
}

static void another_start_time_is_another_process(void)
{
    int stay = -1;
    g_autoptr(GError) error = NULL;
    OstlerProcessIdentity identity = start_stranger(&stay);

    identity.start_time++;
    g_assert_null(ostler_process_adopt(&identity, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    close(stay);
}

static void a_pid_that_is_gone_is_not_found(void)
{
    g_autoptr(GError) error = NULL;
    OstlerProcessIdentity identity = { .pid = 4194303, .start_time = 1 };

    g_assert_null(ostler_process_adopt(&identity, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void coroutine_fn outlive_a_parent(void *opaque)
{
    const char *argv[] = { "cat", NULL };
    int report[2], stay[2];
    OstlerProcessIdentity identity;

    g_assert_cmpint(pipe2(report, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(stay, O_CLOEXEC), ==, 0);
    pid_t parent = fork();
    if (parent == 0) {
        OstlerProcessConfig config = { .argv = argv,
                                       .stdin_fd = stay[0],
                                       .stdout_fd = -1,
                                       .stderr_fd = -1,
                                       .die_with_parent = true };
        g_autoptr(OstlerProcess) process = ostler_process_start(&config, NULL);
        identity = ostler_process_identity(process);
        if (write(report[1], &identity, sizeof(identity)) == sizeof(identity)) {
            pause();
        }
        _exit(1);
    }
    g_assert_cmpint(read(report[0], &identity, sizeof(identity)), ==, sizeof(identity));
    g_autoptr(OstlerProcess) process = ostler_process_adopt(&identity, NULL);
    g_assert_nonnull(process);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    g_assert_true(ostler_process_wait(process, 10000, NULL));
    for (int i = 0; i < 2; i++) {
        close(report[i]);
        close(stay[i]);
    }
}

static void a_tied_child_dies_with_its_parent(void)
{
    cpc_run(outlive_a_parent, NULL);
}

/* In a child for which there is no pidfd_open(), as under valgrind 3.19. */
static void without_pidfds_ends_are_told_as_well(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(pidfd_open), 0) <
                0 ||
            seccomp_load(filter) < 0) {
            _exit(77);
        }
        the_end_is_told_in_words();
        a_stranger_can_be_watched_to_its_end();
        another_start_time_is_another_process();
        a_pid_that_is_gone_is_not_found();
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        g_test_skip("no seccomp filter to hide pidfd_open() with");
        return;
    }
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

/* Freed while it runs it lives on; freed after its end it leaves no zombie. */
static void freeing_neither_kills_nor_leaves_zombies(void)
{
    const char *argv[] = { "cat", NULL };
    int stay[2];
    g_assert_cmpint(pipe2(stay, O_CLOEXEC), ==, 0);
    OstlerProcessConfig config = {
        .argv = argv, .stdin_fd = stay[0], .stdout_fd = -1, .stderr_fd = -1
    };
    OstlerProcess *process = ostler_process_start(&config, NULL);
    OstlerProcessIdentity identity = ostler_process_identity(process);

    ostler_process_free(process);
    process = ostler_process_adopt(&identity, NULL);
    g_assert_nonnull(process);
    close(stay[1]);
    while (ostler_process_is_alive(process)) {
        g_usleep(1000);
    }
    ostler_process_free(process);
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    close(stay[0]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/process/a-child-has-its-directory-and-environment",
                    a_child_has_its_directory_and_environment);
    g_test_add_func("/process/a-child-has-no-descriptors-but-those-given",
                    a_child_has_no_descriptors_but_those_given);
    g_test_add_func("/process/descriptors-arrive-though-numbers-cross",
                    descriptors_arrive_though_numbers_cross);
    g_test_add_func("/process/a-standard-stream-can-be-mapped-from-another",
                    a_standard_stream_can_be_mapped_from_another);
    g_test_add_func("/process/signals-are-as-new-in-the-child",
                    signals_are_as_new_in_the_child);
    g_test_add_func("/process/a-new-session-is-led-by-the-child",
                    a_new_session_is_led_by_the_child);
    g_test_add_func("/process/what-cannot-be-executed-fails-at-once",
                    what_cannot_be_executed_fails_at_once);
    g_test_add_func("/process/the-end-is-told-in-words", the_end_is_told_in_words);
    g_test_add_func("/process/a-stranger-can-be-watched-to-its-end",
                    a_stranger_can_be_watched_to_its_end);
    g_test_add_func("/process/another-start-time-is-another-process",
                    another_start_time_is_another_process);
    g_test_add_func("/process/a-pid-that-is-gone-is-not-found",
                    a_pid_that_is_gone_is_not_found);
    g_test_add_func("/process/without-pidfds-ends-are-told-as-well",
                    without_pidfds_ends_are_told_as_well);
    g_test_add_func("/process/a-tied-child-dies-with-its-parent",
                    a_tied_child_dies_with_its_parent);
    g_test_add_func("/process/freeing-neither-kills-nor-leaves-zombies",
                    freeing_neither_kills_nor_leaves_zombies);
    return g_test_run();
}
