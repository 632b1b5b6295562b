/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * report-html.c - the matrix, rule by engine: one page that needs nothing else
 *
 * matrix.css and matrix.js are beside this file and become part of the page.  Every row
 * says by data attributes what the filters ask for.
 */
#include <string.h>

#include "report.h"
#include "rule.h"

/* The files as meson.build makes C of them. */
extern const char report_style[], report_script[];

/* What a cell says: classes of the style sheet, words of the filter. */
static const char *kind_of(const Verdict *verdict)
{
    if (!verdict) {
        return "none";
    }
    if (verdict->kind == VERDICT_PASS) {
        return verdict->is_unexpected_pass ? "FAIL" : "PASS";
    }
    return verdict->kind == VERDICT_SKIP ? "SKIP" : verdict->cause ? "known" : "FAIL";
}

static const struct {
    const char *kind, *label, *says;
} legend[] = {
    { "PASS", "pass", "the rule and its passing neighbour held" },
    { "known", "known", "it failed, and the cause is listed in nested/known" },
    { "FAIL", "fail",
      "it failed, crashed or hung, or passed though listed as failing" },
    { "SKIP", "skip", "the engine lacks what the rule needs" },
    { "none", "not run", "this engine has not run the rulebook" },
};

static const char *label_of(const char *kind)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(legend); i++) {
        if (strcmp(legend[i].kind, kind) == 0) {
            return legend[i].label;
        }
    }
    return kind;
}

/* ---- columns: every run of an engine, whichever rulebook it was ---- */

typedef struct {
    const Run *run;
    GHashTable *verdicts; /* id -> Verdict */
} Column;

static void column_free(void *data)
{
    Column *column = data;

    g_hash_table_unref(column->verdicts);
    g_free(column);
}

static GPtrArray *make_columns(const GPtrArray *runs)
{
    GPtrArray *columns = g_ptr_array_new_with_free_func(column_free);

    for (unsigned r = 0; r < runs->len; r++) {
        Column *column = g_new(Column, 1);
        column->run = runs->pdata[r];
        column->verdicts = g_hash_table_new(g_str_hash, g_str_equal);
        for (unsigned i = 0; i < column->run->verdicts->len; i++) {
            Verdict *verdict = column->run->verdicts->pdata[i];
            g_hash_table_insert(column->verdicts, verdict->rule, verdict);
        }
        g_ptr_array_add(columns, column);
    }
    return columns;
}

static const Verdict *find(const Column *column, const char *rule)
{
    return g_hash_table_lookup(column->verdicts, rule);
}

/* ---- the head: legend, engines, areas ---- */

static void print_engine(FILE *to, const Run *run)
{
    Counts counts = report_count(run->verdicts);
    unsigned n_failed = counts.failed + counts.unexpected;
    const struct {
        const char *kind;
        unsigned n;
    } parts[] = { { "PASS", counts.passed },
                  { "known", counts.known },
                  { "FAIL", n_failed } };

    fputs("<div class=\"engine\"><h2>", to);
    report_escaped(to, run->title);
    fputs("</h2><div class=\"share\">", to);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (parts[i].n) {
            fprintf(to, "<i class=\"%s\" style=\"flex:%u\"></i>", parts[i].kind,
                    parts[i].n);
        }
    }
    if (counts.skipped) {
        fprintf(to, "<i style=\"flex:%u\"></i>", counts.skipped);
    }
    fprintf(to,
            "</div><small>%u passed, %u known failures, %u failed, %u skipped</small>",
            counts.passed, counts.known, n_failed, counts.skipped);
    g_auto(GStrv) parts_of = g_strsplit(run->command, "%s", 2);
    g_autofree char *command = g_strjoinv("RULE", parts_of);
    fputs("<small><code>", to);
    report_escaped(to, command);
    fputs("</code></small></div>\n", to);
}

static void print_legend(FILE *to)
{
    fputs("<p>", to);
    for (unsigned i = 0; i < G_N_ELEMENTS(legend); i++) {
        fprintf(to, "<span class=\"chip %s\">%s</span> %s%s", legend[i].kind,
                legend[i].label, legend[i].says,
                i + 1 < G_N_ELEMENTS(legend) ? " &ensp; " : "</p>\n");
    }
}

/* The areas in the order in which the rules have them. */
static GPtrArray *list_areas(const GPtrArray *rules)
{
    GPtrArray *areas = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < rules->len; i++) {
        g_autofree char *area = rule_area(rules->pdata[i]);
        if (!g_ptr_array_find_with_equal_func(areas, area, g_str_equal, NULL)) {
            g_ptr_array_add(areas, g_steal_pointer(&area));
        }
    }
    return areas;
}

static bool is_of(const Rule *rule, const char *area)
{
    g_autofree char *its = rule_area(rule);

    return strcmp(its, area) == 0;
}

