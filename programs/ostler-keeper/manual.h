/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manual.h - the manual page, from the table of options
 */
#pragma once

#include <glib.h>

/* Write ostler-keeper(1) to standard output. */
void print_manual(const GOptionEntry *rows);
