/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * page.h - a program's page of the manual, from its table of options
 *
 * For programs whose command line is GOption's; ostler(1) is made by src/shell.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *program;
    const char *summary;     /* the line under NAME */
    const char *arguments;   /* roff, after the options; or NULL */
    const char *description; /* roff, from its .SH on; or NULL */
    const GOptionEntry *rows;
    const char *tail; /* roff: what the table cannot know */
} OstlerPage;

/* Write it to standard output. */
void ostler_page_print(const OstlerPage *page);
