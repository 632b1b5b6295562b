/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - what a fuzz target defines
 *
 * Sources:    https://llvm.org/docs/LibFuzzer.html#fuzz-target
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Returns 0.  A broken promise aborts; whatever the input, nothing else is a failure. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
