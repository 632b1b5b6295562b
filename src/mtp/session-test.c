/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions, lists and what is read; what is written: session-write-test.c. */
#include "mtp/session-testing.h"

static void second_open_is_refused_until_closed(SessionFixture *f, gconstpointer unused)
{
    static const struct {
        uint16_t operation;
        uint32_t param;
        uint16_t answer;
    } steps[] = {
        { 0x1003, 0, OSTLER_MTP_SESSION_NOT_OPEN },
        { 0x1007, 0, OSTLER_MTP_SESSION_NOT_OPEN },
        { 0x1001, 0, OSTLER_MTP_OK },
        { 0x1002, 0, OSTLER_MTP_INVALID_PARAMETER },
        { 0x1002, 7, OSTLER_MTP_OK },
        { 0x1002, 8, OSTLER_MTP_SESSION_ALREADY_OPEN },
        { 0x1003, 0, OSTLER_MTP_OK },
        { 0x1002, 8, OSTLER_MTP_OK },
        { 0x9999, 0, OSTLER_MTP_OPERATION_NOT_SUPPORTED },
        { 0x1005, 2, OSTLER_MTP_INVALID_STORAGE_ID },
        { 0x1008, 9, OSTLER_MTP_INVALID_OBJECT_HANDLE },
        { 0x1009, 0xffffffff, OSTLER_MTP_INVALID_OBJECT_HANDLE },
        { 0x100b, 0, OSTLER_MTP_INVALID_OBJECT_HANDLE },
        { 0x1014, 0x5001, OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED },
        { 0x100d, 0, OSTLER_MTP_NO_VALID_OBJECT_INFO },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        uint16_t answer = ask(f, steps[i].operation, P(steps[i].param));
        g_test_message("step %zu: 0x%04x", i, steps[i].operation);
        g_assert_cmphex(answer, ==, steps[i].answer);
    }
}

/* The number in the first four bytes of the data phase. */
static uint32_t count_of(const SessionFixture *f)
{
    uint32_t n;

    g_assert_cmpuint(f->data->len, >=, 4);
    memcpy(&n, f->data->data, 4);
    return GUINT32_FROM_LE(n);
}

