/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz.h - a flat's state fuzzer on an engine, through crashes; and the vote
 *
 * When a state takes the engine down, the state is found by running the last stretch
 * again with a line before each, and its changes are tried alone to see which of them
 * does it; states with that change are then left out, and the run goes on.
 *
 * The flat's lines are described in fuzz/fuzz.h.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "engine.h"
#include "known.h"

typedef struct {
    const Engine *engine; /* borrowed, as all of it */
    const char *flat, *cpu;
    const char *name;  /* "svm", "vmx" */
    const char *state; /* "C,C": the numbers of one state's changes; NULL: all */
    uint64_t seed, count;
    unsigned stall_s;
} FuzzConfig;

/* A disagreement of an engine with the model, or an end of the engine. */
typedef struct {
    char *key;           /* "VMX.MODEL.GUEST.RIP": what known/ENGINE has */
    char *numbers;       /* of its changes: "12,40" */
    char *cites, *model; /* NULL if the engine ended */
    char *engine;        /* what it did */
    char *changes, *rule;
    const char *cause; /* of a known one, borrowed from the list; or NULL */
} Finding;

typedef struct {
    const Engine *engine; /* borrowed */
    char *title;          /* "bochs 2.7/tigerlake" */
    char *command;        /* shows one state again, with its numbers after it */
    GPtrArray *findings;  /* Finding */
    unsigned n_stops;     /* times that the engine ended */
    char *summary;        /* the FUZZ line of the last stretch */
} FuzzRun;

/* NULL if the engine could not be run at all (caller frees). */
FuzzRun *fuzz_run(const FuzzConfig *config, GError **error);
void fuzz_run_free(void *run);

/* Look each finding up in @known, and set its cause. */
void fuzz_apply_known(const FuzzRun *run, const Known *known);

/* Each finding with who disagrees with whom: the model, and the engines in @runs.
 * Returns how many are not known. */
unsigned fuzz_vote(FILE *to, const GPtrArray *runs);
