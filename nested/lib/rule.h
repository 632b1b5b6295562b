/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rule.h - a rule of the manual, and how it is shown
 *
 * A rule is one claim of a manual about nested virtualization, with an identifier and
 * the place where the manual makes it.  Its check puts the CPU to the claim and says
 * nested_expect() of what must come true - including the passing neighbour, the nearest
 * state that must be accepted, so that an engine which refuses everything fails too.
 *
 * Every rule can be shown to be able to fail.  With the mutation "setup" the change
 * that nested_sets_up() guards is left out; with "expectation" every nested_expect() is
 * turned round.  Under both, every rule must fail (ostler-nested --mutate).
 *
 * Lines:    RUN id, before a rule, so that a crash has a name, and a tab and
 *           "unconfirmed" where that is so; then PASS: id, FAIL: id, or SKIP: id
 *           (reason); LATER boot id, for a chosen rule of another boot than this; at
 *           the end SUMMARY, as kvm-unit-tests has them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Which boot a rule runs in.  The runner gives the last two kinds two processors. */
enum nested_boot {
    NESTED_SHARED, /* with the others */
    NESTED_SMP,    /* with the others that need a second processor */
    NESTED_ALONE,  /* alone: INIT, SMM, or what else leaves the machine changed */
};

struct nested_rule {
    const char *id;      /* "SVM.ENTRY.CR0.NW_WITHOUT_CD" */
    const char *cites;   /* "APM2 15.5.1": the revision is in docs/nested.md */
    const char *says;    /* the claim in our words */
    bool is_unconfirmed; /* nobody has read @cites beside @says: counted apart */
    enum nested_boot boot;
    const char *(*lacks)(const struct nested_rule *rule); /* NULL: nothing */
    void (*check)(const struct nested_rule *rule);
    const void *data; /* the check's own, when a table row is all there is to say */
};

struct nested_rule_table {
    const struct nested_rule *rules;
    unsigned n_rules;
};

/* Put the array @table among those that are run, in link order. */
#define NESTED_RULES(table)                                                            \
    static const struct nested_rule_table table##_entry                                \
        __attribute__((used, section("nested_rules"),                                  \
                       aligned(8))) = { table, sizeof table / sizeof *table }

/* Which rules have the shape of a known hole, so that they can be asked for. */
struct nested_cve {
    const char *cve; /* "2021-3653" */
    const char *id;  /* a rule's */
};
/* Of the flat, if it has any; ends with a row of NULLs. */
extern const struct nested_cve nested_cves[] __attribute__((weak));

/* False when this run leaves the rule's change out to see it fail. */
bool nested_sets_up(void);

/* @holds must be true; if not, the FAIL line says "what: seen" with @seen in hex. */
void nested_expect(bool holds, const char *what, uint64_t seen);

/* The running rule fails and the machine ends: nothing after it could be trusted. */
void nested_rule_abort(const char *why) __attribute__((noreturn));

/* Changes to a good state, by number. */
#define NESTED_MAX_CHANGES 8
struct nested_changes {
    unsigned n_changes;
    uint32_t changes[NESTED_MAX_CHANGES];
};

/* "fuzz seed=N count=M from=I trace avoid=C,C only=C,C" on the command line. */
#define NESTED_FUZZ_MAX_AVOIDED 64
struct nested_fuzz {
    uint64_t seed, count;
    uint64_t from;  /* leave the first states out: what a runner does after a crash */
    bool is_traced; /* a line before each state: a crash then has a name */
    /* No state may have all of one of these. */
    struct nested_changes avoided[NESTED_FUZZ_MAX_AVOIDED];
    unsigned n_avoided;
    struct nested_changes only; /* run this and no other; none: all states */
};

/*
 * A flat may have a fuzzer, which then runs in place of the rules; its lines are in
 * fuzz/fuzz.h.  Returns how many disagreements between model and engine there were.
 */
unsigned nested_fuzz(const struct nested_fuzz *fuzz) __attribute__((weak));
