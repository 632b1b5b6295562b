/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A borrower runs in a child of its own, in a sandbox without a folder; what it got done
 * is told by its exit code.  The test is the lender meanwhile. */
#include "platform/lender.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing.h"
#include "platform/posix/beneath.h"
#include "platform/root.h"
#include "platform/sandbox.h"

static char *top; /* with "lent" and "secret" in it */
static char *lent;

static bool is_landlock_missing;

/* ---- borrowers; each returns 0, or the line that went wrong ---- */

#define NEED(claim)                                                                    \
    do {                                                                               \
        if (!(claim)) {                                                                \
            return __LINE__ & 0x7f ? __LINE__ & 0x7f : 1;                              \
        }                                                                              \
    } while (0)

static int work_with_files(int lender)
{
    g_autoptr(OstlerRoot) root = ostler_root_borrow(lender, NULL);
    NEED(root);
    g_autoptr(OstlerRootFolder) folder = ostler_root_folder(root, "", NULL);
    NEED(folder && ostler_root_make_folder(folder, "made", NULL));
    g_autoptr(OstlerRootFolder) made = ostler_root_folder(root, "made", NULL);
    NEED(made);

    for (int i = 0; i < 2; i++) { /* the second time it replaces */
        g_autoptr(OstlerRootFile) file = ostler_root_create(made, NULL);
        NEED(file && ostler_root_file_write(file, 0, "hello", 5, NULL));
        NEED(ostler_root_file_truncate(file, 4, NULL));
        NEED(ostler_root_file_publish(file, "new", true, NULL));
    }

    g_autoptr(OstlerRootFile) file = ostler_root_read(made, "new", NULL);
    char bytes[8] = "";
    NEED(file && ostler_root_file_read(file, 0, bytes, sizeof(bytes), NULL) == 4);
    NEED(strcmp(bytes, "hell") == 0);
    NEED(ostler_root_touch(made, "new", 1000000000, NULL));
    NEED(ostler_root_rename(made, "new", folder, "moved", NULL));

    g_autoptr(OstlerRootListing) listing = ostler_root_list(made, NULL);
    OstlerRootKind kind;
    NEED(listing && !ostler_root_listing_next(listing, &kind));
    NEED(ostler_root_remove(folder, "made", OSTLER_ROOT_FOLDER, NULL));
    return 0;
}

