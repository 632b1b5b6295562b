/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the initiator writes, renames, moves and deletes, and under which names. */
#include "mtp/session-testing.h"

static void what_is_sent_is_what_is_got(SessionFixture *f, gconstpointer unused)
{
    g_autofree char *bytes = g_malloc(70000);

    for (size_t i = 0; i < 70000; i++) {
        bytes[i] = (char)g_test_rand_int();
    }
    open_session(f);
    g_assert_cmphex(send_info(f, "new", 0x3000, 70000), ==, OSTLER_MTP_OK);
    uint32_t handle = f->response.params[2];
    g_assert_false(test_share_has(&f->share, "new")); /* not before it is whole */
    g_assert_cmphex(send_bytes(f, bytes, 70000), ==, OSTLER_MTP_OK);

    g_assert_cmphex(ask(f, 0x1009, P(handle)), ==, OSTLER_MTP_OK);
    g_assert_cmpmem(f->data->data, f->data->len, bytes, 70000);
    g_assert_cmphex(ask(f, 0x101b, P(handle, 69990, 100)), ==, OSTLER_MTP_OK);
    g_assert_cmpmem(f->data->data, f->data->len, bytes + 69990, 10);
    g_assert_cmpuint(f->response.params[0], ==, 10);
    g_assert_cmphex(ask(f, 0x101b, P(handle, 80000, 100)), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(f->data->len, ==, 0);
}

static void an_unfinished_file_leaves_the_old_one(SessionFixture *f,
                                                  gconstpointer unused)
{
    g_autofree char *kept = NULL;

    test_share_put(&f->share, "kept", "old", 3);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "kept");
    g_assert_cmphex(send_info(f, "kept", 0x3000, 10), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(f->response.params[2], ==, handle);
    g_assert_cmphex(send_bytes(f, "short", 5), ==, OSTLER_MTP_INCOMPLETE_TRANSFER);
    kept = test_share_get(&f->share, "kept", NULL);
    g_assert_cmpstr(kept, ==, "old");
    g_assert_cmpuint(test_share_handle(&f->share, "kept"), ==, handle);

    test_share_put(&f->share, "unseen", "old", 3); /* it has no handle yet */
    g_assert_cmphex(send_info(f, "unseen", 0x3000, 10), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(test_share_handle(&f->share, "unseen"), !=, 0);

    g_assert_cmphex(send_info(f, "fresh", 0x3000, 10), ==, OSTLER_MTP_OK);
    ostler_mtp_session_close(f->session);
    open_session(f);
    g_assert_cmpuint(test_share_handle(&f->share, "fresh"), ==, 0);
    g_assert_cmphex(send_bytes(f, "0123456789", 10), ==,
                    OSTLER_MTP_NO_VALID_OBJECT_INFO);
}

static void replacing_a_file_keeps_its_handle(SessionFixture *f, gconstpointer unused)
{
    test_share_put(&f->share, "file", "old", 3);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "file");
    g_assert_cmphex(send_info(f, "file", 0x3000, 3), ==, OSTLER_MTP_OK);
    g_assert_cmphex(send_bytes(f, "new", 3), ==, OSTLER_MTP_OK);
    g_assert_cmphex(ask(f, 0x1009, P(handle)), ==, OSTLER_MTP_OK);
    g_assert_cmpmem(f->data->data, f->data->len, "new", 3);
}

static void names_that_lead_out_are_refused(SessionFixture *f, gconstpointer unused)
{
    static const char *const names[] = {
        "", ".", "..", "../out", "a/b", "/etc/passwd"
    };

    open_session(f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_cmphex(send_info(f, names[i], 0x3000, 0), ==,
                        OSTLER_MTP_INVALID_DATASET);
        g_assert_cmphex(send_info(f, names[i], 0x3001, 0), ==,
                        OSTLER_MTP_INVALID_DATASET);
    }
}

static void a_rename_keeps_the_handle(SessionFixture *f, gconstpointer unused)
{
    g_autoptr(GByteArray) name = g_byte_array_new();

    test_share_put(&f->share, "before", "x", 1);
    test_share_put(&f->share, "taken", "y", 1);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "before");
    ostler_mtp_put_string(name, "taken");
    g_assert_cmphex(transact(f, 0x9804, P(handle, 0xdc07), name), ==,
                    OSTLER_MTP_INVALID_OBJECT_PROP_VALUE);
    g_byte_array_set_size(name, 0);
    ostler_mtp_put_string(name, "after");
    g_assert_cmphex(transact(f, 0x9804, P(handle, 0xdc07), name), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(test_share_handle(&f->share, "after"), ==, handle);
    g_assert_cmphex(transact(f, 0x9804, P(handle, 0xdc04), name), ==,
                    OSTLER_MTP_ACCESS_DENIED);
    g_assert_cmphex(transact(f, 0x9804, P(handle, 0xdc99), name), ==,
                    OSTLER_MTP_INVALID_OBJECT_PROP_CODE);
}

static void a_folder_is_deleted_with_all_that_is_in_it(SessionFixture *f,
                                                       gconstpointer unused)
{
    g_autofree char *link = g_build_filename(f->share.path, "top/sub/link", NULL);

    test_share_mkdir(&f->share, "top");
    test_share_mkdir(&f->share, "top/sub");
    test_share_put(&f->share, "top/sub/file", "x", 1);
    test_share_put(&f->share, "stays", "x", 1);
    g_assert_cmpint(symlink("../../stays", link), ==, 0);
    open_session(f);
    uint32_t top = test_share_handle(&f->share, "top");
    g_assert_cmphex(ask(f, 0x1007, P(storage, 0, 0)), ==, OSTLER_MTP_OK);
    g_assert_cmphex(ask(f, 0x100b, P(top)), ==, OSTLER_MTP_OK);
    g_assert_false(test_share_has(&f->share, "top"));
    g_assert_true(test_share_has(&f->share, "stays"));
    g_assert_cmphex(ask(f, 0x1008, P(top)), ==, OSTLER_MTP_INVALID_OBJECT_HANDLE);
}

static void a_read_only_share_changes_nothing(SessionFixture *f, gconstpointer unused)
{
    g_autoptr(GByteArray) name = g_byte_array_new();
    g_autoptr(GByteArray) info = test_object_info("new", 0x3000, 1);
    g_autoptr(GByteArray) folder = test_object_info("new", 0x3001, 0);
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    const uint32_t read_only = ostler_mtp_store_id(1);

    test_share_put(&f->share, "file", "x", 1);
    test_share_add(&f->share, true);
    open_session(f);
    ostler_mtp_store_list(f->share.store, read_only, 0, 1, 0, handles);
    uint32_t file = g_array_index(handles, uint32_t, 0);
    ostler_mtp_put_string(name, "other");
    g_assert_cmphex(transact(f, 0x9804, P(file, 0xdc07), name), ==,
                    OSTLER_MTP_STORE_READ_ONLY);
    g_assert_cmphex(ask(f, 0x100b, P(file)), ==, OSTLER_MTP_STORE_READ_ONLY);
    g_assert_cmphex(transact(f, 0x100c, P(read_only), info), ==,
                    OSTLER_MTP_STORE_READ_ONLY);
    g_assert_cmphex(transact(f, 0x100c, P(read_only), folder), ==,
                    OSTLER_MTP_STORE_READ_ONLY);
    g_assert_true(test_share_has(&f->share, "file"));
    g_assert_false(test_share_has(&f->share, "new"));
}

static void a_protected_file_is_not_changed(SessionFixture *f, gconstpointer unused)
{
    g_autoptr(GByteArray) name = g_byte_array_new();

    test_share_mkdir(&f->share, "sub");
    test_share_put(&f->share, "sub/inner", "old", 3);
    test_share_put(&f->share, "file", "old", 3);
    test_share_list(&f->share);
    open_session(f);
    uint32_t file = test_share_handle(&f->share, "file");
    uint32_t sub = test_share_handle(&f->share, "sub");
    g_assert_cmphex(ask(f, 0x1007, P(storage, 0, sub)), ==, OSTLER_MTP_OK);
    OstlerReader reader = ostler_reader_of(f->data->data + 4, 4);
    uint32_t inner = ostler_reader_le32(&reader);
    ostler_mtp_put_string(name, "other");

    g_assert_cmphex(ask(f, 0x1012, P(file, 2)), ==, OSTLER_MTP_INVALID_PARAMETER);
    g_assert_cmphex(ask(f, 0x1012, P(file + 1000, 1)), ==,
                    OSTLER_MTP_INVALID_OBJECT_HANDLE);
    g_assert_cmphex(ask(f, 0x1012, P(sub, 1)), ==, OSTLER_MTP_ACCESS_DENIED);
    g_assert_cmphex(ask(f, 0x1012, P(file, 1)), ==, OSTLER_MTP_OK);
    g_assert_cmphex(ask(f, 0x1012, P(inner, 1)), ==, OSTLER_MTP_OK);
    g_assert_cmphex(ask(f, 0x9803, P(file, 0xdc03)), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(f->data->data[0], ==, 1);

    g_assert_cmphex(send_info(f, "file", 0x3000, 1), ==,
                    OSTLER_MTP_OBJECT_WRITE_PROTECTED);
    g_assert_cmphex(transact(f, 0x9804, P(file, 0xdc07), name), ==,
                    OSTLER_MTP_OBJECT_WRITE_PROTECTED);
    g_assert_cmphex(ask(f, 0x95c4, P(file)), ==, OSTLER_MTP_OBJECT_WRITE_PROTECTED);
    g_assert_cmphex(ask(f, 0x1019, P(file, storage, sub)), ==,
                    OSTLER_MTP_OBJECT_WRITE_PROTECTED);
    g_assert_cmphex(ask(f, 0x100b, P(file)), ==, OSTLER_MTP_OBJECT_WRITE_PROTECTED);
    g_assert_cmphex(ask(f, 0x100b, P(sub)), !=, OSTLER_MTP_OK);
    g_assert_true(test_share_has(&f->share, "sub/inner"));
    g_assert_cmphex(ask(f, 0x1009, P(file)), ==, OSTLER_MTP_OK);

    g_assert_cmphex(ask(f, 0x1012, P(file, 0)), ==, OSTLER_MTP_OK);
    g_assert_cmphex(ask(f, 0x100b, P(file)), ==, OSTLER_MTP_OK);
    g_assert_false(test_share_has(&f->share, "file"));
}

static uint16_t send_part(SessionFixture *f, uint32_t handle, uint64_t offset,
                          const char *bytes)
{
    g_autoptr(GByteArray) sent = g_byte_array_new();
    const uint32_t size = (uint32_t)strlen(bytes);

    g_byte_array_append(sent, (const uint8_t *)bytes, size);
    return transact(f, 0x95c2, P(handle, WIDE(offset), size), sent);
}

static void an_edit_shows_when_it_ends(SessionFixture *f, gconstpointer unused)
{
    gsize size = 0;

    test_share_put(&f->share, "file", "0123456789", 10);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "file");
    g_assert_cmphex(send_part(f, handle, 0, "x"), ==, OSTLER_MTP_INVALID_OBJECT_HANDLE);
    g_assert_cmphex(ask(f, 0x95c4, P(handle)), ==, OSTLER_MTP_OK);
    g_assert_cmphex(send_part(f, handle, 2, "ab"), ==, OSTLER_MTP_OK);
    g_assert_cmphex(ask(f, 0x95c3, P(handle, WIDE(8))), ==, OSTLER_MTP_OK);
    g_autofree char *before = test_share_get(&f->share, "file", NULL);
    g_assert_cmpstr(before, ==, "0123456789");
    g_assert_cmphex(ask(f, 0x95c5, P(handle)), ==, OSTLER_MTP_OK);
    g_autofree char *after = test_share_get(&f->share, "file", NULL);
    g_assert_cmpstr(after, ==, "01ab4567");
    g_assert_cmphex(ask(f, 0x95c5, P(handle)), ==, OSTLER_MTP_INVALID_OBJECT_HANDLE);
    g_assert_cmpuint(test_share_handle(&f->share, "file"), ==, handle);

    /* Beyond 4 GiB, sparse, and given up: the file stays as it is. */
    g_assert_cmphex(ask(f, 0x95c4, P(handle)), ==, OSTLER_MTP_OK);
    g_assert_cmphex(send_part(f, handle, (uint64_t)5 << 30, "far"), ==, OSTLER_MTP_OK);
    g_assert_cmphex(send_part(f, handle, G_MAXUINT64, "too far"), ==,
                    OSTLER_MTP_INVALID_OBJECT_HANDLE);
    ostler_mtp_session_close(f->session);
    g_autofree char *kept = test_share_get(&f->share, "file", &size);
    g_assert_cmpuint(size, ==, 8);
}

static void a_move_keeps_the_handle_and_a_copy_gets_one(SessionFixture *f,
                                                        gconstpointer unused)
{
    test_share_mkdir(&f->share, "sub");
    test_share_put(&f->share, "file", "moved", 5);
    test_share_put(&f->share, "taken", "1", 1);
    test_share_put(&f->share, "sub/taken", "2", 1);
    open_session(f);
    uint32_t sub = test_share_handle(&f->share, "sub");
    uint32_t file = test_share_handle(&f->share, "file");
    uint32_t taken = test_share_handle(&f->share, "taken");

    g_assert_cmphex(ask(f, 0x1019, P(file, storage, sub)), ==, OSTLER_MTP_OK);
    g_assert_true(test_share_has(&f->share, "sub/file"));
    g_assert_cmphex(ask(f, 0x1009, P(file)), ==, OSTLER_MTP_OK);
    g_assert_cmpmem(f->data->data, f->data->len, "moved", 5);
    g_assert_cmphex(ask(f, 0x1019, P(taken, storage, sub)), ==,
                    OSTLER_MTP_ACCESS_DENIED);
    g_assert_cmphex(ask(f, 0x1019, P(sub, storage, sub)), ==,
                    OSTLER_MTP_SPECIFICATION_OF_DESTINATION_UNSUPPORTED);
    g_assert_cmphex(ask(f, 0x1019, P(file, storage, taken)), ==,
                    OSTLER_MTP_INVALID_PARENT_OBJECT);

    g_assert_cmphex(ask(f, 0x101a, P(file, storage, 0)), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(f->response.params[0], !=, file);
    g_assert_cmpuint(f->response.params[0], ==, test_share_handle(&f->share, "file"));
    g_autofree char *copy = test_share_get(&f->share, "file", NULL);
    g_assert_cmpstr(copy, ==, "moved");
    g_assert_cmphex(ask(f, 0x101a, P(file, storage, 0)), ==, OSTLER_MTP_ACCESS_DENIED);
}

static void a_list_of_properties_makes_a_file_and_sets_it(SessionFixture *f,
                                                          gconstpointer unused)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    static const uint8_t head[] = { 2, 0, 0, 0 };                       /* elements */
    static const uint8_t size[] = { 0, 0, 0, 0, 0x04, 0xdc, 8, 0, 3, 0, /* ObjectSize */
                                    0, 0, 0, 0, 0,    0 };
    static const uint8_t name[] = { 0, 0, 0, 0, 0x07, 0xdc, 0xff, 0xff };

    g_byte_array_append(list, head, sizeof(head));
    g_byte_array_append(list, size, sizeof(size));
    g_byte_array_append(list, name, sizeof(name));
    ostler_mtp_put_string(list, "listed");
    open_session(f);
    g_assert_cmphex(transact(f, 0x9808, P(storage, OSTLER_MTP_ALL, 0x3000, 0, 3), list),
                    ==, OSTLER_MTP_OK);
    uint32_t handle = f->response.params[2];
    g_assert_cmphex(send_bytes(f, "abc", 3), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(test_share_handle(&f->share, "listed"), ==, handle);

    g_autoptr(GByteArray) change = g_byte_array_new();
    g_byte_array_append(change, head, sizeof(head));
    for (unsigned i = 0; i < 2; i++) { /* a rename, then the same of no object */
        uint32_t le = GUINT32_TO_LE(i == 0 ? handle : 9);
        g_byte_array_append(change, (const uint8_t *)&le, 4);
        g_byte_array_append(change, name + 4, sizeof(name) - 4);
        ostler_mtp_put_string(change, "renamed");
    }
    g_assert_cmphex(transact(f, 0x9806, P(0), change), ==,
                    OSTLER_MTP_INVALID_OBJECT_HANDLE);
    g_assert_cmpuint(f->response.params[0], ==, 1); /* the second failed */
    g_assert_cmpuint(test_share_handle(&f->share, "renamed"), ==, handle);
}

static void all_objects_are_deleted_by_format_or_at_once(SessionFixture *f,
                                                         gconstpointer unused)
{
    test_share_mkdir(&f->share, "sub");
    test_share_put(&f->share, "a.txt", "", 0);
    test_share_put(&f->share, "sub/b.txt", "", 0);
    test_share_put(&f->share, "sub/c.jpg", "", 0);
    open_session(f);
    g_assert_cmphex(ask(f, 0x100b, P(OSTLER_MTP_ALL, 0x3004)), ==, OSTLER_MTP_OK);
    g_assert_false(test_share_has(&f->share, "a.txt"));
    g_assert_false(test_share_has(&f->share, "sub/b.txt"));
    g_assert_true(test_share_has(&f->share, "sub/c.jpg"));
    g_assert_cmphex(ask(f, 0x100b, P(OSTLER_MTP_ALL, 0)), ==, OSTLER_MTP_OK);
    g_assert_false(test_share_has(&f->share, "sub"));
}

static void what_a_folder_cannot_do_is_refused_by_name(SessionFixture *f,
                                                       gconstpointer unused)
{
    test_share_put(&f->share, "file", "", 0);
    open_session(f);
    uint32_t file = test_share_handle(&f->share, "file");
    const struct {
        uint16_t operation;
        uint32_t param;
        uint16_t answer;
    } steps[] = {
        { 0x100f, storage, OSTLER_MTP_ACCESS_DENIED },
        { 0x100f, 5, OSTLER_MTP_INVALID_STORAGE_ID },
        { 0x100a, file, OSTLER_MTP_NO_THUMBNAIL_PRESENT },
        { 0x100a, 5, OSTLER_MTP_INVALID_OBJECT_HANDLE },
        { 0x9810, file, OSTLER_MTP_OK },
        { 0x1016, 0xd402, OSTLER_MTP_ACCESS_DENIED },
        { 0x1016, 0x5001, OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED },
        { 0x1017, 0xd402, OSTLER_MTP_OK },
        { 0x1017, 0xffffffff, OSTLER_MTP_OK },
        { 0x1017, 0x5001, OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED },
        { 0x1010, 0, OSTLER_MTP_OK },
        { 0x1004, 0, OSTLER_MTP_SESSION_NOT_OPEN },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_test_message("step %zu: 0x%04x", i, steps[i].operation);
        g_assert_cmphex(ask(f, steps[i].operation, P(steps[i].param)), ==,
                        steps[i].answer);
    }
}

/* What Windows would not have, what no text is, and clashes of case: files all the same. */
static void names_of_every_kind_name_files(SessionFixture *f, gconstpointer unused)
{
    static const char *const names[] = {
        "CON",          "nul.txt",
        "COM1",         "a:b",
        "a*?\"<>|b",    "back\\slash",
        "dot.",         "space ",
        "  ",           "...",
        "-rf",          "~",
        "A.txt",        "a.txt",
        "new\nline",    "\033[31mred",
        "$HOME",        ".hidden",
        "\303\251",     "e\314\201",
        "\377\376",     "\360\237\230\200",
        "\357\277\277",
    };

    open_session(f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_cmphex(send_info(f, names[i], 0x3000, 1), ==, OSTLER_MTP_OK);
        uint32_t handle = f->response.params[2];
        g_assert_cmphex(send_bytes(f, "x", 1), ==, OSTLER_MTP_OK);
        g_assert_true(test_share_has(&f->share, names[i]));
        g_assert_cmphex(test_share_handle(&f->share, names[i]), ==, handle);
    }
    g_assert_cmphex(ask(f, 0x1006, P(storage, 0, OSTLER_MTP_ALL)), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(f->response.params[0], ==, G_N_ELEMENTS(names));
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        uint32_t handle = test_share_handle(&f->share, names[i]);
        g_assert_cmphex(ask(f, 0x1009, P(handle)), ==, OSTLER_MTP_OK);
        g_assert_cmpuint(f->data->len, ==, 1);
        g_assert_cmphex(ask(f, 0x100b, P(handle)), ==, OSTLER_MTP_OK);
        g_assert_false(test_share_has(&f->share, names[i]));
    }
}

/* What the guest sees under a shortened name it replaces under that name. */
static void a_shortened_name_is_the_file_it_is_of(SessionFixture *f,
                                                  gconstpointer unused)
{
    g_autofree char *stem = g_strnfill(250, 'n');
    g_autofree char *one = g_strconcat(stem, "1.txt", NULL);
    g_autofree char *two = g_strconcat(stem, "2.txt", NULL);
    uint16_t units[OSTLER_MTP_MAX_STRING];
    gsize size;

    open_session(f);
    test_share_put(&f->share, one, "one", 3);
    test_share_put(&f->share, two, "two", 3);
    uint32_t handle = test_share_handle(&f->share, two);
    unsigned n = ostler_mtp_name_to_guest(two, units);
    g_autofree char *shown = ostler_mtp_name_to_host(units, n);
    g_assert_cmphex(send_info(f, shown, 0x3000, 5), ==, OSTLER_MTP_OK);
    g_assert_cmphex(f->response.params[2], ==, handle);
    g_assert_cmphex(send_bytes(f, "other", 5), ==, OSTLER_MTP_OK);
    g_assert_false(test_share_has(&f->share, shown));
    g_autofree char *first = test_share_get(&f->share, one, &size);
    g_autofree char *second = test_share_get(&f->share, two, &size);
    g_assert_cmpmem(first, 3, "one", 3);
    g_assert_cmpmem(second, (int)size, "other", 5);
    g_assert_cmphex(ostler_mtp_store_rename(f->share.store, handle, shown), ==,
                    OSTLER_MTP_OK);
    g_assert_cmphex(ostler_mtp_store_rename(f->share.store,
                                            test_share_handle(&f->share, one), shown),
                    ==, OSTLER_MTP_INVALID_OBJECT_PROP_VALUE);
}

#define TEST(name, func)                                                               \
    g_test_add("/session/" name, SessionFixture, NULL, session_set_up, func,           \
               session_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("what-is-sent-is-what-is-got", what_is_sent_is_what_is_got);
    TEST("an-unfinished-file-leaves-the-old-one",
         an_unfinished_file_leaves_the_old_one);
    TEST("replacing-a-file-keeps-its-handle", replacing_a_file_keeps_its_handle);
    TEST("names-that-lead-out-are-refused", names_that_lead_out_are_refused);
    TEST("a-rename-keeps-the-handle", a_rename_keeps_the_handle);
    TEST("a-folder-is-deleted-with-all-that-is-in-it",
         a_folder_is_deleted_with_all_that_is_in_it);
    TEST("a-read-only-share-changes-nothing", a_read_only_share_changes_nothing);
    TEST("a-protected-file-is-not-changed", a_protected_file_is_not_changed);
    TEST("an-edit-shows-when-it-ends", an_edit_shows_when_it_ends);
    TEST("a-move-keeps-the-handle-and-a-copy-gets-one",
         a_move_keeps_the_handle_and_a_copy_gets_one);
    TEST("a-list-of-properties-makes-a-file-and-sets-it",
         a_list_of_properties_makes_a_file_and_sets_it);
    TEST("all-objects-are-deleted-by-format-or-at-once",
         all_objects_are_deleted_by_format_or_at_once);
    TEST("what-a-folder-cannot-do-is-refused-by-name",
         what_a_folder_cannot_do_is_refused_by_name);
    TEST("names-of-every-kind-name-files", names_of_every_kind_name_files);
    TEST("a-shortened-name-is-the-file-it-is-of",
         a_shortened_name_is_the_file_it_is_of);
    return g_test_run();
}
