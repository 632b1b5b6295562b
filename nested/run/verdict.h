/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verdict.h - what a flat said about its rules
 *
 * Lines come from the flat's serial port: ours (RUN, PASS, FAIL, SKIP, LATER, RULE, ...)
 * or those of any kvm-unit-tests flat, which has no RUN.  They are the engine's guest's
 * bytes, so every line is bounded and printed escaped.
 *
 * Ownership:  verdicts own their strings.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_SKIP,
    VERDICT_CRASH, /* the engine ended while this rule ran */
    VERDICT_HANG,  /* it said nothing for too long */
} VerdictKind;
#define N_VERDICT_KINDS (VERDICT_HANG + 1)

typedef struct {
    char *rule;
    VerdictKind kind;
    char *detail;      /* what was seen, or why skipped; may be NULL */
    const char *cause; /* of a known failure, borrowed from the list; or NULL */
    bool is_unexpected_pass;
    bool is_unconfirmed; /* the rule's citation is */
} Verdict;

extern const char *const verdict_words[N_VERDICT_KINDS]; /* "PASS" ... */

/* Reads one boot's lines. */
typedef struct {
    GPtrArray *verdicts; /* Verdict, in order */
    GString *seen;       /* "seen:" lines of the running rule */
    char *running;       /* rule after RUN and before its verdict, or NULL */
    bool is_unconfirmed; /* the running rule's citation is */
    bool is_complete;    /* SUMMARY came */
    bool has_run_lines;  /* a RUN line came: the flat can go on after a rule */
    bool is_restarted;   /* a rule began while another ran: the machine was reset */
    GPtrArray *rules;    /* Rule, of RULE lines */
    GPtrArray *later;    /* LATER lines, "boot id", or NULL */
    GPtrArray *fuzz;     /* DIFF, STATE, PROGRESS and FUZZ lines whole, or NULL */
} VerdictReader;

#define VERDICT_MAX_LINE 4096

void verdict_reader_init(VerdictReader *reader, GPtrArray *verdicts, GPtrArray *rules);
void verdict_reader_line(VerdictReader *reader, const char *line);
/* The boot is over; if a rule was running it gets @kind. */
void verdict_reader_end(VerdictReader *reader, VerdictKind kind, const char *detail);
void verdict_reader_clear(VerdictReader *reader);

GPtrArray *verdicts_new(void);
