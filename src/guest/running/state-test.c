/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/state.h"

#include <glib.h>

#define FOR_EACH_STATE(s)                                                              \
    for (OstlerRunState s = OSTLER_RUN_STARTING; s < OSTLER_RUN_N_STATES; s++)
#define FOR_EACH_EVENT(e) for (OstlerRunEvent e = 0; e < OSTLER_RUN_N_EVENTS; e++)

static void every_pair_is_listed(void)
{
    FOR_EACH_STATE(s)
    {
        FOR_EACH_EVENT(e)
        {
            const OstlerRunStep *step = ostler_run_step(s, e);

            g_assert_true(step->is_listed);
            g_assert_cmpuint(step->next, <, OSTLER_RUN_N_STATES);
            g_assert_cmpuint(step->reason, <, OSTLER_RUN_N_REASONS);
            g_assert_cmpuint(step->action, <, OSTLER_RUN_N_ACTIONS);
        }
    }
}

static void only_requests_are_refused_and_none_is_ignored(void)
{
    FOR_EACH_STATE(s)
    {
        FOR_EACH_EVENT(e)
        {
            OstlerRunAction action = ostler_run_step(s, e)->action;

            if (e < OSTLER_RUN_N_REQUESTS) {
                g_assert_cmpuint(action, !=, OSTLER_RUN_DO_NOTHING);
            } else {
                g_assert_cmpuint(action, !=, OSTLER_RUN_DO_REFUSE);
            }
        }
    }
}

static void what_is_refused_changes_nothing(void)
{
    FOR_EACH_STATE(s)
    {
        FOR_EACH_EVENT(e)
        {
            const OstlerRunStep *step = ostler_run_step(s, e);

            if (step->action == OSTLER_RUN_DO_REFUSE) {
                g_assert_cmpuint(step->next, ==, 0);
            }
        }
    }
}

static void a_guest_can_be_destroyed_in_every_state_but_off(void)
{
    FOR_EACH_STATE(s)
    {
        const OstlerRunStep *step = ostler_run_step(s, OSTLER_RUN_ASK_DESTROY);

        if (s == OSTLER_RUN_SHUT_OFF) {
            g_assert_cmpuint(step->action, ==, OSTLER_RUN_DO_REFUSE);
            continue;
        }
        g_assert_cmpuint(step->action, ==, OSTLER_RUN_DO_END);
        g_assert_true(step->next == OSTLER_RUN_ENDING || s == OSTLER_RUN_ENDING);
    }
}

static void the_end_of_qemu_and_nothing_else_is_the_end(void)
{
    FOR_EACH_STATE(s)
    {
        FOR_EACH_EVENT(e)
        {
            const OstlerRunStep *step = ostler_run_step(s, e);
            bool is_end = e == OSTLER_RUN_QEMU_GONE && s != OSTLER_RUN_SHUT_OFF;

            g_assert_cmpint(step->next == OSTLER_RUN_SHUT_OFF, ==, is_end);
            g_assert_cmpint(step->action == OSTLER_RUN_DO_FINISH, ==, is_end);
        }
    }
}

static void nothing_leaves_shut_off(void)
{
    FOR_EACH_EVENT(e)
    {
        g_assert_cmpuint(ostler_run_step(OSTLER_RUN_SHUT_OFF, e)->next, ==, 0);
    }
}

static void an_ending_guest_only_ends(void)
{
    FOR_EACH_EVENT(e)
    {
        if (e != OSTLER_RUN_QEMU_GONE) {
            g_assert_cmpuint(ostler_run_step(OSTLER_RUN_ENDING, e)->next, ==, 0);
        }
    }
}

/* A conversation: what happens, and what is then seen and done. */
typedef struct {
    OstlerRunEvent event;
    const char *state;
    const char *reason;
    OstlerRunAction action;
} Step;

static void live(OstlerRunState state, const Step *steps, unsigned n_steps)
{
    OstlerRunReason reason = OSTLER_RUN_REASON_UNKNOWN;

    for (unsigned i = 0; i < n_steps; i++) {
        const OstlerRunStep *step = ostler_run_step(state, steps[i].event);

        if (step->next) {
            state = step->next;
            reason = step->reason;
        }
        g_test_message("step %u", i);
        g_assert_cmpstr(ostler_run_state_text(state), ==, steps[i].state);
        g_assert_cmpstr(ostler_run_reason_text(reason), ==, steps[i].reason);
        g_assert_cmpuint(step->action, ==, steps[i].action);
    }
}
#define LIVE(from, ...)                                                                \
    do {                                                                               \
        static const Step life[] = { __VA_ARGS__ };                                    \
        live(from, life, G_N_ELEMENTS(life));                                          \
    } while (0)

