/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz.h - a flat's state fuzzer on an engine, through crashes; and the vote
 *
 * When a state takes the engine down, the state is found by running the last stretch
 * again with a line before each, and its changes are tried alone to see which of them
 * does it; states with that change are then left out, and the run goes on.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "engine.h"

typedef struct {
    const Engine *engine; /* borrowed */
    const char *flat, *cpu;
    uint64_t seed, count;
    unsigned stall_s;
} FuzzConfig;

typedef struct {
    char *title;         /* "tcg 7.2.22" */
    GPtrArray *findings; /* "CRASH changes", or DIFF lines without their first word */
    unsigned n_stops;    /* times that the engine ended */
    char *summary;       /* the FUZZ line of the last stretch */
} FuzzRun;

/* NULL if the engine could not be run at all (caller frees). */
FuzzRun *fuzz_run(const FuzzConfig *config, const char *title, GError **error);
void fuzz_run_free(void *run);

/* Each finding with who disagrees with whom: the model, and the engines in @runs. */
void fuzz_vote(FILE *to, const GPtrArray *runs);
