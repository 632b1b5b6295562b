/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/page.h"

#include <stdio.h>

/* A hyphen is a minus in an option, and a leading dot or quote is a request. */
static void print_escaped(const char *text)
{
    for (; *text; text++) {
        if (*text == '-' || *text == '\\') {
            putchar('\\');
        }
        putchar(*text);
    }
}

static void print_row(const GOptionEntry *row)
{
    fputs(".TP\n.B ", stdout);
    if (row->short_name) {
        printf("\\-%c, ", row->short_name);
    }
    fputs("\\-\\-", stdout);
    print_escaped(row->long_name);
    if (row->arg_description) {
        fputs(" \\fI", stdout);
        print_escaped(row->arg_description);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    print_escaped(row->description);
    fputs(".\n", stdout);
}

static void print_heading(const OstlerPage *page)
{
    g_autofree char *title = g_ascii_strup(page->program, -1);

    fputs(".TH ", stdout);
    print_escaped(title);
    puts(" 1 \"\" \"Ostler\"\n.SH NAME");
    print_escaped(page->program);
    fputs(" \\- ", stdout);
    print_escaped(page->summary);
    fputs("\n.SH SYNOPSIS\n.B ", stdout);
    print_escaped(page->program);
    printf("\n[\\fIOPTION\\fR...]%s\n", page->arguments ? page->arguments : "");
}

void ostler_page_print(const OstlerPage *page)
{
    print_heading(page);
    fputs(page->description ? page->description : "", stdout);
    puts(".SH OPTIONS");
    for (const GOptionEntry *row = page->rows; row->long_name; row++) {
        if (!(row->flags & G_OPTION_FLAG_HIDDEN)) {
            print_row(row);
        }
    }
    fputs(page->tail, stdout);
}
