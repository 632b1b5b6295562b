/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rundir.h - where definitions, run time state and caches live
 *
 * Definitions: $XDG_CONFIG_HOME/ostler/<name>/ (Windows: %APPDATA%).
 * Run time:    $XDG_RUNTIME_DIR/ostler/<name>/, or a private, owner-checked
 *              /tmp/ostler-<uid>/ when there is no runtime directory.
 * Cache:       $XDG_CACHE_HOME/ostler/.
 * State:       $XDG_STATE_HOME/ostler/<name>/: what outlives a run and is no definition.
 * $OSTLER_HOME, when set, holds all four: its config/, run/, cache/ and state/.
 *
 * Errors:     G_IO_ERROR; a directory that another user owns is refused.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* Paths only; nothing is created.  Caller frees. */
char *ostler_dir_config(void);
char *ostler_dir_run(void);
char *ostler_dir_cache(void);
char *ostler_dir_state(void);

/* Create @path and its parents, mode 0700, and check that it is ours alone. */
bool ostler_dir_ensure(const char *path, GError **error);

/* Write @path by temporary file, flush and rename: readers see old or new, whole. */
bool ostler_file_replace(const char *path, const char *data, size_t size,
                         GError **error);
