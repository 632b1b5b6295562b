/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/session.h"

#include "mtp/testing.h"

typedef struct {
    TestShare share;
    OstlerMtpSession *session;
    GByteArray *data; /* of the last data phase to the initiator */
    OstlerMtpContainer response;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    test_share_new(&f->share);
    f->session = ostler_mtp_session_new(f->share.store, &test_identity);
    f->data = g_byte_array_new();
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    ostler_mtp_session_free(f->session);
    g_byte_array_unref(f->data);
    test_share_free(&f->share);
}

/* Fetch the data phase, in pieces whose sizes fit nothing. */
static void fetch(Fixture *f)
{
    size_t size = (size_t)ostler_mtp_session_size(f->session);

    g_byte_array_set_size(f->data, (guint)size);
    for (size_t at = 0; at < size; at += 777) {
        ostler_mtp_session_produce(f->session, f->data->data + at, MIN(777, size - at));
    }
}

/* One transaction; @sent is its data phase from the initiator, or NULL. */
static uint16_t transact(Fixture *f, uint16_t code, const uint32_t params[5],
                         const GByteArray *sent)
{
    OstlerMtpContainer request = { OSTLER_MTP_CONTAINER_COMMAND, code, 1, { 0 }, 5 };

    memcpy(request.params, params, sizeof(request.params));
    g_byte_array_set_size(f->data, 0);
    switch (ostler_mtp_session_begin(f->session, &request)) {
    case OSTLER_MTP_DATA_TO_INITIATOR:
        fetch(f);
        break;
    case OSTLER_MTP_DATA_FROM_INITIATOR:
        if (sent) {
            ostler_mtp_session_consume(f->session, sent->data, sent->len);
        }
        break;
    case OSTLER_MTP_NO_DATA:
        break;
    case OSTLER_MTP_WANTS_THUMB:
        g_assert_not_reached();
    }
    ostler_mtp_session_end(f->session, true, &f->response);
    return f->response.code;
}

#define P(...)          ((const uint32_t[5]){ __VA_ARGS__ })
#define ask(f, code, p) transact(f, code, p, NULL)

static void open_session(Fixture *f)
{
    g_assert_cmphex(ask(f, 0x1002, P(1)), ==, OSTLER_MTP_OK);
}

static const uint32_t storage = 0x00010001;

/* SendObjectInfo; the handle of the new object is in the response. */
static uint16_t send_info(Fixture *f, const char *name, uint16_t format, uint32_t size)
{
    g_autoptr(GByteArray) info = test_object_info(name, format, size);

    return transact(f, 0x100c, P(storage, OSTLER_MTP_ALL), info);
}

static uint16_t send_bytes(Fixture *f, const char *bytes, size_t size)
{
    g_autoptr(GByteArray) sent = g_byte_array_new();

    g_byte_array_append(sent, (const uint8_t *)bytes, (guint)size);
    return transact(f, 0x100d, P(0), sent);
}

static void second_open_is_refused_until_closed(Fixture *f, gconstpointer unused)
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

static void what_is_sent_is_what_is_got(Fixture *f, gconstpointer unused)
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

static void an_unfinished_file_leaves_the_old_one(Fixture *f, gconstpointer unused)
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

static void replacing_a_file_keeps_its_handle(Fixture *f, gconstpointer unused)
{
    test_share_put(&f->share, "file", "old", 3);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "file");
    g_assert_cmphex(send_info(f, "file", 0x3000, 3), ==, OSTLER_MTP_OK);
    g_assert_cmphex(send_bytes(f, "new", 3), ==, OSTLER_MTP_OK);
    g_assert_cmphex(ask(f, 0x1009, P(handle)), ==, OSTLER_MTP_OK);
    g_assert_cmpmem(f->data->data, f->data->len, "new", 3);
}

static void names_that_lead_out_are_refused(Fixture *f, gconstpointer unused)
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

static void a_rename_keeps_the_handle(Fixture *f, gconstpointer unused)
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

static void a_folder_is_deleted_with_all_that_is_in_it(Fixture *f, gconstpointer unused)
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

/* The number in the first four bytes of the data phase. */
static uint32_t count_of(const Fixture *f)
{
    uint32_t n;

    g_assert_cmpuint(f->data->len, >=, 4);
    memcpy(&n, f->data->data, 4);
    return GUINT32_FROM_LE(n);
}

/* Also after handles were given and taken in another order. */
static void lists_are_in_ascending_order(Fixture *f, gconstpointer unused)
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

static void lists_are_of_the_parent_that_was_asked_for(Fixture *f, gconstpointer unused)
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

static void property_lists_go_as_deep_as_asked(Fixture *f, gconstpointer unused)
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

static void a_read_only_share_changes_nothing(Fixture *f, gconstpointer unused)
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

