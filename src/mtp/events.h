/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * events.h - events on their way to the initiator
 *
 * A queue between what the host does, which may be ten thousand things at once, and an
 * interrupt endpoint that carries one event a polling interval.  It lets a burst pass at
 * once and then keeps to the endpoint's pace: QEMU holds about 2,000 packets for a guest
 * that is slower, and drops what comes on top (usbredir_interrupt_packet() in
 * hw/usb/redirect.c of 7.2).  That an object changed is not said twice in a row.
 *
 * Sources:    MTP 1.1 appendix G (events).
 * Units:      times are microseconds of a clock that only goes on.
 * Errors:     beyond OSTLER_MTP_MAX_EVENTS events are dropped, and UnreportedStatus
 *             tells the initiator so (G.2.15).
 * Threads:    not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OSTLER_MTP_MAX_EVENTS  (1u << 20)
#define OSTLER_MTP_EVENT_BURST 1000u /* let pass at once */
#define OSTLER_MTP_EVENT_US    1000u /* and then one in this time */

typedef struct OstlerMtpEvents OstlerMtpEvents;

typedef struct {
    uint16_t code;
    uint32_t param;
} OstlerMtpEvent;

OstlerMtpEvents *ostler_mtp_events_new(void);
void ostler_mtp_events_free(OstlerMtpEvents *events); /* NULL is fine */

void ostler_mtp_events_push(OstlerMtpEvents *events, uint16_t code, uint32_t param);
/* Forget what has not been sent: nobody listens any more. */
void ostler_mtp_events_clear(OstlerMtpEvents *events);

bool ostler_mtp_events_is_empty(const OstlerMtpEvents *events);
/* How long to wait before the next one may be sent; 0: not at all. */
uint32_t ostler_mtp_events_delay(OstlerMtpEvents *events, int64_t now_us);
/* Take the first one, as sent now; false if there is none. */
bool ostler_mtp_events_pop(OstlerMtpEvents *events, OstlerMtpEvent *out_event);
