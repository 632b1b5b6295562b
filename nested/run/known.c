/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "known.h"

#include <string.h>

#include "verdict.h"

struct Known {
    GHashTable *causes; /* rule -> cause */
};

/* "2.7" is said of 2.7, 2.7.1 and 2.7/tigerlake; "2.7/tigerlake" of that model only. */
static bool matches(const char *listed, const char *version)
{
    size_t size = strlen(listed);

    return strncmp(listed, version, size) == 0 && strchr("./", version[size]);
}

static bool read_line(Known *known, const char *line, const char *version,
                      const char *where, GError **error)
{
    if (*line == '\0' || *line == '#') {
        return true;
    }
    g_auto(GStrv) parts = g_strsplit(line, "\t", 3);
    if (g_strv_length(parts) != 3) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s: not 'version<tab>rule<tab>cause'", where);
        return false;
    }
    if (matches(parts[0], version)) {
        g_hash_table_replace(known->causes, g_strdup(parts[1]), g_strdup(parts[2]));
    }
    return true;
}

Known *known_load(const char *path, const char *version, GError **error)
{
    g_autoptr(Known) known = g_new0(Known, 1);
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;

    known->causes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!g_file_get_contents(path, &text, NULL, &why)) {
        if (g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
            return g_steal_pointer(&known);
        }
        g_propagate_error(error, g_steal_pointer(&why));
        return NULL;
    }

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        g_autofree char *where = g_strdup_printf("%s:%u", path, i + 1);
        if (!read_line(known, lines[i], version, where, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&known);
}

void known_free(Known *known)
{
    if (known) {
        g_hash_table_unref(known->causes);
        g_free(known);
    }
}

const char *known_cause(const Known *known, const char *rule)
{
    return g_hash_table_lookup(known->causes, rule);
}

void known_apply(const Known *known, GPtrArray *verdicts)
{
    for (unsigned i = 0; i < verdicts->len; i++) {
        Verdict *verdict = verdicts->pdata[i];
        const char *cause = known_cause(known, verdict->rule);
        bool is_bad = verdict->kind != VERDICT_PASS && verdict->kind != VERDICT_SKIP;

        verdict->cause = is_bad ? cause : NULL;
        verdict->is_unexpected_pass = cause && verdict->kind == VERDICT_PASS;
    }
}
