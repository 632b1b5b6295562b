/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manual.h"

#include "base/page.h"

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

void print_manual(const GOptionEntry *rows, const char *summary)
{
    const OstlerPage page = {
        .program = "ostler-mtp",
        .summary = summary,
        .rows = rows,
        .tail = tail,
    };
    ostler_page_print(&page);
}
