/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * patch.h - the marks that are missing, as a unified diff
 */
#pragma once

#include "graph.h"

/*
 * Print a diff that marks each definition and declaration of what lacks a mark, in the C
 * files and headers under @folder.  What it does not find there, because a macro or a
 * generator makes it, is named on stderr.  Returns whether all files could be read.
 */
gboolean cocheck_print_patch(CocheckGraph *graph, const char *folder);
