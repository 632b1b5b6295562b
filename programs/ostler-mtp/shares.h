/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shares.h - the folders that the command line names, from its words to the store
 */
#pragma once

#include "mtp/store.h"

typedef struct {
    char *label;
    char *path;
    bool is_read_only;
    OstlerMtpLimits limits;
} Share;

/* "LABEL=PATH[,readonly][,quota=SIZE][,quota-objects=NUMBER][,reserve=SIZE]"; a ',' that
 * none of these words follows is a part of the path. */
Share *share_parse(const char *text, GError **error);
void share_free(Share *share); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Share, share_free)

/* Of each word of @texts (NULL-terminated, or NULL) its Share. */
GPtrArray *shares_parse(char **texts, GError **error);

/* A store with all of @shares, in their order. */
OstlerMtpStore *shares_open(const GPtrArray *shares, GError **error);

/* The same shares get the same number, others another: guests cache what they know of
 * a device under it.  Caller frees. */
char *shares_make_serial(const GPtrArray *shares);

/* Tell @store what the host does in its folders, until the array is freed.  A folder that
 * cannot be watched is served all the same. */
GPtrArray *shares_watch(OstlerMtpStore *store, const GPtrArray *shares);
