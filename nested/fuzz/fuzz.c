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

_Static_assert(MAX_CHANGES <= NESTED_FUZZ_MAX_CHANGES, "a set holds as many");

static struct finding {
    struct fuzz_set set;
    struct fuzz_difference difference;
} findings[MAX_FINDINGS];
static unsigned n_findings;
static uint64_t n_states, n_open;

/* xorshift64*: small, and the same everywhere for the same seed. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static bool has(const struct fuzz_set *set, uint32_t change)
{
    for (unsigned i = 0; i < set->n_changes; i++) {
        if (set->changes[i] == change) {
            return true;
        }
    }
    return false;
}

/* Keeps them ascending. */
static void add(struct fuzz_set *set, uint32_t change)
{
    unsigned i = set->n_changes;

    if (has(set, change) || set->n_changes == NESTED_FUZZ_MAX_CHANGES) {
        return;
    }
    for (; i > 0 && set->changes[i - 1] > change; i--) {
        set->changes[i] = set->changes[i - 1];
    }
    set->changes[i] = change;
    set->n_changes++;
}

static struct fuzz_set without(const struct fuzz_set *set, unsigned a, unsigned b)
{
    struct fuzz_set rest = { 0 };

    for (unsigned i = 0; i < set->n_changes; i++) {
        if (i != a && i != b) {
            add(&rest, set->changes[i]);
        }
    }
    return rest;
}

static struct fuzz_set random_set(uint64_t *random)
{
    struct fuzz_set set = { 0 };
    uint64_t n = next_random(random) % MAX_CHANGES + 1;

    for (uint64_t i = 0; i < n; i++) {
        add(&set, fuzz_target.pick(next_random(random) >> 8));
    }
    return set;
}

/* Drop changes, one or two at once, until none can go: one may have hidden another, and
 * two may be legal only together. */
static struct fuzz_set minimise(struct fuzz_set set, struct fuzz_difference *difference)
{
    bool is_smaller;

    do {
        is_smaller = false;
        for (unsigned i = 0; i < set.n_changes * set.n_changes && !is_smaller; i++) {
            struct fuzz_set rest = without(&set, i / set.n_changes, i % set.n_changes);
            if (fuzz_target.run(&rest, difference) == FUZZ_DIFFER) {
                set = rest;
                is_smaller = true;
            }
        }
    } while (is_smaller);
    fuzz_target.run(&set, difference);
    return set;
}

static bool is_same_kind(const struct fuzz_difference *a,
                         const struct fuzz_difference *b)
{
    return strcmp(a->check, b->check) == 0 && strcmp(a->engine, b->engine) == 0;
}

static bool is_new(const struct fuzz_set *set, const struct fuzz_difference *difference)
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

static void print_numbers(const struct fuzz_set *set)
{
    for (unsigned i = 0; i < set->n_changes; i++) {
        nested_print("%s%u", i ? "," : "", set->changes[i]);
    }
}

void fuzz_print_changes(const struct fuzz_set *set)
{
    for (unsigned i = 0; i < set->n_changes; i++) {
        nested_print("%s", i ? ", " : "");
        fuzz_target.print_change(set->changes[i]);
    }
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

static void try_state(const struct fuzz_set *set)
{
    struct finding finding;
    enum fuzz_opinion opinion = fuzz_target.run(set, &finding.difference);

    n_states++;
    n_open += opinion == FUZZ_OPEN;
    if (opinion != FUZZ_DIFFER) {
        return;
    }
    finding.set = minimise(*set, &finding.difference);
    if (is_new(&finding.set, &finding.difference)) {
        findings[n_findings++] = finding;
        print_finding(&finding);
    }
}

static void print_state(uint64_t index, const struct fuzz_set *set)
{
    nested_print("STATE %lu:", index);
    print_numbers(set);
    nested_print(":");
    fuzz_print_changes(set);
    nested_print("\n");
    nested_console_flush();
}

static void one_state(const struct nested_fuzz *fuzz, uint64_t i,
                      const struct fuzz_set *set)
{
    if (i % PROGRESS == 0) {
        nested_print("PROGRESS: %lu of %lu\n", i, fuzz->count);
    }
    if (fuzz->is_traced) {
        print_state(i, set);
    }
    try_state(set);
}

static bool is_avoided(const struct nested_fuzz *fuzz, const struct fuzz_set *set)
{
    for (unsigned i = 0; i < fuzz->n_avoided; i++) {
        if (has(set, fuzz->avoided[i])) {
            return true;
        }
    }
    return false;
}

static void all_states(const struct nested_fuzz *fuzz)
{
    uint64_t random = fuzz->seed ? fuzz->seed : 1;

    for (uint64_t i = 0; i < fuzz->count; i++) {
        struct fuzz_set set = random_set(&random);
        if (i >= fuzz->from && !is_avoided(fuzz, &set)) {
            one_state(fuzz, i, &set);
        }
    }
}

static void only_state(const struct nested_fuzz *fuzz)
{
    struct fuzz_set set = { 0 };

    for (unsigned i = 0; i < fuzz->n_only; i++) {
        add(&set, fuzz->only[i]);
    }
    one_state(fuzz, 0, &set);
}

unsigned nested_fuzz(const struct nested_fuzz *fuzz)
{
    fuzz_target.start();
    if (fuzz->n_only) {
        only_state(fuzz);
    } else {
        all_states(fuzz);
    }
    fuzz_target.stop();
    nested_print("FUZZ: %lu states of seed %lu, %u findings, %lu left open\n", n_states,
                 fuzz->seed, n_findings, n_open);
    return n_findings;
}