/* Also after handles were given and taken in another order. */
static void lists_are_in_ascending_order(SessionFixture *f, gconstpointer unused)
{
    for (unsigned i = 0; i < 40; i++) {
        g_autofree char *name = g_strdup_printf("%02u", i * 7 % 40);
        test_share_put(&f->share, name, "", 0);
        if (i % 5 == 0) {
            test_share_list(&f->share);
        }
    }
    open_session(f);
    g_assert_cmphex(ask(f, 0x1007, P(storage, 0, OSTLER_MTP_ALL)), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(count_of(f), ==, 40);
    OstlerReader reader = ostler_reader_of(f->data->data + 4, f->data->len - 4);
    for (uint32_t before = 0, i = 0; i < 40; i++) {
        uint32_t handle = ostler_reader_le32(&reader);
        g_assert_cmpuint(handle, >, before);
        before = handle;
    }
}

static void lists_are_of_the_parent_that_was_asked_for(SessionFixture *f,
                                                       gconstpointer unused)
{
    test_share_mkdir(&f->share, "sub");
    test_share_put(&f->share, "a.txt", "x", 1);
    test_share_put(&f->share, "sub/b.txt", "x", 1);
    open_session(f);
    uint32_t sub = test_share_handle(&f->share, "sub");
    const struct {
        uint32_t storage, format, parent;
        uint32_t n;
    } cases[] = {
        { storage, 0, 0, 3 },          { OSTLER_MTP_ALL, 0, 0, 3 },
        { storage, 0, 0xffffffff, 2 }, { storage, 0, sub, 1 },
        { storage, 0x3004, 0, 2 },     { storage, 0x3001, 0, 1 },
        { storage, 0x3801, 0, 0 },     { OSTLER_MTP_ALL, 0, sub, 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const uint32_t *p = P(cases[i].storage, cases[i].format, cases[i].parent);
        g_assert_cmphex(ask(f, 0x1007, p), ==, OSTLER_MTP_OK);
        g_assert_cmpuint(count_of(f), ==, cases[i].n);
        g_assert_cmphex(ask(f, 0x1006, p), ==, OSTLER_MTP_OK);
        g_assert_cmpuint(f->response.params[0], ==, cases[i].n);
    }
}

static void property_lists_go_as_deep_as_asked(SessionFixture *f, gconstpointer unused)
{
    test_share_mkdir(&f->share, "sub");
    test_share_put(&f->share, "a", "x", 1);
    test_share_put(&f->share, "sub/b", "x", 1);
    open_session(f);
    uint32_t sub = test_share_handle(&f->share, "sub");
    const struct {
        uint32_t params[5]; /* handle, format, property, group, depth */
        uint16_t code;
        uint32_t n;
    } cases[] = {
        { { 0xffffffff, 0, 0xdc04, 0, 0 }, OSTLER_MTP_OK, 3 },
        { { 0, 0, 0xdc04, 0, 0xffffffff }, OSTLER_MTP_OK, 3 },
        { { 0, 0, 0xdc04, 0, 1 }, OSTLER_MTP_OK, 2 },
        { { sub, 0, 0xdc04, 0, 0 }, OSTLER_MTP_OK, 1 },
        { { sub, 0, 0xdc04, 0, 1 }, OSTLER_MTP_OK, 1 },
        { { sub, 0, 0xffffffff, 0, 0 }, OSTLER_MTP_OK, 10 },
        { { sub, 0, 0, 4, 0 }, OSTLER_MTP_GROUP_NOT_SUPPORTED, 0 },
        { { sub, 0, 0, 0, 0 }, OSTLER_MTP_PARAMETER_NOT_SUPPORTED, 0 },
        { { 5, 0, 0xdc04, 0, 0 }, OSTLER_MTP_INVALID_OBJECT_HANDLE, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmphex(ask(f, 0x9805, cases[i].params), ==, cases[i].code);
        g_assert_cmpuint(f->data->len ? count_of(f) : 0, ==, cases[i].n);
    }
}

static void a_file_that_shrinks_keeps_its_promised_size(SessionFixture *f,
                                                        gconstpointer unused)
{
    OstlerMtpContainer request = { OSTLER_MTP_CONTAINER_COMMAND, 0x1009, 1, { 0 }, 1 };
    uint8_t bytes[8] = { 0 };
    g_autofree char *path = g_build_filename(f->share.path, "file", NULL);

    test_share_put(&f->share, "file", "12345678", 8);
    open_session(f);
    request.params[0] = test_share_handle(&f->share, "file");
    g_assert_cmpint(ostler_mtp_session_begin(f->session, &request), ==,
                    OSTLER_MTP_DATA_TO_INITIATOR);
    g_assert_cmpuint(ostler_mtp_session_size(f->session), ==, 8);
    g_assert_cmpint(truncate(path, 3), ==, 0);
    ostler_mtp_session_produce(f->session, bytes, 8);
    ostler_mtp_session_end(f->session, true, &f->response);
    g_assert_cmpmem(bytes, 8, "123\0\0\0\0\0", 8);
    g_assert_cmphex(f->response.code, ==, OSTLER_MTP_INCOMPLETE_TRANSFER);
}

static void a_file_that_is_gone_loses_its_handle(SessionFixture *f,
                                                 gconstpointer unused)
{
    g_autofree char *path = g_build_filename(f->share.path, "file", NULL);

    test_share_put(&f->share, "file", "x", 1);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "file");
    g_assert_cmphex(ask(f, 0x1008, P(handle)), ==, OSTLER_MTP_OK);
    g_unlink(path);
    g_assert_cmphex(ask(f, 0x1008, P(handle)), ==, OSTLER_MTP_INVALID_OBJECT_HANDLE);
    g_assert_cmpuint(test_share_handle(&f->share, "file"), ==, 0); /* listed: gone */
    test_share_put(&f->share, "file", "y", 1);
    g_assert_cmpuint(test_share_handle(&f->share, "file"), !=, handle);
}

/* The phase in which the session asks for a thumbnail of @handle, or another one. */
static OstlerMtpPhase begin(SessionFixture *f, uint16_t code, uint32_t handle,
                            uint32_t param)
{
    const OstlerMtpContainer request = {
        OSTLER_MTP_CONTAINER_COMMAND, code, 1, { handle, param }, 2
    };
    return ostler_mtp_session_begin(f->session, &request);
}

static uint16_t end(SessionFixture *f, OstlerMtpPhase phase)
{
    g_byte_array_set_size(f->data, 0);
    if (phase == OSTLER_MTP_DATA_TO_INITIATOR) {
        fetch(f);
    }
    ostler_mtp_session_end(f->session, true, &f->response);
    return f->response.code;
}

static void without_a_thumbnailer_there_are_no_thumbnails(SessionFixture *f,
                                                          gconstpointer unused)
{
    test_share_put(&f->share, "image.jpg", "x", 1);
    test_share_list(&f->share);
    open_session(f);
    uint32_t image = test_share_handle(&f->share, "image.jpg");
    g_assert_cmphex(ask(f, 0x100a, P(image)), ==, OSTLER_MTP_NO_THUMBNAIL_PRESENT);
    g_assert_cmphex(ask(f, 0x9803, P(image, 0xdc86)), ==,
                    OSTLER_MTP_INVALID_OBJECT_PROP_CODE);
}

/* Frame header (SOF0) with a height of 3 and a width of 5, and no more. */
static const uint8_t thumb[] = { 0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0, 3, 0, 5, 3 };

static void a_thumbnail_is_made_once(SessionFixture *f, gconstpointer unused)
{
    static const struct {
        uint32_t property;
        uint32_t value;
    } numbers[] = { { 0xdc82, sizeof(thumb) },
                    { 0xdc83, 3 },
                    { 0xdc84, 5 },
                    { 0xdc86, sizeof(thumb) } };

    test_share_put(&f->share, "image.jpg", "x", 1);
    test_share_put(&f->share, "text.txt", "x", 1);
    test_share_list(&f->share);
    ostler_mtp_session_offer_thumbs(f->session);
    open_session(f);
    uint32_t image = test_share_handle(&f->share, "image.jpg");
    uint32_t text = test_share_handle(&f->share, "text.txt");

    g_assert_cmphex(ask(f, 0x100a, P(text)), ==, OSTLER_MTP_NO_THUMBNAIL_PRESENT);
    g_assert_cmpint(begin(f, 0x100a, image, 0), ==, OSTLER_MTP_WANTS_THUMB);
    g_assert_nonnull(ostler_mtp_session_image(f->session));
    g_assert_cmphex(end(f, ostler_mtp_session_give_thumb(
                               f->session, g_bytes_new(thumb, sizeof(thumb)))),
                    ==, OSTLER_MTP_OK);
    g_assert_cmpmem(f->data->data, f->data->len, thumb, sizeof(thumb));
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_assert_cmphex(ask(f, 0x9803, P(image, numbers[i].property)), ==,
                        OSTLER_MTP_OK);
        OstlerReader reader = ostler_reader_of(f->data->data, f->data->len);
        g_assert_cmpuint(ostler_reader_le32(&reader), ==, numbers[i].value);
    }

    /* Another image is another thumbnail, and one without any is not asked for again. */
    test_share_put(&f->share, "image.jpg", "xx", 2);
    g_assert_cmpint(begin(f, 0x100a, image, 0), ==, OSTLER_MTP_WANTS_THUMB);
    g_assert_cmphex(end(f, ostler_mtp_session_give_thumb(f->session, NULL)), ==,
                    OSTLER_MTP_NO_THUMBNAIL_PRESENT);
    g_assert_cmphex(ask(f, 0x100a, P(image)), ==, OSTLER_MTP_NO_THUMBNAIL_PRESENT);
    g_assert_cmphex(ask(f, 0x9803, P(image, 0xdc86)), ==, OSTLER_MTP_OK);
    g_assert_cmpuint(f->data->len, ==, 4);
}

static void handles_outlive_a_session(SessionFixture *f, gconstpointer unused)
{
    test_share_put(&f->share, "file", "x", 1);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "file");
    ostler_mtp_session_close(f->session);
    open_session(f);
    g_assert_cmpuint(test_share_handle(&f->share, "file"), ==, handle);
    g_assert_cmphex(ask(f, 0x1008, P(handle)), ==, OSTLER_MTP_OK);
}

