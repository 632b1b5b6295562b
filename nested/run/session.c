/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session.h"

/* More than this many engine deaths are one broken engine, not that many findings. */
#define MAX_BOOTS 200

static char *arguments(const SessionConfig *config, const char *extra,
                       const char *after)
{
    GString *text = g_string_new(extra);

    if (config->mutation) {
        g_string_append_printf(text, " mutate=%s", config->mutation);
    }
    if (after) {
        g_string_append_printf(text, " after=%s", after);
    }
    for (unsigned i = 0; config->choices && config->choices[i]; i++) {
        g_string_append_printf(text, " %s", config->choices[i]);
    }
    return g_string_free(text, FALSE);
}

static bool boot(const SessionConfig *config, const char *words, GPtrArray *verdicts,
                 GPtrArray *rules, bool *out_is_complete, GError **error)
{
    EngineBoot one = { config->flat, config->cpu, words, config->stall_s };
    VerdictReader reader;

    verdict_reader_init(&reader, verdicts, rules);
    bool is_booted = engine_boot(config->engine, &one, &reader, error);
    *out_is_complete = reader.is_complete;
    verdict_reader_clear(&reader);
    return is_booted;
}

static const char *last_rule(const GPtrArray *verdicts)
{
    return verdicts->len ? ((Verdict *)verdicts->pdata[verdicts->len - 1])->rule : NULL;
}

GPtrArray *session_run(const SessionConfig *config, unsigned *out_boots, GError **error)
{
    g_autoptr(GPtrArray) verdicts = verdicts_new();
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(g_free);
    bool is_complete = false;

    for (*out_boots = 0; !is_complete && *out_boots < MAX_BOOTS; ++*out_boots) {
        unsigned before = verdicts->len;
        g_autofree char *words = arguments(config, "", last_rule(verdicts));
        if (!boot(config, words, verdicts, rules, &is_complete, error)) {
            return NULL;
        }
        if (!is_complete && verdicts->len == before) {
            g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED,
                        "'%s' ended on %s before it ran a rule", config->flat,
                        engine_name(config->engine));
            return NULL;
        }
    }
    return g_steal_pointer(&verdicts);
}

GPtrArray *session_list(const SessionConfig *config, GError **error)
{
    g_autoptr(GPtrArray) verdicts = verdicts_new();
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *words = arguments(config, "list", NULL);
    bool is_complete;

    if (!boot(config, words, verdicts, rules, &is_complete, error)) {
        return NULL;
    }
    return g_steal_pointer(&rules);
}
