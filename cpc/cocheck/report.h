/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * report.h - what was found, for people and for tools
 */
#pragma once

#include "graph.h"

/* Print each finding with the way there and the fix.  Returns how many. */
unsigned cocheck_report(CocheckGraph *graph, gboolean with_pointers);

/*
 * Print one line a function, sorted, each once.  @what is one of cocheck_lists: returns
 * whether it is.
 */
gboolean cocheck_print_list(CocheckGraph *graph, const char *what);

/* For --help: the lists that there are. */
extern const char cocheck_lists[];
