/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lock.h - a file that one process holds, and its children may hold on to
 *
 * Ownership:  a claim lasts until it is freed, or its last inherited descriptor is
 *             closed; a crash releases it.
 * Errors:     G_IO_ERROR.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct OstlerLock OstlerLock;

/*
 * Claim @path, creating the file if there is none.  Never waits.
 *
 * Returns: the claim, held until it is freed (caller frees), or NULL.
 * Errors:  G_IO_ERROR_BUSY if it is held, by this process or another;
 *          otherwise the system's own refusal as a G_IO_ERROR.
 */
OstlerLock *ostler_lock_claim(const char *path, GError **error);
void ostler_lock_free(OstlerLock *lock); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerLock, ostler_lock_free)

/* The descriptor that carries the claim, to hand to a child; borrowed. */
int ostler_lock_fd(const OstlerLock *lock);

/* Whether somebody holds @path now; false also when there is no such file. */
bool ostler_lock_is_held(const char *path);
