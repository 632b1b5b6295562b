/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/store.h"

#include "mtp/testing.h"

#include <glib/gstdio.h>

#define KIB 1024u
#define MIB (1024u * KIB)

typedef struct {
    TestShare share;
    unsigned n_told; /* StorageInfoChanged */
} Fixture;

static void hear(uint16_t event, uint32_t param, void *opaque)
{
    Fixture *f = opaque;

    f->n_told += event == OSTLER_MTP_STORAGE_INFO_CHANGED ? 1 : 0;
}

static void set_up(Fixture *f, gconstpointer unused)
{
    test_share_new(&f->share);
    f->n_told = 0;
    ostler_mtp_store_set_notice(f->share.store, hear, f);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    test_share_free(&f->share);
}

/* No reserve: how full this machine's disk is, is not what these tests are about. */
static void limit(Fixture *f, uint64_t bytes, uint64_t objects)
{
    const OstlerMtpLimits limits = {
        .quota_bytes = bytes,
        .quota_objects = objects,
        .has_reserve = true,
    };

    ostler_mtp_store_set_limits(f->share.store, 0, &limits);
}

static void keep_free(Fixture *f, uint64_t bytes)
{
    const OstlerMtpLimits limits = { .reserve_bytes = bytes, .has_reserve = true };

    ostler_mtp_store_set_limits(f->share.store, 0, &limits);
}

static OstlerMtpCode announce(Fixture *f, const char *name, uint64_t size)
{
    uint32_t handle;

    return ostler_mtp_store_begin(f->share.store, ostler_mtp_store_id(0), 0, name, size,
                                  &handle);
}

/* All of a file at once. */
static OstlerMtpCode send(Fixture *f, const char *name, size_t size)
{
    g_autofree char *bytes = g_malloc0(size);
    OstlerMtpCode code = announce(f, name, size);

    if (code == OSTLER_MTP_OK) {
        code = ostler_mtp_store_add_bytes(f->share.store, bytes, size);
    }
    if (code != OSTLER_MTP_OK) {
        ostler_mtp_store_drop(f->share.store);
        return code;
    }
    return ostler_mtp_store_end(f->share.store, 0);
}

static OstlerMtpCode make_folder(Fixture *f, const char *name)
{
    uint32_t handle;

    return ostler_mtp_store_make_folder(f->share.store, ostler_mtp_store_id(0), 0, name,
                                        &handle);
}

static uint64_t free_bytes(Fixture *f)
{
    OstlerMtpStorageInfo info;

    ostler_mtp_store_storage_info(f->share.store, ostler_mtp_store_id(0), &info);
    return info.free_bytes;
}

static uint64_t size_of(Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->share.path, name, NULL);
    GStatBuf about;

    return g_stat(path, &about) == 0 ? (uint64_t)about.st_size : G_MAXUINT64;
}

static void put(Fixture *f, const char *name, size_t size)
{
    g_autofree char *bytes = g_malloc0(size);

    test_share_put(&f->share, name, bytes, (gssize)size);
}

