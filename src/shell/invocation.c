/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shell/invocation.h"

#include <stdarg.h>
#include <string.h>

#include "base/nearest.h"
#include "base/table.h"

GQuark ostler_usage_error_quark(void)
{
    return g_quark_from_static_string("ostler-usage-error-quark");
}

struct OstlerInvocation {
    const OstlerProgram *program;
    const OstlerCommandRow *command;
    GHashTable *options;  /* name -> GPtrArray of values, NULL-terminated once parsed */
    GPtrArray *arguments; /* in order, NULL-terminated once parsed */
};

static void free_values(gpointer values)
{
    g_ptr_array_unref(values);
}

void ostler_invocation_free(OstlerInvocation *invocation)
{
    if (!invocation) {
        return;
    }
    g_hash_table_unref(invocation->options);
    g_ptr_array_unref(invocation->arguments);
    g_free(invocation);
}

static bool fail(GError **error, OstlerUsageError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool fail(GError **error, OstlerUsageError code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *printable = ostler_printable(message);

    g_set_error_literal(error, OSTLER_USAGE_ERROR, code, printable);
    return false;
}

/* "; did you mean '...'?" or nothing; caller frees. */
static char *hint(const char *word, GPtrArray *words, const char *prefix)
{
    g_ptr_array_add(words, NULL);
    const char *nearest = ostler_nearest(word, (const char *const *)words->pdata);

    return nearest ? g_strdup_printf("; did you mean '%s%s'?", prefix, nearest)
                   : g_strdup("");
}

static bool set_command(OstlerInvocation *invocation, const char *name, GError **error)
{
    invocation->command = ostler_program_find(invocation->program, name);
    if (invocation->command) {
        return true;
    }

    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const OstlerCommandRow *row = invocation->program->commands; row->name;
         row++) {
        g_ptr_array_add(names, (char *)row->name);
        if (row->alias) {
            g_ptr_array_add(names, (char *)row->alias);
        }
    }
    g_autofree char *nearest = hint(name, names, "");
    return fail(error, OSTLER_USAGE_ERROR_COMMAND, "Unknown command '%s'%s", name,
                nearest);
}

static void collect_options(GPtrArray *names, const OstlerOptionRow *rows)
{
    for (; rows && rows->name; rows++) {
        g_ptr_array_add(names, (char *)rows->name);
    }
}

static bool fail_option(const OstlerInvocation *invocation, const char *name,
                        GError **error)
{
    const OstlerCommandRow *command = invocation->command;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    collect_options(names, command ? command->options : NULL);
    collect_options(names, invocation->program->options);
    g_autofree char *nearest = hint(name, names, "--");
    return command ? fail(error, OSTLER_USAGE_ERROR_WORDS,
                          "'%s' has no option '--%s'%s", command->name, name, nearest)
                   : fail(error, OSTLER_USAGE_ERROR_COMMAND,
                          "No option '--%s' before a command%s", name, nearest);
}

static void add_value(OstlerInvocation *invocation, const OstlerOptionRow *option,
                      const char *value)
{
    GPtrArray *values = g_hash_table_lookup(invocation->options, option->name);

    if (!values) {
        values = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(invocation->options, (char *)option->name, values);
    }
    if (value) {
        g_ptr_array_add(values, g_strdup(value));
    }
}

/* The words not read yet. */
typedef struct {
    const char *const *at;
} Words;

/* @value is what stood behind '=' or the letter, NULL if nothing did. */
static bool take_option(OstlerInvocation *invocation, const OstlerOptionRow *option,
                        const char *value, Words *words, GError **error)
{
    if (value && !option->value) {
        return fail(error, OSTLER_USAGE_ERROR_WORDS, "'--%s' takes no value",
                    option->name);
    }
    if (!value && option->value && !option->is_optional) {
        value = *words->at;
        if (!value) {
            return fail(error, OSTLER_USAGE_ERROR_WORDS, "'--%s' needs a %s",
                        option->name, option->value);
        }
        words->at++;
    }
    if (!option->is_list && g_hash_table_contains(invocation->options, option->name) &&
        option->value) {
        return fail(error, OSTLER_USAGE_ERROR_WORDS, "'--%s' is given twice",
                    option->name);
    }
    add_value(invocation, option, value);
    return true;
}

static bool take_long(OstlerInvocation *invocation, const char *word, Words *words,
                      GError **error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name =
        equals ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
    const OstlerOptionRow *option =
        ostler_option_find(invocation->program, invocation->command, name);

    if (!option) {
        return fail_option(invocation, name, error);
    }
    return take_option(invocation, option, equals ? equals + 1 : NULL, words, error);
}

