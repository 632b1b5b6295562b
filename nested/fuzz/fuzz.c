/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The engine runs a state, the model says what the manual allows, and where the engine
 * did something else the changes are dropped one and two at once as long as they still
 * differ.  What is left is a finding.  A finding is of a kind, the model's check and
 * what the engine did, of which a few are printed and no more: a check that is missing
 * altogether would fill the log.
 */
#include "fuzz.h"

#include "lib/console.h"
#include "lib/memory.h"

#define MAX_CHANGES   4
#define MAX_FINDINGS  128
#define MAX_OF_A_KIND 3
#define PROGRESS      1000 /* states from one line to the next */

_Static_assert(MAX_CHANGES <= NESTED_MAX_CHANGES, "a set holds as many");

static struct finding {
    struct nested_changes set;
    struct fuzz_difference difference;
} findings[MAX_FINDINGS];
static unsigned n_findings;
static uint64_t n_states, n_open;
static uint64_t current; /* of the state that is looked at, or made smaller */
static bool is_traced;

enum opinion {
    AGREE,
    DIFFER,
    OPEN, /* the manual leaves it open, or it could not be run safely */
};

/* xorshift64*: small, and the same everywhere for the same seed. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static bool has(const struct nested_changes *set, uint32_t change)
{
    for (unsigned i = 0; i < set->n_changes; i++) {
        if (set->changes[i] == change) {
            return true;
        }
    }
    return false;
}

static bool has_all(const struct nested_changes *set,
                    const struct nested_changes *others)
{
    for (unsigned i = 0; i < others->n_changes; i++) {
        if (!has(set, others->changes[i])) {
            return false;
        }
    }
    return true;
}

/* Keeps them ascending. */
static void add(struct nested_changes *set, uint32_t change)
{
    unsigned i = set->n_changes;

    if (has(set, change) || set->n_changes == NESTED_MAX_CHANGES) {
        return;
    }
    for (; i > 0 && set->changes[i - 1] > change; i--) {
        set->changes[i] = set->changes[i - 1];
    }
    set->changes[i] = change;
    set->n_changes++;
}

static struct nested_changes without(const struct nested_changes *set, unsigned a,
                                     unsigned b)
{
    struct nested_changes rest = { 0 };

    for (unsigned i = 0; i < set->n_changes; i++) {
        if (i != a && i != b) {
            add(&rest, set->changes[i]);
        }
    }
    return rest;
}

static struct nested_changes random_set(uint64_t *random)
{
    struct nested_changes set = { 0 };
    uint64_t n = next_random(random) % MAX_CHANGES + 1;

    for (uint64_t i = 0; i < n; i++) {
        add(&set, fuzz_target.pick(next_random(random) >> 8));
    }
    return set;
}

static void print_numbers(const struct nested_changes *set)
{
    for (unsigned i = 0; i < set->n_changes; i++) {
        nested_print("%s%u", i ? "," : "", set->changes[i]);
    }
}

void fuzz_print_changes(const struct nested_changes *set)
{
    for (unsigned i = 0; i < set->n_changes; i++) {
        nested_print("%s", i ? ", " : "");
        fuzz_target.print_change(set->changes[i]);
    }
}

/* A state with a name, should it take the engine down. */
static void print_state(const struct nested_changes *set,
                        const struct fuzz_difference *difference)
{
    nested_print("STATE %lu:", current);
    print_numbers(set);
    nested_print(":%s:", difference->is_accepted ? "" : difference->check);
    fuzz_print_changes(set);
    nested_print("\n");
    nested_console_flush();
}

static enum opinion look_at(const struct nested_changes *set,
                            struct fuzz_difference *difference)
{
    if (!fuzz_target.judge(set, difference)) {
        return OPEN;
    }
    if (is_traced) {
        print_state(set, difference);
    }
    return fuzz_target.run(difference) ? AGREE : DIFFER;
}

/* Drop changes, one or two at once, until none can go: one may have hidden another, and
 * two may be legal only together. */
