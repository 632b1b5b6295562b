/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * marks.h - who is what: the marks of cpc/include/cpc/coroutine.h, found in the IR
 *
 * A coroutine_fn is known by its calling convention, which is part of its type.  The other
 * marks are annotations: of a function, or of a variable that points to functions.
 */
#pragma once

#include "ir.h"

typedef struct {
    CpcValues marked;     /* coroutine_fn */
    CpcValues mixed;      /* coroutine_mixed_fn */
    CpcValues variadic;   /* coroutine_variadic_fn */
    CpcValues suspending; /* coroutine_suspend_fn */
    CpcValues pointers;   /* global variables that point to coroutine_mixed_fn */
} CpcMarks;

CpcMarks cpc_marks_of(LLVMModuleRef module);
void cpc_marks_free(CpcMarks *marks);

bool cpc_values_contain(const CpcValues *values, LLVMValueRef value);

/* Whether @convention is that of a coroutine_fn. */
bool cpc_is_mark(unsigned convention);
/* The convention of a coroutine_fn for @module's processor. */
unsigned cpc_mark_of(LLVMModuleRef module);
/* Whether the instruction calls something with coroutine_fn's calling convention. */
bool cpc_is_marked_call(LLVMValueRef instruction);

/* Whether @string is the constant @text. */
bool cpc_is_text(LLVMValueRef string, const char *text);

/* Whether the code needs @function's address: more than calls, and notes about it. */
bool cpc_is_address_taken(LLVMValueRef function);
