/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address/reporter.h"

#include <string.h>

static bool is_same(const OstlerAddressFinding *a, const OstlerAddressFinding *b)
{
    return memcmp(a->mac, b->mac, sizeof a->mac) == 0 && a->is_ipv6 == b->is_ipv6 &&
           a->is_withdrawn == b->is_withdrawn && a->source == b->source &&
           a->prefix == b->prefix && a->lease_seconds == b->lease_seconds &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* The slot of the same finding, else the one that was not used for longest. */
static OstlerAddressSaid *slot_for(OstlerAddressReporter *reporter,
                                   const OstlerAddressFinding *finding)
{
    OstlerAddressSaid *oldest = &reporter->said[0];

    for (unsigned i = 0; i < OSTLER_ADDRESS_REPORTER_SLOTS; i++) {
        OstlerAddressSaid *said = &reporter->said[i];
        if (said->said_at_ms && is_same(&said->finding, finding)) {
            return said;
        }
        if (said->said_at_ms < oldest->said_at_ms) {
            oldest = said;
        }
    }
    oldest->said_at_ms = 0;
    return oldest;
}

/* A lease that is renewed starts anew, so every acknowledgement is news. */
static bool is_repetition(const OstlerAddressSaid *said,
                          const OstlerAddressFinding *finding, int64_t now_ms)
{
    return said->said_at_ms && finding->source != OSTLER_ADDRESS_DHCP &&
           now_ms - said->said_at_ms < OSTLER_ADDRESS_REPEAT_MS;
}

static bool has_budget(OstlerAddressReporter *reporter,
                       const OstlerAddressFinding *finding, int64_t now_ms)
{
    bool is_claim = finding->source != OSTLER_ADDRESS_DHCP || finding->is_withdrawn;

    if (now_ms - reporter->span_started_ms >= OSTLER_ADDRESS_BURST_SPAN_MS) {
        reporter->span_started_ms = now_ms;
        memset(reporter->n_in_span, 0, sizeof reporter->n_in_span);
    }
    return reporter->n_in_span[is_claim]++ < OSTLER_ADDRESS_BURST;
}

bool ostler_address_reporter_admit(OstlerAddressReporter *reporter,
                                   const OstlerAddressFinding *finding, int64_t now_ms)
{
    OstlerAddressSaid *said = slot_for(reporter, finding);

    if (is_repetition(said, finding, now_ms) ||
        !has_budget(reporter, finding, now_ms)) {
        return false;
    }
    said->finding = *finding;
    said->said_at_ms = now_ms;
    return true;
}