static void a_file_over_the_quota_leaves_nothing(Fixture *f, gconstpointer unused)
{
    limit(f, 1000, 0);
    g_assert_cmphex(send(f, "fits", 600), ==, OSTLER_MTP_OK);
    g_assert_cmphex(send(f, "too much", 401), ==, OSTLER_MTP_STORE_FULL);
    g_assert_false(test_share_has(&f->share, "too much"));
    g_assert_cmphex(test_share_handle(&f->share, "too much"), ==, 0);
    g_assert_cmphex(send(f, "just", 400), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(free_bytes(f), ==, 0);

    f->n_told = 0;
    limit(f, 1401, 0);
    g_assert_cmpuint(f->n_told, ==, 1);
    g_assert_cmphex(send(f, "too much", 401), ==, OSTLER_MTP_OK);
}

static void more_than_was_announced_asks_again(Fixture *f, gconstpointer unused)
{
    g_autofree char *bytes = g_malloc0(600);

    limit(f, 1000, 0);
    g_assert_cmphex(announce(f, "growing", 0), ==, OSTLER_MTP_OK);
    g_assert_cmphex(ostler_mtp_store_add_bytes(f->share.store, bytes, 600), ==,
                    OSTLER_MTP_OK);
    g_assert_cmpuint(free_bytes(f), ==, 400);
    g_assert_cmphex(ostler_mtp_store_add_bytes(f->share.store, bytes, 600), ==,
                    OSTLER_MTP_STORE_FULL);
    ostler_mtp_store_drop(f->share.store);
    g_assert_cmpuint(free_bytes(f), ==, 1000);
}

static void what_is_announced_is_held(Fixture *f, gconstpointer unused)
{
    put(f, "old", MIB);
    limit(f, 3 * MIB, 0);
    g_assert_cmphex(announce(f, "old", 2 * MIB), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(free_bytes(f), ==, 0); /* the old one is there until the end */
    ostler_mtp_store_drop(f->share.store);
    g_assert_cmpuint(free_bytes(f), ==, 2 * MIB);
}

static void holes_count(Fixture *f, gconstpointer unused)
{
    OstlerMtpStore *store = f->share.store;

    put(f, "file", 100);
    limit(f, 1000, 0);
    uint32_t file = test_share_handle(&f->share, "file");
    g_assert_cmphex(ostler_mtp_store_edit(store, file), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(free_bytes(f), ==, 800); /* the old one and the copy */
    g_assert_cmphex(ostler_mtp_store_edit_truncate(store, file, 901), ==,
                    OSTLER_MTP_STORE_FULL);
    g_assert_cmphex(ostler_mtp_store_edit_write(store, file, UINT64_C(1) << 40, "x", 1),
                    ==, OSTLER_MTP_STORE_FULL);
    g_assert_cmphex(ostler_mtp_store_edit_write(store, file, 900, "x", 1), ==,
                    OSTLER_MTP_STORE_FULL);
    g_assert_cmphex(ostler_mtp_store_edit_write(store, file, 899, "x", 1), ==,
                    OSTLER_MTP_OK);
    g_assert_cmpuint(free_bytes(f), ==, 0);
    g_assert_cmphex(ostler_mtp_store_edit_end(store, file), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(size_of(f, "file"), ==, 900);
    g_assert_cmpuint(free_bytes(f), ==, 100);
    g_assert_cmphex(ostler_mtp_store_edit(store, file), ==, OSTLER_MTP_STORE_FULL);
}

static void objects_count_folders_and_files(Fixture *f, gconstpointer unused)
{
    OstlerMtpStorageInfo info;

    put(f, "one", 1);
    limit(f, 0, 3);
    g_assert_cmphex(make_folder(f, "two"), ==, OSTLER_MTP_OK);
    g_assert_cmphex(make_folder(f, "two"), ==, OSTLER_MTP_OK); /* merged */
    g_assert_cmphex(announce(f, "three", 1), ==, OSTLER_MTP_OK);
    ostler_mtp_store_storage_info(f->share.store, ostler_mtp_store_id(0), &info);
    g_assert_cmpuint(info.free_objects, ==, 0);
    g_assert_cmphex(make_folder(f, "four"), ==, OSTLER_MTP_STORE_FULL);
    g_assert_false(test_share_has(&f->share, "four"));
    ostler_mtp_store_drop(f->share.store);
    g_assert_cmphex(send(f, "three", 1), ==, OSTLER_MTP_OK);
    g_assert_cmphex(send(f, "four", 0), ==, OSTLER_MTP_STORE_FULL);
    g_assert_cmphex(send(f, "one", 5), ==, OSTLER_MTP_OK); /* one that is there */

    limit(f, 0, 0);
    ostler_mtp_store_storage_info(f->share.store, ostler_mtp_store_id(0), &info);
    g_assert_cmphex(info.free_objects, ==, 0xffffffff);
}

static void a_copy_and_a_move_count_where_they_go(Fixture *f, gconstpointer unused)
{
    OstlerMtpStore *store = f->share.store;
    g_autofree char *other = g_build_filename(f->share.path, "second", NULL);
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t copy;

    test_share_mkdir(&f->share, "second");
    test_share_mkdir(&f->share, "second/folder");
    put(f, "second/folder/a", 500);
    put(f, "second/folder/b", 400);
    const OstlerMtpShare second = { .label = "Second", .path = other };
    g_assert_true(ostler_mtp_store_add(store, &second, NULL));
    ostler_mtp_store_list(store, ostler_mtp_store_id(1), 0, 1, 0, handles);
    uint32_t folder = g_array_index(handles, uint32_t, 0);

    limit(f, 1799, 0); /* the second share lies in the first: its files count there */
    g_assert_cmphex(ostler_mtp_store_move(store, folder, ostler_mtp_store_id(0), 0), ==,
                    OSTLER_MTP_STORE_FULL);
    limit(f, 1800, 0);
    g_assert_cmphex(ostler_mtp_store_move(store, folder, ostler_mtp_store_id(0), 0), ==,
                    OSTLER_MTP_OK);
    ostler_mtp_store_host_rescan(store, 0, 0);
    g_assert_cmpuint(free_bytes(f), ==, 900);

    limit(f, 900 + 499, 0);
    uint32_t file = test_share_handle(&f->share, "folder");
    g_array_set_size(handles, 0);
    ostler_mtp_store_list(store, ostler_mtp_store_id(0), file, 1, 0, handles);
    for (guint i = 0; i < handles->len; i++) {
        OstlerMtpEntry entry;
        ostler_mtp_store_entry(store, g_array_index(handles, uint32_t, i), &entry);
        g_assert_cmphex(ostler_mtp_store_copy(store, entry.object.handle,
                                              ostler_mtp_store_id(0), 0, &copy),
                        ==,
                        entry.file.size == 500 ? OSTLER_MTP_STORE_FULL : OSTLER_MTP_OK);
    }
}

static void the_reserve_is_kept(Fixture *f, gconstpointer unused)
{
    const uint64_t all = UINT64_C(1) << 60;
    g_autofree char *bytes = g_malloc0(4 * MIB);

    keep_free(f, all);
    g_assert_cmpuint(free_bytes(f), ==, 0);
    g_assert_cmphex(send(f, "small", 1), ==, OSTLER_MTP_STORE_FULL);
    g_assert_cmphex(send(f, "large", 4 * MIB), ==, OSTLER_MTP_STORE_FULL);

    /* The disk fills up in the middle: of one that was set aside nothing is lost. */
    keep_free(f, 0);
    g_assert_cmphex(announce(f, "set aside", 4 * MIB), ==, OSTLER_MTP_OK);
    keep_free(f, all);
    g_assert_cmphex(ostler_mtp_store_add_bytes(f->share.store, bytes, 4 * MIB), ==,
                    OSTLER_MTP_OK);
    g_assert_cmphex(ostler_mtp_store_end(f->share.store, 0), ==, OSTLER_MTP_OK);

    keep_free(f, 0);
    g_assert_cmphex(announce(f, "of unknown size", 0), ==, OSTLER_MTP_OK);
    keep_free(f, all);
    g_assert_cmphex(ostler_mtp_store_add_bytes(f->share.store, bytes, 4 * MIB), ==,
                    OSTLER_MTP_STORE_FULL);
    ostler_mtp_store_drop(f->share.store);

    keep_free(f, 0);
    uint32_t file = test_share_handle(&f->share, "set aside");
    g_assert_cmphex(ostler_mtp_store_edit(f->share.store, file), ==, OSTLER_MTP_OK);
    keep_free(f, all);
    g_assert_cmphex(
        ostler_mtp_store_edit_write(f->share.store, file, 0, bytes, 4 * MIB), ==,
        OSTLER_MTP_STORE_FULL);
    ostler_mtp_store_drop(f->share.store);
}

static void what_is_set_aside_is_not_lost_to_others(Fixture *f, gconstpointer unused)
{
    OstlerMtpStorageInfo info;

    keep_free(f, 0);
    ostler_mtp_store_storage_info(f->share.store, ostler_mtp_store_id(0), &info);
    uint64_t before = info.free_bytes;
    g_assert_cmphex(announce(f, "large", 256 * MIB), ==, OSTLER_MTP_OK);
    /* Others write to this disk as well: most of it is enough. */
    g_assert_cmpuint(free_bytes(f) + 128 * MIB, <, before);
    ostler_mtp_store_drop(f->share.store);
    g_assert_cmphex(announce(f, "larger than the disk", info.capacity), ==,
                    OSTLER_MTP_STORE_FULL);
}

static void a_noticeable_change_by_the_host_is_told(Fixture *f, gconstpointer unused)
{
    limit(f, 1000, 0);
    g_assert_cmpuint(free_bytes(f), ==, 1000);
    f->n_told = 0;
    put(f, "file", 10);
    ostler_mtp_store_host_created(f->share.store, 0, "file", false);
    g_assert_cmpuint(f->n_told, ==, 0); /* 1 % is not noticeable */
    put(f, "file", 500);
    ostler_mtp_store_host_changed(f->share.store, 0, "file");
    g_assert_cmpuint(f->n_told, ==, 1);
    g_assert_cmphex(send(f, "own", 300), ==, OSTLER_MTP_OK);
    ostler_mtp_store_host_created(f->share.store, 0, "own", false);
    g_assert_cmpuint(f->n_told, ==, 1);
}

/* ---- whatever happens, what is counted is what is there ---- */

static void add_up(const char *path, OstlerMtpUsage *sum)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        GStatBuf about;
        g_assert_cmpint(g_lstat(inside, &about), ==, 0);
        sum->objects++;
        if (S_ISDIR(about.st_mode)) {
            add_up(inside, sum);
        } else {
            sum->bytes += (uint64_t)about.st_size;
        }
    }
}

static char *pick_path(GRand *rand)
{
    static const char *const names[] = { "a", "b", "c" };
    const char *first = names[g_rand_int_range(rand, 0, 3)];
    const char *second = names[g_rand_int_range(rand, 0, 3)];
    const char *third = names[g_rand_int_range(rand, 0, 3)];

    switch (g_rand_int_range(rand, 0, 3)) {
    case 0:
        return g_strdup(first);
    case 1:
        return g_strdup_printf("%s/%s", first, second);
    default:
        return g_strdup_printf("%s/%s/%s", first, second, third);
    }
}

/* One change by the host, and what a watch says of it. */
static void host_acts(Fixture *f, GRand *rand)
{
    OstlerMtpStore *store = f->share.store;
    g_autofree char *name = pick_path(rand);
    g_autofree char *to = pick_path(rand);
    g_autofree char *path = g_build_filename(f->share.path, name, NULL);
    g_autofree char *to_path = g_build_filename(f->share.path, to, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *bytes = g_malloc0(1000);
    bool is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);
    bool is_there = g_file_test(path, G_FILE_TEST_EXISTS);

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        if (!is_folder && g_file_test(parent, G_FILE_TEST_IS_DIR)) {
            g_file_set_contents_full(path, bytes, g_rand_int_range(rand, 0, 1000),
                                     G_FILE_SET_CONTENTS_NONE, 0644, NULL);
            ostler_mtp_store_host_created(store, 0, name, false);
        }
        break;
    case 1:
        if (g_mkdir(path, 0755) == 0) {
            ostler_mtp_store_host_created(store, 0, name, true);
        }
        break;
    case 2:
        if (is_there && g_remove(path) == 0) {
            ostler_mtp_store_host_removed(store, 0, name);
        }
        break;
    default:
        if (is_there && !g_str_has_prefix(to, name) && g_rename(path, to_path) == 0) {
            ostler_mtp_store_host_renamed(store, 0, name, to, is_folder);
        }
        break;
    }
}

static uint32_t pick_object(Fixture *f, GRand *rand)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    ostler_mtp_store_list(f->share.store, ostler_mtp_store_id(0), 0,
                          (uint32_t)g_rand_int_range(rand, 1, 4), 0, handles);
    return handles->len == 0
               ? 0
               : g_array_index(handles, uint32_t,
                               g_rand_int_range(rand, 0, (gint32)handles->len));
}

