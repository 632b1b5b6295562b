/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * datagram.h - messages from one process to another that never hold up the sender
 *
 * For frames that QEMU shows us (net filter-mirror): a stream whose reader stalls would
 * freeze QEMU's main loop, and a Unix datagram socket refuses when it is full.  UDP over
 * loopback drops instead.  Both ends are connected, so the kernel discards what anybody
 * else sends to them (udp(7)).
 *
 * Errors:     G_IO_ERROR.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* Two ends, close-on-exec and non-blocking; the caller closes both. */
bool ostler_datagram_pair(int *out_a, int *out_b, GError **error);

/* A field of @size bytes (1 or 2, most significant first) at @offset has @value. */
typedef struct {
    unsigned offset;
    unsigned size; /* 0: no test, and none after it */
    unsigned value;
} OstlerDatagramTest;

#define OSTLER_DATAGRAM_MAX_TESTS 4
/* A message is wanted if all tests of a row hold. */
typedef struct {
    OstlerDatagramTest tests[OSTLER_DATAGRAM_MAX_TESTS];
} OstlerDatagramRow;

/*
 * Have the system drop, before they take room in the queue, all messages to @fd that no
 * row wants.  A message that is too short for a test is not wanted by later rows either:
 * order the rows by the length that they need.  Holds for all holders of the socket, and
 * for ever.  At most 32 rows.
 */
bool ostler_datagram_want_only(int fd, const OstlerDatagramRow *rows, unsigned n_rows,
                               GError **error);
