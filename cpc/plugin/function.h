/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * function.h - one function that takes the place of another, with another type
 */
#pragma once

#include "ir.h"

/* An empty function of @type with the linkage, section and attributes of @like. */
LLVMValueRef cpc_function_declare(const CpcIr *ir, LLVMValueRef like, LLVMTypeRef type,
                                  const char *name);

/*
 * @heir, whose parameters are @n_added and then those of @function, takes over what
 * @function does and who uses it; @function is gone then.
 */
void cpc_function_become(LLVMValueRef heir, LLVMValueRef function, unsigned n_added);
