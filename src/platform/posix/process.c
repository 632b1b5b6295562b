/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The child is made by vfork(): it borrows this process's memory until it executes, so
 * that the price does not grow with the caller's size (libostler may live in a large
 * program).  It must therefore touch nothing that matters here: everything is prepared
 * before, in a Launch, and run_child() only makes system calls.  Signals stay blocked
 * throughout, because a handler that ran in the child would run on our memory.
 *
 * What goes wrong in the child comes back through a pipe that closes on execution: an
 * empty read means that the program runs.  (Shared memory would do without the pipe, but
 * valgrind turns vfork() into fork().)
 *
 * Descriptors: all above 2 are first marked close-on-exec.  Sources are then duplicated
 * above every target, and only then put in their places: no source can be overwritten
 * before its turn, whatever way the numbers cross.
 *
 * A child is ours to reap until somebody waits for it; its pid cannot be reused before
 * that, so opening the pidfd after the fork cannot catch another process.
 *
 * Where there are no pidfds (valgrind 3.19 does not know the call), a process is its pid
 * and start time, and a wait looks after it from time to time.
 */
#include "platform/process.h"

#include <cpc/glib.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/posix/refusal.h"

/* Between two looks at a process that has no pidfd. */
#define LOOK_MS 20

struct OstlerProcess {
    OstlerProcessIdentity identity;
    int pidfd;       /* -1 where the system has none */
    bool is_watched; /* it was there when we got hold of it */
    bool has_ended;  /* and @end says how */
    OstlerProcessEnd end;
};

/* What the child was doing when it failed; in step with step_words. */
typedef enum { STEP_DIRECTORY, STEP_FDS, STEP_PARENT, STEP_EXECUTE } Step;

static const char *const step_words[] = {
    [STEP_DIRECTORY] = " in its working directory",
    [STEP_FDS] = " with its descriptors",
    [STEP_PARENT] = " tied to its parent",
    [STEP_EXECUTE] = "",
};

typedef struct {
    Step step;
    int why;
} Failure;

typedef struct {
    const OstlerProcessConfig *config;
    char *program;    /* owned: the path to execute */
    OstlerFdMap *fds; /* owned: the standard streams as well; the child writes here */
    unsigned n_fds;
    int first_free;     /* above every target */
    int null_fd;        /* owned */
    int report_read_fd; /* owned */
    int report_fd;      /* owned: the child's end */
    pid_t parent;
} Launch;

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void launch_clear(Launch *launch)
{
    close_fd(&launch->null_fd);
    close_fd(&launch->report_read_fd);
    close_fd(&launch->report_fd);
    g_clear_pointer(&launch->fds, g_free);
    g_clear_pointer(&launch->program, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Launch, launch_clear)

static char *find_program(const char *name, GError **error)
{
    if (strchr(name, '/')) {
        return g_canonicalize_filename(name, NULL);
    }

    char *path = g_find_program_in_path(name);
    if (!path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "There is no program '%s' in PATH", name);
    }
    return path;
}

static void add_fd(Launch *launch, int source, int target)
{
    launch->fds[launch->n_fds++] = (OstlerFdMap){ .source = source, .target = target };
    launch->first_free = MAX(launch->first_free, target + 1);
}

static void plan_fds(Launch *launch)
{
    const OstlerProcessConfig *config = launch->config;

    launch->fds = g_new(OstlerFdMap, config->n_fds + 3);
    launch->first_free = 3;
    add_fd(launch, config->stdin_fd < 0 ? launch->null_fd : config->stdin_fd, 0);
    add_fd(launch, config->stdout_fd < 0 ? launch->null_fd : config->stdout_fd, 1);
    if (config->stderr_fd >= 0) {
        add_fd(launch, config->stderr_fd, 2);
    }
    for (unsigned i = 0; i < config->n_fds; i++) {
        add_fd(launch, config->fds[i].source, config->fds[i].target);
    }
}

static bool prepare(Launch *launch, const OstlerProcessConfig *config, GError **error)
{
    int report[2];

    launch->config = config;
    launch->parent = getpid();
    launch->program = find_program(config->argv[0], error);
    if (!launch->program) {
        return false;
    }
    launch->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (launch->null_fd < 0 || pipe2(report, O_CLOEXEC) < 0) {
        return ostler_posix_refuse(error, "Cannot start '%s'", launch->program);
    }
    launch->report_read_fd = report[0];
    launch->report_fd = report[1];
    plan_fds(launch);
    return true;
}

/* Below here until start_child(): in the child, on borrowed memory. */

/* Duplicate @fd above every target, where nothing is put over it. */
static int move_up(const Launch *launch, int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, launch->first_free);
}

