/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/rundir.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing.h"

typedef struct {
    char *directory;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->directory = g_dir_make_tmp("ostler-rundir-XXXXXX", NULL);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    ostler_test_remove(f->directory);
    g_free(f->directory);
}

static void assert_path(char *path, const char *expected)
{
    g_assert_cmpstr(path, ==, expected);
    g_free(path);
}

static void ostler_home_holds_all_three(Fixture *f, gconstpointer unused)
{
    g_setenv("OSTLER_HOME", "/somewhere", true);
    g_setenv("XDG_RUNTIME_DIR", "/run/user/1", true);
    assert_path(ostler_dir_config(), "/somewhere/config");
    assert_path(ostler_dir_run(), "/somewhere/run");
    assert_path(ostler_dir_cache(), "/somewhere/cache");
    assert_path(ostler_dir_state(), "/somewhere/state");
    g_unsetenv("OSTLER_HOME");
    g_unsetenv("XDG_RUNTIME_DIR");
}

static void xdg_directories_are_used_if_absolute(Fixture *f, gconstpointer unused)
{
    g_autofree char *own = g_strdup_printf("/tmp/ostler-%u", (unsigned)geteuid());

    g_setenv("XDG_CONFIG_HOME", "/c", true);
    g_setenv("XDG_RUNTIME_DIR", "/r", true);
    assert_path(ostler_dir_config(), "/c/ostler");
    assert_path(ostler_dir_run(), "/r/ostler");
    g_setenv("XDG_RUNTIME_DIR", "relative", true);
    assert_path(ostler_dir_run(), own);
    g_unsetenv("XDG_RUNTIME_DIR");
    g_unsetenv("XDG_CONFIG_HOME");
}

static void parents_are_made_and_private(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(f->directory, "a", "b c", "ü", NULL);
    struct stat made;

    g_assert_true(ostler_dir_ensure(path, &error));
    g_assert_true(ostler_dir_ensure(path, &error)); /* again is no error */
    g_assert_no_error(error);
    g_assert_cmpint(stat(path, &made), ==, 0);
    g_assert_cmpint(made.st_mode & 0777, ==, 0700);
}

static void a_directory_that_others_may_write_is_refused(Fixture *f,
                                                         gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(chmod(f->directory, 0777), ==, 0);
    g_assert_false(ostler_dir_ensure(f->directory, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
}

static void a_file_in_the_way_is_an_error(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_build_filename(f->directory, "file", NULL);

    g_assert_true(ostler_file_replace(file, "", 0, NULL));
    g_assert_false(ostler_dir_ensure(file, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY);
}

/* Only root can make the other user's trap that this is about. */
static void another_users_trap_in_tmp_is_refused(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *real = g_build_filename(f->directory, "real", NULL);
    g_autofree char *trap = g_build_filename(f->directory, "trap", NULL);
    g_autofree char *inside = g_build_filename(trap, "web", NULL);

    g_assert_true(ostler_dir_ensure(real, NULL));
    g_assert_cmpint(symlink(real, trap), ==, 0);
    if (lchown(trap, 4242, 4242) < 0) {
        g_test_skip("giving a file away takes root");
        return;
    }
    g_assert_cmpint(chmod(f->directory, 01777), ==, 0);
    g_assert_false(ostler_dir_ensure(inside, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
    g_assert_nonnull(strstr(error->message, "another user"));
}

static void assert_content(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void a_file_is_replaced_whole(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(f->directory, "state", NULL);

    g_assert_true(ostler_file_replace(path, "old", 3, &error));
    g_assert_true(ostler_file_replace(path, "newer", 5, &error));
    g_assert_no_error(error);
    assert_content(path, "newer");
    g_assert_cmpint(ostler_test_count_entries(f->directory), ==, 1);
}

/* In a child with a file system of its own, 64 KiB small: the exit code says where it
 * failed, 77 that there is no way to mount one here. */
static int fill_the_disk(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "state", NULL);
    g_autofree char *big = g_strnfill(1 << 20, 'x');
    g_autoptr(GError) error = NULL;

    if ((unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", directory, "tmpfs", 0, "size=64k") < 0) {
        return 77;
    }
    if (!ostler_file_replace(path, "old", 3, NULL)) {
        return 1;
    }
    if (ostler_file_replace(path, big, 1 << 20, &error)) {
        return 2;
    }
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) ||
        !strstr(error->message, path)) {
        return 3;
    }
    assert_content(path, "old");
    return ostler_test_count_entries(directory) == 1 ? 0 : 4;
}

static void a_full_disk_leaves_the_old_file(Fixture *f, gconstpointer unused)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(fill_the_disk(f->directory));
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        g_test_skip("a small file system cannot be mounted here");
        return;
    }
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

#define ADD(name, test) g_test_add(name, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_unsetenv("OSTLER_HOME");
    ADD("/rundir/ostler-home-holds-all-three", ostler_home_holds_all_three);
    ADD("/rundir/xdg-directories-are-used-if-absolute",
        xdg_directories_are_used_if_absolute);
    ADD("/rundir/parents-are-made-and-private", parents_are_made_and_private);
    ADD("/rundir/a-directory-that-others-may-write-is-refused",
        a_directory_that_others_may_write_is_refused);
    ADD("/rundir/a-file-in-the-way-is-an-error", a_file_in_the_way_is_an_error);
    ADD("/rundir/another-users-trap-in-tmp-is-refused",
        another_users_trap_in_tmp_is_refused);
    ADD("/rundir/a-file-is-replaced-whole", a_file_is_replaced_whole);
    ADD("/rundir/a-full-disk-leaves-the-old-file", a_full_disk_leaves_the_old_file);
    return g_test_run();
}
