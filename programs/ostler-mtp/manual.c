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
    ".PP\nOne folder more for it, as long as this runs, if it has a "
    "\\fB\\-\\-control\\fR:\n"
    ".PP\n.nf\n"
    "ostler\\-mtp \\-\\-attach Music=$HOME/Music \\-\\-to /tmp/mtp.ctl\n"
    ".fi\n"
    ".PP\nFor Linux clients on the network, who say \\fBusbip attach \\-r HOST \\-b "
    "1\\-1\\fR:\n"
    ".PP\n.nf\n"
    "ostler\\-mtp \\-\\-usbip 3240 \\-\\-share Pictures=$HOME/Pictures\n"
    ".fi\n"
    ".PP\nAs a USB device of this machine, whose gadget in configfs has a function "
    "ffs.mtp:\n"
    ".PP\n.nf\n"
    "mount \\-t functionfs mtp /dev/ffs\\-mtp\n"
    "ostler\\-mtp \\-\\-functionfs /dev/ffs\\-mtp \\-\\-share Pictures=/srv/pictures\n"
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
