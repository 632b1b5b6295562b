/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/events.h"

#include <glib.h>

#include "mtp/store.h"

typedef OstlerMtpEvents *Queue;

static void set_up(Queue *queue, gconstpointer unused)
{
    *queue = ostler_mtp_events_new();
}

static void tear_down(Queue *queue, gconstpointer unused)
{
    ostler_mtp_events_free(*queue);
}

static void expect(Queue *queue, uint16_t code, uint32_t param)
{
    OstlerMtpEvent event;

    g_assert_true(ostler_mtp_events_pop(*queue, &event));
    g_assert_cmphex(event.code, ==, code);
    g_assert_cmpuint(event.param, ==, param);
}

static void a_change_is_said_once(Queue *queue, gconstpointer unused)
{
    ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_ADDED, 1);
    ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_INFO_CHANGED, 2);
    for (unsigned i = 0; i < 10; i++) {
        ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_INFO_CHANGED, 1 + i % 2);
    }
    ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_REMOVED, 1);
    expect(queue, OSTLER_MTP_OBJECT_ADDED, 1);
    expect(queue, OSTLER_MTP_OBJECT_INFO_CHANGED, 2);
    expect(queue, OSTLER_MTP_OBJECT_REMOVED, 1);
    g_assert_true(ostler_mtp_events_is_empty(*queue));

    ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_INFO_CHANGED, 2);
    expect(queue, OSTLER_MTP_OBJECT_INFO_CHANGED, 2);
}

static void a_burst_passes_and_then_one_a_millisecond(Queue *queue,
                                                      gconstpointer unused)
{
    int64_t now_us = 1000000;
    OstlerMtpEvent event;

    for (uint32_t i = 1; i <= 2 * OSTLER_MTP_EVENT_BURST; i++) {
        ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_ADDED, i);
    }
    for (unsigned i = 0; i < OSTLER_MTP_EVENT_BURST; i++) {
        g_assert_cmpuint(ostler_mtp_events_delay(*queue, now_us), ==, 0);
        ostler_mtp_events_pop(*queue, &event);
    }
    for (unsigned i = 0; i < 10; i++) {
        g_assert_cmpuint(ostler_mtp_events_delay(*queue, now_us), ==, 1000);
        now_us += 400;
        g_assert_cmpuint(ostler_mtp_events_delay(*queue, now_us), ==, 600);
        now_us += 600;
        g_assert_cmpuint(ostler_mtp_events_delay(*queue, now_us), ==, 0);
        ostler_mtp_events_pop(*queue, &event);
    }
    g_assert_cmpuint(event.param, ==, OSTLER_MTP_EVENT_BURST + 10);
}

static void what_is_too_much_is_admitted(Queue *queue, gconstpointer unused)
{
    OstlerMtpEvent event;

    for (uint32_t i = 0; i <= OSTLER_MTP_MAX_EVENTS; i++) {
        ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_REMOVED, i);
    }
    for (uint32_t i = 0; i < OSTLER_MTP_MAX_EVENTS; i++) {
        g_assert_true(ostler_mtp_events_pop(*queue, &event));
        g_assert_cmphex(event.code, ==, OSTLER_MTP_OBJECT_REMOVED);
    }
    expect(queue, OSTLER_MTP_UNREPORTED_STATUS, 0);
    g_assert_false(ostler_mtp_events_pop(*queue, &event));
}

static void what_is_cleared_is_not_said(Queue *queue, gconstpointer unused)
{
    ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_INFO_CHANGED, 1);
    ostler_mtp_events_clear(*queue);
    g_assert_true(ostler_mtp_events_is_empty(*queue));
    ostler_mtp_events_push(*queue, OSTLER_MTP_OBJECT_INFO_CHANGED, 1);
    expect(queue, OSTLER_MTP_OBJECT_INFO_CHANGED, 1);
}

#define TEST(name, func)                                                               \
    g_test_add("/events/" name, Queue, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("a-change-is-said-once", a_change_is_said_once);
    TEST("a-burst-passes-and-then-one-a-millisecond",
         a_burst_passes_and_then_one_a_millisecond);
    TEST("what-is-too-much-is-admitted", what_is_too_much_is_admitted);
    TEST("what-is-cleared-is-not-said", what_is_cleared_is_not_said);
    return g_test_run();
}
