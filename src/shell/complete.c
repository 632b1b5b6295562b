/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The words before the cursor are read once, as invocation.c reads them but forgiving:
 * an unknown option is passed over, since a person may be about to correct it.  What is
 * left is where the cursor stands: behind an option that wants a value, in an option,
 * at the command, or at the n-th argument.  An argument that is given already (a guest
 * of a list) is not offered again.
 */
#include "shell/complete.h"

#include <string.h>

#include "base/table.h"

struct OstlerCandidates {
    const OstlerProgram *program;
    GString *lines;
    const char *typed;        /* the word at the cursor */
    const char *prefix;       /* "--option=" before each candidate, or "" */
    const char *const *given; /* words not to offer again, or NULL */
    const char *directive;    /* what the shell itself completes, or NULL */
};

void ostler_candidates_add(OstlerCandidates *candidates, const char *word,
                           const char *help)
{
    g_autofree char *whole = g_strconcat(candidates->prefix, word, NULL);
    g_autofree char *printable = ostler_printable(help ? help : "");

    if (!g_str_has_prefix(whole, candidates->typed) || strpbrk(whole, "\t\n") ||
        (candidates->given && g_strv_contains(candidates->given, word))) {
        return;
    }
    g_string_append_printf(candidates->lines, "%s\t%s\n", whole, printable);
}

const char *ostler_candidates_given(const OstlerCandidates *candidates, unsigned i)
{
    const char *const *given = candidates->given;

    for (; given && *given && i > 0; i--) {
        given++;
    }
    return given ? *given : NULL;
}

void ostler_complete_file(OstlerCandidates *candidates)
{
    candidates->directive = ":files";
}

void ostler_complete_folder(OstlerCandidates *candidates)
{
    candidates->directive = ":folders";
}

void ostler_complete_command(OstlerCandidates *candidates)
{
    for (const OstlerCommandRow *row = candidates->program->commands; row->name;
         row++) {
        ostler_candidates_add(candidates, row->name, row->summary);
    }
}

/* Where the cursor stands. */
typedef struct {
    const OstlerCommandRow *command;
    const OstlerOptionRow *awaits_value;
    GPtrArray *arguments;
    bool is_ended; /* a "--" was there */
} Place;

static void read_option(const OstlerProgram *program, Place *place, const char *word)
{
    const OstlerOptionRow *option =
        word[1] == '-' ? ostler_option_find(program, place->command, word + 2)
                       : ostler_option_find_letter(program, place->command,
                                                   word[strlen(word) - 1]);

    if (option && option->value && !option->is_optional) {
        place->awaits_value = option;
    }
}

static void read_word(const OstlerProgram *program, Place *place, const char *word)
{
    if (place->awaits_value) {
        place->awaits_value = NULL;
    } else if (!place->is_ended && strcmp(word, "--") == 0) {
        place->is_ended = true;
    } else if (!place->is_ended && word[0] == '-' && word[1] != '\0') {
        read_option(program, place, word);
    } else if (!place->command) {
        place->command = ostler_program_find(program, word);
    } else {
        g_ptr_array_add(place->arguments, (char *)word);
    }
}

static void offer_options(OstlerCandidates *candidates, const OstlerOptionRow *rows)
{
    for (; rows && rows->name; rows++) {
        g_autofree char *word = g_strdup_printf(
            "--%s%s", rows->name, rows->value && !rows->is_optional ? "=" : "");
        ostler_candidates_add(candidates, word, rows->help);
    }
}

/* "--nic=us": the value of an option, in one word with it. */
static void offer_value(OstlerCandidates *candidates, const Place *place)
{
    const char *equals = strchr(candidates->typed, '=');
    g_autofree char *name =
        g_strndup(candidates->typed + 2, (gsize)(equals - candidates->typed - 2));
    g_autofree char *prefix =
        g_strndup(candidates->typed, (gsize)(equals + 1 - candidates->typed));
    const OstlerOptionRow *option =
        ostler_option_find(candidates->program, place->command, name);

    if (option && option->complete) {
        candidates->prefix = prefix;
        option->complete(candidates);
        candidates->prefix = "";
    }
}

static const OstlerArgumentRow *argument_at(const OstlerCommandRow *command, unsigned n)
{
    const OstlerArgumentRow *row = command->arguments;

    for (; row && row->name && !row->is_list && n > 0; n--) {
        row++;
    }
    return row && row->name ? row : NULL;
}

static void offer_argument(OstlerCandidates *candidates, Place *place)
{
    const OstlerArgumentRow *row = argument_at(place->command, place->arguments->len);

    if (row && row->complete) {
        g_ptr_array_add(place->arguments, NULL);
        candidates->given = (const char *const *)place->arguments->pdata;
        row->complete(candidates);
        candidates->given = NULL;
    }
}

static void offer(OstlerCandidates *candidates, Place *place)
{
    bool is_option = candidates->typed[0] == '-' && !place->is_ended;

    if (place->awaits_value) {
        if (place->awaits_value->complete) {
            place->awaits_value->complete(candidates);
        }
    } else if (is_option && g_str_has_prefix(candidates->typed, "--") &&
               strchr(candidates->typed, '=')) {
        offer_value(candidates, place);
    } else if (is_option) {
        offer_options(candidates, place->command ? place->command->options : NULL);
        offer_options(candidates, candidates->program->options);
    } else if (!place->command) {
        ostler_complete_command(candidates);
    } else {
        offer_argument(candidates, place);
    }
}

char *ostler_complete(const OstlerProgram *program, const char *const *words)
{
    Place place = { .arguments = g_ptr_array_new() };
    OstlerCandidates candidates = {
        .program = program, .lines = g_string_new(NULL), .typed = "", .prefix = ""
    };

    for (; words[0] && words[1]; words++) {
        read_word(program, &place, words[0]);
    }
    candidates.typed = words[0] ? words[0] : "";
    offer(&candidates, &place);
    if (candidates.directive) {
        g_string_append_printf(candidates.lines, "%s\n", candidates.directive);
    }
    g_ptr_array_unref(place.arguments);
    return g_string_free(candidates.lines, FALSE);
}
