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
 *           STATE, before a state, when they are traced: "i:numbers:changes".
 *           PROGRESS, from time to time.  FUZZ, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/rule.h"

struct fuzz_set {
    unsigned n_changes;
    uint32_t changes[NESTED_FUZZ_MAX_CHANGES]; /* ascending */
};

enum fuzz_opinion {
    FUZZ_AGREE,
    FUZZ_DIFFER,
    FUZZ_OPEN, /* the manual leaves it open, or it could not be run safely */
};

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
    enum fuzz_opinion (*run)(const struct fuzz_set *set, struct fuzz_difference *out);
    void (*print_change)(uint32_t change);
    /* What the model allows, and a row of a rule table, for the state run last. */
    void (*print_model)(void);
    void (*print_rule)(const struct fuzz_set *set);
};

extern const struct fuzz_target fuzz_target;

/* "change, change": for rules and people. */
void fuzz_print_changes(const struct fuzz_set *set);
