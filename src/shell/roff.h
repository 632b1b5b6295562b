/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * roff.h - writing manual pages with groff's man macros
 *
 * Sources:    groff_man(7) and groff_man_style(7).
 */
#pragma once

#include <glib.h>

/* .TH: "ostler", "1", "0.1.0", "Ostler". */
void ostler_roff_title(GString *page, const char *name, const char *section,
                       const char *version, const char *manual);
void ostler_roff_heading(GString *page, const char *text);    /* .SH */
void ostler_roff_subheading(GString *page, const char *text); /* .SS */
/* Paragraphs, separated by an empty line. */
void ostler_roff_text(GString *page, const char *text);
/* .TP with @term in bold (@plain follows it in the regular font, or NULL). */
void ostler_roff_entry(GString *page, const char *term, const char *plain,
                       const char *explanation);
/* A line as it would be typed. */
void ostler_roff_example(GString *page, const char *line);
/* @text as it must be written to appear as it is; caller frees. */
char *ostler_roff_escape(const char *text);
