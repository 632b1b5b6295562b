/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmx-rules-test.c - the model answers as every rule of VM entry says
 *
 * The rules are those that run in vmx.flat, compiled for the host, with the model in
 * the engine's place.  What a rule needs of the processor decides, there as here,
 * whether it is skipped: no rule may be skipped on all of the processors.
 */
#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "lib/rule.h"
#include "vmx-paper.h"
#include "vmx/behaviour.h"
#include "vmx/entry-rule.h"

extern const struct nested_rule_table __start_nested_rules[], __stop_nested_rules[];

static const struct nested_rule *running;
static GString *failures;

bool nested_sets_up(void)
{
    return true;
}

void nested_expect(bool holds, const char *what, uint64_t seen)
{
    if (!holds) {
        g_string_append_printf(
            failures, "%s, answer %u: %s %" G_GINT64_MODIFIER "x, for %s\n",
            running->id, vmx_paper.choice, what, seen, vmx_paper.verdict.why);
    }
}

/* msr-lists.c has rules about what a guest does then: no concern of the model's. */
const char *vmx_lacks_behaviour(const struct nested_rule *rule)
{
    return NULL;
}

void vmx_check_behaviour(const struct nested_rule *rule)
{
}

static bool is_about_entry(const struct nested_rule *rule)
{
    return rule->check != vmx_check_behaviour;
}

/* Run @rule once for each answer that the model allows.  Of a rule that nobody has read
 * in the manual, the model need not be certain: one of its answers is enough. */
static void run_rule(const struct nested_rule *rule, GHashTable *tried)
{
    const struct vmx_entry *entry = rule->check == vmx_check_entry ? rule->data : NULL;
    size_t before = failures->len;
    bool is_any_right = false;

    running = rule;
    vmx_paper.exit =
        entry && entry->neighbour_reason ? entry->neighbour_reason : VMX_REASON_VMCALL;
    vmx_paper.choice = vmx_paper.n_choices = 0;
    do {
        size_t before_choice = failures->len;
        if (!rule->lacks(rule)) {
            g_hash_table_add(tried, (void *)rule->id);
            rule->check(rule);
            is_any_right = is_any_right || failures->len == before_choice;
        }
    } while (++vmx_paper.choice < vmx_paper.n_choices);
    if (rule->is_unconfirmed && is_any_right) {
        g_string_truncate(failures, before);
    }
}

static void run_all(const struct vmx_processor *processor, GHashTable *tried)
{
    vmx_paper.processor = *processor;
    for (const struct nested_rule_table *table = __start_nested_rules;
         table < __stop_nested_rules; table++) {
        for (unsigned i = 0; i < table->n_rules; i++) {
            const struct nested_rule *rule = &table->rules[i];
            if (is_about_entry(rule)) {
                run_rule(rule, tried);
            }
        }
    }
}

static void every_rule_was_tried(GHashTable *tried)
{
    for (const struct nested_rule_table *table = __start_nested_rules;
         table < __stop_nested_rules; table++) {
        for (unsigned i = 0; i < table->n_rules; i++) {
            if (is_about_entry(&table->rules[i]) &&
                !g_hash_table_contains(tried, table->rules[i].id)) {
                g_string_append_printf(failures, "%s was never tried\n",
                                       table->rules[i].id);
            }
        }
    }
}

static void the_model_agrees_with_the_rules(void)
{
    const struct vmx_processor processors[] = { vmx_paper_full(), vmx_paper_later(),
                                                vmx_paper_earliest() };
    g_autoptr(GHashTable) tried = g_hash_table_new(g_str_hash, g_str_equal);

    failures = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(processors); i++) {
        run_all(&processors[i], tried);
    }
    every_rule_was_tried(tried);
    g_test_message("%u rules", g_hash_table_size(tried));
    g_assert_cmpstr(failures->str, ==, "");
    g_string_free(failures, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmx-model/the model agrees with the rules",
                    the_model_agrees_with_the_rules);
    return g_test_run();
}
