/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shares.h - the folders, from their words to the store, and what the host does in them
 *
 * Ownership:  OstlerMtpStore is the caller's and outlives Shares.
 * Threads:    one main context.
 */
#pragma once

#include "mtp/store.h"
#include "json/json.h"

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

/* "LABEL[,quota=SIZE][,quota-objects=NUMBER][,reserve=SIZE]" as a label (caller frees)
 * and the limits that are named, for limits_change(). */
char *share_parse_change(const char *text, json_object **out_limits, GError **error);
/* Change what @json names: "quota", "quota-objects", "reserve". */
void limits_change(OstlerMtpLimits *limits, json_object *json);

/* Of each word of @texts (NULL-terminated, or NULL) its Share. */
GPtrArray *shares_parse(char **texts, GError **error);

/* The same shares get the same number, others another: guests cache what they know of
 * a device under it.  Caller frees. */
char *shares_make_serial(const GPtrArray *shares);

/* The shares that a store has, each with a watch on its folder; one that cannot be
 * watched is served all the same. */
typedef struct Shares Shares;

Shares *shares_new(OstlerMtpStore *store);
void shares_free(Shares *shares); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Shares, shares_free)

/* Add all of @list (of Share), in its order. */
bool shares_open(Shares *shares, const GPtrArray *list, GError **error);
/* Add one under the guest's eyes; @root is taken over.  *out_storage is its index. */
bool shares_attach(Shares *shares, OstlerRoot *root, const Share *share,
                   unsigned *out_storage, GError **error);
void shares_detach(Shares *shares, unsigned storage);
/* The index of the first share that is called @label, or -1. */
int shares_find(const Shares *shares, const char *label);
OstlerMtpStore *shares_store(const Shares *shares);
