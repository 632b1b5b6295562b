/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rule.h"

#include <string.h>

enum { ID, CITES, SAYS, CONFIRMED, BOOT, CVE, N_PARTS };

Rule *rule_parse(const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line, "\t", N_PARTS);

    if (g_strv_length(parts) != N_PARTS) {
        return NULL;
    }
    Rule *rule = g_new0(Rule, 1);
    rule->id = g_strdup(parts[ID]);
    rule->cites = g_strdup(parts[CITES]);
    rule->says = g_strdup(parts[SAYS]);
    rule->is_confirmed = strcmp(parts[CONFIRMED], "confirmed") == 0;
    rule->boot = g_strdup(parts[BOOT]);
    rule->cve = g_strdup(parts[CVE]);
    return rule;
}

Rule *rule_of_foreign(const char *name)
{
    Rule *rule = g_new0(Rule, 1);

    rule->id = g_strdup(name);
    rule->cites = g_strdup("");
    rule->says = g_strdup("");
    rule->is_confirmed = true;
    rule->boot = g_strdup("shared");
    rule->cve = g_strdup("");
    return rule;
}

void rule_free(void *data)
{
    Rule *rule = data;

    g_free(rule->id);
    g_free(rule->cites);
    g_free(rule->says);
    g_free(rule->boot);
    g_free(rule->cve);
    g_free(rule);
}

char *rule_area(const Rule *rule)
{
    g_auto(GStrv) parts = g_strsplit(rule->id, ".", 3);

    return parts[0] && parts[1] ? g_strconcat(parts[0], ".", parts[1], NULL)
                                : g_strdup("other");
}
