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

/* Unplug the shares and plug them in again. */
void keeper_replug_shares(Keeper *keeper);

/* A descriptor whose lines go to keeper.log under @who, which must last; the caller closes
 * it.  -1: there is none. */
int coroutine_mixed_fn keeper_open_log_stream(Keeper *keeper, const char *who,
                                              GError **error);

/* ---- for what keeps a side program of its own ---- */

/* The command line of a side program, to be filled in; freed by unref. */
GPtrArray *keeper_argv_new(const char *program);
void keeper_argv_add(GPtrArray *argv, const char *option,
                     char *value); /* takes @value */

/* A line that a side program wrote to its standard output. */
typedef void KeeperLineFunc(Keeper *keeper, const char *line, size_t size);
/* Start @argv, whose first word is a program of ours or one in PATH; @take_output may be
 * NULL. */
OstlerProcess *coroutine_mixed_fn keeper_start_side(Keeper *keeper, GPtrArray *argv,
                                                    const OstlerFdMap *fds,
                                                    unsigned n_fds,
                                                    KeeperLineFunc *take_output,
                                                    GError **error);
/* A warning on a side's end; that they end with QEMU is how it should be. */
void keeper_report_side(const Keeper *keeper, const char *name, const char *what);
json_object *keeper_describe_side(const OstlerSide *side);

/* The name, pid and number of restarts of each, for "status". */
json_object *keeper_describe_sides(const Keeper *keeper);
