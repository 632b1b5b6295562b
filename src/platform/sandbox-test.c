/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each attempt is made in a child of its own, and told by how the child ends. */
#include "platform/sandbox.h"

#include <arpa/inet.h>
#include <cpc/glib.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing.h"

static char *top;     /* a folder of ours with the two below and "secret" */
static char *shared;  /* writable */
static char *library; /* read-only */
static bool is_landlock_missing;

typedef int Attempt(void); /* 0 or errno, or another exit code */

static OstlerSandboxConfig streams = { .needs = OSTLER_SANDBOX_STREAMS };

static void enter(const OstlerSandboxConfig *config)
{
    g_autofree char *missing = NULL;
    g_autoptr(GError) error = NULL;

    if (!ostler_sandbox_enter(config, &missing, &error)) {
        g_printerr("%s\n", error->message);
        _exit(250);
    }
    if (missing) {
        g_printerr("missing: %s\n", missing);
    }
}

/* How @attempt ends in a sandbox: its result, or the signal's number as a negative. */
static int outcome(const OstlerSandboxConfig *config, Attempt *attempt)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        enter(config);
        _exit(attempt());
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int outcome_with_files(Attempt *attempt)
{
    const char *const read_only[] = { library, NULL };
    const char *const writable[] = { shared, NULL };
    OstlerSandboxConfig files = { OSTLER_SANDBOX_FILES, read_only, writable };

    return outcome(&files, attempt);
}

static int result_of(int rc)
{
    return rc < 0 ? errno : 0;
}

static int open_passwd(void)
{
    return result_of(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int stat_passwd(void)
{
    struct stat there;

    return result_of(stat("/etc/passwd", &there));
}

static int connect_to_loopback(void)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(1) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return result_of(connect(fd, (struct sockaddr *)&name, sizeof(name)));
}

static int execute_true(void)
{
    return result_of(execl("/bin/true", "true", NULL));
}

static int trace_parent(void)
{
    return result_of((int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int kill_parent(void)
{
    return result_of(kill(getppid(), SIGKILL));
}

static int map_code(void)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return code == MAP_FAILED ? errno : 0;
}

static int abort_at_once(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void a_stream_program_cannot_reach_files(void)
{
    g_assert_cmpint(outcome(&streams, open_passwd), ==, EPERM);
    g_assert_cmpint(outcome(&streams, stat_passwd), ==, EPERM);
}

static void connecting_executing_and_tracing_are_fatal(void)
{
    g_assert_cmpint(outcome(&streams, connect_to_loopback), ==, -SIGSYS);
    g_assert_cmpint(outcome(&streams, execute_true), ==, -SIGSYS);
    g_assert_cmpint(outcome(&streams, trace_parent), ==, -SIGSYS);
    g_assert_cmpint(outcome_with_files(connect_to_loopback), ==, -SIGSYS);
    g_assert_cmpint(outcome_with_files(execute_true), ==, -SIGSYS);
}

static void others_cannot_be_signalled_and_code_cannot_be_made(void)
{
    g_assert_cmpint(outcome(&streams, kill_parent), ==, EPERM);
    g_assert_cmpint(outcome(&streams, map_code), ==, EPERM);
}

static void aborting_is_still_possible(void)
{
    g_assert_cmpint(outcome(&streams, abort_at_once), ==, -SIGABRT);
}

static int open_beneath(const char *folder, const char *name, int flags)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    return result_of(open(path, flags | O_CLOEXEC, 0600));
}

static int open_secret(void)
{
    return open_beneath(top, "secret", O_RDONLY);
}

static int open_secret_by_dots(void)
{
    return open_beneath(shared, "../secret", O_RDONLY);
}

static int open_secret_by_link(void)
{
    return open_beneath(shared, "link", O_RDONLY);
}

static int read_book(void)
{
    return open_beneath(library, "book", O_RDONLY);
}

static int write_book(void)
{
    return open_beneath(library, "book", O_WRONLY);
}

static int make_file(void)
{
    return open_beneath(shared, "new", O_RDWR | O_CREAT | O_EXCL);
}

static int make_link(void)
{
    g_autofree char *path = g_build_filename(shared, "fresh-link", NULL);

    return result_of(symlink("/etc/passwd", path));
}

static int truncate_and_rename(void)
{
    g_autofree char *from = g_build_filename(shared, "note", NULL);
    g_autofree char *to = g_build_filename(shared, "deep", "note", NULL);
    g_autofree char *deep = g_build_filename(shared, "deep", NULL);

    int fd = open(from, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 1) < 0 || mkdir(deep, 0700) < 0 ||
        rename(from, to) < 0) {
        return errno;
    }
    return result_of(unlink(to));
}

static void files_are_reached_beneath_the_roots_only(void)
{
    if (is_landlock_missing) {
        g_test_skip("this kernel has no Landlock");
        return;
    }
    g_assert_cmpint(outcome_with_files(open_passwd), ==, EACCES);
    g_assert_cmpint(outcome_with_files(open_secret), ==, EACCES);
    g_assert_cmpint(outcome_with_files(open_secret_by_dots), ==, EACCES);
    g_assert_cmpint(outcome_with_files(open_secret_by_link), ==, EACCES);
    g_assert_cmpint(outcome_with_files(read_book), ==, 0);
    g_assert_cmpint(outcome_with_files(write_book), ==, EACCES);
    g_assert_cmpint(outcome_with_files(make_file), ==, 0);
    g_assert_cmpint(outcome_with_files(make_link), ==, EPERM);
    g_assert_cmpint(outcome_with_files(truncate_and_rename), ==, 0);
}

static void coroutine_fn echo(void *opaque)
{
    int *fds = opaque;
    char byte = 0;

    if (cpc_wait_fd(fds[0], G_IO_IN, 10000) && read(fds[0], &byte, 1) == 1) {
        byte++;
        send(fds[0], &byte, 1, MSG_NOSIGNAL);
    }
}

static int sockets[2];

static void coroutine_fn talk(void *opaque)
{
    char byte = 'a';
    bool *is_done = opaque;

    cpc_spawn(echo, &sockets[1]);
    send(sockets[0], &byte, 1, MSG_NOSIGNAL);
    cpc_sleep_ms(1);
    cpc_wait_fd(sockets[0], G_IO_IN, 10000);
    *is_done = recv(sockets[0], &byte, 1, 0) == 1 && byte == 'b';
}

static int run_coroutines(void)
{
    bool is_done = false;
    g_autofree char *big = g_malloc0(64 << 20);

    cpc_run(talk, &is_done);
    return is_done && big[1 << 20] == 0 ? 0 : 1;
}

static void coroutines_and_memory_work_as_before(void)
{
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
    g_assert_cmpint(outcome(&streams, run_coroutines), ==, 0);
    g_assert_cmpint(outcome_with_files(run_coroutines), ==, 0);
    close(sockets[0]);
    close(sockets[1]);
}

static void a_missing_root_is_an_error(void)
{
    static const char *const roots[] = { "/no/such/folder", NULL };
    OstlerSandboxConfig files = { OSTLER_SANDBOX_FILES, NULL, roots };

    if (is_landlock_missing) {
        g_test_skip("this kernel has no Landlock");
        return;
    }
    g_assert_cmpint(outcome(&files, read_book), ==, 250);
}

static void write_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, "text", -1, NULL));
}

