/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/channel.h"

#include <cpc/glib.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/testing.h"

typedef struct {
    char *directory; /* the deepest; its top is what is removed */
    char *top;
    char *path;
    OstlerListener *listener;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->top = g_dir_make_tmp("ostler-channel-XXXXXX", NULL);
    f->directory = g_strdup(f->top);
    f->path = g_build_filename(f->top, "a.sock", NULL);
}

/* Over 300 bytes, with a last component that alone is longer than sun_path. */
static void set_up_deep(Fixture *f, gconstpointer unused)
{
    g_autofree char *step = g_strnfill(150, 'd');
    g_autofree char *name = g_strnfill(200, 's');

    f->top = g_dir_make_tmp("ostler-channel-XXXXXX", NULL);
    f->directory = g_build_filename(f->top, step, NULL);
    g_assert_cmpint(g_mkdir(f->directory, 0700), ==, 0);
    f->path = g_build_filename(f->directory, name, NULL);
    g_assert_cmpuint(strlen(f->path), >, 300);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    ostler_listener_free(f->listener);
    g_unlink(f->path);
    g_rmdir(f->directory);
    g_rmdir(f->top);
    g_free(f->path);
    g_free(f->directory);
    g_free(f->top);
}

static void coroutine_fn echo_once(void *opaque)
{
    Fixture *f = opaque;
    char buffer[64];
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerChannel) channel = ostler_listener_accept(f->listener, &error);

    g_assert_no_error(error);
    gssize n = ostler_channel_read(channel, buffer, sizeof(buffer), &error);
    g_assert_no_error(error);
    g_assert_true(ostler_channel_write(channel, buffer, (size_t)n, &error));
}

static void coroutine_fn talk_to_echo(void *opaque)
{
    Fixture *f = opaque;
    char buffer[64];
    g_autoptr(GError) error = NULL;

    f->listener = ostler_listener_new(f->path, &error);
    g_assert_no_error(error);
    cpc_spawn(echo_once, f);

    g_autoptr(OstlerChannel) channel = ostler_channel_connect(f->path, &error);
    g_assert_no_error(error);
    g_assert_true(ostler_channel_peer_is_self(channel));
    g_assert_true(ostler_channel_write(channel, "hello", 5, &error));
    g_assert_cmpint(ostler_channel_read(channel, buffer, sizeof(buffer), &error), ==,
                    5);
    g_assert_cmpint(memcmp(buffer, "hello", 5), ==, 0);
    g_assert_cmpint(ostler_channel_read(channel, buffer, sizeof(buffer), &error), ==,
                    0);
    g_assert_no_error(error);
}

static void what_is_written_comes_out(Fixture *f, gconstpointer unused)
{
    cpc_run(talk_to_echo, f);
}

static void a_listener_is_private_and_alone(Fixture *f, gconstpointer unused)
{
    struct stat made;

    f->listener = ostler_listener_new(f->path, NULL);
    g_assert_cmpint(stat(f->path, &made), ==, 0);
    g_assert_true(S_ISSOCK(made.st_mode));
    g_assert_cmpint(made.st_mode & 0777, ==, 0600);
    g_assert_cmpuint(ostler_test_count_entries(f->directory), ==, 1);
}

