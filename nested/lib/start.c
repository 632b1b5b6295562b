/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * start.c - which rules to run, run them, count
 *
 * The command line (multiboot) is a list of words: an id's beginning, or "=" and an id,
 * chooses rules, none means all; "after=ID" leaves out all up to and with ID, so that a runner
 * can go on after a rule that took the engine down; "boot=smp" and "boot=alone" run the
 * rules of that boot, "boot=shared" says which there are for others, and without it only
 * those run that are named in full; "cve" leaves out what is
 * not about one; "list" prints the table; "mutate=setup" and
 * "mutate=expectation" are explained in rule.h.  The first word is the file's name.
 */
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "rule.h"
#include "trap.h"

/* The exit device makes 77 of it, which kvm-unit-tests' runner calls SKIP. */
#define EXIT_SKIPPED 38

#define PIC1_DATA 0x21
#define PIC2_DATA 0xa1

#define MULTIBOOT_HAS_COMMAND_LINE BIT(2)

struct multiboot_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
};

enum mutation {
    MUTATE_NOTHING,
    MUTATE_SETUP,
    MUTATE_EXPECTATION,
};

extern const struct nested_rule_table __start_nested_rules[], __stop_nested_rules[];
void nested_start(const struct multiboot_info *info) __attribute__((noreturn));

static enum mutation mutation;
static const struct nested_rule *running;
static unsigned n_failures; /* of the running rule */
static unsigned n_rules, n_failed, n_skipped;

bool nested_sets_up(void)
{
    return mutation != MUTATE_SETUP;
}

void nested_expect(bool holds, const char *what, uint64_t seen)
{
    if (holds == (mutation == MUTATE_EXPECTATION)) {
        n_failures++;
        nested_print("  seen: %s: %lx\n", what, seen);
    }
}

static void summarize(void)
{
    nested_print("SUMMARY: %u tests", n_rules);
    if (n_failed) {
        nested_print(", %u unexpected failures", n_failed);
    }
    if (n_skipped) {
        nested_print(", %u skipped", n_skipped);
    }
    nested_print("\n");
}

static void finish(void) __attribute__((noreturn));
static void finish(void)
{
    bool is_all_skipped = n_rules > 0 && n_skipped == n_rules;

    summarize();
    nested_exit(n_failed ? 1 : is_all_skipped ? EXIT_SKIPPED : 0);
}

void nested_rule_abort(const char *why)
{
    nested_print("FAIL: %s (%s)\n", running ? running->id : "start", why);
    n_failed++;
    finish();
}

static void run_rule(const struct nested_rule *rule)
{
    const char *lack = rule->lacks ? rule->lacks(rule) : NULL;

    n_rules++;
    if (lack) {
        n_skipped++;
        nested_print("SKIP: %s (%s)\n", rule->id, lack);
        return;
    }
    running = rule;
    n_failures = 0;
    nested_print("RUN %s%s\n", rule->id, rule->is_unconfirmed ? "\tunconfirmed" : "");
    nested_console_flush();
    rule->check(rule);
    if (n_failures) {
        n_failed++;
    }
    nested_print("%s: %s\n", n_failures ? "FAIL" : "PASS", rule->id);
    running = NULL;
}

/* The CVE that @rule has the shape of, or "". */
static const char *cve_of(const struct nested_rule *rule)
{
    for (const struct nested_cve *row = nested_cves; row && row->id; row++) {
        if (strcmp(row->id, rule->id) == 0) {
            return row->cve;
        }
    }
    return "";
}

static const char *const boot_words[] = { "shared", "smp", "alone" };

static void list_rule(const struct nested_rule *rule)
{
    nested_print("RULE %s\t%s\t%s\t%s\t%s\t%s\n", rule->id, rule->cites, rule->says,
                 rule->is_unconfirmed ? "unconfirmed" : "confirmed",
                 boot_words[rule->boot], cve_of(rule));
}

