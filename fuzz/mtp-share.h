/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-share.h - a folder that MTP fuzz targets may do anything to
 *
 * It is made once a process, in shared memory where there is some, and put back into its
 * first state before each input.  Beside it lies a file that nobody may ever touch.
 */
#pragma once

#include "mtp/session.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static const OstlerMtpDeviceIdentity mtp_share_identity = {
    .friendly_name = "Fuzz",
    .manufacturer = "Ostler",
    .model = "Fuzz",
    .version = "1",
    .serial = "1",
};

static char *mtp_share_outside;

static inline void mtp_share_remove_at_exit(void)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", mtp_share_outside);

    if (system(command) != 0) {
        g_printerr("%s is left behind\n", mtp_share_outside);
    }
}

static inline void mtp_share_put(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(mtp_share_outside, name, NULL);

    g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL);
}

static inline void mtp_share_empty(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (!g_file_test(child, G_FILE_TEST_IS_SYMLINK) &&
            g_file_test(child, G_FILE_TEST_IS_DIR)) {
            mtp_share_empty(child);
        }
        g_remove(child);
    }
    if (dir) {
        g_dir_close(dir);
    }
}

static inline OstlerMtpStore *mtp_share_open(void)
{
    if (!mtp_share_outside) {
        g_autofree char *name = g_build_filename(
            g_file_test("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm" : g_get_tmp_dir(),
            "mtp-fuzz-XXXXXX", NULL);
        mtp_share_outside = g_strdup(g_mkdtemp(name));
        g_assert_nonnull(mtp_share_outside);
        atexit(mtp_share_remove_at_exit);
        mtp_share_put("secret", "secret");
    }
    g_autofree char *share = g_build_filename(mtp_share_outside, "share", NULL);
    g_autofree char *sub = g_build_filename(share, "sub", NULL);
    g_autofree char *link = g_build_filename(share, "up", NULL);
    mtp_share_empty(share);
    g_mkdir_with_parents(sub, 0755);
    g_assert_true(symlink("..", link) == 0);
    mtp_share_put("share/file", "0123456789");
    mtp_share_put("share/sub/inner.txt", "inner");
    mtp_share_put("share/sub/image.png", "image");

    OstlerMtpStore *store = ostler_mtp_store_new();
    const OstlerMtpShare writable = { "Fuzz", share, false };
    const OstlerMtpShare read_only = { "Fixed", sub, true };
    g_assert_true(ostler_mtp_store_add(store, &writable, NULL));
    g_assert_true(ostler_mtp_store_add(store, &read_only, NULL));
    return store;
}

/* Whatever went on in the share, nothing beside it has changed. */
static inline void mtp_share_close(OstlerMtpStore *store)
{
    g_autofree char *path = g_build_filename(mtp_share_outside, "secret", NULL);
    g_autofree char *text = NULL;
    GDir *dir = g_dir_open(mtp_share_outside, 0, NULL);
    unsigned n = 0;

    ostler_mtp_store_free(store);
    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    g_assert_cmpuint(n, ==, 2);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "secret");
}
