/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sides.h - the programs that run beside QEMU: which, and how each is started
 *
 * A row of the table in sides.c says when a side program is wanted and what it is given;
 * side.h (guest/running) keeps it running.
 */
#pragma once

#include "keeper.h"

/* Start all that the definition and the plan's sockets call for, but passt. */
void coroutine_mixed_fn keeper_start_sides(Keeper *keeper);
void coroutine_fn keeper_stop_sides(Keeper *keeper);
/* The guest runs (again): whatever pauses may find QEMU more willing now. */
void coroutine_mixed_fn keeper_hurry_sides(Keeper *keeper);

/* A descriptor whose lines go to keeper.log under @who, which must last; the caller closes
 * it.  -1: there is none. */
int coroutine_mixed_fn keeper_open_log_stream(Keeper *keeper, const char *who,
                                              GError **error);

/* The name, pid and number of restarts of each, for "status". */
json_object *keeper_describe_sides(const Keeper *keeper);
