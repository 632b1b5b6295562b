/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * split.h - a function that waits in the middle: what is fast for a small one
 */
#pragma once

#include "frame.h"

void cpc_split(CpcBody *body, const CpcFrameLayout *layout);
