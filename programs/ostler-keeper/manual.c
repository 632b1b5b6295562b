/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manual.h"

#include "base/page.h"

static const char description[] =
    ".SH DESCRIPTION\n"
    "A program of Ostler's insides: \\fBostler start\\fR and libostler run it, and "
    "nobody has to.\n"
    "There is one for each guest that runs.\n"
    "It claims the guest's run directory, starts QEMU and the programs beside it, "
    "serves the\n"
    "control channel, and goes when the guest is off and nothing of it is left.\n"
    ".PP\n"
    "When a keeper is killed, QEMU goes on (but see\n"
    ".BR \\-\\-end\\-with\\-keeper );\n"
    "a keeper with\n"
    ".B \\-\\-adopt\n"
    "takes it over.\n";

/* What the table cannot know. */
static const char tail[] =
    ".SH SIGNALS\n"
    ".TP\n"
    "\\fBSIGTERM\\fR, \\fBSIGINT\\fR\n"
    "The guest's power button is pressed; if the guest is not off after the time of\n"
    ".BR \\-\\-stop\\-timeout ,\n"
    "the plug is pulled.\n"
    ".SH EXIT STATUS\n"
    "0 when the guest ran and is off.\n"
    "When it did not start: 1 the system or QEMU refused, 2 the command line is wrong, "
    "3 there\n"
    "is no such guest, 4 it runs already, 5 the definition is wrong or does not fit, 6 "
    "the time\n"
    "was up.\n"
    ".SH FILES\n"
    "In\n"
    ".IR $XDG_RUNTIME_DIR/ostler/GUEST/ ,\n"
    "or\n"
    ".I $OSTLER_HOME/run/GUEST/\n"
    "where that is set:\n"
    ".TP\n"
    ".IR keeper.lock \", \" guest.lock\n"
    "Held by the keeper; by the keeper and QEMU.\n"
    "They, and no other file, say whether the guest runs.\n"
    ".TP\n"
    ".I status.json\n"
    "The record of the run; stays behind, with the outcome.\n"
    ".TP\n"
    ".I started.guest\n"
    "The definition that the guest was started with.\n"
    ".TP\n"
    ".I control.sock\n"
    "The control channel, for libostler and other programs.\n"
    ".TP\n"
    ".IR keeper.log \", \" qemu.log \", \" console.log\n"
    "What the keeper and the programs beside QEMU, QEMU, and the guest's console said; "
    "bounded.\n"
    ".SH SEE ALSO\n"
    ".BR ostler (1),\n"
    ".BR ostler\\-address (1),\n"
    ".BR ostler\\-mtp (1),\n"
    ".BR ostler\\-definition (5)\n";

void print_manual(const GOptionEntry *rows)
{
    static const char summary[] = "Look after one running guest";
    const OstlerPage page = {
        .program = "ostler-keeper",
        .summary = summary,
        .arguments = " \\fIGUEST\\fR",
        .description = description,
        .rows = rows,
        .tail = tail,
    };
    ostler_page_print(&page);
}
