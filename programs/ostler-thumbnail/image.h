/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h - an image to a small JPEG
 *
 * Reads JPEG, PNG, GIF, BMP and TIFF by gdk-pixbuf, whose decoders have been attacked
 * before: it is for a process that has nothing to lose.
 *
 * Units:      pixels.
 * Errors:     G_IO_ERROR_NOT_SUPPORTED for what is no image of these, or too large;
 *             GDK_PIXBUF_ERROR for a damaged one.
 */
#pragma once

#include <gio/gio.h>
#include <stdio.h>

/* A thumbnail is no wider and no higher: the size that EXIF's have (DCF 2.0). */
#define IMAGE_BOX 160

/* Load the decoders' modules, as long as files may be opened. */
void image_prepare(void);

/* The thumbnail of the image that @file goes on with (caller unrefs). */
GBytes *image_to_thumbnail(FILE *file, GError **error);
