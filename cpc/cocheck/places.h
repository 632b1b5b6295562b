/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * places.h - what a call through a pointer calls, and where a function's address goes
 */
#pragma once

#include <llvm-c/Core.h>
#include <stdbool.h>

typedef struct {
    LLVMValueRef function; /* it is this one; or NULL: whatever is kept in ... */
    const char *text;      /* a PLACE of record.h */
    unsigned marks;        /* that the place is annotated with: COCHECK_MARK_* */
} CocheckPlace;

/* @visit each of what a call of @callee can call. */
void cocheck_find_callees(LLVMValueRef callee, LLVMTypeRef type,
                          void (*visit)(const CocheckPlace *place, void *opaque),
                          void *opaque);

/* Whether a place's text says no more than the type. */
bool cocheck_is_vague(const char *text);

/* Where operand @operand of @instruction, a function of @type, goes (caller frees). */
char *cocheck_place_of_use(LLVMValueRef instruction, unsigned operand,
                           LLVMTypeRef type);

/* @visit each function whose address @variable holds from the beginning. */
void cocheck_find_initial(LLVMValueRef variable,
                          void (*visit)(LLVMValueRef function, const char *place,
                                        void *opaque),
                          void *opaque);
