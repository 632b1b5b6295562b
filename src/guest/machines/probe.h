/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* probe.h - ask a QEMU binary, never the cache, what a machine offers */
#pragma once

#include "guest/machines/machine.h"

/* @emulator is a path.  Starts QEMU four to eight times, 50-330 ms each. */
OstlerMachine *coroutine_fn ostler_machine_ask(const char *emulator, const char *arch,
                                               const char *machine, GError **error);

/* The names that query-machines lists, aliases included, sorted (g_strfreev). */
char **coroutine_fn ostler_machine_ask_list(const char *emulator, GError **error);
