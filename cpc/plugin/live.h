/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * live.h - which values a function still needs where it goes on
 */
#pragma once

#include "ir.h"

typedef struct {
    LLVMValueRef value;
    LLVMTypeRef type; /* its, who may be gone when that is asked for */
    bool *is_needed;  /* in each of the blocks */
} CpcLive;

typedef struct {
    CpcLive *items; /* only those that are needed in some of them */
    size_t n;
} CpcLives;

/*
 * What is computed before one of the @n @blocks is entered and used from there on.  Not
 * local variables of fixed size: those are places.
 */
CpcLives cpc_lives_find(LLVMValueRef function, const LLVMBasicBlockRef *blocks,
                        size_t n);
void cpc_lives_free(CpcLives *lives);

/*
 * Keep @value, of @function, in a variable: it is stored where it is computed and loaded
 * where it is used.  LLVM's SROA makes values of it again.
 */
LLVMValueRef cpc_lives_demote(const CpcIr *ir, LLVMValueRef function,
                              LLVMValueRef value);
