/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attributes.h - which attributes of a function or call are true of its new form as well
 */
#pragma once

#include "ir.h"

/* Each copies what may be kept; the numbers are LLVM's attribute indices. */
void cpc_keep_function_attributes(LLVMValueRef from, LLVMValueRef to);
void cpc_keep_parameter_attributes(LLVMValueRef from, LLVMValueRef to, unsigned index,
                                   unsigned to_index);
void cpc_keep_argument_attributes(LLVMValueRef from, LLVMValueRef to, unsigned index,
                                  unsigned to_index);

/* As -Os does, unless @function is not to be optimised at all. */
void cpc_compile_for_size(const CpcIr *ir, LLVMValueRef function);
