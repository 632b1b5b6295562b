/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nearest.h - the word that somebody who mistyped one may have meant
 */
#pragma once

/* The word of the NULL-terminated @words nearest to @text, or NULL if none is near. */
const char *ostler_nearest(const char *text, const char *const *words);
