/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check.h - what cannot be compiled is an error that says what to do about it
 */
#pragma once

#include "ir.h"

/* @function is a coroutine_fn or coroutine_mixed_fn.  Whether it can be compiled. */
bool cpc_check_coroutine(LLVMValueRef function);
/* @function is neither: whether it calls no coroutine_fn. */
bool cpc_check_ordinary(LLVMValueRef function);