/* "12 pass, 3 known" of @area on @column. */
static void print_area_cell(FILE *to, const GPtrArray *rules, const char *area,
                            const Column *column)
{
    bool is_any = false;

    fputs("<td>", to);
    for (unsigned k = 0; k + 1 < G_N_ELEMENTS(legend); k++) {
        unsigned n = 0;
        for (unsigned i = 0; i < rules->len; i++) {
            const Rule *rule = rules->pdata[i];
            n += is_of(rule, area) &&
                 strcmp(kind_of(find(column, rule->id)), legend[k].kind) == 0;
        }
        if (n) {
            fprintf(to, "<span class=\"chip %s\">%u %s</span> ", legend[k].kind, n,
                    legend[k].label);
            is_any = true;
        }
    }
    fputs(is_any ? "</td>" : "&ndash;</td>", to);
}

static void print_areas(FILE *to, const GPtrArray *rules, const GPtrArray *areas,
                        const GPtrArray *columns)
{
    fprintf(to,
            "<details><summary>%u areas, with what each engine makes of them"
            "</summary><table class=\"areas\"><tr><th>area</th>"
            "<th class=\"n\">rules</th>",
            areas->len);
    for (unsigned c = 0; c < columns->len; c++) {
        fputs("<th>", to);
        report_escaped(to, ((Column *)columns->pdata[c])->run->title);
        fputs("</th>", to);
    }
    fputs("</tr>\n", to);
    for (unsigned a = 0; a < areas->len; a++) {
        unsigned n = 0;
        for (unsigned i = 0; i < rules->len; i++) {
            n += is_of(rules->pdata[i], areas->pdata[a]);
        }
        fputs("<tr><td><code>", to);
        report_escaped(to, areas->pdata[a]);
        fprintf(to, "</code></td><td class=\"n\">%u</td>", n);
        for (unsigned c = 0; c < columns->len; c++) {
            print_area_cell(to, rules, areas->pdata[a], columns->pdata[c]);
        }
        fputs("</tr>\n", to);
    }
    fputs("</table></details>\n", to);
}

static void print_filters(FILE *to, const GPtrArray *areas)
{
    fputs("<form class=\"filters\" hidden>\n<input type=\"search\" name=\"search\" "
          "placeholder=\"rule, claim, manual, CVE, evidence\" aria-label=\"Search\">\n"
          "<select name=\"area\" aria-label=\"Area\"><option value=\"\">every area",
          to);
    for (unsigned a = 0; a < areas->len; a++) {
        fputs("<option>", to);
        report_escaped(to, areas->pdata[a]);
    }
    fputs("</select>\n", to);
    for (unsigned i = 0; i < G_N_ELEMENTS(legend); i++) {
        fprintf(to,
                "<label><input type=\"checkbox\" name=\"kind\" value=\"%s\" checked> "
                "<span class=\"chip %s\">%s</span></label>\n",
                legend[i].kind, legend[i].kind, legend[i].label);
    }
    fputs("<label><input type=\"checkbox\" name=\"mark\" value=\"differs\"> engines "
          "differ</label>\n"
          "<label><input type=\"checkbox\" name=\"mark\" value=\"cve\"> CVE</label>\n"
          "<label><input type=\"checkbox\" name=\"mark\" value=\"unconfirmed\"> "
          "citation not confirmed</label>\n<output></output></form>\n",
          to);
}

/* ---- the rows ---- */

static void print_cell(FILE *to, const Column *column, const char *rule)
{
    const Verdict *verdict = find(column, rule);
    const char *kind = kind_of(verdict);

    fputs("<td>", to);
    if (!verdict || strcmp(kind, "PASS") == 0) {
        fprintf(to, "<span class=\"chip %s\">%s</span></td>", kind, label_of(kind));
        return;
    }
    g_auto(GStrv) parts = g_strsplit(column->run->command, "%s", 2);
    g_autofree char *command = g_strjoinv(rule, parts);
    bool is_plain = verdict->kind == VERDICT_SKIP || verdict->kind == VERDICT_FAIL;
    fprintf(to,
            "<details><summary><span class=\"chip %s\">%s%s%s</span></summary>"
            "<div class=\"evidence\">",
            kind, label_of(kind), is_plain ? "" : ": ",
            is_plain ? "" : verdict_words[verdict->kind]);
    if (verdict->detail) {
        fputs(verdict->kind == VERDICT_SKIP ? "<b>lacks</b> " : "<b>seen</b> ", to);
        report_escaped(to, verdict->detail);
    }
    if (verdict->cause) {
        fputs("<br><b>cause</b> ", to);
        report_escaped(to, verdict->cause);
    }
    fputs("<code>", to);
    report_escaped(to, command);
    fputs("</code></div></details></td>", to);
}

