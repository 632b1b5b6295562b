/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verdict.h"

#include <string.h>

#include "rule.h"

const char *const verdict_words[N_VERDICT_KINDS] = { "PASS", "FAIL", "SKIP", "CRASH",
                                                     "HANG" };

static void verdict_free(void *data)
{
    Verdict *verdict = data;

    g_free(verdict->rule);
    g_free(verdict->detail);
    g_free(verdict);
}

GPtrArray *verdicts_new(void)
{
    return g_ptr_array_new_with_free_func(verdict_free);
}

void verdict_reader_init(VerdictReader *reader, GPtrArray *verdicts, GPtrArray *rules)
{
    *reader = (VerdictReader){
        .verdicts = verdicts,
        .rules = rules,
        .seen = g_string_new(NULL),
    };
}

void verdict_reader_clear(VerdictReader *reader)
{
    g_string_free(reader->seen, TRUE);
    g_free(reader->running);
}

static void add(VerdictReader *reader, const char *rule, VerdictKind kind,
                const char *detail)
{
    Verdict *verdict = g_new0(Verdict, 1);

    verdict->rule = g_strdup(rule);
    verdict->kind = kind;
    verdict->is_unconfirmed = reader->is_unconfirmed;
    if (reader->seen->len > 0) {
        verdict->detail = g_strdup(reader->seen->str);
    } else if (detail && *detail) {
        verdict->detail = g_strdup(detail);
    }
    g_ptr_array_add(reader->verdicts, verdict);
    g_string_truncate(reader->seen, 0);
    g_clear_pointer(&reader->running, g_free);
}

/* "name (why)" -> name, why. */
static void add_named(VerdictReader *reader, const char *text, VerdictKind kind)
{
    g_autofree char *name = g_strdup(text);
    char *why = strstr(name, " (");
    size_t size = strlen(name);

    if (why && size > 0 && name[size - 1] == ')') {
        name[size - 1] = '\0';
        *why = '\0';
        why += 2;
    } else {
        why = NULL;
    }
    add(reader, name, kind, why);
}

/* "id" or "id\tunconfirmed". */
static void start_rule(VerdictReader *reader, const char *text)
{
    size_t size = strcspn(text, "\t");

    if (reader->running) {
        verdict_reader_end(reader, VERDICT_CRASH, "the machine was reset");
        reader->is_restarted = true;
        return;
    }
    reader->running = g_strndup(text, size);
    reader->is_unconfirmed = text[size] != '\0';
    g_string_truncate(reader->seen, 0);
}

static void add_rule(VerdictReader *reader, const char *text)
{
    Rule *rule = rule_parse(text);

    if (rule) {
        g_ptr_array_add(reader->rules, rule);
    }
}

static bool is_fuzz(const char *line)
{
    static const char *const words[] = { "DIFF ", "STATE ", "PROGRESS: ", "FUZZ: " };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_has_prefix(line, words[i])) {
            return true;
        }
    }
    return false;
}

void verdict_reader_line(VerdictReader *reader, const char *line)
{
    const char *rest = line;

    if (reader->fuzz && is_fuzz(line)) {
        g_ptr_array_add(reader->fuzz, g_strdup(line));
    } else if (g_str_has_prefix(line, "RUN ")) {
        reader->has_run_lines = true;
        start_rule(reader, line + strlen("RUN "));
    } else if (reader->later && g_str_has_prefix(line, "LATER ")) {
        g_ptr_array_add(reader->later, g_strdup(line + strlen("LATER ")));
    } else if (g_str_has_prefix(line, "RULE ")) {
        add_rule(reader, line + strlen("RULE "));
    } else if (g_str_has_prefix(line, "PASS: ")) {
        add_named(reader, line + strlen("PASS: "), VERDICT_PASS);
    } else if (g_str_has_prefix(line, "FAIL: ")) {
        add_named(reader, line + strlen("FAIL: "), VERDICT_FAIL);
    } else if (g_str_has_prefix(line, "SKIP: ")) {
        add_named(reader, line + strlen("SKIP: "), VERDICT_SKIP);
    } else if (g_str_has_prefix(line, "SUMMARY: ")) {
        reader->is_complete = true;
    } else if ((rest = strstr(line, "seen: "))) {
        g_string_append_printf(reader->seen, "%s%s", reader->seen->len ? "; " : "",
                               rest + strlen("seen: "));
    }
}

void verdict_reader_end(VerdictReader *reader, VerdictKind kind, const char *detail)
{
    if (reader->running) {
        g_autofree char *rule = g_steal_pointer(&reader->running);
        add(reader, rule, kind, detail);
    }
}
