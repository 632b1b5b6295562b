/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session.h"

#include "rule.h"

/* More than this many engine deaths are one broken engine, not that many findings. */
#define MAX_BOOTS 200

/* What every boot of a session adds to. */
typedef struct {
    const SessionConfig *config;
    GPtrArray *verdicts, *rules, *later;
    unsigned n_boots;
    gint64 started; /* g_get_monotonic_time() */
} Session;

static bool may_boot(const Session *session)
{
    gint64 passed = g_get_monotonic_time() - session->started;
    unsigned limit_s = session->config->limit_s;

    return session->n_boots < MAX_BOOTS &&
           (limit_s == 0 || passed < limit_s * G_USEC_PER_SEC);
}

/* One kind of boot: which rules it runs, and on how many processors. */
typedef struct {
    const char *words;
    const char *const *choices;
    unsigned n_cpus;
    bool is_single; /* one rule: when it is over, so are the boots */
} Kind;

static char *arguments(const SessionConfig *config, const Kind *kind, const char *after)
{
    GString *text = g_string_new(kind->words);

    if (config->is_cve) {
        g_string_append(text, " cve");
    }
    if (config->mutation) {
        g_string_append_printf(text, " mutate=%s", config->mutation);
    }
    if (after) {
        g_string_append_printf(text, " after=%s", after);
    }
    for (unsigned i = 0; kind->choices && kind->choices[i]; i++) {
        g_string_append_printf(text, " %s", kind->choices[i]);
    }
    return g_string_free(text, FALSE);
}

static bool boot(Session *session, const Kind *kind, const char *after,
                 bool *out_is_complete, GError **error)
{
    const SessionConfig *config = session->config;
    g_autofree char *words = arguments(config, kind, after);
    EngineBoot one = { config->flat, config->cpu, words, config->stall_s,
                       kind->n_cpus };
    unsigned before = session->verdicts->len;
    VerdictReader reader;

    verdict_reader_init(&reader, session->verdicts, session->rules);
    reader.later = session->later;
    bool is_booted = engine_boot(config->engine, &one, &reader, error);
    /* Not all flats of kvm-unit-tests end with SUMMARY (realmode.flat), and those
     * without RUN lines cannot be told where to go on: what came is all. */
    *out_is_complete = reader.is_complete ||
                       (session->verdicts->len > before && !reader.has_run_lines);
    verdict_reader_clear(&reader);
    session->n_boots++;
    return is_booted;
}

/* Boots of @kind until all its rules have a verdict. */
static bool run_kind(Session *session, const Kind *kind, GError **error)
{
    const SessionConfig *config = session->config;
    const GPtrArray *verdicts = session->verdicts;
    const char *after = NULL;
    bool is_complete = false;

    while (!is_complete && may_boot(session)) {
        unsigned before = verdicts->len;
        if (!boot(session, kind, after, &is_complete, error)) {
            return false;
        }
        if (!is_complete && verdicts->len == before) {
            g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED,
                        "'%s' ended on %s before it ran a rule", config->flat,
                        engine_name(config->engine));
            return false;
        }
        if (kind->is_single) {
            return true;
        }
        if (!is_complete) {
            after = ((Verdict *)verdicts->pdata[verdicts->len - 1])->rule;
        }
    }
    return true;
}

/* The rules that the first boots put off: those for two processors at once, and each of
 * the others by itself. */
static bool run_later(Session *session, GError **error)
{
    const Kind smp = { "boot=smp", session->config->choices, 2, false };
    bool is_smp_run = false;

    for (unsigned i = 0; i < session->later->len; i++) {
        g_auto(GStrv) parts = g_strsplit(session->later->pdata[i], " ", 2);
        bool is_smp = g_strcmp0(parts[0], "smp") == 0;
        g_autofree char *exactly = g_strconcat("=", parts[1], NULL);
        const char *const choices[] = { exactly, NULL };
        const Kind alone = { "boot=alone", choices, 2, true };
        if (is_smp && is_smp_run) {
            continue;
        }
        if (!run_kind(session, is_smp ? &smp : &alone, error)) {
            return false;
        }
        is_smp_run = is_smp_run || is_smp;
    }
    return true;
}

GPtrArray *session_run(const SessionConfig *config, unsigned *out_boots, GError **error)
{
    g_autoptr(GPtrArray) verdicts = verdicts_new();
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(rule_free);
    g_autoptr(GPtrArray) later = g_ptr_array_new_with_free_func(g_free);
    Session session = { config, verdicts, rules, later, 0, g_get_monotonic_time() };
    const Kind shared = { "boot=shared", config->choices, 1, false };

    if (!run_kind(&session, &shared, error) || !run_later(&session, error)) {
        return NULL;
    }
    *out_boots = session.n_boots;
    return g_steal_pointer(&verdicts);
}

GPtrArray *session_list(const SessionConfig *config, GError **error)
{
    g_autoptr(GPtrArray) verdicts = verdicts_new();
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(rule_free);
    Session session = { config, verdicts, rules, NULL, 0, g_get_monotonic_time() };
    const Kind list = { "list", config->choices, 1, false };
    bool is_complete;

    if (!boot(&session, &list, NULL, &is_complete, error)) {
        return NULL;
    }
    return g_steal_pointer(&rules);
}
