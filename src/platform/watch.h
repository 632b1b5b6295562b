/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watch.h - what changes beneath a folder, as it happens
 *
 * One watch covers a whole tree, folders made later included: inotify with one watch a
 * folder on Linux, one ReadDirectoryChangesW on Windows.  Names are relative to the
 * root, with '/' between parts.
 *
 * A change that happens while the watch is still reaching a new folder is reported as
 * a creation of what is found there, so an entry may be reported created twice, and
 * never not at all.  A rename within the tree is one event; one over its edge is a
 * creation or a removal.  When the system dropped events, one OVERFLOW says that
 * anything may have changed: the listener rescans, the watch goes on.
 *
 * Symbolic links are reported as entries and never followed.
 *
 * Units:      times are seconds since the Unix epoch, UTC.
 * Ownership:  events borrow their names for one call.
 * Errors:     G_IO_ERROR; running out of the system's watches is
 *             G_IO_ERROR_NO_SPACE with the limit's name in the message.
 * Threads:    one main context; the function is called from it.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/root.h"

typedef struct OstlerWatch OstlerWatch;

typedef enum {
    OSTLER_WATCH_CREATED,
    OSTLER_WATCH_REMOVED,
    OSTLER_WATCH_CHANGED,  /* contents, size or attributes; after the writer closed */
    OSTLER_WATCH_RENAMED,  /* @from to @name */
    OSTLER_WATCH_OVERFLOW, /* rescan; @name is NULL, @since says from when */
    OSTLER_WATCH_LOST, /* a folder cannot be watched; @name is it, @error says why */
} OstlerWatchKind;

typedef struct {
    OstlerWatchKind kind;
    const char *name;
    const char *from; /* RENAMED only */
    int64_t since;    /* OVERFLOW only: what had happened by then was told */
    bool is_folder;
    const GError *error; /* LOST only */
} OstlerWatchEvent;

/* May start coroutines and must not wait. */
typedef void OstlerWatchFunc(const OstlerWatchEvent *event, void *opaque);

/* Watch all that is beneath @path; events come from @context's iterations. */
OstlerWatch *ostler_watch_new(const char *path, OstlerWatchFunc *func, void *opaque,
                              GError **error);
/* The same of a root that is open, a borrowed one for example. */
OstlerWatch *ostler_watch_new_root(OstlerRoot *root, OstlerWatchFunc *func,
                                   void *opaque, GError **error);
void ostler_watch_free(OstlerWatch *watch); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerWatch, ostler_watch_free)

/* How many folders are watched now. */
unsigned ostler_watch_n_folders(const OstlerWatch *watch);