static int look_for_ways_out(int lender)
{
    g_autoptr(OstlerRoot) root = ostler_root_borrow(lender, NULL);
    NEED(root);
    g_autoptr(OstlerRootFolder) folder = ostler_root_folder(root, "", NULL);
    NEED(folder);
    NEED(!ostler_root_folder(root, "..", NULL) &&
         !ostler_root_folder(root, "up", NULL));
    NEED(!ostler_root_read(folder, "link", NULL));
    NEED(ostler_posix_open_beneath(root->loan, root->fd, "../secret", O_RDONLY, 0) < 0);
    NEED(ostler_posix_open_beneath(root->loan, root->fd, "/etc/passwd", O_RDONLY, 0) <
         0);

    /* What a borrower would send that does not keep to root.c. */
    const OstlerPosixRequest climbs[] = {
        { .call = OSTLER_POSIX_MAKE, .fd = root->fd, .name = "../made" },
        { .call = OSTLER_POSIX_REMOVE, .fd = root->fd, .name = "../secret" },
        { .call = OSTLER_POSIX_REMOVE, .fd = root->fd, .name = ".." },
        { .call = OSTLER_POSIX_RENAME,
          .fd = root->fd,
          .name = "file",
          .new_fd = root->fd,
          .new_name = "../file" },
        { .call = OSTLER_POSIX_LINK,
          .fd = root->fd,
          .new_fd = root->fd,
          .new_name = "../file" },
        { .call = 77, .fd = root->fd, .name = "file" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(climbs); i++) {
        NEED(ostler_posix_request(root->loan, &climbs[i]) < 0 && errno == EINVAL);
    }
    NEED(ostler_root_read(folder, "file", NULL)); /* it still answers */
    return 0;
}

static int send_nonsense(int lender)
{
    static char bytes[2 * OSTLER_POSIX_MAX_REQUEST];
    int32_t why = 0;

    memset(bytes, 0xee, sizeof(bytes));
    for (size_t size = 1; size < 40; size++) {
        NEED(send(lender, bytes, size, 0) == (ssize_t)size);
        NEED(recv(lender, &why, sizeof(why), 0) == sizeof(why) && why == EINVAL);
    }
    NEED(send(lender, bytes, sizeof(bytes), 0) == sizeof(bytes));
    NEED(recv(lender, &why, sizeof(why), 0) == sizeof(why) && why == EINVAL);
    return work_with_files(lender);
}

/* A descriptor alone is no way in, which is what lenders are for. */
static int use_folder_by_itself(int folder)
{
    int fd = openat(folder, "file", O_RDONLY);

    return fd >= 0 ? 0 : errno;
}

/* ---- the lender's side ---- */

typedef int Borrower(int fd);

static pid_t start_borrower(Borrower *borrow, int fd)
{
    pid_t pid = fork();

    if (pid == 0) {
        const OstlerSandboxConfig none = { .needs = OSTLER_SANDBOX_FILES };
        g_autofree char *missing = NULL;
        if (!ostler_sandbox_enter(&none, &missing, NULL)) {
            _exit(126);
        }
        _exit(borrow(fd));
    }
    close(fd);
    return pid;
}

static int end_of(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(200);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int outcome(Borrower *borrow)
{
    int fd = -1;
    g_autoptr(OstlerLender) lender = ostler_lender_new(lent, &fd, NULL);

    g_assert_nonnull(lender);
    return end_of(start_borrower(borrow, fd));
}

static void a_borrower_does_all_that_a_root_does(void)
{
    g_autofree char *moved = g_build_filename(lent, "moved", NULL);
    g_autofree char *bytes = NULL;

    g_assert_cmpint(outcome(work_with_files), ==, 0);
    g_assert_true(g_file_get_contents(moved, &bytes, NULL, NULL));
    g_assert_cmpstr(bytes, ==, "hell");
    g_unlink(moved);
}

static void nothing_outside_of_the_folder_is_lent(void)
{
    g_assert_cmpint(outcome(look_for_ways_out), ==, 0);
}

static void what_is_no_request_is_refused_and_the_next_is_answered(void)
{
    g_assert_cmpint(outcome(send_nonsense), ==, 0);
    g_autofree char *moved = g_build_filename(lent, "moved", NULL);
    g_unlink(moved);
}

static void a_descriptor_alone_opens_nothing_in_a_sandbox(void)
{
    if (is_landlock_missing) {
        g_test_skip("this kernel has no Landlock");
        return;
    }
    int folder = open(lent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(end_of(start_borrower(use_folder_by_itself, folder)), ==, EACCES);
}

static void a_lender_that_is_gone_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;
    OstlerLender *lender = ostler_lender_new(lent, &fd, NULL);

    ostler_lender_free(lender);
    g_assert_null(ostler_root_borrow(fd, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

static void a_folder_that_is_not_there_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;

    g_assert_null(ostler_lender_new("/no/such/folder", &fd, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

/* ---- */

static void write_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_true(
        g_file_set_contents_full(path, "x", 1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

static int has_no_landlock(void)
{
    const OstlerSandboxConfig none = { .needs = OSTLER_SANDBOX_FILES };
    char *missing = NULL;

    return ostler_sandbox_enter(&none, &missing, NULL) && missing &&
           strstr(missing, "no Landlock");
}

static void set_up(void)
{
    top = g_dir_make_tmp("lender-test-XXXXXX", NULL);
    lent = g_build_filename(top, "lent", NULL);
    g_assert_cmpint(g_mkdir(lent, 0755), ==, 0);
    write_file(top, "secret");
    write_file(lent, "file");
    g_autofree char *link = g_build_filename(lent, "link", NULL);
    g_autofree char *up = g_build_filename(lent, "up", NULL);
    g_assert_cmpint(symlink("../secret", link) | symlink("..", up), ==, 0);

    pid_t pid = fork();
    if (pid == 0) {
        _exit(has_no_landlock());
    }
    is_landlock_missing = end_of(pid) == 1;
}

static void tear_down(void)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", top);

    g_assert_cmpint(system(command), ==, 0);
    g_free(lent);
    g_free(top);
}

#define TEST(name) g_test_add_func("/lender/" #name, name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    set_up();
    TEST(a_borrower_does_all_that_a_root_does);
    TEST(nothing_outside_of_the_folder_is_lent);
    TEST(what_is_no_request_is_refused_and_the_next_is_answered);
    TEST(a_descriptor_alone_opens_nothing_in_a_sandbox);
    TEST(a_lender_that_is_gone_is_an_error);
    TEST(a_folder_that_is_not_there_is_an_error);
    int result = g_test_run();
    tear_down();
    return result;
}
