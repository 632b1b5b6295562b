/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gadget.h - this machine as a USB device: one function of its device controller
 *
 * FunctionFS on Linux: a mounted folder with a file for each endpoint.  Whoever set up
 * the rest of the device (configfs) binds it to a controller after this was opened.
 *
 * Units:      bytes.
 * Ownership:  buffers are the caller's and must stay until the call returns.
 * Errors:     G_IO_ERROR; G_IO_ERROR_CANCELLED for a transfer that was cancelled, or
 *             that the host cut short by a reset or by being unplugged.
 * Threads:    one main context.  One transfer at a time on an endpoint.
 */
#pragma once

#include <cpc/coroutine.h>
#include <gio/gio.h>

#define OSTLER_GADGET_EVENT_SIZE 12

typedef struct OstlerGadget OstlerGadget;

/*
 * Open the FunctionFS that is mounted at @folder, with the descriptors and strings in the
 * form it wants (linux/usb/functionfs.h), and @n_endpoints endpoints besides 0.
 */
OstlerGadget *ostler_gadget_open(const char *folder, const GByteArray *descriptors,
                                 const GByteArray *strings, unsigned n_endpoints,
                                 GError **error);
/* Nobody may be waiting any more. */
void ostler_gadget_free(OstlerGadget *gadget); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerGadget, ostler_gadget_free)

/* Wait for what happens on endpoint 0: whole events, their size in all, 0 when
 * ostler_gadget_end() was called, or -1. */
gssize coroutine_fn ostler_gadget_events(OstlerGadget *gadget, void *buffer,
                                         size_t size, GError **error);

/* The stages of a control request that an event told of. */
bool ostler_gadget_answer(OstlerGadget *gadget, const void *data, size_t size);
gssize ostler_gadget_take(OstlerGadget *gadget, void *buffer, size_t size);
void ostler_gadget_stall(OstlerGadget *gadget, bool is_to_host);

/* One transfer of endpoint @endpoint, which is counted from 1.  A read ends with a short
 * packet or when @size bytes have come; a write of 0 bytes is an empty packet. */
gssize coroutine_fn ostler_gadget_read(OstlerGadget *gadget, unsigned endpoint,
                                       void *buffer, size_t size, GError **error);
bool coroutine_fn ostler_gadget_write(OstlerGadget *gadget, unsigned endpoint,
                                      const void *data, size_t size, GError **error);
/* Let go of what is under way. */
void ostler_gadget_cancel(OstlerGadget *gadget, unsigned endpoint);

/* How large the endpoint's packets are at the speed that the host chose; 0: no host. */
unsigned ostler_gadget_packet_size(OstlerGadget *gadget, unsigned endpoint);

/* End all waiting; transfers that start later are cancelled at once. */
void ostler_gadget_end(OstlerGadget *gadget);