static void sizes_over_32_bits_are_right(SessionFixture *f, gconstpointer unused)
{
    static const uint64_t sizes[] = {
        0xfffffff2,  0xfffffff3,  0xfffffff4,  0xffffffff,
        0x100000000, 0x100000001, 0x200000000, 0x200000001,
    };
    g_autofree char *path = g_build_filename(f->share.path, "sparse", NULL);

    test_share_put(&f->share, "sparse", "", 0);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "sparse");
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        OstlerMtpContainer request = {
            OSTLER_MTP_CONTAINER_COMMAND, 0x1009, 1, { handle }, 1,
        };
        uint64_t size;

        g_assert_cmpint(truncate(path, (off_t)sizes[i]), ==, 0);
        g_assert_cmphex(ask(f, 0x9803, P(handle, 0xdc04)), ==, OSTLER_MTP_OK);
        memcpy(&size, f->data->data, 8);
        g_assert_cmpuint(GUINT64_FROM_LE(size), ==, sizes[i]);
        ostler_mtp_session_begin(f->session, &request);
        g_assert_cmpuint(ostler_mtp_session_size(f->session), ==, sizes[i]);
        g_assert_cmphex(ask(f, 0x95c1, P(handle, WIDE(sizes[i] - 3), 10)), ==,
                        OSTLER_MTP_OK);
        g_assert_cmpuint(f->data->len, ==, 3);
    }
}

