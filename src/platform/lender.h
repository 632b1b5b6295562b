/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lender.h - lend the files beneath one folder to a process that may open none
 *
 * What a process gave up on entering its sandbox it cannot be given back: Landlock's
 * rules are fixed, and the descriptor of a folder opens nothing beneath it that they do
 * not allow.  It can be given somebody to ask.  A lender is a process that may use one
 * folder; on request it opens, makes, renames and removes what is beneath, and hands
 * over open files, which the borrower reads and writes by itself.  The borrower sees an
 * OstlerRoot like any other: ostler_root_borrow() in root.h.
 *
 * A borrower may be hostile.  A request names something beneath the folder or is
 * refused, and the lender should be in a sandbox that allows that one folder.
 *
 * Ownership:  the lender owns its end of the connection.
 * Errors:     G_IO_ERROR.
 * Threads:    answers from the iterations of one main context.
 */
#pragma once

#include <gio/gio.h>

typedef struct OstlerLender OstlerLender;

/* Lend the folder @path; *out_fd (caller closes) is the borrower's end. */
OstlerLender *ostler_lender_new(const char *path, int *out_fd, GError **error);
void ostler_lender_free(OstlerLender *lender); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerLender, ostler_lender_free)