/* Lower case, for the search: what the row shows and what its cells hide. */
static void print_search_text(FILE *to, const GPtrArray *columns, const Rule *rule)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s %s %s cve-%s", rule->id, rule->says, rule->cites,
                           rule->cve);
    for (unsigned c = 0; c < columns->len; c++) {
        const Verdict *verdict = find(columns->pdata[c], rule->id);
        if (verdict && verdict->detail) {
            g_string_append_printf(text, " %s", verdict->detail);
        }
        if (verdict && verdict->cause) {
            g_string_append_printf(text, " %s", verdict->cause);
        }
    }
    g_autofree char *valid = g_utf8_make_valid(text->str, -1);
    g_autofree char *lower = g_utf8_strdown(valid, -1);
    report_escaped(to, lower);
    g_string_free(text, TRUE);
}

static bool do_engines_differ(const GPtrArray *columns, const Rule *rule)
{
    const char *first = NULL;

    for (unsigned c = 0; c < columns->len; c++) {
        const char *kind = kind_of(find(columns->pdata[c], rule->id));
        if (strcmp(kind, "none") == 0 || strcmp(kind, "SKIP") == 0) {
            continue;
        }
        if (first && strcmp(first, kind) != 0) {
            return true;
        }
        first = kind;
    }
    return false;
}

static void print_row(FILE *to, const GPtrArray *columns, const Rule *rule,
                      const char *area)
{
    fputs("<tr data-area=\"", to);
    report_escaped(to, area);
    fputs("\" data-kinds=\"", to);
    for (unsigned c = 0; c < columns->len; c++) {
        fprintf(to, "%s ", kind_of(find(columns->pdata[c], rule->id)));
    }
    fprintf(to, "\" data-marks=\"%s%s%s\" data-text=\"",
            do_engines_differ(columns, rule) ? "differs " : "",
            *rule->cve ? "cve " : "", rule->is_confirmed ? "" : "unconfirmed ");
    print_search_text(to, columns, rule);
    fputs("\"><td><code>", to);
    report_escaped(to, rule->id);
    fputs("</code>", to);
    if (*rule->cve) {
        fputs(" <span class=\"chip mark\">CVE-", to);
        report_escaped(to, rule->cve);
        fputs("</span>", to);
    }
    fputs("<span class=\"says\">", to);
    report_escaped(to, rule->says);
    fputs("</span></td><td>", to);
    report_escaped(to, rule->cites);
    fprintf(to, "%s</td>",
            rule->is_confirmed ? ""
                               : " <span class=\"chip mark\">not confirmed</span>");
    for (unsigned c = 0; c < columns->len; c++) {
        print_cell(to, columns->pdata[c], rule->id);
    }
    fputs("</tr>\n", to);
}

static void print_rules(FILE *to, const GPtrArray *rules, const GPtrArray *areas,
                        const GPtrArray *columns)
{
    fputs("<table class=\"rules\"><colgroup><col class=\"rule\"><col class=\"cites\">",
          to);
    for (unsigned c = 0; c < columns->len; c++) {
        fputs("<col>", to);
    }
    fputs("</colgroup><thead><tr><th>rule</th><th>manual</th>", to);
    for (unsigned c = 0; c < columns->len; c++) {
        fputs("<th>", to);
        report_escaped(to, ((Column *)columns->pdata[c])->run->title);
        fputs("</th>", to);
    }
    fputs("</tr></thead>\n", to);
    for (unsigned a = 0; a < areas->len; a++) {
        fprintf(to, "<tbody><tr><th colspan=\"%u\">", columns->len + 2);
        report_escaped(to, areas->pdata[a]);
        fputs("</th></tr>\n", to);
        for (unsigned i = 0; i < rules->len; i++) {
            if (is_of(rules->pdata[i], areas->pdata[a])) {
                print_row(to, columns, rules->pdata[i], areas->pdata[a]);
            }
        }
        fputs("</tbody>\n", to);
    }
    fputs("</table>\n", to);
}

void report_html(FILE *to, const GPtrArray *runs, const GPtrArray *rules)
{
    g_autoptr(GPtrArray) columns = make_columns(runs);
    g_autoptr(GPtrArray) areas = list_areas(rules);

    fprintf(
        to,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<title>Nested virtualization: rule by engine</title>\n<style>\n%s</style>"
        "</head>\n<body><header><h1>Nested virtualization: rule by engine</h1>\n"
        "<p>A rule is one claim of a manual, shown together with the nearest state "
        "that must be accepted. A cell that is not green opens to what was seen and "
        "to the command that shows it again.</p>\n",
        report_style);
    print_legend(to);
    fputs("<div class=\"engines\">\n", to);
    for (unsigned r = 0; r < runs->len; r++) {
        print_engine(to, runs->pdata[r]);
    }
    fputs("</div>\n", to);
    print_areas(to, rules, areas, columns);
    fputs("</header>\n", to);
    print_filters(to, areas);
    fputs("<main>\n", to);
    print_rules(to, rules, areas, columns);
    fprintf(to, "</main>\n<script>\n%s</script></body></html>\n", report_script);
}
