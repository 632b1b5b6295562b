/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manual.h"

#include "base/page.h"

static const char description[] =
    ".SH DESCRIPTION\n"
    "A program of Ostler's insides:\n"
    ".BR ostler\\-keeper (1)\n"
    "runs it beside a guest with network cards, and starts it anew when it ends.\n"
    "It reads copies of the guest's frames (DHCP, ARP and neighbour discovery), as "
    "QEMU's\n"
    "filter\\-mirror makes them, from connected datagram sockets that it inherits.\n"
    "QEMU never waits for it: a frame that finds the socket full is dropped.\n"
    ".PP\n"
    "It writes a line of JSON to standard output for each finding:\n"
    ".PP\n"
    ".nf\n"
    "{\"nic\":\"0\",\"mac\":\"52:54:00:12:34:56\",\"family\":\"ipv4\",\"address\":\"10."
    "0.2.15\",\n"
    " \"prefix\":24,\"source\":\"dhcp\",\"lease\\-seconds\":86400}\n"
    ".fi\n"
    ".PP\n"
    "Before it looks at a byte of the guest's it gives up what rights it can.\n";

/* What the table cannot know. */
static const char tail[] = ".SH EXIT STATUS\n"
                           "0 when the reader of its lines went away, 1 when something "
                           "failed, 2 when the command line\n"
                           "is wrong.\n"
                           ".SH SEE ALSO\n"
                           ".BR ostler (1),\n"
                           ".BR ostler\\-keeper (1)\n";

void print_manual(const GOptionEntry *rows)
{
    static const char summary[] =
        "Print what a guest's frames say about its network addresses";
    const OstlerPage page = {
        .program = "ostler-address",
        .summary = summary,
        .description = description,
        .rows = rows,
        .tail = tail,
    };
    ostler_page_print(&page);
}
