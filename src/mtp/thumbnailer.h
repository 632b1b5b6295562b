/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * thumbnailer.h - thumbnails of images, made by another process
 *
 * A decoder of images is no code to run beside the shares.  The other process
 * (programs/ostler-thumbnail) is given a file's descriptor, with one byte, and answers
 * with the thumbnail's size, 32 bits, and its bytes; a size of 0 is no thumbnail.  What
 * it says is hostile, too: it may come from a decoder that was taken over.
 *
 * Units:      bytes.
 * Ownership:  a thumbnailer owns its channel.
 * Threads:    one main context; one thumbnail at a time.
 */
#pragma once

#include "platform/channel.h"
#include "platform/root.h"

/* No thumbnail is larger; one of 160 x 160 pixels takes 4 to 20 KiB. */
#define OSTLER_MTP_MAX_THUMBNAIL 65536u

typedef struct OstlerMtpThumbnailer OstlerMtpThumbnailer;

OstlerMtpThumbnailer *ostler_mtp_thumbnailer_new(OstlerChannel *channel);
void ostler_mtp_thumbnailer_free(OstlerMtpThumbnailer *thumbnailer); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMtpThumbnailer, ostler_mtp_thumbnailer_free)

/* Make ostler_mtp_thumbnailer_make() return NULL, now and later. */
void ostler_mtp_thumbnailer_close(OstlerMtpThumbnailer *thumbnailer);

/*
 * Wait for a JPEG of @file, which nobody has read from.  Returns NULL (caller unrefs) if
 * there is none, for whatever reason; a thumbnailer that broke its word is not asked
 * again.
 */
GBytes *coroutine_fn ostler_mtp_thumbnailer_make(OstlerMtpThumbnailer *thumbnailer,
                                                 const OstlerRootFile *file);

/* The pixels of the JPEG @bytes (ITU-T T.81 B.2.2), both 0 if it is none. */
void ostler_mtp_thumbnail_size(GBytes *bytes, uint32_t *out_width,
                               uint32_t *out_height);
