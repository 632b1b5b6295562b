/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * table.h - what each machine of an emulator gives a guest, planned for real
 *
 * Every machine that the emulator lists is probed (or found in the cache) and planned
 * with one disk, one card, a console and a share, each by itself.  A row is JSON:
 *
 *     { "arch": "arm", "machine": "raspi2b", "disk": "sd", "nic": "usb-net",
 *       "console": "pl011", "share": "usb-redir", "needs": [],
 *       "reasons": { } }
 *
 * A part that the machine has no place for is absent and has its reason under
 * "reasons"; a machine that cannot be used at all has "refusal" instead of parts.
 */
#pragma once

#include "json/json.h"
#include <cpc/coroutine.h>

/* The rows in the order of their names.  Probes several machines at once. */
json_object *coroutine_fn ostler_machine_table(const char *arch, const char *emulator,
                                               GError **error);
/* The rows for people: columns for a terminal, or a table in Markdown; caller frees. */
char *ostler_machine_table_text(json_object *rows);
char *ostler_machine_table_markdown(json_object *rows);
