/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * An unconnected socket takes datagrams from anybody, and both must be bound before
 * either can be connected.  What came in between, from another user of the machine,
 * would stay queued and pass for the peer's: so each end is emptied after both are
 * connected, when nothing more can come in from outside and the peer has sent nothing.
 */
#include "platform/datagram.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

static int bind_one(struct sockaddr_in *out_address)
{
    socklen_t size = sizeof(*out_address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    *out_address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (fd >= 0 && (bind(fd, (struct sockaddr *)out_address, size) < 0 ||
                    getsockname(fd, (struct sockaddr *)out_address, &size) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool connect_to(int fd, const struct sockaddr_in *peer)
{
    return connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) == 0;
}

static void empty(int fd)
{
    char byte;

    while (recv(fd, &byte, sizeof(byte), MSG_TRUNC) >= 0) {
    }
}

bool ostler_datagram_pair(int *out_a, int *out_b, GError **error)
{
    struct sockaddr_in at_a, at_b;
    int a = bind_one(&at_a);
    int b = bind_one(&at_b);

    if (a < 0 || b < 0 || !connect_to(a, &at_b) || !connect_to(b, &at_a)) {
        ostler_posix_refuse(error, "Cannot make a pair of datagram sockets");
        if (a >= 0) {
            close(a);
        }
        if (b >= 0) {
            close(b);
        }
        return false;
    }
    empty(a);
    empty(b);
    *out_a = a;
    *out_b = b;
    return true;
}

/* What a filter on a UDP socket sees begins with the UDP header (net/ipv4/udp.c). */
#define UDP_HEADER 8

#define MAX_ROWS   32
#define ROW_LENGTH (2 * OSTLER_DATAGRAM_MAX_TESTS + 1)
#define KEEP_WHOLE 0xffffffffu
#define DROP       0u

static unsigned count_tests(const OstlerDatagramRow *row)
{
    unsigned n = 0;

    while (n < OSTLER_DATAGRAM_MAX_TESTS && row->tests[n].size) {
        n++;
    }
    return n;
}

/* A row: load and compare for each test, going on with the next row if it fails. */
static unsigned compile_row(const OstlerDatagramRow *row, struct sock_filter *code)
{
    unsigned n = count_tests(row);

    for (unsigned i = 0; i < n; i++) {
        const OstlerDatagramTest *test = &row->tests[i];
        unsigned short width = test->size == 1 ? BPF_B : BPF_H;
        unsigned char to_next_row = (unsigned char)(2 * (n - i - 1) + 1);
        code[2 * i] = (struct sock_filter)BPF_STMT(BPF_LD | width | BPF_ABS,
                                                   UDP_HEADER + test->offset);
        code[2 * i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                       test->value, 0, to_next_row);
    }
    code[2 * n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, KEEP_WHOLE);
    return 2 * n + 1;
}

bool ostler_datagram_want_only(int fd, const OstlerDatagramRow *rows, unsigned n_rows,
                               GError **error)
{
    struct sock_filter code[MAX_ROWS * ROW_LENGTH + 1];
    unsigned length = 0;

    g_return_val_if_fail(n_rows <= MAX_ROWS, false);
    for (unsigned i = 0; i < n_rows; i++) {
        length += compile_row(&rows[i], code + length);
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, DROP);

    const struct sock_fprog program = { .len = (unsigned short)length, .filter = code };
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) {
        return ostler_posix_refuse(error, "Cannot filter what a socket receives");
    }
    return true;
}
