/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report.h - verdicts as people and programs read them */
#pragma once

#include <stdio.h>

#include "verdict.h"

/* One engine's run of one flat. */
typedef struct {
    char *title;   /* "svm on tcg 7.2.22" */
    char *command; /* reproduces one rule: a printf format with one %s */
    GPtrArray *verdicts;
} Run;

typedef struct {
    unsigned passed, failed, known, skipped, unexpected;
    unsigned unconfirmed; /* of all of these, those whose citation is not */
} Counts;

Run *run_new(void);
void run_free(void *run);
Counts report_count(const GPtrArray *verdicts);

void report_text(FILE *to, const Run *run, bool is_verbose);
void report_tap(FILE *to, const GPtrArray *runs);
void report_junit(FILE *to, const GPtrArray *runs);
/* What somebody must look at: a failure that is not known, or a known one that passed. */
bool report_is_news(const Verdict *verdict);
/* As XML and HTML want it; bytes that are no UTF-8 are replaced. */
void report_escaped(FILE *to, const char *text);
/* A matrix, rule by run; @rules are Rule. */
void report_html(FILE *to, const GPtrArray *runs, const GPtrArray *rules);
