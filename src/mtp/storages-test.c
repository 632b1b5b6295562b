/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shares that come and go while an initiator looks. */
#include "mtp/session.h"

#include "mtp/testing.h"

#define MAX_NOTES 256

typedef struct {
    uint16_t event;
    uint32_t param;
} Note;

typedef struct {
    TestShare share;
    char *other; /* the folder that comes and goes */
    OstlerMtpSession *session;
    OstlerMtpContainer response;
    Note notes[MAX_NOTES];
    unsigned n_notes;
} Fixture;

static void write_down(uint16_t event, uint32_t param, void *opaque)
{
    Fixture *f = opaque;

    g_assert_cmpuint(f->n_notes, <, MAX_NOTES);
    f->notes[f->n_notes++] = (Note){ event, param };
}

static OstlerMtpPhase begin(Fixture *f, uint16_t code, uint32_t a, uint32_t b)
{
    const OstlerMtpContainer request = {
        OSTLER_MTP_CONTAINER_COMMAND, code, 1, { a, b }, 2,
    };
    return ostler_mtp_session_begin(f->session, &request);
}

static uint16_t end(Fixture *f)
{
    ostler_mtp_session_end(f->session, true, &f->response);
    return f->response.code;
}

static void set_up(Fixture *f, gconstpointer unused)
{
    test_share_new(&f->share);
    f->other = g_dir_make_tmp("mtp-test-XXXXXX", NULL);
    f->session = ostler_mtp_session_new(f->share.store, &test_identity);
    ostler_mtp_store_set_notice(f->share.store, write_down, f);
    begin(f, 0x1002, 1, 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_OK);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->other);

    ostler_mtp_session_free(f->session);
    test_share_free(&f->share);
    g_assert_cmpint(system(command), ==, 0);
    g_free(f->other);
}

static unsigned attach(Fixture *f)
{
    const OstlerMtpShare share = { .label = "Other" };
    unsigned storage = 0;

    g_assert_true(ostler_mtp_store_attach(
        f->share.store, ostler_root_open(f->other, NULL), &share, &storage, NULL));
    return storage;
}

static void put_other(const Fixture *f, const char *name, size_t size)
{
    g_autofree char *path = g_build_filename(f->other, name, NULL);
    g_autofree char *bytes = g_strnfill(size, 'x');

    g_assert_true(g_file_set_contents_full(path, bytes, (gssize)size,
                                           G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

/* The only object at the storage's top. */
static uint32_t handle_in(Fixture *f, unsigned storage)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    g_assert_cmphex(ostler_mtp_store_list(f->share.store, ostler_mtp_store_id(storage),
                                          0, 1, 0, handles),
                    ==, OSTLER_MTP_OK);
    g_assert_cmpuint(handles->len, ==, 1);
    return g_array_index(handles, uint32_t, 0);
}

/* What GetStorageIDs counts. */
static uint32_t n_storages(Fixture *f)
{
    uint32_t n = 0;

    g_assert_cmpint(begin(f, 0x1004, 0, 0), ==, OSTLER_MTP_DATA_TO_INITIATOR);
    ostler_mtp_session_produce(f->session, (uint8_t *)&n, sizeof(n));
    end(f);
    return GUINT32_FROM_LE(n);
}

static void a_share_comes_and_goes(Fixture *f, gconstpointer unused)
{
    unsigned storage = attach(f);
    put_other(f, "file", 10);
    uint32_t handle = handle_in(f, storage);

    g_assert_cmpuint(n_storages(f), ==, 2);
    ostler_mtp_store_detach(f->share.store, storage);
    g_assert_cmpuint(n_storages(f), ==, 1);
    begin(f, 0x1008, handle, 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_INVALID_OBJECT_HANDLE);
    begin(f, 0x1005, ostler_mtp_store_id(storage), 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_INVALID_STORAGE_ID);
    begin(f, 0x1007, OSTLER_MTP_ALL, 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_OK);

    g_assert_cmpuint(f->n_notes, ==, 2);
    g_assert_cmphex(f->notes[0].event, ==, 0x4004);
    g_assert_cmphex(f->notes[0].param, ==, ostler_mtp_store_id(storage));
    g_assert_cmphex(f->notes[1].event, ==, 0x4005);
    g_assert_cmphex(f->notes[1].param, ==, ostler_mtp_store_id(storage));
}

static void a_file_that_is_read_from_a_share_that_goes_ends_as_promised(
    Fixture *f, gconstpointer unused)
{
    unsigned storage = attach(f);
    uint8_t bytes[1000];

    put_other(f, "file", sizeof(bytes));
    begin(f, 0x1009, handle_in(f, storage), 0);
    g_assert_cmpuint(ostler_mtp_session_size(f->session), ==, sizeof(bytes));
    ostler_mtp_session_produce(f->session, bytes, 500);
    ostler_mtp_store_detach(f->share.store, storage);
    ostler_mtp_session_produce(f->session, bytes + 500, 500);
    g_assert_cmpint(bytes[499], ==, 'x');
    g_assert_cmpint(bytes[500], ==, 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_STORE_NOT_AVAILABLE);
}

static void a_file_that_is_sent_to_a_share_that_goes_leaves_nothing(
    Fixture *f, gconstpointer unused)
{
    g_autoptr(GByteArray) info = test_object_info("new", 0x3000, 6);
    unsigned storage = attach(f);

    begin(f, 0x100c, ostler_mtp_store_id(storage), OSTLER_MTP_ALL);
    ostler_mtp_session_consume(f->session, info->data, info->len);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_OK);
    begin(f, 0x100d, 0, 0);
    ostler_mtp_session_consume(f->session, (const uint8_t *)"abc", 3);
    ostler_mtp_store_detach(f->share.store, storage);
    ostler_mtp_session_consume(f->session, (const uint8_t *)"def", 3);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_STORE_NOT_AVAILABLE);

    g_autoptr(GDir) left = g_dir_open(f->other, 0, NULL);
    g_assert_null(g_dir_read_name(left));
    begin(f, 0x100d, 0, 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_NO_VALID_OBJECT_INFO);
}

