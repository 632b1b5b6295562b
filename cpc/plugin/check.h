/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check.h - what cannot be compiled is an error that says what to do about it
 */
#pragma once

#include "marks.h"

/* @function is marked.  Whether it can be compiled. */
bool cpc_check_coroutine(const CpcMarks *marks, LLVMValueRef function);
/* @function is a coroutine_variadic_fn: whether this processor's "..." is known. */
bool cpc_check_variadic(LLVMValueRef function);
/* @function is not marked: whether it calls no coroutine_fn. */
bool cpc_check_ordinary(const CpcMarks *marks, LLVMValueRef function);
