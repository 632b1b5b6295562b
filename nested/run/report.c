/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

Run *run_new(void)
{
    Run *run = g_new0(Run, 1);

    run->verdicts = verdicts_new();
    return run;
}

void run_free(void *data)
{
    Run *run = data;

    g_free(run->title);
    g_free(run->command);
    g_ptr_array_unref(run->verdicts);
    g_free(run);
}

bool report_is_news(const Verdict *verdict)
{
    if (verdict->is_unexpected_pass) {
        return true;
    }
    return verdict->kind != VERDICT_PASS && verdict->kind != VERDICT_SKIP &&
           !verdict->cause;
}

Counts report_count(const GPtrArray *verdicts)
{
    Counts counts = { 0 };

    for (unsigned i = 0; i < verdicts->len; i++) {
        const Verdict *verdict = verdicts->pdata[i];
        counts.unconfirmed += verdict->is_unconfirmed;
        if (verdict->is_unexpected_pass) {
            counts.unexpected++;
        } else if (verdict->kind == VERDICT_PASS) {
            counts.passed++;
        } else if (verdict->kind == VERDICT_SKIP) {
            counts.skipped++;
        } else if (verdict->cause) {
            counts.known++;
        } else {
            counts.failed++;
        }
    }
    return counts;
}

static void print_verdict(FILE *to, const Verdict *verdict)
{
    fprintf(to, "%-5s %s", verdict_words[verdict->kind], verdict->rule);
    if (verdict->detail) {
        fprintf(to, "  (%s)", verdict->detail);
    }
    if (verdict->cause) {
        fprintf(to, "  known: %s", verdict->cause);
    }
    if (verdict->is_unexpected_pass) {
        fprintf(to, "  listed as a known failure, but passed");
    }
    fputc('\n', to);
}

void report_text(FILE *to, const Run *run, bool is_verbose)
{
    Counts counts = report_count(run->verdicts);

    fprintf(to, "%s\n", run->title);
    for (unsigned i = 0; i < run->verdicts->len; i++) {
        const Verdict *verdict = run->verdicts->pdata[i];
        if (is_verbose || report_is_news(verdict)) {
            fputs("  ", to);
            print_verdict(to, verdict);
        }
    }
    fprintf(to, "  %u rules: %u passed, %u failed, %u known failures, %u skipped",
            run->verdicts->len, counts.passed, counts.failed, counts.known,
            counts.skipped);
    if (counts.unexpected) {
        fprintf(to, ", %u listed as failing but passed", counts.unexpected);
    }
    if (counts.unconfirmed) {
        fprintf(to, "; %u rest on a citation that is not confirmed",
                counts.unconfirmed);
    }
    fputc('\n', to);
}

void report_tap(FILE *to, const GPtrArray *runs)
{
    unsigned n = 0;

    for (unsigned r = 0; r < runs->len; r++) {
        const Run *run = runs->pdata[r];
        fprintf(to, "# %s\n", run->title);
        for (unsigned i = 0; i < run->verdicts->len; i++) {
            const Verdict *verdict = run->verdicts->pdata[i];
            fprintf(to, "%s %u %s", report_is_news(verdict) ? "not ok" : "ok", ++n,
                    verdict->rule);
            if (verdict->kind == VERDICT_SKIP) {
                fprintf(to, " # SKIP %s", verdict->detail ? verdict->detail : "");
            }
            fputc('\n', to);
            if (verdict->kind != VERDICT_SKIP && verdict->detail) {
                fprintf(to, "# %s\n", verdict->detail);
            }
            if (verdict->cause) {
                fprintf(to, "# known failure: %s\n", verdict->cause);
            }
        }
    }
    fprintf(to, "1..%u\n", n);
}

void report_escaped(FILE *to, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *escaped = g_markup_escape_text(valid, -1);

    fputs(escaped, to);
}

static void junit_case(FILE *to, const Run *run, const Verdict *verdict)
{
    fputs("    <testcase classname=\"", to);
    report_escaped(to, run->title);
    fputs("\" name=\"", to);
    report_escaped(to, verdict->rule);
    fputs("\">", to);
    if (verdict->kind == VERDICT_SKIP) {
        fputs("<skipped/>", to);
    } else if (report_is_news(verdict)) {
        fputs("<failure message=\"", to);
        report_escaped(to, verdict->detail ? verdict->detail : "listed as failing");
        fputs("\"/>", to);
    } else if (verdict->cause) {
        fputs("<system-out>known failure: ", to);
        report_escaped(to, verdict->cause);
        fputs("</system-out>", to);
    }
    fputs("</testcase>\n", to);
}

void report_junit(FILE *to, const GPtrArray *runs)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", to);
    for (unsigned r = 0; r < runs->len; r++) {
        const Run *run = runs->pdata[r];
        Counts counts = report_count(run->verdicts);
        fputs("  <testsuite name=\"", to);
        report_escaped(to, run->title);
        fprintf(to, "\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n",
                run->verdicts->len, counts.failed + counts.unexpected, counts.skipped);
        for (unsigned i = 0; i < run->verdicts->len; i++) {
            junit_case(to, run, run->verdicts->pdata[i]);
        }
        fputs("  </testsuite>\n", to);
    }
    fputs("</testsuites>\n", to);
}
