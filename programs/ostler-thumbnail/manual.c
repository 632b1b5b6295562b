/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manual.h"

#include "base/page.h"

static const char description[] =
    ".SH DESCRIPTION\n"
    "Reads a JPEG, PNG, GIF, BMP or TIFF image from standard input and writes a JPEG "
    "of "
    "at most 160 by 160\n"
    "pixels to standard output.\n"
    "Before it reads anything it gives up what rights it has: a damaged or hostile "
    "image "
    "can make it fail\n"
    "and do no more.\n"
    ".PP\n"
    ".BR ostler\\-mtp (1)\n"
    "starts it for the thumbnails that a guest asks for.\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    "0 when there is a thumbnail, 1 when there is none, 2 when the "
    "command line is wrong.\n"
    ".SH SEE ALSO\n"
    ".BR ostler\\-mtp (1)\n";

void print_manual(const GOptionEntry *rows)
{
    static const char summary[] = "Make a small JPEG of an image, in a sandbox";
    const OstlerPage page = {
        .program = "ostler-thumbnail",
        .summary = summary,
        .description = description,
        .rows = rows,
        .tail = tail,
    };
    ostler_page_print(&page);
}
