/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passt.h - the way out of network cards of type passt
 *
 * QEMU's end of the socket to passt cannot be connected a second time, so a passt cannot
 * be started again, and must not end with its keeper: it is recorded in the status, and
 * whoever adopts the guest adopts it as well.
 */
#pragma once

#include "keeper.h"

/* Our end of the plan's stream @socket ("passt-LABEL"), taken over. */
void keeper_give_passt(Keeper *keeper, const char *socket, int fd);

/* Start one for each end that was given, and record them. */
void coroutine_fn keeper_start_passts(Keeper *keeper);
/* Watch those of the record. */
void coroutine_mixed_fn keeper_adopt_passts(Keeper *keeper);
/* QEMU is gone: see that they go, too. */
void coroutine_fn keeper_stop_passts(Keeper *keeper);

/* Append their names and pids to @list, for "status". */
void keeper_describe_passts(const Keeper *keeper, json_object *list);

typedef struct KeeperPasst KeeperPasst;
void keeper_passt_free(KeeperPasst *passt);