static struct nested_changes minimise(struct nested_changes set,
                                      struct fuzz_difference *difference)
{
    bool is_smaller;

    do {
        is_smaller = false;
        for (unsigned i = 0; i < set.n_changes * set.n_changes && !is_smaller; i++) {
            struct nested_changes rest =
                without(&set, i / set.n_changes, i % set.n_changes);
            if (look_at(&rest, difference) == DIFFER) {
                set = rest;
                is_smaller = true;
            }
        }
    } while (is_smaller);
    look_at(&set, difference);
    return set;
}

static bool is_same_kind(const struct fuzz_difference *a,
                         const struct fuzz_difference *b)
{
    return strcmp(a->check, b->check) == 0 && strcmp(a->engine, b->engine) == 0;
}

static bool is_new(const struct nested_changes *set,
                   const struct fuzz_difference *difference)
{
    unsigned n_of_kind = 0;

    for (unsigned i = 0; i < n_findings; i++) {
        if (memcmp(&findings[i].set, set, sizeof *set) == 0) {
            return false;
        }
        n_of_kind += is_same_kind(&findings[i].difference, difference);
    }
    return n_findings < MAX_FINDINGS &&
           (n_of_kind < MAX_OF_A_KIND || difference->is_accepted);
}

static void print_finding(const struct finding *finding)
{
    const struct fuzz_difference *difference = &finding->difference;

    nested_print("DIFF ");
    print_numbers(&finding->set);
    nested_print("\t%s\t%s\t", difference->is_accepted ? "" : difference->check,
                 difference->cites);
    fuzz_target.print_model();
    nested_print("\t%s\t", difference->engine);
    fuzz_print_changes(&finding->set);
    nested_print("\t");
    fuzz_target.print_rule(&finding->set);
    nested_print("\n");
}

static void try_state(const struct nested_changes *set)
{
    struct finding finding;
    enum opinion opinion = look_at(set, &finding.difference);

    n_states++;
    n_open += opinion == OPEN;
    if (opinion != DIFFER) {
        return;
    }
    finding.set = minimise(*set, &finding.difference);
    if (is_new(&finding.set, &finding.difference)) {
        findings[n_findings++] = finding;
        print_finding(&finding);
    }
}

static void one_state(const struct nested_fuzz *fuzz, uint64_t i,
                      const struct nested_changes *set)
{
    if (i % PROGRESS == 0) {
        nested_print("PROGRESS: %lu of %lu\n", i, fuzz->count);
    }
    current = i;
    try_state(set);
}

static bool is_avoided(const struct nested_fuzz *fuzz, const struct nested_changes *set)
{
    for (unsigned i = 0; i < fuzz->n_avoided; i++) {
        if (has_all(set, &fuzz->avoided[i])) {
            return true;
        }
    }
    return false;
}

static void all_states(const struct nested_fuzz *fuzz)
{
    uint64_t random = fuzz->seed ? fuzz->seed : 1;

    for (uint64_t i = 0; i < fuzz->count; i++) {
        struct nested_changes set = random_set(&random);
        if (i >= fuzz->from && !is_avoided(fuzz, &set)) {
            one_state(fuzz, i, &set);
        }
    }
}

static void only_state(const struct nested_fuzz *fuzz)
{
    struct nested_changes set = { 0 };

    for (unsigned i = 0; i < fuzz->only.n_changes; i++) {
        add(&set, fuzz->only.changes[i]);
    }
    one_state(fuzz, 0, &set);
}

unsigned nested_fuzz(const struct nested_fuzz *fuzz)
{
    is_traced = fuzz->is_traced;
    fuzz_target.start();
    if (fuzz->only.n_changes) {
        only_state(fuzz);
    } else {
        all_states(fuzz);
    }
    fuzz_target.stop();
    nested_print("FUZZ: %lu states of seed %lu, %u findings, %lu left open\n", n_states,
                 fuzz->seed, n_findings, n_open);
    return n_findings;
}
