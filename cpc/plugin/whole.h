/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * whole.h - a function that waits in the middle: what is small for a large one
 */
#pragma once

#include "frame.h"

/* Whether @body is such a function; it is what split.h is for otherwise. */
bool cpc_whole_is_better(const CpcBody *body, const CpcFrameLayout *layout);

void cpc_whole_convert(CpcBody *body, const CpcFrameLayout *layout);