/* The next word of @line, ended in place; @line moves on.  NULL at the end. */
static char *next_word(char **line)
{
    char *word = *line;

    while (*word == ' ') {
        word++;
    }
    if (!*word) {
        return NULL;
    }
    char *end = word;
    while (*end && *end != ' ') {
        end++;
    }
    *line = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

#define MAX_CHOICES 64

struct request {
    const char *choices[MAX_CHOICES];
    unsigned n_choices;
    const char *after; /* NULL once that rule has gone by */
    const char *boot;  /* NULL: shared, and what is named in full */
    bool is_list, is_fuzz;
    bool is_cve; /* only rules about a CVE */
    struct nested_fuzz fuzz;
};

static uint64_t number(const char *digits)
{
    uint64_t value = 0;

    while (*digits >= '0' && *digits <= '9') {
        value = value * 10 + (uint64_t)(*digits++ - '0');
    }
    return value;
}

/* "12,34" */
static struct nested_changes changes(const char *numbers)
{
    struct nested_changes set = { 0 };

    while (*numbers && set.n_changes < NESTED_MAX_CHANGES) {
        set.changes[set.n_changes++] = (uint32_t)number(numbers);
        while (*numbers && *numbers++ != ',') {
        }
    }
    return set;
}

static void avoid(struct nested_fuzz *fuzz, const char *numbers)
{
    if (fuzz->n_avoided < NESTED_FUZZ_MAX_AVOIDED) {
        fuzz->avoided[fuzz->n_avoided++] = changes(numbers);
    }
}

static void read_word(struct request *request, const char *word)
{
    if (strcmp(word, "list") == 0) {
        request->is_list = true;
    } else if (strcmp(word, "fuzz") == 0) {
        request->is_fuzz = true;
    } else if (memcmp(word, "seed=", 5) == 0) {
        request->fuzz.seed = number(word + 5);
    } else if (memcmp(word, "count=", 6) == 0) {
        request->fuzz.count = number(word + 6);
    } else if (memcmp(word, "from=", 5) == 0) {
        request->fuzz.from = number(word + 5);
    } else if (memcmp(word, "avoid=", 6) == 0) {
        avoid(&request->fuzz, word + 6);
    } else if (memcmp(word, "only=", 5) == 0) {
        request->fuzz.only = changes(word + 5);
    } else if (strcmp(word, "trace") == 0) {
        request->fuzz.is_traced = true;
    } else if (memcmp(word, "after=", 6) == 0) {
        request->after = word + 6;
    } else if (strcmp(word, "cve") == 0) {
        request->is_cve = true;
    } else if (memcmp(word, "boot=", 5) == 0) {
        request->boot = word + 5;
    } else if (strcmp(word, "mutate=setup") == 0) {
        mutation = MUTATE_SETUP;
    } else if (strcmp(word, "mutate=expectation") == 0) {
        mutation = MUTATE_EXPECTATION;
    } else if (request->n_choices < MAX_CHOICES) {
        request->choices[request->n_choices++] = word;
    }
}

static void read_command_line(struct request *request,
                              const struct multiboot_info *info)
{
    char *line = (char *)(uint64_t)info->cmdline;
    char *word;

    if (!(info->flags & MULTIBOOT_HAS_COMMAND_LINE) || !line) {
        return;
    }
    next_word(&line);
    while ((word = next_word(&line))) {
        read_word(request, word);
    }
}

/* Does @rule run in this boot, by what kind of boot it wants? */
static bool is_of_boot(const struct request *request, const struct nested_rule *rule)
{
    if (request->boot) {
        return strcmp(request->boot, boot_words[rule->boot]) == 0;
    }
    for (unsigned i = 0; i < request->n_choices; i++) {
        if (strcmp(rule->id, request->choices[i]) == 0) {
            return true;
        }
    }
    return rule->boot == NESTED_SHARED;
}

static void take_rule(const struct request *request, const struct nested_rule *rule)
{
    if (request->is_list) {
        list_rule(rule);
    } else if (is_of_boot(request, rule)) {
        run_rule(rule);
    } else if (request->boot && strcmp(request->boot, boot_words[NESTED_SHARED]) == 0) {
        nested_print("LATER %s %s\n", boot_words[rule->boot], rule->id);
    }
}

/* "=ID" is that rule alone, "ID" every rule whose id begins so. */
static bool is_match(const char *choice, const char *id)
{
    return *choice == '=' ? strcmp(choice + 1, id) == 0
                          : memcmp(id, choice, strlen(choice)) == 0;
}

static bool is_chosen(struct request *request, const struct nested_rule *rule)
{
    if (request->after) {
        if (strcmp(request->after, rule->id) == 0) {
            request->after = NULL;
        }
        return false;
    }
    if (request->is_cve && !*cve_of(rule)) {
        return false;
    }
    for (unsigned i = 0; i < request->n_choices; i++) {
        if (is_match(request->choices[i], rule->id)) {
            return true;
        }
    }
    return request->n_choices == 0;
}

/* The firmware leaves its timer running, on vector 8: a guest with IF set would see it. */
static void mask_interrupts(void)
{
    cpu_out8(PIC1_DATA, 0xff);
    cpu_out8(PIC2_DATA, 0xff);
}

void nested_start(const struct multiboot_info *info)
{
    struct request request = { .fuzz = { .seed = 1, .count = 10000 } };

    nested_console_init();
    nested_trap_init();
    mask_interrupts();
    read_command_line(&request, info);
    if (request.is_fuzz && nested_fuzz) {
        nested_exit(nested_fuzz(&request.fuzz) ? 1 : 0);
    }
    for (const struct nested_rule_table *table = __start_nested_rules;
         table < __stop_nested_rules; table++) {
        for (unsigned i = 0; i < table->n_rules; i++) {
            if (is_chosen(&request, &table->rules[i])) {
                take_rule(&request, &table->rules[i]);
            }
        }
    }
    finish();
}