static void a_guest_boots_and_shuts_down_when_asked(void)
{
    LIVE(OSTLER_RUN_STARTING,
         { OSTLER_RUN_QEMU_RESUMED, "running", "booted", OSTLER_RUN_DO_NOTHING },
         { OSTLER_RUN_FOUND_RUNNING, "running", "booted", OSTLER_RUN_DO_NOTHING },
         { OSTLER_RUN_ASK_SHUTDOWN, "in shutdown", "user", OSTLER_RUN_DO_POWER_BUTTON },
         { OSTLER_RUN_QEMU_POWERED_OFF, "in shutdown", "shutdown",
           OSTLER_RUN_DO_ON_POWEROFF },
         { OSTLER_RUN_QEMU_GONE, "shut off", "shutdown", OSTLER_RUN_DO_FINISH });
}

static void a_reboot_asked_for_restarts_once_and_only_once(void)
{
    LIVE(OSTLER_RUN_RUNNING,
         { OSTLER_RUN_ASK_REBOOT, "running", "user", OSTLER_RUN_DO_REBOOT },
         { OSTLER_RUN_QEMU_POWERED_OFF, "running", "booted", OSTLER_RUN_DO_RESTART },
         { OSTLER_RUN_QEMU_POWERED_OFF, "in shutdown", "shutdown",
           OSTLER_RUN_DO_ON_POWEROFF });
    LIVE(OSTLER_RUN_RUNNING,
         { OSTLER_RUN_ASK_REBOOT, "running", "user", OSTLER_RUN_DO_REBOOT },
         { OSTLER_RUN_ASK_SHUTDOWN, "in shutdown", "user", OSTLER_RUN_DO_POWER_BUTTON },
         { OSTLER_RUN_QEMU_POWERED_OFF, "in shutdown", "shutdown",
           OSTLER_RUN_DO_ON_POWEROFF });
}

static void a_reboot_that_was_ignored_is_forgotten(void)
{
    LIVE(OSTLER_RUN_RUNNING,
         { OSTLER_RUN_ASK_REBOOT, "running", "user", OSTLER_RUN_DO_REBOOT },
         { OSTLER_RUN_REBOOT_LAPSED, "running", "booted", OSTLER_RUN_DO_OBEY_POLICY },
         { OSTLER_RUN_QEMU_POWERED_OFF, "in shutdown", "shutdown",
           OSTLER_RUN_DO_ON_POWEROFF });
    FOR_EACH_STATE(s)
    {
        if (s != OSTLER_RUN_REBOOTING) {
            const OstlerRunStep *step = ostler_run_step(s, OSTLER_RUN_REBOOT_LAPSED);
            g_assert_cmpuint(step->next, ==, 0);
            g_assert_cmpuint(step->action, ==, OSTLER_RUN_DO_NOTHING);
        }
    }
}

static void a_disk_error_is_why_it_is_paused(void)
{
    LIVE(OSTLER_RUN_RUNNING,
         { OSTLER_RUN_QEMU_IO_ERROR, "paused", "I/O error", OSTLER_RUN_DO_NOTHING },
         { OSTLER_RUN_QEMU_STOPPED, "paused", "I/O error", OSTLER_RUN_DO_NOTHING },
         { OSTLER_RUN_ASK_RESUME, "paused", "I/O error", OSTLER_RUN_DO_CONT },
         { OSTLER_RUN_QEMU_RESUMED, "running", "unpaused", OSTLER_RUN_DO_NOTHING });
}

static void a_guest_that_ignores_its_power_button_can_be_used_on(void)
{
    LIVE(OSTLER_RUN_IN_SHUTDOWN,
         { OSTLER_RUN_ASK_SUSPEND, "in shutdown", "unknown", OSTLER_RUN_DO_STOP },
         { OSTLER_RUN_QEMU_STOPPED, "paused", "user", OSTLER_RUN_DO_NOTHING },
         { OSTLER_RUN_QEMU_RESUMED, "running", "unpaused", OSTLER_RUN_DO_NOTHING });
}

