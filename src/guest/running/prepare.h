/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prepare.h - all that has to be known before QEMU can be started
 *
 * plan.h is pure; this asks the machine and the host what the plan needs, so that the
 * keeper and a dry run get the same command line.
 *
 * Ownership:  a preparation owns all it points to.
 * Errors:     OSTLER_RUN_ERROR_DEFINITION when the machine cannot do what the definition
 *             wants, else G_IO_ERROR.
 */
#pragma once

#include "guest/definition.h"
#include "guest/plan.h"

typedef struct {
    OstlerPlan *plan; /* stopped at its first instruction (-S) */
    char *accel;      /* "kvm" or "tcg" */
    char **notes;     /* the plan's, and on the accelerator; NULL-terminated */
} OstlerRunPreparation;

/* @rundir: where QEMU will run. */
OstlerRunPreparation *coroutine_fn ostler_run_prepare(
    const OstlerDefinition *definition, const char *rundir, GError **error);
void ostler_run_preparation_free(OstlerRunPreparation *preparation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerRunPreparation, ostler_run_preparation_free)
