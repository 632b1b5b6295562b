/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * body.h - one coroutine's body: from calls that wait to calls that may return early
 *
 * The function has its new type already (runtime/arena.h) but its body is still the
 * ordinary one, with the old kind of calls and returns.
 */
#pragma once

#include "ir.h"

/* The new type of a coroutine_fn of type @type. */
LLVMTypeRef cpc_converted_type(const CpcIr *ir, LLVMTypeRef type);

/*
 * For a coroutine_mixed_fn: what to call in its place inside of a coroutine.  NULL for
 * any other function.
 */
typedef LLVMValueRef CpcCloneOf(LLVMValueRef function, const void *opaque);

/* Compile @function, which returned a @type. */
void cpc_body_convert(const CpcIr *ir, LLVMValueRef function, LLVMTypeRef type,
                      CpcCloneOf *clone_of, const void *opaque);
