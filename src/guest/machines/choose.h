/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * choose.h - the machine that a definition asks for, with what it needs to be asked for
 *
 * Some machines have a part only when their machine string says so: microvm's USB. A
 * definition that needs it and does not say gets it switched on.
 */
#pragma once

#include "guest/definition.h"
#include "guest/machines/machine.h"

/*
 * Probe the machine of @definition, as ostler_machine_probe().  @out_note (caller
 * frees, may be NULL) says what was switched on, or is NULL.
 */
OstlerMachine *coroutine_fn ostler_machine_choose(const OstlerDefinition *definition,
                                                  char **out_note, GError **error);
