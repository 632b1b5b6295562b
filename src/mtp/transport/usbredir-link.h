/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usbredir-link.h - the conversation with QEMU's usb-redir, on the device's side
 *
 * Reads packets from a byte stream, hands requests and transfers to the USB device, and
 * writes what it answers.  The stream is two functions, so that a socket, a test and
 * the fuzzer look the same.
 *
 * Sources:    usb-redirection-protocol.md 0.7; QEMU hw/usb/redirect.c for what it
 *             insists on: ep_info and interface_info before device_connect, an answer
 *             for each cancelled id, none for a reset.
 * Errors:     G_IO_ERROR_INVALID_DATA when the peer spoke nonsense; else the stream's.
 * Threads:    one main context.
 */
#pragma once

#include "mtp/usb-device.h"

#include <gio/gio.h>

typedef gssize coroutine_fn OstlerUsbredirRead(void *buffer, size_t size, void *opaque,
                                               GError **error);
typedef bool coroutine_fn OstlerUsbredirWrite(const void *buffer, size_t size,
                                              void *opaque, GError **error);

typedef struct {
    OstlerUsbredirRead *read;   /* what there is; 0 at the end, -1 on error */
    OstlerUsbredirWrite *write; /* all of it */
    void *opaque;
} OstlerUsbredirStream;

/*
 * Plug @device into the QEMU behind @stream and serve it until the stream ends.
 * Returns: true when the peer closed in good order.
 */
bool coroutine_fn ostler_usbredir_serve(OstlerUsbDevice *device,
                                        const OstlerUsbredirStream *stream,
                                        GError **error);