static void an_unannounced_end_is_a_crash_and_at_the_start_a_failure(void)
{
    LIVE(OSTLER_RUN_RUNNING,
         { OSTLER_RUN_QEMU_GONE, "shut off", "crashed", OSTLER_RUN_DO_FINISH });
    LIVE(OSTLER_RUN_STARTING,
         { OSTLER_RUN_QEMU_GONE, "shut off", "failed", OSTLER_RUN_DO_FINISH });
}

static void a_kept_panic_can_be_reset(void)
{
    LIVE(OSTLER_RUN_RUNNING,
         { OSTLER_RUN_QEMU_PANICKED, "crashed", "panicked", OSTLER_RUN_DO_ON_CRASH },
         { OSTLER_RUN_QEMU_STOPPED, "crashed", "panicked", OSTLER_RUN_DO_NOTHING },
         { OSTLER_RUN_ASK_RESUME, "crashed", "panicked", OSTLER_RUN_DO_REFUSE },
         { OSTLER_RUN_ASK_RESET, "crashed", "panicked", OSTLER_RUN_DO_RESTART },
         { OSTLER_RUN_QEMU_RESUMED, "running", "booted", OSTLER_RUN_DO_NOTHING });
}

static void an_orphan_is_adopted_as_it_is_found(void)
{
    LIVE(OSTLER_RUN_ORPHANED,
         { OSTLER_RUN_FOUND_PAUSED, "paused", "unknown", OSTLER_RUN_DO_NOTHING });
    LIVE(OSTLER_RUN_ORPHANED,
         { OSTLER_RUN_QEMU_GONE, "shut off", "crashed", OSTLER_RUN_DO_FINISH });
}

static void texts_are_found_again(void)
{
    for (OstlerRunReason r = 0; r < OSTLER_RUN_N_REASONS; r++) {
        g_assert_cmpuint(ostler_run_reason_find(ostler_run_reason_text(r)), ==, r);
    }
    FOR_EACH_STATE(s)
    {
        const char *text = ostler_run_state_text(s);
        g_assert_cmpstr(ostler_run_state_text(ostler_run_state_find(text)), ==, text);
    }
    g_assert_cmpuint(ostler_run_state_find("sleeping"), ==, 0);
    g_assert_cmpuint(ostler_run_reason_find(NULL), ==, OSTLER_RUN_REASON_UNKNOWN);
}

static void qemus_events_are_told_apart_by_their_data(void)
{
    static const struct {
        OstlerRunQemuEvent said;
        int means; /* -1: nothing to us */
    } rows[] = {
        { { "SHUTDOWN", true, NULL }, OSTLER_RUN_QEMU_POWERED_OFF },
        { { "SHUTDOWN", false, NULL }, OSTLER_RUN_QEMU_QUITTING },
        { { "BLOCK_IO_ERROR", false, "stop" }, OSTLER_RUN_QEMU_IO_ERROR },
        { { "BLOCK_IO_ERROR", false, "report" }, -1 },
        { { "WATCHDOG", false, "pause" }, OSTLER_RUN_QEMU_WATCHDOG },
        { { "WATCHDOG", false, "reset" }, -1 },
        { { "STOP", false, NULL }, OSTLER_RUN_QEMU_STOPPED },
        { { "RTC_CHANGE", false, NULL }, -1 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        OstlerRunEvent event = 0;
        bool is_ours = ostler_run_event_of(&rows[i].said, &event);

        g_assert_cmpint(is_ours ? (int)event : -1, ==, rows[i].means);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/state/" #name, name)
    TEST(every_pair_is_listed);
    TEST(only_requests_are_refused_and_none_is_ignored);
    TEST(what_is_refused_changes_nothing);
    TEST(a_guest_can_be_destroyed_in_every_state_but_off);
    TEST(the_end_of_qemu_and_nothing_else_is_the_end);
    TEST(nothing_leaves_shut_off);
    TEST(an_ending_guest_only_ends);
    TEST(a_guest_boots_and_shuts_down_when_asked);
    TEST(a_reboot_asked_for_restarts_once_and_only_once);
    TEST(a_reboot_that_was_ignored_is_forgotten);
    TEST(a_disk_error_is_why_it_is_paused);
    TEST(a_guest_that_ignores_its_power_button_can_be_used_on);
    TEST(an_unannounced_end_is_a_crash_and_at_the_start_a_failure);
    TEST(a_kept_panic_can_be_reset);
    TEST(an_orphan_is_adopted_as_it_is_found);
    TEST(texts_are_found_again);
    TEST(qemus_events_are_told_apart_by_their_data);
    return g_test_run();
}
