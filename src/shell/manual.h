/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * manual.h - the table, as a manual page
 */
#pragma once

#include "shell/command.h"

/*
 * The page in groff's man macros: name, synopsis, options, commands; then @tail, roff
 * as well, with what no table knows.  Caller frees.
 */
char *ostler_manual_page(const OstlerProgram *program, const char *version,
                         const char *tail);
