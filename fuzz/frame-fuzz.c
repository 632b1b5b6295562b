/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of both directions on one card: what is found can be printed, read back and
 * merged.  The input is a list of frames: a byte whose lowest bit is the direction, a
 * length (16 bits, most significant first), and the frame.
 */
#include "fuzz.h"

#include "address/frame.h"
#include "address/reporter.h"
#include "address/table.h"
#include "wire/reader.h"

#include <string.h>

static void check(OstlerAddressTable *table, const OstlerAddressFinding *finding,
                  int64_t now)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *nic = NULL;
    g_autofree char *line = ostler_address_finding_print(finding, "0");
    OstlerAddressFinding again;

    g_assert_true(
        ostler_address_finding_parse(line, strlen(line), &again, &nic, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(&again, sizeof again, finding, sizeof *finding);

    ostler_address_table_add(table, nic, &again, now);
    g_autofree const OstlerAddressEntry **list = ostler_address_table_list(table, now);
    for (guint n = 0; list[n]; n++) {
        g_assert_cmpuint(n, <, OSTLER_ADDRESS_MAX_ENTRIES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();
    OstlerAddressCard card = { 0 };
    OstlerAddressReporter reporter = { 0 };
    OstlerAddressFinding finding;
    OstlerReader r = ostler_reader_of(data, size);

    for (int64_t now = 1; ostler_reader_left(&r) > 3; now += 7) {
        OstlerAddressDirection direction = ostler_reader_u8(&r) & 1
                                               ? OSTLER_ADDRESS_FROM_GUEST
                                               : OSTLER_ADDRESS_TO_GUEST;
        size_t length = ostler_reader_be16(&r);
        length = MIN(length, ostler_reader_left(&r));
        g_autofree uint8_t *frame = g_memdup2(ostler_reader_take(&r, length), length);
        if (ostler_address_read_frame(&card, direction, frame, length, &finding) &&
            ostler_address_reporter_admit(&reporter, &finding, now * 1000)) {
            check(table, &finding, now);
        }
    }
    return 0;
}
