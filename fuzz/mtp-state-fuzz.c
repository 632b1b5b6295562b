/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-state-fuzz - a journal of handles that says anything, and a store that begins with it
 *
 * The input is records: a byte that is the size of the body, and the body.  Checksums are
 * put before them here, which no fuzzer would find, and the storages' keys, which are
 * paths of the moment.  What is restored must be the same after one more restart.
 */
#include "fuzz.h"

#include "mtp-share.h"
#include "mtp/state.h"

#include <unistd.h>

static char *state_folder;

static void remove_at_exit(void)
{
    g_autofree char *file = g_build_filename(state_folder, "handles", NULL);

    g_unlink(file);
    g_rmdir(state_folder);
}

/* As state.c has it. */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
    uint32_t h = 0x811c9dc5;

    for (size_t i = 0; i < size; i++) {
        h = (h ^ bytes[i]) * 0x01000193;
    }
    return (uint16_t)(h ^ h >> 16);
}

static void put_record(GByteArray *journal, const uint8_t *body, size_t size)
{
    const uint16_t sum = checksum(body, size);
    const uint8_t header[4] = { (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)sum,
                                (uint8_t)(sum >> 8) };

    g_byte_array_append(journal, header, sizeof(header));
    g_byte_array_append(journal, body, (guint)size);
}

static void put_storage(GByteArray *journal, uint8_t index, const char *name)
{
    g_autofree char *path = g_build_filename(mtp_share_outside, name, NULL);
    g_autoptr(GByteArray) body = g_byte_array_new();
    const uint8_t start[5] = { 1, index };

    g_byte_array_append(body, start, sizeof(start));
    g_byte_array_append(body, (const guint8 *)path, (guint)strlen(path));
    put_record(journal, body->data, body->len);
}

static void write_journal(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) journal = g_byte_array_new();
    g_autofree char *file = g_build_filename(state_folder, "handles", NULL);

    g_byte_array_append(journal, (const guint8 *)"OstlerH1", 8);
    put_storage(journal, 0, "share");
    put_storage(journal, 1, "share/sub");
    for (size_t at = 0; at < size;) {
        size_t n = MIN(data[at], size - at - 1);
        put_record(journal, data + at + 1, n);
        at += 1 + n;
    }
    g_assert_true(g_file_set_contents_full(file, (const char *)journal->data,
                                           (gssize)journal->len,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* All handles there are, in the order of the table. */
static GArray *begin_with_journal(OstlerMtpStore *store)
{
    GArray *handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    OstlerRoot *root = ostler_root_open(state_folder, NULL);

    g_assert_true(ostler_mtp_store_keep_state(store, root, NULL));
    ostler_mtp_store_list(store, OSTLER_MTP_ALL, 0, OSTLER_MTP_ALL, 0, handles);
    return handles;
}

static void assert_handles_are_good(OstlerMtpStore *store, const GArray *handles)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    OstlerMtpEntry entry;

    for (guint i = 0; i < handles->len; i++) {
        uint32_t handle = g_array_index(handles, uint32_t, i);
        g_assert_true(handle != 0 && handle != 0xffffffff);
        g_assert_true(g_hash_table_add(seen, GUINT_TO_POINTER(handle)));
        g_assert_cmphex(ostler_mtp_store_entry(store, handle, &entry), ==,
                        OSTLER_MTP_OK);
    }
}

static int compare_handles(gconstpointer a, gconstpointer b)
{
    const uint32_t *one = a;
    const uint32_t *two = b;

    return *one < *two ? -1 : *one > *two;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!state_folder) {
        state_folder = g_dir_make_tmp("mtp-state-fuzz-XXXXXX", NULL);
        atexit(remove_at_exit);
    }
    g_autoptr(OstlerMtpSavedState) raw = ostler_mtp_saved_state_parse(data, size);
    OstlerMtpStore *store = mtp_share_open();
    write_journal(data, size);
    g_autoptr(GArray) first = begin_with_journal(store);
    assert_handles_are_good(store, first);
    mtp_share_close(store);

    /* The same files: opening makes them anew, which keeps their names. */
    store = mtp_share_open();
    g_autoptr(GArray) second = begin_with_journal(store);
    assert_handles_are_good(store, second);
    mtp_share_close(store);
    g_array_sort(first, compare_handles);
    g_array_sort(second, compare_handles);
    g_assert_cmpmem(first->data, 4 * first->len, second->data, 4 * second->len);
    return 0;
}
