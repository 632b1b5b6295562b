/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * objects.h - what the section of each object, alone or in an archive, says
 *
 * Errors:     a file that is neither an object nor an archive; G_IO_ERROR for what the
 *             system refuses.  An object without the section is no error: assembler.
 */
#pragma once

#include <glib.h>

/* @rows are borrowed for the call. */
typedef void CocheckRows(const char *rows, void *opaque);

/* @path is an object, an archive, or the text alone (COCHECK_FILE in embed.cpp). */
gboolean cocheck_read_object(const char *path, CocheckRows *take, void *opaque,
                             GError **error);
