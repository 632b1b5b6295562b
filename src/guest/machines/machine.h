/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machine.h - what a machine of a QEMU binary offers: buses, slots, devices
 *
 * Asked of QEMU itself over QMP (-S -nodefaults) and cached under
 * $XDG_CACHE_HOME/ostler/machines/, keyed by the binary's identity (device, inode,
 * size, mtime) and the exact machine string, since options change the counts.
 * No table of machine names decides where a device goes.
 *
 * Ownership:  a machine owns all it points to; immutable once made.
 * Errors:     G_IO_ERROR and the QMP domains.
 */
#pragma once

#include "json/json.h"
#include <cpc/coroutine.h>

typedef struct OstlerMachine OstlerMachine;

/*
 * @emulator NULL: qemu-system-<arch> in PATH.  Cached answers come back without
 * starting QEMU and without yielding.
 */
OstlerMachine *coroutine_fn ostler_machine_probe(const char *arch, const char *machine,
                                                 const char *emulator, GError **error);
OstlerMachine *ostler_machine_from_json(json_object *description, GError **error);
json_object *ostler_machine_to_json(const OstlerMachine *machine);
void ostler_machine_free(OstlerMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMachine, ostler_machine_free)

const char *ostler_machine_emulator(const OstlerMachine *machine);
const char *ostler_machine_arch(const OstlerMachine *machine);

/* The machines an emulator lists, NULL-terminated (g_strfreev), cached likewise. */
char **coroutine_fn ostler_machine_list(const char *arch, const char *emulator,
                                        GError **error);

/*
 * "kvm" if a probe shows that it truly runs a guest here (a tiny guest is run once per
 * boot and binary, then cached), else "tcg"; @out_why says why not in a sentence.
 */
const char *coroutine_fn ostler_accel_choose(const char *arch, const char *emulator,
                                             char **out_why);
