/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * responder.h - MTP transactions over the USB device's endpoints
 *
 * A coroutine that takes requests from the bulk endpoints, lets the session carry them
 * out, and moves their data; cancel and reset pull it out of whatever it waits for.
 *
 * Sources:    Still Image Capture Device class 1.0 chapters 5 and 7; MTP 1.1 4.6.
 * Ownership:  borrows device and session.
 * Threads:    one main context.
 */
#pragma once

#include "mtp/session.h"
#include "mtp/thumbnailer.h"
#include "mtp/usb-device.h"

typedef struct OstlerMtpResponder OstlerMtpResponder;

/* Becomes @device's function. */
OstlerMtpResponder *ostler_mtp_responder_new(OstlerUsbDevice *device,
                                             OstlerMtpSession *session);
/* Let thumbnails be made by @thumbnailer (borrowed, NULL: none). */
void ostler_mtp_responder_set_thumbnailer(OstlerMtpResponder *responder,
                                          OstlerMtpThumbnailer *thumbnailer);
void ostler_mtp_responder_free(OstlerMtpResponder *responder); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMtpResponder, ostler_mtp_responder_free)

/* Serve transactions until ostler_mtp_responder_stop(). */
void coroutine_fn ostler_mtp_responder_run(OstlerMtpResponder *responder);
/* Returns at once; ostler_mtp_responder_run() returns as soon as it is entered. */
void coroutine_mixed_fn ostler_mtp_responder_stop(OstlerMtpResponder *responder);

/* The host is unplugged: close the session, drop what was under way. */
void coroutine_mixed_fn ostler_mtp_responder_unplug(OstlerMtpResponder *responder);

/*
 * Send an event with one parameter (MTP 1.1 appendix G) as soon as may be; callable from
 * outside of coroutines.  Without an open session there is nobody to tell.
 */
void coroutine_mixed_fn ostler_mtp_responder_notify(OstlerMtpResponder *responder,
                                                    uint16_t event, uint32_t param);
