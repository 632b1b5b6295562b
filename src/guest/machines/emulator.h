/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * emulator.h - a QEMU that is started only to be asked, and ended again
 *
 * Some questions are asked over QMP of a machine that stands still (-S); others are
 * answered by what QEMU refuses, in words, before it ends by itself.  Both kinds of
 * emulator run without devices, display and configuration, and die with their parent.
 *
 * Ownership:  ostler_emulator_stop() ends and frees it; never leave one running.
 * Errors:     OSTLER_MACHINE_ERROR_REFUSED with QEMU's own words when it ends by itself
 *             instead of starting; G_IO_ERROR_FAILED when a signal ended it; else those
 *             of process.h and session.h.
 */
#pragma once

#include "guest/machines/machine.h"
#include "platform/process.h"
#include "qmp/session.h"

#define OSTLER_EMULATOR_TIMEOUT_MS 20000 /* 50-330 ms are usual; 20 s is a hang */

typedef struct OstlerEmulator OstlerEmulator;

/* Start @path with @args (NULL-terminated) after the common ones. */
OstlerEmulator *coroutine_fn ostler_emulator_start(const char *path,
                                                   const char *const *args,
                                                   GError **error);
void coroutine_fn ostler_emulator_stop(OstlerEmulator *emulator); /* NULL is fine */
OstlerQmp *ostler_emulator_qmp(OstlerEmulator *emulator);         /* borrowed */

/*
 * Run @argv, which is all there is, to its end or for @timeout_ms, when it is killed;
 * what it wrote to stderr (caller frees), or NULL if it cannot be started.
 */
char *coroutine_fn ostler_emulator_run(const char *const *argv, int timeout_ms,
                                       OstlerProcessEnd *out_end, GError **error);

/* Run @path with @args to its own end; what it wrote to stderr (caller frees), or NULL. */
char *coroutine_fn ostler_emulator_refusal(const char *path, const char *const *args,
                                           GError **error);

/* The one line of @said that is the reason, without the program's name; caller frees. */
char *ostler_emulator_reason(const char *said);
