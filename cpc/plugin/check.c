/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include "body.h"
#include "shim.h"

#include <stdio.h>
#include <string.h>

static bool returns_twice(LLVMValueRef instruction)
{
    static const char name[] = "returns_twice";
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMValueRef callee = cpc_called_function(instruction);

    return LLVMGetCallSiteEnumAttribute(instruction, LLVMAttributeFunctionIndex,
                                        kind) ||
           (callee &&
            LLVMGetEnumAttributeAtIndex(callee, LLVMAttributeFunctionIndex, kind));
}

static bool check_in_coroutine(LLVMValueRef instruction)
{
    const char *why = NULL;

    switch (LLVMGetInstructionOpcode(instruction)) {
    case LLVMIndirectBr:
        why = "computed goto in a coroutine_fn; use a switch";
        break;
    case LLVMCallBr:
        why = "asm goto in a coroutine_fn; move it into an ordinary function";
        break;
    case LLVMInvoke:
        why = "-fexceptions does not go with coroutine_fn; leave it out";
        break;
    case LLVMCall:
        if (returns_twice(instruction)) {
            why = "setjmp() in a coroutine_fn, whose C stack is gone when it goes on; "
                  "move it into an ordinary function";
        }
        break;
    default:
        break;
    }
    if (why) {
        cpc_shim_error(instruction, why);
    }
    return !why;
}

static bool check_in_ordinary(LLVMValueRef instruction)
{
    if (!cpc_is_marked_call(instruction)) {
        return true;
    }
    LLVMValueRef callee = cpc_called_function(instruction);
    size_t length;
    char why[512];

    snprintf(why, sizeof(why),
             "coroutine_fn %s%s%s called from an ordinary function; mark that one "
             "coroutine_fn too, or start a coroutine",
             callee ? "'" : "", callee ? LLVMGetValueName2(callee, &length) : "pointer",
             callee ? "'" : "");
    cpc_shim_error(instruction, why);
    return false;
}

typedef bool Check(LLVMValueRef instruction);

static bool check_all(LLVMValueRef function, Check *check)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
    bool is_fine = true;

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; at; at = LLVMGetNextInstruction(at)) {
            is_fine = check(at) && is_fine;
        }
    }
    return is_fine;
}

bool cpc_check_coroutine(LLVMValueRef function)
{
    return check_all(function, check_in_coroutine);
}

bool cpc_check_ordinary(LLVMValueRef function)
{
    return check_all(function, check_in_ordinary);
}
