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

#include <stdbool.h>

typedef struct {
    char *code; /* the image */
    char *vars; /* the template of its variables */
} OstlerFirmware;

/*
 * EFI without Secure Boot for @arch and the machine string (versions and aliases of a
 * machine fit the patterns of the descriptors).  NULL: none is installed.
 */
OstlerFirmware *ostler_firmware_find(const char *arch, const char *machine);
void ostler_firmware_free(OstlerFirmware *firmware);
