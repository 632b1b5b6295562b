/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pointer.h - pointers to coroutine_mixed_fn, called inside of a coroutine
 *
 * Such a pointer is the address of the ordinary function, so that ordinary code need not
 * know of it.  A coroutine asks the runtime for the twin (runtime/twin.h) and calls that,
 * or the function itself if it has none.  The mark is on the variable or field that holds
 * the pointer.
 */
#pragma once

#include "marks.h"

/* Whether @value comes out of a variable or field that carries the mark. */
bool cpc_pointer_is_mixed(const CpcMarks *marks, LLVMValueRef value);

/* Whether the instruction puts such a pointer where there is no mark. */
bool cpc_pointer_loses_mark(const CpcMarks *marks, LLVMValueRef instruction);

/* Make calls through such pointers in @function, which runs in coroutines, find twins. */
void cpc_pointer_convert(const CpcIr *ir, const CpcMarks *marks, LLVMValueRef function);

/* Drop the marks from @function's code: they get in the way of LLVM, and of body.c. */
void cpc_pointer_forget_marks(LLVMValueRef function);