static void a_stale_socket_is_refused_then_replaced(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    ostler_listener_free(ostler_listener_new(f->path, NULL));
    g_assert_null(ostler_channel_connect(f->path, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
    g_clear_error(&error);

    f->listener = ostler_listener_new(f->path, &error);
    g_assert_no_error(error);
    g_autoptr(OstlerChannel) channel = ostler_channel_connect(f->path, &error);
    g_assert_no_error(error);
}

static void a_file_is_not_replaced_by_a_socket(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(f->path, "precious", -1, NULL));
    g_assert_null(ostler_listener_new(f->path, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_assert_true(g_file_test(f->path, G_FILE_TEST_IS_REGULAR));
}

static void nobody_there_is_not_found(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_channel_connect(f->path, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, f->path));
}

static void coroutine_fn expect_closed_accept(void *opaque)
{
    Fixture *f = opaque;
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_listener_accept(f->listener, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void coroutine_fn close_under_accept(void *opaque)
{
    Fixture *f = opaque;

    f->listener = ostler_listener_new(f->path, NULL);
    cpc_spawn(expect_closed_accept, f);
    ostler_listener_close(f->listener);
    cpc_sleep_ms(0);
}

static void closing_wakes_a_waiting_accept(Fixture *f, gconstpointer unused)
{
    cpc_run(close_under_accept, f);
}

/* QEMU inherits listeners; that the keeper lets go of its own must not matter. */
static void freeing_leaves_an_inherited_listener_listening(Fixture *f,
                                                           gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    OstlerListener *listener = ostler_listener_new(f->path, NULL);
    int inherited = dup(ostler_listener_fd(listener));

    ostler_listener_free(listener);
    g_autoptr(OstlerChannel) channel = ostler_channel_connect(f->path, &error);
    g_assert_no_error(error);
    close(inherited);
}

typedef struct {
    OstlerChannel *channel;
    CoEvent has_ended;
    bool is_writer;
} Waiter;

static void coroutine_fn wait_in_channel(void *opaque)
{
    Waiter *waiter = opaque;
    g_autofree char *bytes = g_malloc0(1 << 22);
    g_autoptr(GError) error = NULL;

    if (waiter->is_writer) {
        g_assert_false(ostler_channel_write(waiter->channel, bytes, 1 << 22, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
    } else {
        g_assert_cmpint(ostler_channel_read(waiter->channel, bytes, 1, &error), ==, 0);
        g_assert_no_error(error);
    }
    cpc_event_set(&waiter->has_ended);
}

static void coroutine_fn free_under_waiters(void *opaque)
{
    int peer = -1;
    OstlerChannel *channel = ostler_channel_pair(&peer, NULL);
    Waiter reader = { .channel = channel };
    Waiter writer = { .channel = channel, .is_writer = true };

    cpc_spawn(wait_in_channel, &reader);
    cpc_spawn(wait_in_channel, &writer);
    ostler_channel_free(channel);
    g_assert_true(cpc_event_wait(&reader.has_ended, 10000));
    g_assert_true(cpc_event_wait(&writer.has_ended, 10000));
    close(peer);
}

static void freeing_wakes_reader_and_writer(void)
{
    cpc_run(free_under_waiters, NULL);
}

static void coroutine_fn talk_to_the_dead(void *opaque)
{
    int peer = -1;
    char byte;
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerChannel) channel = ostler_channel_pair(&peer, NULL);

    /* It dies with bytes unread, which resets the connection. */
    g_assert_true(ostler_channel_write(channel, "unread", 6, NULL));
    close(peer);
    g_assert_cmpint(ostler_channel_read(channel, &byte, 1, &error), ==, 0);
    g_assert_no_error(error);
    g_assert_false(ostler_channel_write(channel, "x", 1, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

static void a_dead_peer_is_an_end_and_a_broken_pipe(void)
{
    cpc_run(talk_to_the_dead, NULL);
}

#define BULK (8u << 20)

static void coroutine_fn write_bulk(void *opaque)
{
    g_autofree char *bytes = g_malloc(BULK);

    for (size_t i = 0; i < BULK; i++) {
        bytes[i] = (char)(i * 31 >> 8);
    }
    g_assert_true(ostler_channel_write(opaque, bytes, BULK, NULL));
    ostler_channel_close(opaque);
}

static void coroutine_fn read_bulk(void *opaque)
{
    int peer = -1;
    g_autoptr(OstlerChannel) near = ostler_channel_pair(&peer, NULL);
    g_autoptr(OstlerChannel) far = ostler_channel_new_fd(peer);
    char buffer[5000];
    size_t at = 0;
    gssize n;

    cpc_spawn(write_bulk, far);
    while ((n = ostler_channel_read(near, buffer, sizeof(buffer), NULL)) > 0) {
        for (gssize i = 0; i < n; i++, at++) {
            g_assert_cmpint(buffer[i], ==, (char)(at * 31 >> 8));
        }
    }
    g_assert_cmpuint(at, ==, BULK);
}

static void more_than_the_socket_holds_arrives_in_order(void)
{
    cpc_run(read_bulk, NULL);
}

static void coroutine_fn chatter(void *opaque)
{
    char byte = 'x';

    while (ostler_channel_write(opaque, &byte, 1, NULL)) {
    }
}

static gboolean note_turn(gpointer data)
{
    (*(unsigned *)data)++;
    return G_SOURCE_CONTINUE;
}

/* Reader and writer always find something to do; a timer must have its turns as well. */
static void coroutine_fn listen_to_chatter(void *opaque)
{
    unsigned *turns = opaque;
    int peer = -1;
    g_autoptr(OstlerChannel) near = ostler_channel_pair(&peer, NULL);
    OstlerChannel *far = ostler_channel_new_fd(peer);
    char byte;

    cpc_spawn(chatter, far);
    for (int i = 0; i < 1000; i++) {
        g_assert_cmpint(ostler_channel_read(near, &byte, 1, NULL), ==, 1);
    }
    g_assert_cmpuint(*turns, >, 10);
    ostler_channel_free(far);
    cpc_sleep_ms(0);
}

static void a_chatty_peer_does_not_starve_the_loop(void)
{
    unsigned turns = 0;
    guint source = g_timeout_add(0, note_turn, &turns);

    cpc_run(listen_to_chatter, &turns);
    g_source_remove(source);
}

typedef struct {
    int fd;
    gulong wait_us;
} Talker;

static gpointer talk_after_a_while(gpointer opaque)
{
    const Talker *talker = opaque;

    for (unsigned i = 0; i < 10; i++) {
        g_usleep(talker->wait_us);
        g_assert_cmpint(write(talker->fd, &i, 1), ==, 1);
    }
    return NULL;
}

static void coroutine_fn expect_byte(OstlerChannel *channel, unsigned expected)
{
    char byte;

    g_assert_cmpint(ostler_channel_read(channel, &byte, 1, NULL), ==, 1);
    g_assert_cmpint(byte, ==, (char)expected);
}

/* Every byte comes, and after the first the loop has turned, or has not. */
static void coroutine_fn listen_with_patience(void *opaque)
{
    static const struct {
        gulong wait_us;
        bool is_slept;
    } cases[] = { { 100, false }, { 50000, true } };
    const unsigned *turns = opaque;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Talker talker = { .wait_us = cases[i].wait_us };
        g_autoptr(OstlerChannel) channel = ostler_channel_pair(&talker.fd, NULL);
        ostler_channel_set_patience(channel, cases[i].is_slept ? 1 : 500000);
        GThread *thread = g_thread_new("talker", talk_after_a_while, &talker);
        expect_byte(channel, 0);
        unsigned before = *turns;
        for (unsigned n = 1; n < 10; n++) {
            expect_byte(channel, n);
        }
        g_thread_join(thread);
        close(talker.fd);
        g_assert_cmpint(*turns > before, ==, cases[i].is_slept);
    }
}

static void patience_keeps_a_reader_out_of_the_loop(void)
{
    unsigned turns = 0;
    guint source = g_timeout_add(0, note_turn, &turns);

    cpc_run(listen_with_patience, &turns);
    g_source_remove(source);
}

static void coroutine_fn send_a_pipe(void *opaque)
{
    int peer = -1, pipe_fds[2];
    char byte = 0;
    int received = -1;
    char bytes[8];
    g_autoptr(OstlerChannel) channel = ostler_channel_pair(&peer, NULL);
    g_autoptr(OstlerChannel) far = ostler_channel_new_fd(peer);

    g_assert_cmpint(pipe2(pipe_fds, O_CLOEXEC), ==, 0);
    g_assert_true(ostler_channel_write_with_fd(channel, "getfd", 5, pipe_fds[1], NULL));
    g_assert_cmpint(
        ostler_channel_read_with_fd(far, bytes, sizeof(bytes), &received, NULL), ==, 5);
    g_assert_cmpint(write(received, "!", 1), ==, 1);
    g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 1);
    g_assert_cmpint(byte, ==, '!');
    close(received);
    close(pipe_fds[0]);
    g_assert_cmpint(close(pipe_fds[1]), ==, 0); /* still ours */

    g_assert_true(ostler_channel_write(channel, "plain", 5, NULL));
    g_assert_cmpint(
        ostler_channel_read_with_fd(far, bytes, sizeof(bytes), &received, NULL), ==, 5);
    g_assert_cmpint(received, ==, -1);
}

static void a_descriptor_travels_with_the_bytes(void)
{
    cpc_run(send_a_pipe, NULL);
}

static void what_is_no_place_is_refused(void)
{
    static const char *const wrong[] = {
        "",        "0",     "65536",   "x",        "127.0.0.1",     "127.0.0.1:",
        "host:80", "[::1]", "[::1:80", "1.2.3:80", "127.0.0.1:80x",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ostler_listener_new_tcp(wrong[i], &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

#define ADD(name, up, test) g_test_add(name, Fixture, NULL, up, test, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channel/what-is-no-place-is-refused",
                    what_is_no_place_is_refused);
    ADD("/channel/what-is-written-comes-out", set_up, what_is_written_comes_out);
    ADD("/channel/what-is-written-comes-out-at-a-300-byte-path", set_up_deep,
        what_is_written_comes_out);
    ADD("/channel/a-listener-is-private-and-alone", set_up,
        a_listener_is_private_and_alone);
    ADD("/channel/a-listener-is-private-and-alone-at-a-300-byte-path", set_up_deep,
        a_listener_is_private_and_alone);
    ADD("/channel/a-stale-socket-is-refused-then-replaced", set_up,
        a_stale_socket_is_refused_then_replaced);
    ADD("/channel/a-stale-socket-is-refused-then-replaced-at-a-300-byte-path",
        set_up_deep, a_stale_socket_is_refused_then_replaced);
    ADD("/channel/a-file-is-not-replaced-by-a-socket", set_up,
        a_file_is_not_replaced_by_a_socket);
    ADD("/channel/nobody-there-is-not-found", set_up, nobody_there_is_not_found);
    ADD("/channel/nobody-there-is-not-found-at-a-300-byte-path", set_up_deep,
        nobody_there_is_not_found);
    ADD("/channel/closing-wakes-a-waiting-accept", set_up,
        closing_wakes_a_waiting_accept);
    ADD("/channel/freeing-leaves-an-inherited-listener-listening", set_up,
        freeing_leaves_an_inherited_listener_listening);
    g_test_add_func("/channel/freeing-wakes-reader-and-writer",
                    freeing_wakes_reader_and_writer);
    g_test_add_func("/channel/a-dead-peer-is-an-end-and-a-broken-pipe",
                    a_dead_peer_is_an_end_and_a_broken_pipe);
    g_test_add_func("/channel/more-than-the-socket-holds-arrives-in-order",
                    more_than_the_socket_holds_arrives_in_order);
    g_test_add_func("/channel/a-chatty-peer-does-not-starve-the-loop",
                    a_chatty_peer_does_not_starve_the_loop);
    g_test_add_func("/channel/patience-keeps-a-reader-out-of-the-loop",
                    patience_keeps_a_reader_out_of_the_loop);
    g_test_add_func("/channel/a-descriptor-travels-with-the-bytes",
                    a_descriptor_travels_with_the_bytes);
    return g_test_run();
}
