/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * testing.h - what the tests of this folder share: a folder to share, and a host
 *
 * The host is a USB host without a transport in between: its functions submit transfers
 * to the device and wait until they are completed, as a driver does.
 */
#pragma once

#include "mtp/responder.h"

#include <cpc/glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static const OstlerMtpDeviceIdentity test_identity = {
    .friendly_name = "Test",
    .manufacturer = "Ostler",
    .model = "Test",
    .version = "1",
    .serial = "0001",
};

static const OstlerUsbIdentity test_usb_identity = {
    .vendor_id = 0x1d6b,
    .product_id = 0x0100,
    .version = 0x0100,
    .manufacturer = "Ostler",
    .product = "Test",
    .serial = "0001",
};

typedef struct {
    char *path;
    OstlerMtpStore *store;
} TestShare;

static inline void test_share_add(TestShare *share, bool is_read_only)
{
    const OstlerMtpShare added = { "Test", share->path, is_read_only };

    g_assert_true(ostler_mtp_store_add(share->store, &added, NULL));
}

static inline void test_share_new(TestShare *share)
{
    share->path = g_dir_make_tmp("mtp-test-XXXXXX", NULL);
    share->store = ostler_mtp_store_new();
    test_share_add(share, false);
}

static inline void test_share_free(TestShare *share)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", share->path);

    ostler_mtp_store_free(share->store);
    g_assert_cmpint(system(command), ==, 0);
    g_free(share->path);
}

static inline void test_share_put(const TestShare *share, const char *name,
                                  const char *bytes, gssize size)
{
    g_autofree char *path = g_build_filename(share->path, name, NULL);

    /* Not g_file_set_contents(): that waits for the disk. */
    g_assert_true(g_file_set_contents_full(path, bytes, size, G_FILE_SET_CONTENTS_NONE,
                                           0644, NULL));
}

static inline void test_share_mkdir(const TestShare *share, const char *name)
{
    g_autofree char *path = g_build_filename(share->path, name, NULL);

    g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
}

/* Caller frees; NULL when there is no such file. */
static inline char *test_share_get(const TestShare *share, const char *name,
                                   gsize *out_size)
{
    g_autofree char *path = g_build_filename(share->path, name, NULL);
    char *bytes = NULL;

    g_file_get_contents(path, &bytes, out_size, NULL);
    return bytes;
}

static inline bool test_share_has(const TestShare *share, const char *name)
{
    g_autofree char *path = g_build_filename(share->path, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* List the storage's top, so that its objects have handles. */
static inline void test_share_list(const TestShare *share)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    g_assert_cmphex(ostler_mtp_store_list(share->store, OSTLER_MTP_ALL, 0,
                                          OSTLER_MTP_ALL, 0, handles),
                    ==, OSTLER_MTP_OK);
}

/* The handle of @name at the top of the first storage, or 0. */
static inline uint32_t test_share_handle(const TestShare *share, const char *name)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    OstlerMtpEntry entry;

    ostler_mtp_store_list(share->store, ostler_mtp_store_id(0), 0, 1, 0, handles);
    for (guint i = 0; i < handles->len; i++) {
        uint32_t handle = g_array_index(handles, uint32_t, i);
        if (ostler_mtp_store_entry(share->store, handle, &entry) == OSTLER_MTP_OK &&
            strcmp(entry.object.name, name) == 0) {
            return handle;
        }
    }
    return 0;
}

/* An ObjectInfo dataset for a new object, with an ASCII name. */
static inline GByteArray *test_object_info(const char *name, uint16_t format,
                                           uint32_t size)
{
    GByteArray *array = g_byte_array_new();
    const OstlerMtpObjectInfo info = { .format = format, .size = size, .name = name };

    ostler_mtp_put_object_info(array, &info);
    return array;
}
