/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sides.h - the programs that run beside QEMU: which, and how each is started
 *
 * A row of the table in sides.c says when a side program is wanted and what it is given;
 * side.h (guest/running) keeps it running.
 */
#pragma once

#include "keeper.h"

/* Our end of the plan's stream @socket ("passt-LABEL"), taken over. */
void keeper_give_side_stream(Keeper *keeper, const char *socket, OstlerChannel *stream);

/* Start all that the definition and the plan's sockets call for. */
void coroutine_mixed_fn keeper_start_sides(Keeper *keeper);
void coroutine_fn keeper_stop_sides(Keeper *keeper);

/* The name, pid and number of restarts of each, for "status". */
json_object *keeper_describe_sides(const Keeper *keeper);
