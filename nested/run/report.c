/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <string.h>

#include "rule.h"

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

/* What somebody must look at: a failure that is not known, or a known one that passed. */
static bool is_news(const Verdict *verdict)
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
        if (is_verbose || is_news(verdict)) {
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
            fprintf(to, "%s %u %s", is_news(verdict) ? "not ok" : "ok", ++n,
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

static void print_escaped(FILE *to, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *escaped = g_markup_escape_text(valid, -1);

    fputs(escaped, to);
}

static void junit_case(FILE *to, const Run *run, const Verdict *verdict)
{
    fputs("    <testcase classname=\"", to);
    print_escaped(to, run->title);
    fputs("\" name=\"", to);
    print_escaped(to, verdict->rule);
    fputs("\">", to);
    if (verdict->kind == VERDICT_SKIP) {
        fputs("<skipped/>", to);
    } else if (is_news(verdict)) {
        fputs("<failure message=\"", to);
        print_escaped(to, verdict->detail ? verdict->detail : "listed as failing");
        fputs("\"/>", to);
    } else if (verdict->cause) {
        fputs("<system-out>known failure: ", to);
        print_escaped(to, verdict->cause);
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
        print_escaped(to, run->title);
        fprintf(to, "\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n",
                run->verdicts->len, counts.failed + counts.unexpected, counts.skipped);
        for (unsigned i = 0; i < run->verdicts->len; i++) {
            junit_case(to, run, run->verdicts->pdata[i]);
        }
        fputs("  </testsuite>\n", to);
    }
    fputs("</testsuites>\n", to);
}

static const Verdict *find_verdict(const Run *run, const char *rule)
{
    for (unsigned i = 0; i < run->verdicts->len; i++) {
        const Verdict *verdict = run->verdicts->pdata[i];
        if (strcmp(verdict->rule, rule) == 0) {
            return verdict;
        }
    }
    return NULL;
}

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
    "<title>Nested virtualization: rule by engine</title>\n<style>\n"
    "body { font: 14px/1.4 system-ui, sans-serif; margin: 2em }\n"
    "table { border-collapse: collapse }\n"
    "th { position: sticky; top: 0; background: #fff; text-align: left }\n"
    "td, th { padding: .25em .7em; border-bottom: 1px solid #ddd; vertical-align: top "
    "}\n"
    "code { font-size: 12px }\n"
    ".PASS { background: #e3f4e3 } .SKIP, .none { color: #777 }\n"
    ".FAIL, .CRASH, .HANG { background: #fbdcdc } .known { background: #fdf0d0 }\n"
    "details { max-width: 36em }\n"
    "</style>\n<h1>Nested virtualization: rule by engine</h1>\n"
    "<p>A rule is one claim of a manual; each is shown together with the nearest "
    "state\n"
    "that must be accepted. A cell opens to what was seen and how to see it "
    "again.</p>\n";

static void html_cell(FILE *to, const Run *run, const char *rule)
{
    const Verdict *verdict = find_verdict(run, rule);

    if (!verdict) {
        fputs("<td class=\"none\">not run</td>", to);
        return;
    }
    const char *word = verdict_words[verdict->kind];
    fprintf(to, "<td class=\"%s\">", verdict->cause ? "known" : word);
    if (verdict->kind == VERDICT_PASS) {
        fputs(word, to);
    } else {
        g_auto(GStrv) parts = g_strsplit(run->command, "%s", 2);
        g_autofree char *command = g_strjoinv(rule, parts);
        fprintf(to, "<details><summary>%s</summary>", word);
        print_escaped(to, verdict->detail ? verdict->detail : "");
        if (verdict->cause) {
            fputs("<br>known: ", to);
            print_escaped(to, verdict->cause);
        }
        fputs("<br><code>", to);
        print_escaped(to, command);
        fputs("</code></details>", to);
    }
    fputs("</td>", to);
}

static void html_rule(FILE *to, const GPtrArray *runs, const Rule *rule)
{
    fputs("<tr><td><code>", to);
    print_escaped(to, rule->id);
    fputs("</code><br>", to);
    print_escaped(to, rule->says);
    fputs("</td><td>", to);
    print_escaped(to, rule->cites);
    fprintf(to, "%s</td>", rule->is_confirmed ? "" : "<br>unconfirmed");
    for (unsigned r = 0; r < runs->len; r++) {
        html_cell(to, runs->pdata[r], rule->id);
    }
    fputs("</tr>\n", to);
}

void report_html(FILE *to, const GPtrArray *runs, const GPtrArray *rules)
{
    fputs(page_head, to);
    fputs("<table><thead><tr><th>rule</th><th>manual</th>", to);
    for (unsigned r = 0; r < runs->len; r++) {
        const Run *run = runs->pdata[r];
        Counts counts = report_count(run->verdicts);
        fputs("<th>", to);
        print_escaped(to, run->title);
        fprintf(to, "<br>%u passed, %u failed</th>", counts.passed,
                counts.failed + counts.known);
    }
    fputs("</tr></thead><tbody>\n", to);
    for (unsigned i = 0; i < rules->len; i++) {
        html_rule(to, runs, rules->pdata[i]);
    }
    fputs("</tbody></table>\n", to);
}
