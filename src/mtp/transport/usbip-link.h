/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usbip-link.h - the USB device at a network's end: Linux's "usbip attach" as the host
 *
 * One connection, from the first request to its end.  Several may be served at once; the
 * list is given to all of them, the device to one.
 *
 * Sources:    as usbip.h; Linux, drivers/usb/usbip/vhci_rx.c for what the host insists
 *             on: no answer to what it has unlinked.
 * Errors:     G_IO_ERROR_INVALID_DATA when the peer spoke nonsense; else the stream's.
 * Threads:    one main context.
 */
#pragma once

#include "mtp/usb-device.h"

#include <gio/gio.h>

typedef gssize coroutine_fn OstlerUsbipRead(void *buffer, size_t size, void *opaque,
                                            GError **error);
typedef bool coroutine_fn OstlerUsbipWrite(const void *buffer, size_t size,
                                           void *opaque, GError **error);

typedef struct {
    OstlerUsbipRead *read;   /* what there is; 0 at the end, -1 on error */
    OstlerUsbipWrite *write; /* all of it */
    void *opaque;
} OstlerUsbipStream;

/*
 * Serve a client until it hangs up.
 * @out_was_imported: whether it had the device, which is unplugged now.
 * Returns: true when the peer closed in good order.
 */
bool coroutine_fn ostler_usbip_serve(OstlerUsbDevice *device,
                                     const OstlerUsbipStream *stream,
                                     bool *out_was_imported, GError **error);