static void guest_acts(Fixture *f, GRand *rand)
{
    static const char *const names[] = { "a", "b", "c" };
    OstlerMtpStore *store = f->share.store;
    uint32_t object = pick_object(f, rand);
    uint32_t handle;

    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        send(f, names[g_rand_int_range(rand, 0, 3)],
             (size_t)g_rand_int_range(rand, 0, 1000));
        break;
    case 1:
        make_folder(f, names[g_rand_int_range(rand, 0, 3)]);
        break;
    case 2:
        ostler_mtp_store_delete(store, object);
        break;
    case 3:
        ostler_mtp_store_rename(store, object, names[g_rand_int_range(rand, 0, 3)]);
        break;
    case 4:
        if (ostler_mtp_store_edit(store, object) == OSTLER_MTP_OK) {
            ostler_mtp_store_edit_truncate(store, object,
                                           (uint64_t)g_rand_int_range(rand, 0, 2000));
            ostler_mtp_store_edit_end(store, object);
        }
        break;
    default:
        ostler_mtp_store_copy(store, object, ostler_mtp_store_id(0), 0, &handle);
        break;
    }
}

static void what_is_counted_is_what_is_there(Fixture *f, gconstpointer unused)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int() & 0x7fffffff);
    OstlerMtpUsage usage;

    limit(f, 12 * KIB, 30);
    for (unsigned i = 0; i < 2000; i++) {
        OstlerMtpUsage there = { 0 };
        if (g_rand_boolean(rand)) {
            host_acts(f, rand);
        } else {
            guest_acts(f, rand);
        }
        add_up(f->share.path, &there);
        ostler_mtp_store_get_usage(f->share.store, 0, &usage);
        g_assert_cmpuint(usage.bytes, ==, there.bytes);
        g_assert_cmpuint(usage.objects, ==, there.objects);
    }
}

#define CASE(name)                                                                     \
    g_test_add("/store-quota/" #name, Fixture, NULL, set_up, name, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE(a_file_over_the_quota_leaves_nothing);
    CASE(more_than_was_announced_asks_again);
    CASE(what_is_announced_is_held);
    CASE(holes_count);
    CASE(objects_count_folders_and_files);
    CASE(a_copy_and_a_move_count_where_they_go);
    CASE(the_reserve_is_kept);
    CASE(what_is_set_aside_is_not_lost_to_others);
    CASE(a_noticeable_change_by_the_host_is_told);
    CASE(what_is_counted_is_what_is_there);
    return g_test_run();
}