static void a_file_that_shrinks_keeps_its_promised_size(Fixture *f,
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

static void a_file_that_is_gone_loses_its_handle(Fixture *f, gconstpointer unused)
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

static void a_protected_file_is_not_changed(Fixture *f, gconstpointer unused)
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

/* The phase in which the session asks for a thumbnail of @handle, or another one. */
static OstlerMtpPhase begin(Fixture *f, uint16_t code, uint32_t handle, uint32_t param)
{
    const OstlerMtpContainer request = {
        OSTLER_MTP_CONTAINER_COMMAND, code, 1, { handle, param }, 2
    };
    return ostler_mtp_session_begin(f->session, &request);
}

static uint16_t end(Fixture *f, OstlerMtpPhase phase)
{
    g_byte_array_set_size(f->data, 0);
    if (phase == OSTLER_MTP_DATA_TO_INITIATOR) {
        fetch(f);
    }
    ostler_mtp_session_end(f->session, true, &f->response);
    return f->response.code;
}

static void without_a_thumbnailer_there_are_no_thumbnails(Fixture *f,
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

static void a_thumbnail_is_made_once(Fixture *f, gconstpointer unused)
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

static void handles_outlive_a_session(Fixture *f, gconstpointer unused)
{
    test_share_put(&f->share, "file", "x", 1);
    open_session(f);
    uint32_t handle = test_share_handle(&f->share, "file");
    ostler_mtp_session_close(f->session);
    open_session(f);
    g_assert_cmpuint(test_share_handle(&f->share, "file"), ==, handle);
    g_assert_cmphex(ask(f, 0x1008, P(handle)), ==, OSTLER_MTP_OK);
}

/* The 64-bit offsets of Android's operations, as two parameters. */
#define WIDE(offset) (uint32_t)(offset), (uint32_t)((uint64_t)(offset) >> 32)

static uint16_t send_part(Fixture *f, uint32_t handle, uint64_t offset,
                          const char *bytes)
{
    g_autoptr(GByteArray) sent = g_byte_array_new();
    const uint32_t size = (uint32_t)strlen(bytes);

    g_byte_array_append(sent, (const uint8_t *)bytes, size);
    return transact(f, 0x95c2, P(handle, WIDE(offset), size), sent);
}

static void an_edit_shows_when_it_ends(Fixture *f, gconstpointer unused)
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

static void sizes_over_32_bits_are_right(Fixture *f, gconstpointer unused)
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

static void a_move_keeps_the_handle_and_a_copy_gets_one(Fixture *f,
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

static void a_list_of_properties_makes_a_file_and_sets_it(Fixture *f,
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

static void all_objects_are_deleted_by_format_or_at_once(Fixture *f,
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

static void what_a_folder_cannot_do_is_refused_by_name(Fixture *f, gconstpointer unused)
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
static void names_of_every_kind_name_files(Fixture *f, gconstpointer unused)
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
static void a_shortened_name_is_the_file_it_is_of(Fixture *f, gconstpointer unused)
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

static void write_down(uint16_t event, uint32_t param, void *opaque)
{
    g_hash_table_insert(opaque, GUINT_TO_POINTER(param), GUINT_TO_POINTER(event));
}

/* When the watch lost events, only the disk knows what they were. */
static void a_rescan_finds_what_was_missed(Fixture *f, gconstpointer unused)
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
static void the_device_says_that_it_is_no_camera(Fixture *f, gconstpointer unused)
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

static void a_dataset_cut_anywhere_is_refused(Fixture *f, gconstpointer unused)
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
    g_test_add("/session/" name, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("second-open-is-refused-until-closed", second_open_is_refused_until_closed);
    TEST("what-is-sent-is-what-is-got", what_is_sent_is_what_is_got);
    TEST("an-unfinished-file-leaves-the-old-one",
         an_unfinished_file_leaves_the_old_one);
    TEST("replacing-a-file-keeps-its-handle", replacing_a_file_keeps_its_handle);
    TEST("names-that-lead-out-are-refused", names_that_lead_out_are_refused);
    TEST("a-rename-keeps-the-handle", a_rename_keeps_the_handle);
    TEST("a-folder-is-deleted-with-all-that-is-in-it",
         a_folder_is_deleted_with_all_that_is_in_it);
    TEST("lists-are-of-the-parent-that-was-asked-for",
         lists_are_of_the_parent_that_was_asked_for);
    TEST("lists-are-in-ascending-order", lists_are_in_ascending_order);
    TEST("property-lists-go-as-deep-as-asked", property_lists_go_as_deep_as_asked);
    TEST("a-read-only-share-changes-nothing", a_read_only_share_changes_nothing);
    TEST("a-file-that-shrinks-keeps-its-promised-size",
         a_file_that_shrinks_keeps_its_promised_size);
    TEST("a-file-that-is-gone-loses-its-handle", a_file_that_is_gone_loses_its_handle);
    TEST("a-protected-file-is-not-changed", a_protected_file_is_not_changed);
    TEST("without-a-thumbnailer-there-are-no-thumbnails",
         without_a_thumbnailer_there_are_no_thumbnails);
    TEST("a-thumbnail-is-made-once", a_thumbnail_is_made_once);
    TEST("handles-outlive-a-session", handles_outlive_a_session);
    TEST("the-device-says-that-it-is-no-camera", the_device_says_that_it_is_no_camera);
    TEST("a-dataset-cut-anywhere-is-refused", a_dataset_cut_anywhere_is_refused);
    TEST("an-edit-shows-when-it-ends", an_edit_shows_when_it_ends);
    TEST("sizes-over-32-bits-are-right", sizes_over_32_bits_are_right);
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
    TEST("a-rescan-finds-what-was-missed", a_rescan_finds_what_was_missed);
    return g_test_run();
}
