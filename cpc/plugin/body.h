/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * body.h - one coroutine's body: from calls that wait to calls that may return early
 *
 * The function has its new type already (runtime/arena.h) but its body is still the
 * ordinary one, with the old kind of calls and returns.
 */
#pragma once

#include "ir.h"

/* The name by which body.c knows calls of the function that suspends; it has no body. */
#define CPC_SUSPEND "cpc.suspend"

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

/* What follows is for body.c, memory.c and split.c. */

typedef struct {
    const CpcIr *ir;
    LLVMValueRef function;
    LLVMTypeRef type;   /* of what it returned */
    LLVMValueRef arena; /* parameter */
    CpcCloneOf *clone_of;
    const void *opaque;
    LLVMBuilderRef builder;

    CpcValues calls; /* of coroutines */
    CpcValues returns;
    CpcValues locals;  /* that live in our memory when there is a frame */
    CpcValues dynamic; /* alloca(), variable-length arrays, and their scopes */
    unsigned long long alignment; /* of the locals, at least */
} CpcBody;

/* What a converted call returns: whether it waits, and its result unless that is void. */
LLVMTypeRef cpc_outcome_type(const CpcIr *ir, LLVMTypeRef type);
bool cpc_is_void(LLVMTypeRef type);

/* The call in its new form, where the builder is. */
LLVMValueRef cpc_build_call(const CpcBody *body, LLVMValueRef call);
/* Return @frame, and @result unless that is NULL. */
void cpc_build_outcome(const CpcBody *body, LLVMValueRef frame, LLVMValueRef result);

/* The first instruction that is no local variable of fixed size. */
LLVMValueRef cpc_first_after_locals(LLVMValueRef function);
