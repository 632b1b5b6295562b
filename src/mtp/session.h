/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * session.h - MTP sessions: requests in, data and responses out
 *
 * The middle of the responder.  responder.c hands it a request, moves the data phase
 * that follows, if one does, and fetches the response:
 *
 *     begin -> produce... -> end      data to the initiator
 *     begin -> consume... -> end      data from the initiator
 *     begin -> end                    no data
 *
 * A thumbnail takes time to make, and somebody else makes it: before any of these the
 * session may ask for one.
 *
 * It knows no transport and never waits, so the same code runs under every transport,
 * in the unit tests and under the fuzzer.  Files pass through it in pieces.
 *
 * Sources:    MTP 1.1 appendix D (operations), appendix F (responses); Android's
 *             and Microsoft's extensions where a row says so.
 * Ownership:  the session borrows store and identity, which must outlive it.
 * Errors:     what the initiator got wrong is a response code, never a GError: a
 *             hostile initiator must not be able to end the session.
 * Threads:    one main context.
 */
#pragma once

#include "mtp/container.h"
#include "mtp/properties.h"
#include "mtp/store.h"

typedef struct OstlerMtpSession OstlerMtpSession;

typedef enum {
    OSTLER_MTP_NO_DATA,
    OSTLER_MTP_DATA_TO_INITIATOR,
    OSTLER_MTP_DATA_FROM_INITIATOR,
    OSTLER_MTP_WANTS_THUMB, /* ostler_mtp_session_give_thumb() says how it goes on */
} OstlerMtpPhase;

OstlerMtpSession *ostler_mtp_session_new(OstlerMtpStore *store,
                                         const OstlerMtpDeviceIdentity *identity);
void ostler_mtp_session_free(OstlerMtpSession *session); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMtpSession, ostler_mtp_session_free)

/* Begin to carry out @request; one that was not ended is abandoned. */
OstlerMtpPhase ostler_mtp_session_begin(OstlerMtpSession *session,
                                        const OstlerMtpContainer *request);

/* Somebody makes thumbnails: from now on they are offered. */
void ostler_mtp_session_offer_thumbs(OstlerMtpSession *session);
/* The image that a thumbnail is wanted of (borrowed). */
const OstlerRootFile *ostler_mtp_session_image(const OstlerMtpSession *session);
/* Here it is (taken over), or NULL: there is none. */
OstlerMtpPhase ostler_mtp_session_give_thumb(OstlerMtpSession *session, GBytes *thumb);

/* How many bytes the data phase to the initiator has: all of them must be fetched. */
uint64_t ostler_mtp_session_size(const OstlerMtpSession *session);
/* Fill @buffer with the next @size bytes.  A file that has shrunk goes on as zeros,
 * because its size was promised, and the response tells. */
void ostler_mtp_session_produce(OstlerMtpSession *session, uint8_t *buffer,
                                size_t size);
/* Take the next @size bytes of the data phase from the initiator. */
void ostler_mtp_session_consume(OstlerMtpSession *session, const uint8_t *bytes,
                                size_t size);

/* Finish, and fill in the response; @is_whole is false if data is missing. */
void ostler_mtp_session_end(OstlerMtpSession *session, bool is_whole,
                            OstlerMtpContainer *out_response);
/* Give up the transaction, and a file that was announced: nothing of them remains, and
 * there is no response. */
void ostler_mtp_session_abandon(OstlerMtpSession *session);
/* The initiator is gone or has reset the device.  Handles stay as they are. */
void ostler_mtp_session_close(OstlerMtpSession *session);

/* The events that GetDeviceInfo promises are told only while a session is open. */
bool ostler_mtp_session_is_open(const OstlerMtpSession *session);
