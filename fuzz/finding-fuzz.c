/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keeper reads of ostler-address's lines prints as what it read. */
#include "fuzz.h"

#include "address/finding.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OstlerAddressFinding finding, again;
    g_autofree char *nic = NULL;
    g_autofree char *nic_again = NULL;

    if (!ostler_address_finding_parse((const char *)data, size, &finding, &nic, NULL)) {
        return 0;
    }
    g_autofree char *line = ostler_address_finding_print(&finding, nic);
    g_assert_true(
        ostler_address_finding_parse(line, strlen(line), &again, &nic_again, NULL));
    g_assert_cmpmem(&again, sizeof again, &finding, sizeof finding);
    g_assert_cmpstr(nic, ==, nic_again);
    return 0;
}
