/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * accel.h - the tiny guest that shows whether an accelerator runs guests
 *
 * ostler_accel_choose() in machine.h is what others call; this is for it and its test.
 */
#pragma once

#include "guest/machines/machine.h"

/* Run the tiny guest of @arch under @accel; NULL if it ran, else why not (caller frees,
 * a clause: "a test guest of 0.1 seconds took more than 2"). */
char *coroutine_fn ostler_accel_try(const char *arch, const char *emulator,
                                    const char *accel);
