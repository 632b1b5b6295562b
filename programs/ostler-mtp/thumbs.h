/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thumbs.h - the program that makes thumbnails, started while programs may be started
 */
#pragma once

#include "mtp/thumbnailer.h"

/* NULL when ostler-thumbnail is not there, or cannot be started: a guest sees no
 * thumbnails then (caller frees, and with it the program ends). */
OstlerMtpThumbnailer *thumbs_start(void);
