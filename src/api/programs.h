/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Where our program @name is: in $OSTLER_PROGRAMS (tests), in the build folder that this
 * library lies in, where it was installed, or in PATH.  Caller frees.
 */
char *ostler_api_find_program(const char *name, GError **error);
