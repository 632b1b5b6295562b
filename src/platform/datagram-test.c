/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int a, b;
} Pair;

static Pair pair_new(void)
{
    Pair pair;
    GError *error = NULL;

    g_assert_true(ostler_datagram_pair(&pair.a, &pair.b, &error));
    g_assert_no_error(error);
    return pair;
}

static void pair_close(Pair *pair)
{
    close(pair->a);
    close(pair->b);
}

static void messages_keep_their_ends(void)
{
    Pair pair = pair_new();
    char buffer[16];

    g_assert_cmpint(send(pair.a, "one", 3, 0), ==, 3);
    g_assert_cmpint(send(pair.a, "three", 5, 0), ==, 5);
    g_assert_cmpint(recv(pair.b, buffer, sizeof(buffer), 0), ==, 3);
    g_assert_cmpint(recv(pair.b, buffer, sizeof(buffer), 0), ==, 5);
    g_assert_cmpmem(buffer, 5, "three", 5);
    pair_close(&pair);
}

static void a_reader_that_stalls_never_holds_up_the_writer(void)
{
    Pair pair = pair_new();
    char frame[1514] = { 0 };

    for (unsigned i = 0; i < 10000; i++) { /* 15 MB, many times a socket's buffer */
        g_assert_cmpint(send(pair.a, frame, sizeof(frame), 0), ==, sizeof(frame));
    }
    pair_close(&pair);
}

static void a_stranger_is_not_heard(void)
{
    Pair pair = pair_new();
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int stranger = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char buffer[16];

    getsockname(pair.b, (struct sockaddr *)&address, &size);
    g_assert_cmpint(sendto(stranger, "forged", 6, 0, (struct sockaddr *)&address, size),
                    ==, 6);
    g_assert_cmpint(recv(pair.b, buffer, sizeof(buffer), 0), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
    g_assert_cmpint(send(pair.a, "true", 4, 0), ==, 4);
    g_assert_cmpint(recv(pair.b, buffer, sizeof(buffer), 0), ==, 4);
    close(stranger);
    pair_close(&pair);
}

static void only_wanted_messages_are_queued(void)
{
    static const OstlerDatagramRow rows[] = {
        { { { 0, 1, 'a' } } },
        { { { 0, 1, 'b' }, { 2, 2, 'x' << 8 | 'y' } } },
    };
    static const char *const sent[] = { "a", "b", "bcxz", "c", "bcxy", "abc" };
    static const char *const wanted[] = { "a", "bcxy", "abc" };
    g_autoptr(GError) error = NULL;
    Pair pair = pair_new();
    char buffer[16];

    ostler_datagram_want_only(pair.b, rows, G_N_ELEMENTS(rows), &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(sent); i++) {
        g_assert_cmpint(send(pair.a, sent[i], strlen(sent[i]), 0), >, 0);
    }
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        ssize_t size = recv(pair.b, buffer, sizeof buffer, 0);
        g_assert_cmpint(size, >=, 0);
        g_assert_cmpstr((buffer[size] = '\0', buffer), ==, wanted[i]);
    }
    g_assert_cmpint(recv(pair.b, buffer, sizeof buffer, 0), ==, -1);
    pair_close(&pair);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/datagram/" #name, name)
    TEST(messages_keep_their_ends);
    TEST(a_reader_that_stalls_never_holds_up_the_writer);
    TEST(a_stranger_is_not_heard);
    TEST(only_wanted_messages_are_queued);
    return g_test_run();
}
