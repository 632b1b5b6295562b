/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firmware.h - which EFI image goes with a machine
 *
 * Sources:    QEMU docs/interop/firmware.json: descriptors in /etc/qemu/firmware and
 *             /usr/share/qemu/firmware, read in the order of their file names, the
 *             first that fits wins; a file in /etc hides one of its name in /usr.
 * Errors:     none: an unreadable descriptor is as good as none.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *code; /* the image */
    char *vars; /* the template of its variables */
} OstlerFirmware;

/* EFI without Secure Boot for @arch and the machine's full name (pc-q35-7.2, not the
 * alias q35: see OstlerMachine.full_name).  NULL: none is installed. */
OstlerFirmware *ostler_firmware_find(const char *arch, const char *machine);
/* The same in other @folders (NULL-terminated), the first most important. */
OstlerFirmware *ostler_firmware_find_in(const char *const *folders, const char *arch,
                                        const char *machine);
void ostler_firmware_free(OstlerFirmware *firmware); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerFirmware, ostler_firmware_free)