static int ask_for_landlock(void)
{
    OstlerSandboxConfig files = { .needs = OSTLER_SANDBOX_FILES };
    g_autofree char *missing = NULL;

    ostler_sandbox_enter(&files, &missing, NULL);
    return missing && strstr(missing, "no Landlock") ? 1 : 0;
}

static void set_up(void)
{
    top = g_dir_make_tmp("ostler-sandbox-XXXXXX", NULL);
    shared = g_build_filename(top, "shared", NULL);
    library = g_build_filename(top, "library", NULL);
    g_autofree char *link = g_build_filename(shared, "link", NULL);

    g_assert_cmpint(g_mkdir(shared, 0700) | g_mkdir(library, 0700), ==, 0);
    write_file(top, "secret");
    write_file(library, "book");
    write_file(shared, "note");
    g_assert_cmpint(symlink("../secret", link), ==, 0);

    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(ask_for_landlock());
    }
    waitpid(pid, &status, 0);
    is_landlock_missing = WEXITSTATUS(status) == 1;
}

static void tear_down(void)
{
    ostler_test_remove(top);
    g_free(top);
    g_free(shared);
    g_free(library);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    set_up();
#define TEST(name) g_test_add_func("/sandbox/" #name, name)
    TEST(a_stream_program_cannot_reach_files);
    TEST(connecting_executing_and_tracing_are_fatal);
    TEST(others_cannot_be_signalled_and_code_cannot_be_made);
    TEST(aborting_is_still_possible);
    TEST(files_are_reached_beneath_the_roots_only);
    TEST(coroutines_and_memory_work_as_before);
    TEST(a_missing_root_is_an_error);
    int rc = g_test_run();
    tear_down();
    return rc;
}
