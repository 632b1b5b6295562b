/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    char *directory;
    char *path;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->directory = g_dir_make_tmp("ostler-lock-XXXXXX", NULL);
    f->path = g_build_filename(f->directory, "a.lock", NULL);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_unlink(f->path);
    g_rmdir(f->directory);
    g_free(f->path);
    g_free(f->directory);
}

static void assert_busy(const char *path)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_lock_claim(path, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
    g_assert_nonnull(strstr(error->message, path));
}

static void a_claim_excludes_others_until_freed(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    OstlerLock *lock = ostler_lock_claim(f->path, &error);

    g_assert_no_error(error);
    g_assert_true(ostler_lock_is_held(f->path));
    assert_busy(f->path);
    ostler_lock_free(lock);

    g_assert_false(ostler_lock_is_held(f->path));
    lock = ostler_lock_claim(f->path, &error);
    g_assert_no_error(error);
    ostler_lock_free(lock);
}

static void a_missing_folder_is_not_found(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_lock_claim("/nonexistent/a.lock", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_assert_false(ostler_lock_is_held("/nonexistent/a.lock"));
}

/* Claim @path in a child once @go is readable, then tell by the exit code. */
static pid_t spawn_racer(const char *path, int go, int stay)
{
    pid_t pid = fork();
    char byte;

    if (pid != 0) {
        return pid;
    }
    if (read(go, &byte, 1) < 0) {
        _exit(2);
    }
    OstlerLock *lock = ostler_lock_claim(path, NULL);
    /* The winner holds on until both have tried: the other end is closed then. */
    if (lock && read(stay, &byte, 1) < 0) {
        _exit(2);
    }
    _exit(lock ? 0 : 1);
}

static int exit_code_of(pid_t pid)
{
    int status = 0;

    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void of_two_that_race_one_wins(Fixture *f, gconstpointer unused)
{
    for (int round = 0; round < 50; round++) {
        int go[2], stay[2];

        g_assert_cmpint(pipe2(go, O_CLOEXEC), ==, 0);
        g_assert_cmpint(pipe2(stay, O_CLOEXEC), ==, 0);
        pid_t racers[2];
        for (int i = 0; i < 2; i++) {
            racers[i] = spawn_racer(f->path, go[0], stay[0]);
        }
        g_assert_cmpint(write(go[1], "12", 2), ==, 2);

        /* Only the loser ends by itself. */
        int status = 0;
        pid_t loser = wait(&status);
        g_assert_true(loser == racers[0] || loser == racers[1]);
        g_assert_cmpint(WEXITSTATUS(status), ==, 1);
        g_assert_true(ostler_lock_is_held(f->path));
        g_assert_cmpint(write(stay[1], "1", 1), ==, 1);
        g_assert_cmpint(exit_code_of(loser == racers[0] ? racers[1] : racers[0]), ==,
                        0);
        g_assert_false(ostler_lock_is_held(f->path));
        for (int i = 0; i < 2; i++) {
            close(go[i]);
            close(stay[i]);
        }
    }
}

/* An onlooker that took the lock to look at it would make some of these claims fail. */
static void looking_never_makes_a_claim_fail(Fixture *f, gconstpointer unused)
{
    pid_t onlooker = fork();

    if (onlooker == 0) {
        for (;;) {
            ostler_lock_is_held(f->path);
        }
    }
    for (int i = 0; i < 2000; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(OstlerLock) lock = ostler_lock_claim(f->path, &error);
        g_assert_no_error(error);
    }
    kill(onlooker, SIGKILL);
    waitpid(onlooker, NULL, 0);
}

/* A parent that claims, and a child of its that keeps the descriptor until told. */
static void claim_in_child_and_leave_to_grandchild(const char *path, int report,
                                                   int stay)
{
    OstlerLock *lock = ostler_lock_claim(path, NULL);
    pid_t grandchild = fork();

    if (grandchild == 0) {
        char byte;
        close(report);
        _exit(read(stay, &byte, 1) < 0);
    }
    ssize_t n = write(report, lock ? "1" : "0", 1);
    _exit(n != 1);
}

static void a_child_holds_on_after_its_parent_died(Fixture *f, gconstpointer unused)
{
    int report[2], stay[2];
    char byte = 0;

    g_assert_cmpint(pipe2(report, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(stay, O_CLOEXEC), ==, 0);
    pid_t parent = fork();
    if (parent == 0) {
        close(stay[1]);
        claim_in_child_and_leave_to_grandchild(f->path, report[1], stay[0]);
    }
    g_assert_cmpint(read(report[0], &byte, 1), ==, 1);
    g_assert_cmpint(byte, ==, '1');
    g_assert_cmpint(exit_code_of(parent), ==, 0);

    g_assert_true(ostler_lock_is_held(f->path));
    assert_busy(f->path);

    /* The grandchild ends at the end of file on its pipe; there is no other sign of it
     * than the lock itself. */
    close(stay[1]);
    while (ostler_lock_is_held(f->path)) {
        g_usleep(1000);
    }
    close(stay[0]);
    close(report[0]);
    close(report[1]);
}

static void an_unlinked_file_does_not_fool_a_claim(Fixture *f, gconstpointer unused)
{
    g_autoptr(OstlerLock) old = ostler_lock_claim(f->path, NULL);

    g_unlink(f->path);
    g_assert_false(ostler_lock_is_held(f->path));
    g_autoptr(OstlerLock) fresh = ostler_lock_claim(f->path, NULL);
    g_assert_nonnull(fresh);
    g_assert_true(ostler_lock_is_held(f->path));
}

static bool is_named(const OstlerLock *lock, const char *path)
{
    struct stat held, named;

    return fstat(ostler_lock_fd(lock), &held) == 0 && stat(path, &named) == 0 &&
           held.st_ino == named.st_ino;
}

/* Claim, unlink, release, over and over: nobody but the holder may unlink, so what is
 * claimed must be what is found at the path. */
static int claim_and_unlink(const char *path)
{
    for (int round = 0; round < 5000; round++) {
        g_autoptr(OstlerLock) lock = ostler_lock_claim(path, NULL);
        if (lock && !is_named(lock, path)) {
            return 1;
        }
        if (lock) {
            unlink(path);
        }
    }
    return 0;
}

static void unlinking_what_is_held_lets_nobody_else_in(Fixture *f, gconstpointer unused)
{
    pid_t racers[3];

    for (int i = 0; i < 3; i++) {
        racers[i] = fork();
        if (racers[i] == 0) {
            _exit(claim_and_unlink(f->path));
        }
    }
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(exit_code_of(racers[i]), ==, 0);
    }
}

#define ADD(name, test) g_test_add(name, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/lock/a-claim-excludes-others-until-freed",
        a_claim_excludes_others_until_freed);
    ADD("/lock/a-missing-folder-is-not-found", a_missing_folder_is_not_found);
    ADD("/lock/of-two-that-race-one-wins", of_two_that_race_one_wins);
    ADD("/lock/looking-never-makes-a-claim-fail", looking_never_makes_a_claim_fail);
    ADD("/lock/a-child-holds-on-after-its-parent-died",
        a_child_holds_on_after_its_parent_died);
    ADD("/lock/an-unlinked-file-does-not-fool-a-claim",
        an_unlinked_file_does_not_fool_a_claim);
    ADD("/lock/unlinking-what-is-held-lets-nobody-else-in",
        unlinking_what_is_held_lets_nobody_else_in);
    return g_test_run();
}
