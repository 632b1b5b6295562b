/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where the program @name of ours is: in $OSTLER_PROGRAMS (tests), beside the running
 * one, or where the build put it.  Caller frees; NULL when it is in none of them.
 */
char *keeper_find_program(const char *name);
