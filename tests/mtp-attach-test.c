/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shares that come and go in a running, sandboxed ostler-mtp; every lender is a process
 * of its own, sandboxed as well. */
#include "usbredir-host.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

typedef struct {
    UsbredirHost host;
    char *other; /* the folder that comes and goes */
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->other = g_dir_make_tmp("mtp-attach-XXXXXX", NULL);
    f->host.control = g_strconcat(f->other, ".sock", NULL);
    host_set_up(&f->host);
    host_listen(&f->host);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_autofree char *command =
        g_strdup_printf("rm -rf '%s' '%s'", f->other, f->host.control);

    host_tear_down(&f->host);
    g_assert_cmpint(system(command), ==, 0);
    g_free(f->host.control);
    g_free(f->other);
}

/* The next event @code; files may have news of their own in between. */
static uint32_t wait_for_event(Fixture *f, uint32_t code)
{
    uint32_t next;

    do {
        host_pump(&f->host, host_has_event, 0);
        next = g_array_index(f->host.events, uint32_t, 0);
        if (next != code) {
            host_next_event(&f->host, 0x4007);
        }
    } while (next != code);
    return host_next_event(&f->host, code);
}

/* ---- errands ---- */

static GPid start_errand(Fixture *f, const char *option, const char *word)
{
    const char *argv[] = { g_getenv("OSTLER_MTP"), option, word, "--to",
                           f->host.control,        NULL };
    GPid pid;

    g_assert_true(g_spawn_async(NULL, (char **)argv, NULL,
                                G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                                NULL, NULL, &pid, NULL));
    return pid;
}

