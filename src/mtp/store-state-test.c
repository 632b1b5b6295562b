/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/state.h"

#include "mtp/testing.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>

/* A share, a folder for its state, and a store that is replaced again and again. */
typedef struct {
    TestShare share;
    char *state;
    GPtrArray *killed; /* of OstlerMtpStore */
} Fixture;

static void keep_state(Fixture *f)
{
    OstlerRoot *root = ostler_root_open(f->state, NULL);

    g_assert_true(ostler_mtp_store_keep_state(f->share.store, root, NULL));
}

static void set_up(Fixture *f, gconstpointer unused)
{
    test_share_new(&f->share);
    f->state = g_dir_make_tmp("mtp-state-XXXXXX", NULL);
    f->killed = g_ptr_array_new_with_free_func((GDestroyNotify)ostler_mtp_store_free);
    keep_state(f);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->state);

    test_share_free(&f->share);
    g_ptr_array_unref(f->killed);
    g_assert_cmpint(system(command), ==, 0);
    g_free(f->state);
}

/* As kill -9 and a new start: the old store is not asked to end anything. */
static void restart(Fixture *f)
{
    g_ptr_array_add(f->killed, f->share.store);
    f->share.store = ostler_mtp_store_new();
    test_share_add(&f->share, false);
    keep_state(f);
}

static void rename_on_host(const Fixture *f, const char *from, const char *to)
{
    g_autofree char *from_path = g_build_filename(f->share.path, from, NULL);
    g_autofree char *to_path = g_build_filename(f->share.path, to, NULL);

    g_assert_cmpint(g_rename(from_path, to_path), ==, 0);
}

static void remove_on_host(const Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->share.path, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
}

/* "a/b" of a handle, or "" for one that names nothing that is there.  Caller frees. */
static char *path_of(const Fixture *f, uint32_t handle)
{
    OstlerMtpEntry entry;

    if (ostler_mtp_store_entry(f->share.store, handle, &entry) != OSTLER_MTP_OK) {
        return g_strdup("");
    }
    if (entry.object.parent == 0) {
        return g_strdup(entry.object.name);
    }
    g_autofree char *name = g_strdup(entry.object.name);
    g_autofree char *parent = path_of(f, entry.object.parent);
    return g_build_filename(parent, name, NULL);
}

static uint32_t handle_of(const Fixture *f, const char *path)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    ostler_mtp_store_list(f->share.store, ostler_mtp_store_id(0), 0, OSTLER_MTP_ALL, 0,
                          handles);
    for (guint i = 0; i < handles->len; i++) {
        uint32_t handle = g_array_index(handles, uint32_t, i);
        g_autofree char *is = path_of(f, handle);
        if (strcmp(is, path) == 0) {
            return handle;
        }
    }
    return 0;
}

static void assert_names(const Fixture *f, uint32_t handle, const char *path)
{
    g_autofree char *is = path_of(f, handle);

    g_assert_cmpstr(is, ==, path);
}

static uint32_t send(Fixture *f, const char *name)
{
    uint32_t handle;

    g_assert_cmphex(ostler_mtp_store_begin(f->share.store, ostler_mtp_store_id(0), 0,
                                           name, 1, &handle),
                    ==, OSTLER_MTP_OK);
    ostler_mtp_store_add_bytes(f->share.store, "x", 1);
    g_assert_cmphex(ostler_mtp_store_end(f->share.store, 0), ==, OSTLER_MTP_OK);
    return handle;
}

static void handles_outlive_the_program(Fixture *f, gconstpointer unused)
{
    test_share_put(&f->share, "file", "x", 1);
    test_share_mkdir(&f->share, "folder");
    test_share_put(&f->share, "folder/inside", "x", 1);
    uint32_t file = handle_of(f, "file");
    uint32_t folder = handle_of(f, "folder");
    uint32_t inside = handle_of(f, "folder/inside");
    uint32_t sent = send(f, "sent");
    g_assert_cmphex(ostler_mtp_store_rename(f->share.store, file, "renamed"), ==,
                    OSTLER_MTP_OK);

    for (unsigned i = 0; i < 3; i++) {
        restart(f);
        assert_names(f, file, "renamed");
        assert_names(f, folder, "folder");
        assert_names(f, inside, "folder/inside");
        assert_names(f, sent, "sent");
        g_assert_cmphex(handle_of(f, "sent"), ==, sent);
    }
}

static void what_was_renamed_meanwhile_keeps_its_handle(Fixture *f,
                                                        gconstpointer unused)
{
    test_share_put(&f->share, "old", "x", 1);
    test_share_mkdir(&f->share, "folder");
    test_share_mkdir(&f->share, "folder/deep");
    test_share_put(&f->share, "folder/deep/inside", "x", 1);
    g_usleep(30000); /* what is younger than a clock's tick is not told apart */
    uint32_t old = handle_of(f, "old");
    uint32_t inside = handle_of(f, "folder/deep/inside");
    uint32_t sent = send(f, "sent");

    rename_on_host(f, "old", "folder/new");
    rename_on_host(f, "folder/deep/inside", "folder/deep/renamed");
    rename_on_host(f, "folder", "other");
    rename_on_host(f, "sent", "received");
    restart(f);
    assert_names(f, old, "other/new");
    assert_names(f, inside, "other/deep/renamed");
    assert_names(f, sent, "received");
}

