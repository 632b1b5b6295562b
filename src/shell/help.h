/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * help.h - the table, for a person at a terminal
 */
#pragma once

#include "shell/command.h"

/* All commands by group, a line each; caller frees. */
char *ostler_help_program(const OstlerProgram *program);
/* All about one command; caller frees. */
char *ostler_help_command(const OstlerProgram *program,
                          const OstlerCommandRow *command);
