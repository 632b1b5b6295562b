/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * names.h - file names: the host's bytes and the guest's UTF-16
 *
 * The policy, in full (docs/mtp.md tells it to users):
 *   - UTF-8 becomes UTF-16, surrogates included, and back, unchanged.
 *   - A byte that is not UTF-8, 0x80 to 0xFF, is shown as U+F080 to U+F0FF, a private
 *     use character (Cygwin's way), and such a character from the guest is that byte
 *     again: every name there can be on disk can be read, renamed and written back.
 *   - A name of over 254 units, which MTP's strings cannot hold, is shown with '~' and
 *     12 digits of its SHA-256 for what was left out before its extension; so no two
 *     names look the same, and what the guest calls so is that file.
 *   - From the guest, what cannot be one file's name is refused: nothing at all, ".",
 *     "..", a '/' or NUL, half a surrogate pair, over 255 bytes of UTF-8, the names of
 *     our own temporary files, and private characters that as bytes make up another
 *     character, since that name would come back as another one.
 *   - Everything else is a name, upper and lower case told apart, also what Windows
 *     would not have: CON, a:b, a dot or a space at the end, control characters.  What
 *     a host's file system cannot hold, platform/root.h refuses.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define OSTLER_MTP_MAX_STRING                                                          \
    254 /* units, MTP 1.1 3.2.3: the count is a byte with NUL */

/* Write @name as the guest sees it; returns the number of units. */
unsigned ostler_mtp_name_to_guest(const char *name,
                                  uint16_t out_units[OSTLER_MTP_MAX_STRING]);

/* Whether the guest sees @name as it would see @shown, a name of its own. */
bool ostler_mtp_name_is_shown_as(const char *name, const char *shown);

/* The host's name for what the guest wrote (caller frees), or NULL: refused. */
char *ostler_mtp_name_to_host(const uint16_t *units, unsigned n_units);
