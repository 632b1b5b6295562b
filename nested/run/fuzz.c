/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "rule.h"

/* More crashes than this would be an engine that does not run at all. */
#define MAX_CRASHES 64

static void finding_free(void *data)
{
    Finding *finding = data;

    g_free(finding->key);
    g_free(finding->numbers);
    g_free(finding->cites);
    g_free(finding->model);
    g_free(finding->engine);
    g_free(finding->changes);
    g_free(finding->rule);
    g_free(finding);
}

void fuzz_run_free(void *data)
{
    FuzzRun *run = data;

    if (run) {
        g_free(run->title);
        g_free(run->command);
        g_free(run->summary);
        g_ptr_array_unref(run->findings);
        g_free(run);
    }
}

/* One boot */

typedef struct {
    GPtrArray *lines;
    bool is_silent; /* no line for too long */
} Boot;

static void boot_free(Boot *boot)
{
    g_ptr_array_unref(boot->lines);
    g_free(boot);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Boot, boot_free)

static Boot *boot(const FuzzConfig *config, const char *words, GError **error)
{
    g_autoptr(GPtrArray) verdicts = verdicts_new();
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(rule_free);
    g_autoptr(Boot) made = g_new0(Boot, 1);
    g_autofree char *arguments =
        g_strdup_printf("fuzz seed=%" G_GUINT64_FORMAT " count=%" G_GUINT64_FORMAT "%s",
                        config->seed, config->count, words);
    EngineBoot one = { config->flat, config->cpu, arguments, config->stall_s, 1 };
    VerdictReader reader;

    made->lines = g_ptr_array_new_with_free_func(g_free);
    verdict_reader_init(&reader, verdicts, rules);
    reader.fuzz = made->lines;
    /* The last line may be waited for: a rule that hangs, to the reader. */
    verdict_reader_line(&reader, "RUN fuzz");
    bool is_booted = engine_boot(config->engine, &one, &reader, error);
    made->is_silent =
        verdicts->len > 0 && ((Verdict *)verdicts->pdata[0])->kind == VERDICT_HANG;
    verdict_reader_clear(&reader);
    return is_booted ? g_steal_pointer(&made) : NULL;
}

/* The last line of @boot that begins with @word, or NULL. */
static const char *last_line(const Boot *made, const char *word)
{
    for (unsigned i = made->lines->len; i > 0; i--) {
        if (g_str_has_prefix(made->lines->pdata[i - 1], word)) {
            return made->lines->pdata[i - 1];
        }
    }
    return NULL;
}

/* Findings */

static char *key_of(const FuzzConfig *config, const char *what)
{
    g_autofree char *upper = g_ascii_strup(config->name, -1);

    return g_strdup_printf("%s.MODEL.%s", upper, what);
}

static void add_finding(FuzzRun *run, Finding *finding)
{
    for (unsigned i = 0; i < run->findings->len; i++) {
        const Finding *other = run->findings->pdata[i];
        if (strcmp(other->numbers, finding->numbers) == 0) {
            finding_free(finding);
            return;
        }
    }
    /* A run takes minutes: say at once what it finds. */
    g_printerr("%s: %s: %s\n", finding->key, finding->engine, finding->changes);
    g_ptr_array_add(run->findings, finding);
}

/* "DIFF numbers, check, citation, model, engine, changes, rule", with tabs. */
static void take_difference(const FuzzConfig *config, FuzzRun *run, const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line + strlen("DIFF "), "\t", 7);

    if (g_strv_length(parts) != 7) {
        return;
    }
    g_autofree char *accepted = g_strdup_printf("ACCEPTED %s", parts[5]);
    Finding *finding = g_new0(Finding, 1);
    finding->key = key_of(config, *parts[1] ? parts[1] : accepted);
    finding->numbers = g_strdup(parts[0]);
    finding->cites = g_strdup(parts[2]);
    finding->model = g_strdup(parts[3]);
    finding->engine = g_strdup(parts[4]);
    finding->changes = g_strdup(parts[5]);
    finding->rule = g_strdup(parts[6]);
    add_finding(run, finding);
}

static void take_differences(const FuzzConfig *config, FuzzRun *run, const Boot *made)
{
    for (unsigned i = 0; i < made->lines->len; i++) {
        if (g_str_has_prefix(made->lines->pdata[i], "DIFF ")) {
            take_difference(config, run, made->lines->pdata[i]);
        }
    }
}

/* Ends of the engine */

