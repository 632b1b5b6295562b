/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * functionfs.h - the device as a real gadget: Linux's FunctionFS
 *
 * The kernel answers for the device and its configuration; what is ours is the interface:
 * its descriptors at three speeds, its string, its Microsoft OS descriptor, and the class
 * requests that come as events.
 *
 * Sources:    Linux, include/uapi/linux/usb/functionfs.h and
 *             Documentation/usb/functionfs.rst; USB 3.2 table 9-28.
 * Errors:     G_IO_ERROR.
 * Threads:    one main context.
 */
#pragma once

#include "mtp/usb-device.h"
#include "platform/gadget.h"

/* Endpoint 1 is bulk to the host, 2 from it, 3 has the events. */
#define OSTLER_FUNCTIONFS_ENDPOINTS 3

/* What ostler_gadget_open() wants. */
GByteArray *ostler_functionfs_descriptors(void);
GByteArray *ostler_functionfs_strings(void);

typedef enum { /* usb_functionfs_event_type */
               OSTLER_FUNCTIONFS_BIND,
               OSTLER_FUNCTIONFS_UNBIND,
               OSTLER_FUNCTIONFS_ENABLE,
               OSTLER_FUNCTIONFS_DISABLE,
               OSTLER_FUNCTIONFS_SETUP,
               OSTLER_FUNCTIONFS_SUSPEND,
               OSTLER_FUNCTIONFS_RESUME,
} OstlerFunctionfsEvent;

OstlerFunctionfsEvent ostler_functionfs_decode(
    const uint8_t bytes[OSTLER_GADGET_EVENT_SIZE], OstlerUsbSetup *out_setup);

/* Serve @gadget until ostler_functionfs_end(); false if that failed. */
typedef struct OstlerFunctionfs OstlerFunctionfs;

OstlerFunctionfs *ostler_functionfs_new(OstlerUsbDevice *device, OstlerGadget *gadget);
void ostler_functionfs_free(OstlerFunctionfs *link); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerFunctionfs, ostler_functionfs_free)
bool coroutine_fn ostler_functionfs_serve(OstlerFunctionfs *link, GError **error);
void ostler_functionfs_end(OstlerFunctionfs *link);
