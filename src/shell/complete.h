/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * complete.h - what may stand at the cursor, for any shell
 *
 * The answer is lines of "word<TAB>what it is".  A last line that begins with ':' asks
 * the shell for more: ":files" or ":folders" are its own to complete.  Nothing is ever
 * written to the terminal, and no error is an empty answer.
 */
#pragma once

#include "shell/command.h"

/* @words: what stands behind the program's name, the word at the cursor last (it may
 * be empty).  Caller frees. */
char *ostler_complete(const OstlerProgram *program, const char *const *words);

/* For completers.  @help may be NULL. */
void ostler_candidates_add(OstlerCandidates *candidates, const char *word,
                           const char *help);
/* The @i-th argument that is typed already, or NULL. */
const char *ostler_candidates_given(const OstlerCandidates *candidates, unsigned i);
/* Completers of the shell's own. */
void ostler_complete_file(OstlerCandidates *candidates);
void ostler_complete_folder(OstlerCandidates *candidates);
/* The names of the commands, for "help". */
void ostler_complete_command(OstlerCandidates *candidates);
