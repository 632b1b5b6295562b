/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * accel.h - the tiny guest that shows whether an accelerator runs guests
 *
 * ostler_accel_choose() in machine.h is what others call; this is for it and its test.
 */
#pragma once

#include "guest/machines/machine.h"

/* Run the tiny guest of @arch under @accel; NULL if it ran, else why not (caller frees,
 * a clause: "a test guest stayed silent for 2 seconds"). */
char *coroutine_fn ostler_accel_try(const char *arch, const char *emulator,
                                    const char *accel);
