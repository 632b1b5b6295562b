/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The pace is a bucket of tokens: an event takes one, time puts them back up to a burst.
 * The bucket is as large as half of what QEMU holds, so that what it held before and a
 * new burst fit together.
 */
#include "mtp/events.h"

#include <glib.h>

#include "mtp/store.h"

struct OstlerMtpEvents {
    GQueue queue;        /* of OstlerMtpEvent */
    GHashTable *pending; /* handles of objects whose addition or change is in it */
    bool is_lossy;       /* the queue was full */
    uint32_t tokens;
    int64_t filled_at_us;
};

OstlerMtpEvents *ostler_mtp_events_new(void)
{
    OstlerMtpEvents *events = g_new0(OstlerMtpEvents, 1);

    events->pending = g_hash_table_new(NULL, NULL);
    events->tokens = OSTLER_MTP_EVENT_BURST;
    return events;
}

void ostler_mtp_events_free(OstlerMtpEvents *events)
{
    if (events) {
        ostler_mtp_events_clear(events);
        g_hash_table_unref(events->pending);
        g_free(events);
    }
}

void ostler_mtp_events_clear(OstlerMtpEvents *events)
{
    g_queue_clear_full(&events->queue, g_free);
    g_hash_table_remove_all(events->pending);
    events->is_lossy = false;
}

/* Whoever hears of the addition or the earlier change will look at the object anyway. */
static bool is_said_already(OstlerMtpEvents *events, uint16_t code, uint32_t param)
{
    if (code == OSTLER_MTP_OBJECT_ADDED) {
        g_hash_table_add(events->pending, GUINT_TO_POINTER(param));
        return false;
    }
    return code == OSTLER_MTP_OBJECT_INFO_CHANGED &&
           !g_hash_table_add(events->pending, GUINT_TO_POINTER(param));
}

void ostler_mtp_events_push(OstlerMtpEvents *events, uint16_t code, uint32_t param)
{
    const OstlerMtpEvent event = { code, param };

    if (events->queue.length >= OSTLER_MTP_MAX_EVENTS) {
        events->is_lossy = true;
    } else if (!is_said_already(events, code, param)) {
        g_queue_push_tail(&events->queue, g_memdup2(&event, sizeof(event)));
    }
}

bool ostler_mtp_events_is_empty(const OstlerMtpEvents *events)
{
    return events->queue.length == 0 && !events->is_lossy;
}

static void fill(OstlerMtpEvents *events, int64_t now_us)
{
    int64_t n = (now_us - events->filled_at_us) / OSTLER_MTP_EVENT_US;

    if (n >= OSTLER_MTP_EVENT_BURST - events->tokens) {
        events->tokens = OSTLER_MTP_EVENT_BURST;
        events->filled_at_us = now_us;
    } else {
        events->tokens += (uint32_t)n;
        events->filled_at_us += n * OSTLER_MTP_EVENT_US;
    }
}

uint32_t ostler_mtp_events_delay(OstlerMtpEvents *events, int64_t now_us)
{
    fill(events, now_us);
    return events->tokens > 0
               ? 0
               : (uint32_t)(events->filled_at_us + OSTLER_MTP_EVENT_US - now_us);
}

bool ostler_mtp_events_pop(OstlerMtpEvents *events, OstlerMtpEvent *out_event)
{
    g_autofree OstlerMtpEvent *event = g_queue_pop_head(&events->queue);

    if (event) {
        *out_event = *event;
        g_hash_table_remove(events->pending, GUINT_TO_POINTER(event->param));
    } else if (events->is_lossy) {
        *out_event = (OstlerMtpEvent){ OSTLER_MTP_UNREPORTED_STATUS, 0 };
        events->is_lossy = false;
    } else {
        return false;
    }
    events->tokens -= events->tokens > 0;
    return true;
}