static bool place_fds(Launch *launch)
{
    if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0) {
        return false;
    }
    for (unsigned i = 0; i < launch->n_fds; i++) {
        launch->fds[i].source = move_up(launch, launch->fds[i].source);
        if (launch->fds[i].source < 0) {
            return false;
        }
    }
    for (unsigned i = 0; i < launch->n_fds; i++) {
        if (dup2(launch->fds[i].source, launch->fds[i].target) < 0) {
            return false;
        }
    }
    return true;
}

/* Handled, ignored (SIGPIPE, most often) and blocked signals are the parent's affair. */
static void reset_signals(void)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int signal = 1; signal < NSIG; signal++) {
        sigaction(signal, &standard, NULL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The parent may have died before the request took effect: then nobody will tell. */
static bool tie_to_parent(const Launch *launch)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == launch->parent;
}

/* Returns only on failure, with errno. */
static Step execute(Launch *launch)
{
    const OstlerProcessConfig *config = launch->config;
    const char *const *env = config->env ? config->env : (const char *const *)environ;

    if (config->new_session) {
        setsid();
    }
    if (config->directory && chdir(config->directory) < 0) {
        return STEP_DIRECTORY;
    }
    if (!place_fds(launch)) {
        return STEP_FDS;
    }
    if (config->die_with_parent && !tie_to_parent(launch)) {
        return STEP_PARENT;
    }
    reset_signals();
    execve(launch->program, (char *const *)config->argv, (char *const *)env);
    return STEP_EXECUTE;
}

static G_NORETURN void run_child(Launch *launch)
{
    Failure failure = { 0 };
    int report_fd = move_up(launch, launch->report_fd);

    failure.step = execute(launch);
    failure.why = errno;
    ssize_t n = write(report_fd, &failure, sizeof(failure));
    _exit(n == sizeof(failure) ? 126 : 127);
}

/* Apart, and never inlined: after vfork() the child must not disturb this frame. */
static __attribute__((noinline)) pid_t start_child(Launch *launch)
{
    pid_t pid = vfork();

    if (pid == 0) {
        run_child(launch);
    }
    return pid;
}

static pid_t start_with_signals_blocked(Launch *launch)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t pid = start_child(launch);
    int why = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return pid;
}

static ssize_t read_report(Launch *launch, Failure *failure)
{
    ssize_t n;

    close_fd(&launch->report_fd);
    do {
        n = read(launch->report_read_fd, failure, sizeof(*failure));
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Fork and execute; a child that could not execute is reaped here. */
static pid_t launch_run(Launch *launch, GError **error)
{
    Failure failure;
    pid_t pid = start_with_signals_blocked(launch);

    if (pid < 0) {
        ostler_posix_refuse(error, "Cannot start '%s'", launch->program);
        return -1;
    }
    if (read_report(launch, &failure) == sizeof(failure)) {
        waitpid(pid, NULL, 0);
        errno = failure.why;
        ostler_posix_refuse(error, "Cannot start '%s'%s", launch->program,
                            step_words[failure.step]);
        return -1;
    }
    return pid;
}

/* Fields 3 and 22 of /proc/PID/stat (proc(5)); the name, field 2, may hold blanks and
 * ")". */
static bool read_stat(int pid, char *out_state, uint64_t *out_start_time)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return false;
    }
    const char *after_name = strrchr(text, ')');
    g_auto(GStrv) fields = g_strsplit(after_name ? after_name : "", " ", -1);
    if (g_strv_length(fields) <= 20) { /* fields[0] is ")" */
        return false;
    }
    *out_state = *fields[1];
    return g_ascii_string_to_unsigned(fields[20], 10, 0, G_MAXUINT64, out_start_time,
                                      NULL);
}

static bool has_ended_by_stat(const OstlerProcessIdentity *identity)
{
    uint64_t start_time = 0;
    char state = 0;

    return !read_stat(identity->pid, &state, &start_time) ||
           start_time != identity->start_time || state == 'Z' || state == 'X';
}

/* waitid(2) for this process, whether it is known by handle or by number. */
static int wait_for_end(OstlerProcess *process, siginfo_t *info, int flags)
{
    return process->pidfd >= 0
               ? waitid(P_PIDFD, (id_t)process->pidfd, info, WEXITED | flags)
               : waitid(P_PID, (id_t)process->identity.pid, info, WEXITED | flags);
}

/* Nobody else will reap a child that has ended; one that still runs is left alone. */
static void finish(gpointer data)
{
    OstlerProcess *process = data;
    siginfo_t info;

    if (process->is_watched && !process->has_ended) {
        wait_for_end(process, &info, WNOHANG);
    }
    close_fd(&process->pidfd);
}

/* Get hold of process @pid; a pidfd is always close-on-exec. */
static bool watch(OstlerProcess *process, int pid)
{
    char state;

    process->identity.pid = pid;
    process->pidfd = pidfd_open(pid, 0);
    process->is_watched = (process->pidfd >= 0 || errno == ENOSYS) &&
                          read_stat(pid, &state, &process->identity.start_time);
    return process->is_watched;
}

