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
