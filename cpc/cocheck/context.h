/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * context.h - where a block of a function can run: in a coroutine, outside, or both
 *
 * A function that asks, by a call of any function whose name ends in "in_coroutine",
 * knows it from there on: in both branches of an if, after an assertion, after a return.
 */
#pragma once

#include <llvm-c/Core.h>

enum {
    COCHECK_IN_COROUTINE = 1,
    COCHECK_ORDINARY = 2,
    COCHECK_BOTH = 3,
};

typedef struct CocheckContexts CocheckContexts;

CocheckContexts *cocheck_contexts_of(LLVMValueRef function);
void cocheck_contexts_free(CocheckContexts *contexts);

/* 0 if @block cannot be reached. */
unsigned cocheck_context_at(const CocheckContexts *contexts, LLVMBasicBlockRef block);

const char *cocheck_context_name(unsigned context);
