/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * place.h - a guest's run directory: what lies in it, and who holds it
 *
 * <run>/<name>/ of platform/rundir.h holds, while the guest runs:
 *
 *     keeper.lock     held by the keeper alone
 *     guest.lock      held by the keeper, and by QEMU, which inherits it
 *     status.json     the record of status.h; stays behind, with the outcome
 *     started.guest   the definition that it was started with
 *     control.sock    the keeper's control channel
 *     qmp.sock ...    the sockets of the plan
 *     keeper.log qemu.log console.log   bounded; stay behind
 *
 * Files say nothing about life: a power cut leaves them all.  Only the locks do.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef enum {
    OSTLER_RUN_GONE,     /* neither lock is held; files there are stale */
    OSTLER_RUN_ATTENDED, /* a keeper is there */
    OSTLER_RUN_ORPHAN,   /* QEMU runs without one */
} OstlerRunLife;

/* <run>/<guest>/<file>; @file NULL: the directory.  Caller frees. */
char *ostler_run_path(const char *guest, const char *file);

/*
 * Where the guest's shares keep their handles: with what outlives the run, or for a guest
 * that is not @is_defined in the run directory.  Caller frees.
 */
char *ostler_run_handles_path(const char *guest, bool is_defined);
/* A guest that is defined no longer has no use for them. */
void ostler_run_forget_handles(const char *guest);

/* Who holds the guest's locks now.  Takes none, so it disturbs no claim. */
OstlerRunLife ostler_run_life(const char *guest);

/* Names of all run directories, live or stale; NULL-terminated (g_strfreev). */
char **ostler_run_names(void);

/* Remove what only a live guest needs: sockets.  Logs and the record stay. */
void ostler_run_sweep(const char *guest);
