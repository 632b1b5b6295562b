/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command.h - commands as rows, from which everything about them is made
 *
 * A program writes one table.  invocation.h parses a command line by it, help.h shows
 * it to people, manual.h makes a manual page of it, and complete.h answers TAB, so none
 * of them can know a command or option that the others do not.
 *
 * Ownership:  rows are static; nothing here is ever freed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct OstlerInvocation OstlerInvocation;
typedef struct OstlerCandidates OstlerCandidates;

/* Offer what may stand here; @candidates keeps what fits the word at the cursor. */
typedef void OstlerCompleteFunc(OstlerCandidates *candidates);

typedef struct {
    const char *name;  /* "memory" for --memory */
    const char *value; /* "SIZE" in help; NULL: a flag */
    const char *help;  /* a sentence without a full stop */
    char letter;       /* 'm' for -m; 0: none */
    bool is_optional;  /* the value may be left out: --wait or --wait=5 */
    bool is_list;      /* may be given several times */
    OstlerCompleteFunc *complete;
} OstlerOptionRow;

typedef struct {
    const char *name; /* "GUEST" */
    const char *help;
    bool is_optional; /* only arguments that are optional as well may follow */
    bool is_list;     /* takes all further words; the last of its row */
    OstlerCompleteFunc *complete;
} OstlerArgumentRow;

typedef struct {
    const char *line; /* "ostler start web --console" */
    const char *help;
} OstlerExampleRow;

/* Carry the command out and return the program's exit code. */
typedef int OstlerCommandFunc(const OstlerInvocation *invocation, void *opaque);

/* Lists end with a row whose first member is NULL; a NULL list is empty. */
typedef struct {
    const char *name;
    const char *alias; /* or NULL */
    const char *group; /* the heading it stands under in the list of commands */
    const char *summary;
    const char *help; /* paragraphs, separated by an empty line; NULL: none */
    const OstlerArgumentRow *arguments;
    const OstlerOptionRow *options;
    const OstlerExampleRow *examples;
    OstlerCommandFunc *run;
} OstlerCommandRow;

typedef struct {
    const char *name; /* "ostler" */
    const char *summary;
    const OstlerCommandRow *commands; /* those of one group stand together */
    const OstlerOptionRow *options;   /* every command has them */
} OstlerProgram;

/* By name or alias, or NULL. */
const OstlerCommandRow *ostler_program_find(const OstlerProgram *program,
                                            const char *name);
/* The command's own option, or the program's; NULL without one. */
const OstlerOptionRow *ostler_option_find(const OstlerProgram *program,
                                          const OstlerCommandRow *command,
                                          const char *name);
const OstlerOptionRow *ostler_option_find_letter(const OstlerProgram *program,
                                                 const OstlerCommandRow *command,
                                                 char letter);
/* "--wait[=SECONDS]", "-a, --all"; caller frees. */
char *ostler_option_usage(const OstlerOptionRow *option);
/* "GUEST [FILE...]" with a leading blank for each; caller frees. */
char *ostler_arguments_usage(const OstlerCommandRow *command);