static void write_down(uint16_t event, uint32_t param, void *opaque)
{
    g_hash_table_insert(opaque, GUINT_TO_POINTER(param), GUINT_TO_POINTER(event));
}

/* When the watch lost events, only the disk knows what they were. */
static void a_rescan_finds_what_was_missed(SessionFixture *f, gconstpointer unused)
{
    g_autoptr(GHashTable) events = g_hash_table_new(NULL, NULL);
    g_autofree char *gone_path = g_build_filename(f->share.path, "sub/gone", NULL);

    test_share_mkdir(&f->share, "sub");
    test_share_mkdir(&f->share, "unseen");
    test_share_put(&f->share, "sub/gone", "", 0);
    test_share_put(&f->share, "sub/stays", "", 0);
    open_session(f);
    uint32_t sub = test_share_handle(&f->share, "sub");
    g_assert_cmphex(ask(f, 0x1007, P(storage, 0, sub)), ==, OSTLER_MTP_OK);
    ostler_mtp_store_set_notice(f->share.store, write_down, events);
    g_assert_cmpint(g_unlink(gone_path), ==, 0);
    test_share_put(&f->share, "sub/new", "", 0);
    test_share_put(&f->share, "unseen/file", "", 0); /* nobody has listed that folder */
    ostler_mtp_store_host_rescan(f->share.store, 0, 0);

    unsigned n_added = 0;
    unsigned n_removed = 0;
    unsigned n_changed = 0;
    GHashTableIter iter;
    gpointer event;
    g_hash_table_iter_init(&iter, events);
    while (g_hash_table_iter_next(&iter, NULL, &event)) {
        n_added += GPOINTER_TO_UINT(event) == OSTLER_MTP_OBJECT_ADDED;
        n_removed += GPOINTER_TO_UINT(event) == OSTLER_MTP_OBJECT_REMOVED;
        n_changed += GPOINTER_TO_UINT(event) == OSTLER_MTP_OBJECT_INFO_CHANGED;
    }
    g_assert_cmpuint(n_added, ==, 1);
    g_assert_cmpuint(n_removed, ==, 1);
    g_assert_cmpuint(n_changed, ==, 1);

    /* What has not changed since the watch last knew everything is no news. */
    g_hash_table_remove_all(events);
    ostler_mtp_store_host_rescan(f->share.store, 0,
                                 g_get_real_time() / G_USEC_PER_SEC + 60);
    g_assert_cmpuint(g_hash_table_size(events), ==, 0);
}