static OstlerProcess *process_new(void)
{
    OstlerProcess *process = g_rc_box_new0(OstlerProcess);

    process->pidfd = -1;
    return process;
}

static OstlerProcess *process_ref(OstlerProcess *process)
{
    return g_rc_box_acquire(process);
}

static void process_unref(OstlerProcess *process)
{
    g_rc_box_release_full(process, finish);
}

void ostler_process_free(OstlerProcess *process)
{
    if (process) {
        process_unref(process);
    }
}

OstlerProcess *ostler_process_start(const OstlerProcessConfig *config, GError **error)
{
    g_auto(Launch) launch = { .null_fd = -1, .report_read_fd = -1, .report_fd = -1 };

    if (!prepare(&launch, config, error)) {
        return NULL;
    }
    pid_t pid = launch_run(&launch, error);
    if (pid < 0) {
        return NULL;
    }

    g_autoptr(OstlerProcess) process = process_new();
    if (!watch(process, pid)) {
        ostler_posix_refuse(error, "Cannot watch '%s'", launch.program);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return NULL;
    }
    return g_steal_pointer(&process);
}

/* The handle first: once it is open, the start time read and the process that is still
 * alive afterwards must be the handle's. */
OstlerProcess *ostler_process_adopt(const OstlerProcessIdentity *identity,
                                    GError **error)
{
    g_autoptr(OstlerProcess) process = process_new();

    if (watch(process, identity->pid) &&
        process->identity.start_time == identity->start_time &&
        ostler_process_is_alive(process)) {
        return g_steal_pointer(&process);
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "Process %d is gone",
                identity->pid);
    return NULL;
}

OstlerProcessIdentity ostler_process_identity(const OstlerProcess *process)
{
    return process->identity;
}

bool ostler_process_is_alive(const OstlerProcess *process)
{
    struct pollfd ended = { .fd = process->pidfd, .events = POLLIN };

    if (process->has_ended) {
        return false;
    }
    return process->pidfd >= 0 ? poll(&ended, 1, 0) == 0
                               : !has_ended_by_stat(&process->identity);
}

static void send_signal(OstlerProcess *process, int signal)
{
    if (process->has_ended) {
        return;
    }
    if (process->pidfd >= 0) {
        pidfd_send_signal(process->pidfd, signal, NULL, 0);
    } else if (!has_ended_by_stat(&process->identity)) {
        kill(process->identity.pid, signal);
    }
}

void ostler_process_terminate(OstlerProcess *process)
{
    send_signal(process, SIGTERM);
}

void ostler_process_kill(OstlerProcess *process)
{
    send_signal(process, SIGKILL);
}

/* How the process behind a readable pidfd ended; only a parent is told. */
static void reap(OstlerProcess *process)
{
    siginfo_t info = { 0 };
    int rc;

    do {
        rc = wait_for_end(process, &info, 0);
    } while (rc < 0 && errno == EINTR);
    process->has_ended = true;
    process->end.is_known = rc == 0;
    if (rc == 0 && info.si_code == CLD_EXITED) {
        process->end.code = info.si_status;
    } else {
        process->end.code = -1;
        process->end.signal = rc == 0 ? info.si_status : 0;
    }
}

static bool coroutine_fn look_until_it_ends(OstlerProcess *process, int timeout_ms)
{
    int64_t deadline = ostler_clock_deadline(timeout_ms);

    while (!process->has_ended && !has_ended_by_stat(&process->identity)) {
        int left = ostler_clock_left(deadline);
        if (left == 0) {
            return false;
        }
        cpc_sleep_ms(left < 0 ? LOOK_MS : (unsigned)MIN(left, LOOK_MS));
    }
    return true;
}

static bool coroutine_fn wait_until_it_ends(OstlerProcess *process, int timeout_ms)
{
    if (process->has_ended) {
        return true;
    }
    return process->pidfd >= 0 ? cpc_wait_fd(process->pidfd, G_IO_IN, timeout_ms) != 0
                               : look_until_it_ends(process, timeout_ms);
}

bool coroutine_fn ostler_process_wait(OstlerProcess *process, int timeout_ms,
                                      OstlerProcessEnd *out_end)
{
    process_ref(process);
    bool is_over = wait_until_it_ends(process, timeout_ms);
    if (is_over && !process->has_ended) { /* another coroutine may have been faster */
        reap(process);
    }
    if (is_over && out_end) {
        *out_end = process->end;
    }
    process_unref(process);
    return is_over;
}

char *ostler_process_end_text(const OstlerProcessEnd *end)
{
    if (!end->is_known) {
        return g_strdup("ended");
    }
    if (end->signal) {
        return g_strdup_printf("was killed by signal %d (%s)", end->signal,
                               g_strsignal(end->signal));
    }
    return g_strdup_printf("exited with status %d", end->code);
}
