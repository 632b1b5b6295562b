/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shares.h - the guest's shared folders, those of its start and those that came later
 *
 * One ostler-mtp has the shares that the definition names when it starts.  A share that
 * is attached later has a process of its own that lends it the folder.  The keeper's
 * definition says at any time which there are, and is kept for whoever adopts the guest.
 */
#pragma once

#include "keeper.h"

KeeperShares *keeper_shares_new(void);
void keeper_shares_free(KeeperShares *shares);

/* The row of sides.c. */
bool keeper_wants_mtp(const Keeper *keeper);
OstlerProcess *coroutine_fn keeper_start_mtp(void *opaque, GError **error);

/* Kill the lenders. */
void coroutine_fn keeper_stop_lending(Keeper *keeper);
void keeper_describe_lenders(const Keeper *keeper, json_object *list);

/* What "attach-share" asks for; @title may be NULL. */
typedef struct {
    const char *name;
    const char *path;
    const char *title;
    bool is_readonly;
} KeeperShare;

/* Show the guest one folder more; returns when the guest can see it. */
bool coroutine_fn keeper_attach_share(Keeper *keeper, const KeeperShare *share,
                                      GError **error);
bool coroutine_fn keeper_detach_share(Keeper *keeper, const char *name, GError **error);

/* What is in each share as ostler-mtp counts it, by the shares' names: "bytes" and
 * "objects", null without a quota, and "free".  A share that the guest does not see just
 * now is not there. */
json_object *coroutine_fn keeper_list_shares(Keeper *keeper, GError **error);

/* Change a share's quota, quota-objects or reserve: members of @settings, as texts. */
bool coroutine_fn keeper_set_share(Keeper *keeper, const char *name,
                                   json_object *settings, GError **error);
