/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manual.h - the page of the manual
 */
#pragma once

#include <glib.h>

/* Write ostler-thumbnail(1) to standard output. */
void print_manual(const GOptionEntry *rows);