static void a_later_file_never_gets_an_old_handle(Fixture *f, gconstpointer unused)
{
    g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);

    /* File systems give a number again at once: the handle must not follow it. */
    for (unsigned i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("file-%u", i);
        uint32_t handle = send(f, name);
        g_assert_true(g_hash_table_add(used, GUINT_TO_POINTER(handle)));
        remove_on_host(f, name);
        g_autofree char *next = g_strdup_printf("next-%u", i);
        test_share_put(&f->share, next, "y", 1);
        if (i % 10 == 0) {
            restart(f);
            assert_names(f, handle, "");
            g_assert_true(g_hash_table_add(used, GUINT_TO_POINTER(handle_of(f, next))));
        }
    }
}

static void a_replaced_file_keeps_its_handle(Fixture *f, gconstpointer unused)
{
    uint32_t handle = send(f, "file");

    test_share_put(&f->share, "new", "longer", 6);
    rename_on_host(f, "new", "file");
    restart(f);
    assert_names(f, handle, "file");
    g_assert_cmphex(handle_of(f, "file"), ==, handle);
}

static void another_share_gets_other_handles(Fixture *f, gconstpointer unused)
{
    uint32_t handle = send(f, "file");
    g_autofree char *other = g_build_filename(f->share.path, "other", NULL);

    test_share_mkdir(&f->share, "other");
    test_share_put(&f->share, "other/file", "x", 1);
    g_ptr_array_add(f->killed, f->share.store);
    f->share.store = ostler_mtp_store_new();
    const OstlerMtpShare added = { .label = "Other", .path = other };
    g_assert_true(ostler_mtp_store_add(f->share.store, &added, NULL));
    keep_state(f);
    assert_names(f, handle, "");
    g_assert_cmphex(handle_of(f, "file"), !=, handle);
}

/* ---- the file ---- */

static char *journal(const Fixture *f)
{
    return g_build_filename(f->state, "handles", NULL);
}

static void a_journal_cut_anywhere_is_read_as_far_as_it_goes(Fixture *f,
                                                             gconstpointer unused)
{
    g_autofree char *path = journal(f);
    g_autofree char *bytes = NULL;
    gsize size;

    test_share_mkdir(&f->share, "folder");
    uint32_t folder = handle_of(f, "folder");
    send(f, "one");
    send(f, "two");
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    for (gsize cut = 0; cut <= size; cut++) {
        g_autoptr(OstlerMtpSavedState) saved = ostler_mtp_saved_state_parse(bytes, cut);
        g_assert_cmpuint(g_hash_table_size(saved->objects), <=, 3);
        g_assert_true(cut < size || g_hash_table_size(saved->objects) == 3);
    }
    /* Nor does what is no journal any harm. */
    for (gsize at = 0; at < size; at++) {
        bytes[at] ^= (char)0xff;
        g_assert_true(g_file_set_contents_full(path, bytes, (gssize)size,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
        bytes[at] ^= (char)0xff;
        restart(f);
        handle_of(f, "one");
        g_ptr_array_set_size(f->killed, 0);
    }
    g_assert_true(g_file_set_contents_full(path, bytes, (gssize)size,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    restart(f);
    assert_names(f, folder, "folder");
}

static void a_journal_does_not_grow_without_end(Fixture *f, gconstpointer unused)
{
    g_autofree char *path = journal(f);
    GStatBuf about;
    uint32_t kept = send(f, "kept");

    for (unsigned i = 0; i < 60000; i++) {
        uint32_t handle;
        ostler_mtp_store_begin(f->share.store, ostler_mtp_store_id(0), 0, "again", 0,
                               &handle);
        ostler_mtp_store_drop(f->share.store);
    }
    g_assert_cmpint(g_stat(path, &about), ==, 0);
    g_assert_cmpint(about.st_size, <, 5 << 20);
    restart(f);
    assert_names(f, kept, "kept");
}

static void without_room_there_is_no_journal_that_lies(Fixture *f, gconstpointer unused)
{
    g_autofree char *path = journal(f);
    struct rlimit limit;
    struct rlimit small;

    send(f, "one");
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    signal(SIGXFSZ, SIG_IGN);
    small = limit;
    small.rlim_cur = 64;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    send(f, "two");
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    send(f, "three");
    restart(f);
    g_assert_cmphex(handle_of(f, "three"), !=, 0);
}

#define CASE(name)                                                                     \
    g_test_add("/store-state/" #name, Fixture, NULL, set_up, name, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE(handles_outlive_the_program);
    CASE(what_was_renamed_meanwhile_keeps_its_handle);
    CASE(a_later_file_never_gets_an_old_handle);
    CASE(a_replaced_file_keeps_its_handle);
    CASE(another_share_gets_other_handles);
    CASE(a_journal_cut_anywhere_is_read_as_far_as_it_goes);
    CASE(a_journal_does_not_grow_without_end);
    CASE(without_room_there_is_no_journal_that_lies);
    return g_test_run();
}