/* What decides that Windows does not take the device for a camera. */
static void the_device_says_that_it_is_no_camera(SessionFixture *f,
                                                 gconstpointer unused)
{
    open_session(f);
    g_assert_cmphex(ask(f, 0x1015, P(0xd407)), ==, OSTLER_MTP_OK);
    g_assert_cmpmem(f->data->data, f->data->len, "\0\0\0\0", 4);
    g_assert_cmphex(ask(f, 0x1015, P(0xd402)), ==, OSTLER_MTP_OK);
    g_assert_cmpmem(f->data->data, f->data->len, "\5T\0e\0s\0t\0\0\0", 11);

    g_assert_cmphex(ask(f, 0x1001, P(0)), ==, OSTLER_MTP_OK);
    OstlerReader reader = ostler_reader_of(f->data->data, f->data->len);
    g_assert_cmpuint(ostler_reader_le16(&reader), ==, 100); /* standard 1.00 */
    g_assert_cmpuint(ostler_reader_le32(&reader), ==, 6);   /* Microsoft's extension */
    ostler_reader_skip(&reader, 2);
    OstlerMtpString extensions;
    ostler_mtp_get_string(&reader, &extensions);
    g_assert_cmpuint(extensions.n_units, ==, strlen("microsoft.com: 1.0;"));
    g_assert_cmpuint(ostler_reader_le16(&reader), ==, 0); /* standard mode */
    for (unsigned list = 0; list < 4; list++) {           /* the fourth: captures */
        uint32_t n = ostler_reader_le32(&reader);
        g_assert_true(list != 3 || n == 0);
        ostler_reader_skip(&reader, 2 * n);
    }
    g_assert_true(ostler_reader_ok(&reader));
}

static void a_dataset_cut_anywhere_is_refused(SessionFixture *f, gconstpointer unused)
{
    g_autoptr(GByteArray) info = test_object_info("name", 0x3001, 0);
    const guint needed = 52 + 1 + 2 * 5; /* the fixed part and the name */

    open_session(f);
    for (guint size = 0; size < needed; size++) {
        g_autoptr(GByteArray) cut = g_byte_array_new();
        g_byte_array_append(cut, info->data, size);
        g_assert_cmphex(transact(f, 0x100c, P(storage), cut), ==,
                        OSTLER_MTP_INVALID_DATASET);
    }
    g_byte_array_set_size(info, needed); /* the dates may be left out */
    g_assert_cmphex(transact(f, 0x100c, P(storage), info), ==, OSTLER_MTP_OK);
    g_assert_true(test_share_has(&f->share, "name"));
}

#define TEST(name, func)                                                               \
    g_test_add("/session/" name, SessionFixture, NULL, session_set_up, func,           \
               session_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("second-open-is-refused-until-closed", second_open_is_refused_until_closed);
    TEST("lists-are-of-the-parent-that-was-asked-for",
         lists_are_of_the_parent_that_was_asked_for);
    TEST("lists-are-in-ascending-order", lists_are_in_ascending_order);
    TEST("property-lists-go-as-deep-as-asked", property_lists_go_as_deep_as_asked);
    TEST("a-file-that-shrinks-keeps-its-promised-size",
         a_file_that_shrinks_keeps_its_promised_size);
    TEST("a-file-that-is-gone-loses-its-handle", a_file_that_is_gone_loses_its_handle);
    TEST("without-a-thumbnailer-there-are-no-thumbnails",
         without_a_thumbnailer_there_are_no_thumbnails);
    TEST("a-thumbnail-is-made-once", a_thumbnail_is_made_once);
    TEST("handles-outlive-a-session", handles_outlive_a_session);
    TEST("the-device-says-that-it-is-no-camera", the_device_says_that_it_is_no_camera);
    TEST("a-dataset-cut-anywhere-is-refused", a_dataset_cut_anywhere_is_refused);
    TEST("sizes-over-32-bits-are-right", sizes_over_32_bits_are_right);
    TEST("a-rescan-finds-what-was-missed", a_rescan_finds_what_was_missed);
    return g_test_run();
}
