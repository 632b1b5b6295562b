/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "rule.h"

/* More crashes than changes in a menu would be an engine that does not run at all. */
#define MAX_CRASHES 64

void fuzz_run_free(void *data)
{
    FuzzRun *run = data;

    if (run) {
        g_free(run->title);
        g_free(run->summary);
        g_ptr_array_unref(run->findings);
        g_free(run);
    }
}

static const char *rest_of(const char *line, const char *word)
{
    return g_str_has_prefix(line, word) ? line + strlen(word) : NULL;
}

/* The lines of one boot (caller unrefs), or NULL. */
static GPtrArray *boot(const FuzzConfig *config, const char *words, GError **error)
{
    g_autoptr(GPtrArray) verdicts = verdicts_new();
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(rule_free);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *arguments =
        g_strdup_printf("fuzz seed=%" G_GUINT64_FORMAT " count=%" G_GUINT64_FORMAT "%s",
                        config->seed, config->count, words);
    EngineBoot one = { config->flat, config->cpu, arguments, config->stall_s, 1 };
    VerdictReader reader;

    verdict_reader_init(&reader, verdicts, rules);
    reader.fuzz = lines;
    bool is_booted = engine_boot(config->engine, &one, &reader, error);
    verdict_reader_clear(&reader);
    return is_booted ? g_steal_pointer(&lines) : NULL;
}

/* The last line of @lines that begins with @word, or NULL. */
static const char *last_line(const GPtrArray *lines, const char *word)
{
    for (unsigned i = lines->len; i > 0; i--) {
        if (g_str_has_prefix(lines->pdata[i - 1], word)) {
            return lines->pdata[i - 1];
        }
    }
    return NULL;
}

static void add_finding(FuzzRun *run, char *finding)
{
    if (g_ptr_array_find_with_equal_func(run->findings, finding, g_str_equal, NULL)) {
        g_free(finding);
    } else {
        g_ptr_array_add(run->findings, finding);
    }
}

static void take_differences(FuzzRun *run, const GPtrArray *lines)
{
    for (unsigned i = 0; i < lines->len; i++) {
        const char *difference = rest_of(lines->pdata[i], "DIFF ");
        if (difference) {
            add_finding(run, g_strdup(difference));
        }
    }
}

/* Leave the change @index out from now on if it takes the engine down alone. */
static bool try_alone(const FuzzConfig *config, const char *index, GString *avoided,
                      FuzzRun *run, GError **error)
{
    g_autofree char *words = g_strdup_printf(" trace only=%s", index);
    g_autoptr(GPtrArray) lines = boot(config, words, error);

    if (!lines) {
        return false;
    }
    const char *state = last_line(lines, "STATE ");
    if (state && !last_line(lines, "FUZZ: ")) {
        const char *changes = strstr(state, ": ");
        g_string_append_printf(avoided, " avoid=%s", index);
        add_finding(run, g_strdup_printf("CRASH: %s", changes ? changes + 2 : state));
    }
    return true;
}

/* "STATE i:c,c: changes" took the engine down.  @from moves past it. */
static bool look_at_crash(const FuzzConfig *config, const char *state, GString *avoided,
                          uint64_t *from, FuzzRun *run, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(state + strlen("STATE "), ":", 3);

    if (g_strv_length(parts) != 3) {
        return true;
    }
    *from = g_ascii_strtoull(parts[0], NULL, 10) + 1;
    g_auto(GStrv) indices = g_strsplit(parts[1], ",", -1);
    size_t before = avoided->len;
    for (unsigned i = 0; indices[i]; i++) {
        if (!try_alone(config, indices[i], avoided, run, error)) {
            return false;
        }
    }
    if (avoided->len == before) {
        add_finding(run, g_strdup_printf("CRASH:%s", parts[2]));
    }
    return true;
}

/* One stretch: to the end (sets the summary), or to a crash and past it. */
static bool go_on(const FuzzConfig *config, GString *avoided, uint64_t *from,
                  FuzzRun *run, GError **error)
{
    g_autofree char *words =
        g_strdup_printf(" from=%" G_GUINT64_FORMAT "%s", *from, avoided->str);
    g_autoptr(GPtrArray) lines = boot(config, words, error);

    if (!lines) {
        return false;
    }
    take_differences(run, lines);
    const char *end = last_line(lines, "FUZZ: ");
    if (end) {
        run->summary = g_strdup(end);
        return true;
    }
    run->n_stops++;
    const char *progress = last_line(lines, "PROGRESS: ");
    if (progress) {
        uint64_t at = g_ascii_strtoull(progress + strlen("PROGRESS: "), NULL, 10);
        *from = MAX(*from, at);
    }
    g_autofree char *traced =
        g_strdup_printf(" trace from=%" G_GUINT64_FORMAT "%s", *from, avoided->str);
    g_autoptr(GPtrArray) again = boot(config, traced, error);
    const char *state = again ? last_line(again, "STATE ") : NULL;
    /* None: the engine was slow to boot, not ended by a state.  Try again. */
    if (!state) {
        return again != NULL;
    }
    return look_at_crash(config, state, avoided, from, run, error);
}

FuzzRun *fuzz_run(const FuzzConfig *config, const char *title, GError **error)
{
    FuzzRun *run = g_new0(FuzzRun, 1);
    g_autoptr(GString) avoided = g_string_new(NULL);
    uint64_t from = 0;

    run->title = g_strdup(title);
    run->findings = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; !run->summary && i < MAX_CRASHES; i++) {
        if (!go_on(config, avoided, &from, run, error)) {
            fuzz_run_free(run);
            return NULL;
        }
    }
    if (!run->summary) {
        run->summary = g_strdup("given up: the engine keeps ending");
    }
    return run;
}

/* What a finding is about: its state.  Engines name different exit codes for one. */
static const char *state_of(const char *finding)
{
    const char *colon = strstr(finding, ": ");

    return colon ? colon + 2 : finding;
}

static const char *find_state(const FuzzRun *run, const char *state)
{
    for (unsigned i = 0; i < run->findings->len; i++) {
        if (strcmp(state_of(run->findings->pdata[i]), state) == 0) {
            return run->findings->pdata[i];
        }
    }
    return NULL;
}

static void vote_on(FILE *to, const GPtrArray *runs, const char *state)
{
    unsigned n_against = 0;

    fprintf(to, "  %s\n", state);
    for (unsigned i = 0; i < runs->len; i++) {
        const FuzzRun *run = runs->pdata[i];
        const char *finding = find_state(run, state);
        n_against += finding != NULL;
        fprintf(to, "    %s: %.*s\n", run->title,
                finding ? (int)(state_of(finding) - finding - 2) : 22,
                finding ? finding : "agrees with the model");
    }
    if (runs->len > 1 && n_against == runs->len) {
        fputs("    every engine is against the model: read the manual again\n", to);
    }
}

void fuzz_vote(FILE *to, const GPtrArray *runs)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned r = 0; r < runs->len; r++) {
        const FuzzRun *run = runs->pdata[r];
        fprintf(to, "%s: the engine ended %u times; %s\n", run->title, run->n_stops,
                run->summary);
    }
    for (unsigned r = 0; r < runs->len; r++) {
        const FuzzRun *run = runs->pdata[r];
        for (unsigned i = 0; i < run->findings->len; i++) {
            const char *state = state_of(run->findings->pdata[i]);
            if (g_hash_table_add(seen, (void *)state)) {
                vote_on(to, runs, state);
            }
        }
    }
}
