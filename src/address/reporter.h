/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reporter.h - which findings are worth a line
 *
 * A guest repeats itself with every ARP it sends, and can be made to send thousands of
 * different ones a second.  What was said is said again only after a while (so that the
 * reader knows it still holds), and no more than a burst of lines goes out in a while.
 * A server's word is not counted against the guest's claims.
 *
 * Units:      milliseconds of any clock that does not go back.
 */
#pragma once

#include "address/finding.h"

#define OSTLER_ADDRESS_REPEAT_MS      60000
#define OSTLER_ADDRESS_BURST          32
#define OSTLER_ADDRESS_BURST_SPAN_MS  10000
#define OSTLER_ADDRESS_REPORTER_SLOTS 64

typedef struct {
    OstlerAddressFinding finding;
    int64_t said_at_ms; /* 0: the slot is free */
} OstlerAddressSaid;

/* Zero-initialised is one that has said nothing. */
typedef struct {
    OstlerAddressSaid said[OSTLER_ADDRESS_REPORTER_SLOTS];
    int64_t span_started_ms;
    unsigned n_in_span[2]; /* servers' words, guest's claims */
} OstlerAddressReporter;

/* Whether @finding should be said at @now_ms (> 0); if so it counts as said. */
bool ostler_address_reporter_admit(OstlerAddressReporter *reporter,
                                   const OstlerAddressFinding *finding, int64_t now_ms);
