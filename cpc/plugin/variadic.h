/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * variadic.h - a coroutine with "..." takes a pointer to its further arguments instead
 *
 * The caller, who alone knows what they are, writes them into a local of its own, as the
 * stack would have them; va_start() makes a va_list that has only such arguments left.
 * So they outlive a suspension, and any function may be given the va_list.
 */
#pragma once

#include "ir.h"

/* The type of a variadic function with a last parameter in place of "...". */
LLVMTypeRef cpc_variadic_fixed_type(const CpcIr *ir, LLVMTypeRef type);

/*
 * A function of that type that takes over @function's body, name and uses; @function is
 * gone then.
 */
LLVMValueRef cpc_variadic_fix(const CpcIr *ir, LLVMValueRef function);

/* Make @call, of a variadic coroutine, one of that type.  Returns the new call. */
LLVMValueRef cpc_variadic_pack(const CpcIr *ir, LLVMValueRef call);

/* Whether it is known what a va_list is on this processor. */
bool cpc_variadic_is_possible(LLVMModuleRef module);
