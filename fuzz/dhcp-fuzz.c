/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes may be a DHCP message; a prefix is one, and a lease has its option. */
#include "fuzz.h"

#include "address/dhcp.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *exact = g_memdup2(data, size);
    OstlerDhcpMessage message;

    if (ostler_dhcp_decode(exact, size, &message)) {
        g_assert_cmpuint(message.prefix, <=, 32);
        g_assert_true(message.has_lease || message.lease_seconds == 0);
    }
    return 0;
}
