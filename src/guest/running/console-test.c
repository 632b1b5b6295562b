/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/console.h"

#include <cpc/glib.h>
#include <string.h>
#include <unistd.h>

/* The guest's end of the line, and a hub at the other. */
typedef struct {
    OstlerRunConsole *hub;
    OstlerChannel *guest;
} Line;

static void coroutine_fn line_open(Line *line)
{
    int fd;

    line->hub = ostler_run_console_new(NULL);
    line->guest = ostler_channel_pair(&fd, NULL);
    ostler_run_console_connect(line->hub, ostler_channel_new_fd(fd));
}

static void coroutine_fn line_close(Line *line)
{
    ostler_channel_free(line->guest);
    ostler_run_console_finish(line->hub, 1000);
    ostler_run_console_free(line->hub);
}

typedef struct {
    OstlerRunConsole *hub;
    OstlerChannel *channel;
    bool replay;
} Visit;

static void coroutine_fn serve(void *opaque)
{
    Visit *visit = opaque;

    ostler_run_console_serve(visit->hub, visit->channel, visit->replay);
    g_free(visit);
}

static OstlerChannel *coroutine_fn attach(Line *line, bool replay)
{
    int fd;
    OstlerChannel *client = ostler_channel_pair(&fd, NULL);
    Visit *visit = g_new(Visit, 1);

    *visit = (Visit){ line->hub, ostler_channel_new_fd(fd), replay };
    cpc_spawn(serve, visit);
    return client;
}

static void coroutine_fn reads(OstlerChannel *channel, const char *wanted)
{
    size_t size = strlen(wanted);
    g_autofree char *text = g_malloc0(size + 1);
    size_t got = 0;
    gssize n = 1;

    while (got < size && n > 0) {
        n = ostler_channel_read(channel, text + got, size - got, NULL);
        got += n > 0 ? (size_t)n : 0;
    }
    g_assert_cmpstr(text, ==, wanted);
}

static void coroutine_fn says(OstlerChannel *channel, const char *text)
{
    g_assert_true(ostler_channel_write(channel, text, strlen(text), NULL));
}

static void coroutine_fn share(void *unused)
{
    Line line;

    line_open(&line);
    says(line.guest, "boot\n");
    g_autoptr(OstlerChannel) first = attach(&line, false);
    cpc_sleep_ms(0); /* once around, so that the hub has read */
    g_autoptr(OstlerChannel) second = attach(&line, true);
    reads(second, "boot\n");
    says(line.guest, "login: ");
    reads(second, "login: ");
    says(second, "root\n");
    reads(line.guest, "root\n");
    line_close(&line);
}

static void clients_see_what_was_kept_and_type_to_the_guest(void)
{
    cpc_run(share, NULL);
}

static void coroutine_fn recall(void *unused)
{
    Line line;

    line_open(&line);
    ostler_run_console_recall(line.hub, "login: ", strlen("login: "));
    says(line.guest, "root\n");
    cpc_sleep_ms(0);
    g_autoptr(OstlerChannel) client = attach(&line, true);
    reads(client, "login: root\n");
    line_close(&line);
}

static void what_was_said_before_comes_first(void)
{
    cpc_run(recall, NULL);
}

static void coroutine_fn flood(void *unused)
{
    Line line;
    g_autofree char *piece = g_strnfill(4096, 'y');

    line_open(&line);
    g_autoptr(OstlerChannel) deaf = attach(&line, true);
    for (unsigned i = 0; i < 512; i++) { /* 2 MiB, past every buffer */
        says(line.guest, piece);
    }
    cpc_sleep_ms(10);
    g_autoptr(OstlerChannel) late = attach(&line, true);
    reads(late, piece); /* the hub lives, and keeps the newest */
    line_close(&line);
}

static void a_client_that_does_not_read_never_stops_the_guest(void)
{
    cpc_run(flood, NULL);
}

static void coroutine_fn hang_up(void *unused)
{
    char byte;
    Line line;

    line_open(&line);
    says(line.guest, "boot\n");
    cpc_sleep_ms(0);
    g_autoptr(OstlerChannel) client = attach(&line, true);
    says(client, "root\n");
    ostler_channel_end_writing(client);
    reads(line.guest, "root\n");
    reads(client, "boot\n");
    g_assert_cmpint(ostler_channel_read(client, &byte, 1, NULL), ==, 0);
    line_close(&line);
}

static void a_client_that_types_no_more_is_sent_what_there_is_and_let_go(void)
{
    cpc_run(hang_up, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/console/" #name, name)
    TEST(clients_see_what_was_kept_and_type_to_the_guest);
    TEST(what_was_said_before_comes_first);
    TEST(a_client_that_does_not_read_never_stops_the_guest);
    TEST(a_client_that_types_no_more_is_sent_what_there_is_and_let_go);
    return g_test_run();
}