static void an_edit_in_a_share_that_goes_leaves_the_old_file(Fixture *f,
                                                             gconstpointer unused)
{
    unsigned storage = attach(f);
    g_autofree char *path = g_build_filename(f->other, "file", NULL);
    g_autofree char *bytes = NULL;
    gsize size;

    put_other(f, "file", 10);
    uint32_t handle = handle_in(f, storage);
    begin(f, 0x95c4, handle, 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_OK);
    begin(f, 0x95c3, handle, 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_OK);
    ostler_mtp_store_detach(f->share.store, storage);
    begin(f, 0x95c5, handle, 0);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_INVALID_OBJECT_HANDLE);
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_assert_cmpuint(size, ==, 10);
}

static void a_transfer_elsewhere_goes_on(Fixture *f, gconstpointer unused)
{
    unsigned storage = attach(f);
    uint8_t bytes[4];

    test_share_put(&f->share, "file", "abcd", 4);
    begin(f, 0x1009, test_share_handle(&f->share, "file"), 0);
    ostler_mtp_session_produce(f->session, bytes, 2);
    ostler_mtp_store_detach(f->share.store, storage);
    ostler_mtp_session_produce(f->session, bytes + 2, 2);
    g_assert_cmphex(end(f), ==, OSTLER_MTP_OK);
    g_assert_cmpmem(bytes, 4, "abcd", 4);
}

/* So that an initiator's old number does not soon mean another folder. */
static void a_number_that_was_left_is_the_last_to_be_given_again(Fixture *f,
                                                                 gconstpointer unused)
{
    unsigned last = attach(f);

    for (unsigned i = last + 1; i < OSTLER_MTP_MAX_STORAGES; i++) {
        ostler_mtp_store_detach(f->share.store, last);
        last = attach(f);
        g_assert_cmpuint(last, ==, i);
    }
    ostler_mtp_store_detach(f->share.store, last);
    g_assert_cmpuint(attach(f), ==, 1);
    for (unsigned i = 2; i < OSTLER_MTP_MAX_STORAGES; i++) {
        attach(f);
    }

    const OstlerMtpShare one_more = { .label = "More", .path = f->other };
    g_autoptr(GError) error = NULL;
    g_assert_false(ostler_mtp_store_attach(
        f->share.store, ostler_root_open(f->other, NULL), &one_more, &last, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

#define TEST(name)                                                                     \
    g_test_add("/mtp-storages/" #name, Fixture, NULL, set_up, name, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(a_share_comes_and_goes);
    TEST(a_file_that_is_read_from_a_share_that_goes_ends_as_promised);
    TEST(a_file_that_is_sent_to_a_share_that_goes_leaves_nothing);
    TEST(an_edit_in_a_share_that_goes_leaves_the_old_file);
    TEST(a_transfer_elsewhere_goes_on);
    TEST(a_number_that_was_left_is_the_last_to_be_given_again);
    return g_test_run();
}
