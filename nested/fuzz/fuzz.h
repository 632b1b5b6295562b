/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz.h - random states, and the smallest that model and engine differ about
 *
 * A state is a good one with a set of changes, taken from those that a target (SVM or
 * VMX) offers by number.  A flat links one target, which is fuzz_target.
 *
 * Lines:    DIFF, a disagreement that cannot be made smaller, with tabs between:
 *           numbers of the changes; the model's check and its citation; what the model
 *           allows; what the engine did; the changes, and a rule, as C has them.
 *           STATE, before a state, when they are traced: "i:numbers:check:changes".
 *           PROGRESS, from time to time.  FUZZ, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/rule.h"

/* Of a state that they differ about. */
struct fuzz_difference {
    const char *check, *cites; /* the model's */
    bool is_accepted;          /* the model found nothing */
    const char *engine;        /* what it did */
};

struct fuzz_target {
    void (*start)(void);
    void (*stop)(void);
    /* A change, for a random number. */
    uint32_t (*pick)(uint64_t random);
    /* The model's opinion of a state, but for @engine.  False: it is not run. */
    bool (*judge)(const struct nested_changes *set, struct fuzz_difference *out);
    /* Run what was judged last.  True: the engine does what the model allows. */
    bool (*run)(struct fuzz_difference *out);
    void (*print_change)(uint32_t change);
    /* What the model allows, and a row of a rule table, for the state run last. */
    void (*print_model)(void);
    void (*print_rule)(const struct nested_changes *set);
};

extern const struct fuzz_target fuzz_target;

/* "change, change": for rules and people. */
void fuzz_print_changes(const struct nested_changes *set);
