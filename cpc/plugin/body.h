/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * body.h - one coroutine's body: from calls that wait to calls that may return early
 *
 * The function has its new type already (runtime/arena.h) but its body is still the
 * ordinary one, with the old kind of calls and returns.
 */
#pragma once

#include "ir.h"

/* Whether @convention is that of a coroutine_fn. */
bool cpc_is_mark(unsigned convention);
/* Whether the instruction calls something with coroutine_fn's calling convention. */
bool cpc_is_marked_call(LLVMValueRef instruction);

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

/* Attributes of the old call or function that are true of the new one as well. */
bool cpc_is_kept_for_parameter(LLVMAttributeRef attribute);
bool cpc_is_kept_for_function(LLVMAttributeRef attribute);