static int end_of(GPid pid)
{
    int status;

    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static GPid attach(Fixture *f, const char *flags, uint32_t *out_storage)
{
    g_autofree char *share = g_strconcat("Other=", f->other, flags, NULL);
    GPid pid = start_errand(f, "--attach", share);

    *out_storage = wait_for_event(f, 0x4004);
    return pid;
}

static void put_other(const Fixture *f, const char *name, const char *bytes)
{
    g_autofree char *path = g_build_filename(f->other, name, NULL);

    g_assert_true(g_file_set_contents_full(path, bytes, -1, G_FILE_SET_CONTENTS_NONE,
                                           0644, NULL));
}

/* ---- transactions ---- */

static uint32_t n_objects(Fixture *f, uint32_t storage)
{
    host_send_command(&f->host, 0x1006, storage, 0, 0);
    host_expect(&f->host, 0x2001);
    return host_word(&f->host, 3);
}

static uint32_t first_object(Fixture *f, uint32_t storage)
{
    host_send_command(&f->host, 0x1007, storage, 0, 0xffffffff);
    host_receive_in(&f->host, 512);
    uint32_t handle = host_word(&f->host, 4);
    host_expect(&f->host, 0x2001);
    return handle;
}

/* SendObjectInfo for "new" of @size bytes, then what must come. */
static void send_info(Fixture *f, uint32_t storage, uint32_t size, uint16_t response)
{
    static const uint8_t name[] = { 4, 'n', 0, 'e', 0, 'w', 0, 0, 0, 0, 0, 0 };
    uint8_t info[12 + 52 + sizeof(name)] = {
        sizeof(info), 0, 0, 0, 2, 0, 0x0c, 0x10, 1,
    };

    info[12 + 5] = 0x30; /* format 0x3000 */
    memcpy(info + 12 + 8, &size, 4);
    memcpy(info + 12 + 52, name, sizeof(name));
    host_send_command(&f->host, 0x100c, storage, 0xffffffff, 0);
    host_send_out(&f->host, info, sizeof(info));
    host_expect(&f->host, response);
}

/* ---- claims ---- */

static void a_share_that_is_attached_can_be_used(Fixture *f, gconstpointer unused)
{
    static const uint8_t data[] = { 15, 0, 0, 0, 2,   0,   0x0d, 0x10,
                                    1,  0, 0, 0, 'a', 'b', 'c' };
    g_autofree char *path = g_build_filename(f->other, "new", NULL);
    g_autofree char *bytes = NULL;
    uint32_t storage;

    put_other(f, "file", "hello");
    GPid lender = attach(f, "", &storage);
    g_assert_cmphex(storage, ==, 0x00020001);
    g_assert_cmpuint(n_objects(f, storage), ==, 1);
    host_send_command(&f->host, 0x1009, first_object(f, storage), 0, 0);
    host_receive_in(&f->host, 512);
    g_assert_cmpmem(f->host.got->data + 12, f->host.got->len - 12, "hello", 5);
    host_expect(&f->host, 0x2001);

    send_info(f, storage, 3, 0x2001);
    host_send_command(&f->host, 0x100d, 0, 0, 0);
    host_send_out(&f->host, data, sizeof(data));
    host_expect(&f->host, 0x2001);
    g_assert_true(g_file_get_contents(path, &bytes, NULL, NULL));
    g_assert_cmpstr(bytes, ==, "abc");

    put_other(f, "third", "x"); /* the watch works, too */
    wait_for_event(f, 0x4002);
    kill(lender, SIGTERM);
    g_assert_cmpuint(wait_for_event(f, 0x4005), ==, storage);
    g_assert_cmpint(end_of(lender), ==, 0);
}

static void a_killed_lender_takes_its_share_along(Fixture *f, gconstpointer unused)
{
    uint32_t storage;

    for (unsigned i = 0; i < 3; i++) {
        GPid lender = attach(f, "", &storage);
        kill(lender, SIGKILL);
        g_assert_cmpuint(wait_for_event(f, 0x4005), ==, storage);
        g_assert_cmpint(end_of(lender), ==, -SIGKILL);
        host_send_command(&f->host, 0x1006, storage, 0, 0);
        host_expect(&f->host, 0x2008);
    }
}

static void a_share_is_detached_by_its_label(Fixture *f, gconstpointer unused)
{
    uint32_t storage;
    GPid lender = attach(f, "", &storage);

    g_assert_cmpint(end_of(start_errand(f, "--detach", "Nobody")), ==, 1);
    g_assert_cmpint(end_of(start_errand(f, "--detach", "Other")), ==, 0);
    g_assert_cmpuint(wait_for_event(f, 0x4005), ==, storage);
    g_assert_cmpint(end_of(lender), ==, 0);

    /* One that was there from the start goes as well. */
    g_assert_cmpint(end_of(start_errand(f, "--detach", "Test")), ==, 0);
    g_assert_cmphex(wait_for_event(f, 0x4005), ==, 0x00010001);
}

static void a_label_is_given_once(Fixture *f, gconstpointer unused)
{
    g_autofree char *same = g_strconcat("Test=", f->other, NULL);
    g_autofree char *none = g_strconcat("None=", f->other, "/none", NULL);

    g_assert_cmpint(end_of(start_errand(f, "--attach", same)), ==, 1);
    g_assert_cmpint(end_of(start_errand(f, "--attach", none)), ==, 1);
    g_assert_cmpint(end_of(start_errand(f, "--attach", "no share")), ==, 2);
    g_assert_cmpuint(n_objects(f, 0x00010001), ==, 0);
}

static void a_read_only_share_is_lent_for_reading(Fixture *f, gconstpointer unused)
{
    uint32_t storage;
    GPid lender = attach(f, ",readonly", &storage);

    send_info(f, storage, 3, 0x200e);
    kill(lender, SIGTERM);
    g_assert_cmpint(end_of(lender), ==, 0);
}

/* The end comes in the middle of what the guest sends: it is told why, and no more. */
static void a_transfer_to_a_share_that_goes_ends(Fixture *f, gconstpointer unused)
{
    uint8_t part[4096] = { 12, 0x20, 0, 0, 2, 0, 0x0d, 0x10, 1 };
    uint32_t storage;
    GPid lender = attach(f, "", &storage);

    send_info(f, storage, 0x2000, 0x2001);
    host_send_command(&f->host, 0x100d, 0, 0, 0);
    host_send_out(&f->host, part, sizeof(part));
    kill(lender, SIGKILL);
    wait_for_event(f, 0x4005);
    host_send_out(&f->host, part, sizeof(part));
    host_send_out(&f->host, part, 12); /* a short packet: the end */
    host_expect(&f->host, 0x2013);
    g_assert_cmpint(end_of(lender), ==, -SIGKILL);

    g_autoptr(GDir) dir = g_dir_open(f->other, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
}

#define TEST(name)                                                                     \
    g_test_add("/mtp-attach/" #name, Fixture, NULL, set_up, name, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(a_share_that_is_attached_can_be_used);
    TEST(a_killed_lender_takes_its_share_along);
    TEST(a_share_is_detached_by_its_label);
    TEST(a_label_is_given_once);
    TEST(a_read_only_share_is_lent_for_reading);
    TEST(a_transfer_to_a_share_that_goes_ends);
    return g_test_run();
}
