/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * programs.h - where our own programs are
 *
 * They are found from the file that the calling code was loaded from, the program or
 * libostler: a build folder, an installation and a copy of one each find their own.
 */
#pragma once

#include <glib.h>

/*
 * The program @name: in $OSTLER_PROGRAMS (tests), as built or installed with the caller,
 * or in PATH.  Caller frees.
 * Errors:  G_IO_ERROR_NOT_FOUND.
 */
char *ostler_programs_find(const char *name, GError **error);