/* "-ap", "-n5": flags until one that takes a value, which is the rest. */
static bool take_letters(OstlerInvocation *invocation, const char *letters,
                         Words *words, GError **error)
{
    for (; *letters; letters++) {
        const OstlerOptionRow *option = ostler_option_find_letter(
            invocation->program, invocation->command, *letters);
        if (!option) {
            return fail(error, OSTLER_USAGE_ERROR_WORDS, "No option '-%c'", *letters);
        }
        bool takes_rest = option->value && letters[1] != '\0';
        if (!take_option(invocation, option, takes_rest ? letters + 1 : NULL, words,
                         error)) {
            return false;
        }
        if (option->value) {
            break;
        }
    }
    return true;
}

static bool take_word(OstlerInvocation *invocation, Words *words, bool *ended,
                      GError **error)
{
    const char *word = *words->at++;

    if (!*ended && strcmp(word, "--") == 0) {
        *ended = true;
        return true;
    }
    if (!*ended && g_str_has_prefix(word, "--")) {
        return take_long(invocation, word + 2, words, error);
    }
    if (!*ended && word[0] == '-' && word[1] != '\0') { /* "-" is a file's name */
        return take_letters(invocation, word + 1, words, error);
    }
    if (!invocation->command) {
        return set_command(invocation, word, error);
    }
    g_ptr_array_add(invocation->arguments, g_strdup(word));
    return true;
}

static bool check_arguments(const OstlerInvocation *invocation, GError **error)
{
    const OstlerCommandRow *command = invocation->command;
    const OstlerArgumentRow *row = command->arguments;
    unsigned n_given = invocation->arguments->len;
    unsigned n_fit = 0;

    for (; row && row->name; row++, n_fit++) {
        if (n_fit >= n_given && !row->is_optional) {
            g_autofree char *usage = ostler_arguments_usage(command);
            return fail(error, OSTLER_USAGE_ERROR_WORDS, "%s is missing: %s %s%s",
                        row->name, invocation->program->name, command->name, usage);
        }
        if (row->is_list) {
            return true;
        }
    }
    if (n_given > n_fit) {
        return fail(error, OSTLER_USAGE_ERROR_WORDS, "'%s' has no use for '%s'",
                    command->name, (const char *)invocation->arguments->pdata[n_fit]);
    }
    return true;
}

static void terminate(gpointer key, gpointer values, gpointer unused)
{
    g_ptr_array_add(values, NULL);
}

OstlerInvocation *ostler_invocation_parse(const OstlerProgram *program,
                                          const char *const *words, GError **error)
{
    g_autoptr(OstlerInvocation) invocation = g_new0(OstlerInvocation, 1);
    Words rest = { words };
    bool ended = false;

    invocation->program = program;
    invocation->options =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_values);
    invocation->arguments = g_ptr_array_new_with_free_func(g_free);
    while (*rest.at) {
        if (!take_word(invocation, &rest, &ended, error)) {
            return NULL;
        }
    }
    bool is_help = g_hash_table_contains(invocation->options, "help");
    if (invocation->command && !is_help && !check_arguments(invocation, error)) {
        return NULL;
    }
    g_hash_table_foreach(invocation->options, terminate, NULL);
    g_ptr_array_add(invocation->arguments, NULL);
    return g_steal_pointer(&invocation);
}

const OstlerCommandRow *ostler_invocation_command(const OstlerInvocation *invocation)
{
    return invocation->command;
}

static const GPtrArray *find_values(const OstlerInvocation *invocation,
                                    const char *option)
{
    if (!ostler_option_find(invocation->program, invocation->command, option)) {
        g_error("No row for the option --%s", option);
    }
    return g_hash_table_lookup(invocation->options, option);
}

bool ostler_invocation_has(const OstlerInvocation *invocation, const char *option)
{
    return find_values(invocation, option) != NULL;
}

const char *ostler_invocation_value(const OstlerInvocation *invocation,
                                    const char *option)
{
    const GPtrArray *values = find_values(invocation, option);

    return values && values->len > 1 ? values->pdata[values->len - 2] : NULL;
}

static const char *const nothing[] = { NULL };

const char *const *ostler_invocation_values(const OstlerInvocation *invocation,
                                            const char *option)
{
    const GPtrArray *values = find_values(invocation, option);

    return values ? (const char *const *)values->pdata : nothing;
}

const char *const *ostler_invocation_arguments(const OstlerInvocation *invocation,
                                               const char *name)
{
    unsigned i = 0;

    for (const OstlerArgumentRow *row = invocation->command->arguments;; row++, i++) {
        if (!row || !row->name) {
            g_error("No row for the argument %s", name);
        }
        if (strcmp(row->name, name) == 0) {
            break;
        }
    }
    return i < invocation->arguments->len
               ? (const char *const *)invocation->arguments->pdata + i
               : nothing;
}

const char *ostler_invocation_argument(const OstlerInvocation *invocation,
                                       const char *name)
{
    return ostler_invocation_arguments(invocation, name)[0];
}
