/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * invocation.h - a command line, taken apart by the table
 *
 * GNU style: options stand anywhere, "--" ends them, --name=value and --name value are
 * the same, letters bundle (-ap), and an optional value needs its '='.
 *
 * Ownership:  an invocation copies what it keeps; getters borrow from it.
 * Errors:     OSTLER_USAGE_ERROR; sentences with the nearest right word.
 */
#pragma once

#include "shell/command.h"

#define OSTLER_USAGE_ERROR ostler_usage_error_quark()
GQuark ostler_usage_error_quark(void);
typedef enum {
    OSTLER_USAGE_ERROR_COMMAND, /* none, or an unknown one */
    OSTLER_USAGE_ERROR_WORDS,   /* an option or argument that the command has not */
} OstlerUsageError;

/*
 * @words: argv without the program's name.  Missing arguments are an error unless
 * --help is among the options.
 */
OstlerInvocation *ostler_invocation_parse(const OstlerProgram *program,
                                          const char *const *words, GError **error);
void ostler_invocation_free(OstlerInvocation *invocation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerInvocation, ostler_invocation_free)

/* NULL when only the program's options were given (--help, --version). */
const OstlerCommandRow *ostler_invocation_command(const OstlerInvocation *invocation);

/* What is asked for must be in the rows; anything else is a bug and aborts. */
bool ostler_invocation_has(const OstlerInvocation *invocation, const char *option);
/* The last value given, or NULL without one. */
const char *ostler_invocation_value(const OstlerInvocation *invocation,
                                    const char *option);
/* All values of a list option, NULL-terminated. */
const char *const *ostler_invocation_values(const OstlerInvocation *invocation,
                                            const char *option);
/* The argument of this name, or NULL. */
const char *ostler_invocation_argument(const OstlerInvocation *invocation,
                                       const char *name);
/* All words of a list argument, NULL-terminated. */
const char *const *ostler_invocation_arguments(const OstlerInvocation *invocation,
                                               const char *name);