/* Where a set of changes took the engine down. */
typedef struct {
    char *numbers, *check, *changes;
    bool is_silent;
} End;

static void end_clear(End *end)
{
    g_free(end->numbers);
    g_free(end->check);
    g_free(end->changes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(End, end_clear)

/* Of "STATE i:c,c:check:changes", the last line of a traced boot.  False: it has none, so that
 * no state ended it. */
static bool read_end(const Boot *made, End *end, uint64_t *index)
{
    const char *state = last_line(made, "STATE ");

    if (!state || last_line(made, "FUZZ: ")) {
        return false;
    }
    g_auto(GStrv) parts = g_strsplit(state + strlen("STATE "), ":", 4);
    if (g_strv_length(parts) != 4) {
        return false;
    }
    end_clear(end);
    *index = g_ascii_strtoull(parts[0], NULL, 10);
    end->numbers = g_strdup(parts[1]);
    end->check =
        *parts[2] ? g_strdup(parts[2]) : g_strdup_printf("ACCEPTED %s", parts[3]);
    end->changes = g_strdup(parts[3]);
    end->is_silent = made->is_silent;
    return true;
}

static void add_end(const FuzzConfig *config, FuzzRun *run, const End *end)
{
    Finding *finding = g_new0(Finding, 1);
    g_autofree char *what = g_strdup_printf("END %s", end->check);

    finding->key = key_of(config, what);
    finding->numbers = g_strdup(end->numbers);
    finding->engine = g_strdup(end->is_silent ? "hangs" : "ends");
    finding->changes = g_strdup(end->changes);
    add_finding(run, finding);
}

static char *without(const char *numbers, unsigned place)
{
    g_auto(GStrv) all = g_strsplit(numbers, ",", -1);
    GString *rest = g_string_new(NULL);

    for (unsigned i = 0; all[i]; i++) {
        if (i != place) {
            g_string_append_printf(rest, "%s%s", rest->len ? "," : "", all[i]);
        }
    }
    return g_string_free(rest, FALSE);
}

/* Drop the changes that the engine ends without.  False: it cannot be booted. */
static bool minimise_end(const FuzzConfig *config, End *end, GError **error)
{
    unsigned place = 0;

    while (true) {
        g_autofree char *rest = without(end->numbers, place);
        if (!*rest || strcmp(rest, end->numbers) == 0) {
            return true; /* one is left, or none is left to try */
        }
        g_autofree char *words = g_strdup_printf(" trace only=%s", rest);
        g_autoptr(Boot) made = boot(config, words, error);
        uint64_t index;
        if (!made) {
            return false;
        }
        place += !read_end(made, end, &index);
    }
}

/* The states from @from on, but for those with a set in @avoided. */
static char *words_for(const FuzzConfig *config, uint64_t from, const GString *avoided)
{
    return g_strdup_printf(" from=%" G_GUINT64_FORMAT "%s%s%s", from, avoided->str,
                           config->state ? " only=" : "",
                           config->state ? config->state : "");
}

/* The engine ended in the stretch from @from on, which moves past it. */
static bool look_at_end(const FuzzConfig *config, GString *avoided, uint64_t *from,
                        FuzzRun *run, GError **error)
{
    g_auto(End) end = { 0 };
    g_autofree char *words = words_for(config, *from, avoided);
    g_autofree char *traced = g_strdup_printf(" trace%s", words);
    g_autoptr(Boot) again = boot(config, traced, error);
    uint64_t index;

    if (!again) {
        return false;
    }
    if (!read_end(again, &end, &index)) {
        return true; /* it was slow to boot, not ended by a state: try again */
    }
    if (!minimise_end(config, &end, error)) {
        return false;
    }
    add_end(config, run, &end);
    g_string_append_printf(avoided, " avoid=%s", end.numbers);
    *from = index + 1;
    if (config->state) {
        run->summary = g_strdup("one state");
    }
    return true;
}

/* One stretch: to the end (sets the summary), or to an end of the engine and past it. */
static bool go_on(const FuzzConfig *config, GString *avoided, uint64_t *from,
                  FuzzRun *run, GError **error)
{
    g_autofree char *words = words_for(config, *from, avoided);
    g_autoptr(Boot) made = boot(config, words, error);

    if (!made) {
        return false;
    }
    take_differences(config, run, made);
    const char *end = last_line(made, "FUZZ: ");
    if (end) {
        run->summary = g_strdup(end + strlen("FUZZ: "));
        return true;
    }
    run->n_stops++;
    const char *progress = last_line(made, "PROGRESS: ");
    if (progress) {
        uint64_t at = g_ascii_strtoull(progress + strlen("PROGRESS: "), NULL, 10);
        *from = MAX(*from, at);
    }
    return look_at_end(config, avoided, from, run, error);
}

FuzzRun *fuzz_run(const FuzzConfig *config, GError **error)
{
    FuzzRun *run = g_new0(FuzzRun, 1);
    g_autoptr(GString) avoided = g_string_new(NULL);
    uint64_t from = 0;

    run->engine = config->engine;
    run->findings = g_ptr_array_new_with_free_func(finding_free);
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

void fuzz_apply_known(const FuzzRun *run, const Known *known)
{
    for (unsigned i = 0; i < run->findings->len; i++) {
        Finding *finding = run->findings->pdata[i];
        finding->cause = known_cause(known, finding->key);
    }
}

/* The vote */

/* The first of @run's findings about @key, or NULL. */
static const Finding *find_key(const FuzzRun *run, const char *key)
{
    for (unsigned i = 0; i < run->findings->len; i++) {
        const Finding *finding = run->findings->pdata[i];
        if (strcmp(finding->key, key) == 0) {
            return finding;
        }
    }
    return NULL;
}

/* As many of one kind as are worth reading. */
#define MAX_SHOWN 2

static void print_finding(FILE *to, const FuzzRun *run, const Finding *finding)
{
    fprintf(to, "      %s: %s\n      again: %s %s\n", finding->engine, finding->changes,
            run->command, finding->numbers);
    if (!finding->cause && finding->rule) {
        fprintf(to, "      rule: %s\n", finding->rule);
    }
}

/* What @run found about @key, if anything. */
static void print_run(FILE *to, const FuzzRun *run, const char *key)
{
    const Finding *first = find_key(run, key);
    unsigned n_found = 0;

    if (!first) {
        fprintf(to, "    %s agrees with the model\n", run->title);
        return;
    }
    fprintf(to, "    %s does not%s%s\n", run->title, first->cause ? "; known: " : "",
            first->cause ? first->cause : "");
    for (unsigned i = 0; i < run->findings->len; i++) {
        const Finding *finding = run->findings->pdata[i];
        if (strcmp(finding->key, key) == 0 && n_found++ < MAX_SHOWN) {
            print_finding(to, run, finding);
        }
    }
}

/* An engine's models are one voice. */
static bool is_unanimous(const GPtrArray *runs, const char *key)
{
    bool is_two = false;

    for (unsigned r = 0; r < runs->len; r++) {
        const FuzzRun *run = runs->pdata[r];
        is_two = is_two || run->engine != ((FuzzRun *)runs->pdata[0])->engine;
        if (!find_key(run, key)) {
            return false;
        }
    }
    return is_two;
}

static void vote_on(FILE *to, const GPtrArray *runs, const Finding *first)
{
    fprintf(to, "  %s", first->key);
    if (first->model) {
        fprintf(to, ", %s: the model says %s", first->cites, first->model);
    }
    fputc('\n', to);
    for (unsigned r = 0; r < runs->len; r++) {
        print_run(to, runs->pdata[r], first->key);
    }
    if (is_unanimous(runs, first->key)) {
        fputs("    every engine is against the model: read the manual again\n", to);
    }
}

static bool is_first_about(const GPtrArray *runs, unsigned r, const Finding *finding)
{
    for (unsigned i = 0; i < r; i++) {
        if (find_key(runs->pdata[i], finding->key)) {
            return false;
        }
    }
    return find_key(runs->pdata[r], finding->key) == finding;
}

unsigned fuzz_vote(FILE *to, const GPtrArray *runs)
{
    unsigned n_news = 0;

    for (unsigned r = 0; r < runs->len; r++) {
        const FuzzRun *run = runs->pdata[r];
        fprintf(to, "%s: the engine ended %u times; at last %s\n", run->title,
                run->n_stops, run->summary);
    }
    for (unsigned r = 0; r < runs->len; r++) {
        const FuzzRun *run = runs->pdata[r];
        for (unsigned i = 0; i < run->findings->len; i++) {
            const Finding *finding = run->findings->pdata[i];
            n_news += !finding->cause;
            if (is_first_about(runs, r, finding)) {
                vote_on(to, runs, finding);
            }
        }
    }
    fprintf(to, "%u disagreements are not known\n", n_news);
    return n_news;
}
