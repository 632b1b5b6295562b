/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manual.h"

#include <stdio.h>

/* What the table cannot know; docs/mtp.md says the rest. */
static const char tail[] =
    ".SH EXAMPLES\n"
    "With any QEMU 7.2 or later, in this order:\n"
    ".PP\n.nf\n"
    "qemu\\-system\\-x86_64 ... \\-device qemu\\-xhci \\e\n"
    "    \\-chardev socket,id=mtp,path=/tmp/mtp.sock,server=on,wait=off \\e\n"
    "    \\-device usb\\-redir,chardev=mtp\n"
    "ostler\\-mtp \\-\\-connect /tmp/mtp.sock \\-\\-share Pictures=$HOME/Pictures\n"
    ".fi\n"
    ".SH EXIT STATUS\n"
    "0 when the peer closed the connection or a signal asked to end, 1 when something "
    "failed, 2 when the command line is wrong.\n"
    ".SH SEE ALSO\n.BR ostler (1)\n";

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

void print_manual(const GOptionEntry *rows, const char *summary)
{
    puts(".TH OSTLER\\-MTP 1 \"\" \"Ostler\"\n.SH NAME");
    fputs("ostler\\-mtp \\- ", stdout);
    print_escaped(summary);
    puts("\n.SH SYNOPSIS\n.B ostler\\-mtp\n[\\fIOPTION\\fR...]\n.SH OPTIONS");
    for (const GOptionEntry *row = rows; row->long_name; row++) {
        if (!(row->flags & G_OPTION_FLAG_HIDDEN)) {
            print_row(row);
        }
    }
    fputs(tail, stdout);
}
