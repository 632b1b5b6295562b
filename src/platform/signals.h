/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * signals.h - what the system or the terminal tells this process, through the main loop
 *
 * Ownership:  while a watch exists the signals it is for do nothing else; freeing it
 *             gives them their effect back.
 * Threads:    watch from the main thread, before there are others (GLib's own
 *             g_unix_signal_add() would start one).  Children are not affected.
 */
#pragma once

#include <gio/gio.h>

typedef enum {
    OSTLER_SIGNAL_INTERRUPT = 1 << 0, /* Ctrl-C: SIGINT */
    OSTLER_SIGNAL_TERMINATE = 1 << 1, /* asked to end: SIGTERM */
    OSTLER_SIGNAL_HANGUP = 1 << 2,    /* the terminal is gone: SIGHUP */
    OSTLER_SIGNAL_RESIZE = 1 << 3,    /* the terminal's size changed: SIGWINCH */
} OstlerSignal;

typedef struct OstlerSignals OstlerSignals;

/* Called from the main loop: it may start coroutines, it must not wait. */
typedef void OstlerSignalFunc(OstlerSignal signal, void *opaque);

/* Have @func called for each of @signals, an OR of OstlerSignal. */
OstlerSignals *ostler_signals_watch(unsigned signals, OstlerSignalFunc *func,
                                    void *opaque, GError **error);
void ostler_signals_free(OstlerSignals *signals); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerSignals, ostler_signals_free)

/* A reader that has gone is an error of the write, not the end of this process. */
void ostler_signals_ignore_broken_pipes(void);
