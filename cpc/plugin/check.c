/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include "pointer.h"
#include "shim.h"
#include "variadic.h"

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

/* A function that is called through a cast of its own address: "((Type *)f)()". */
static const char *find_lost_mark(LLVMValueRef call)
{
    LLVMValueRef callee = cpc_called_function(call);
    bool is_marked = callee && cpc_is_mark(LLVMGetFunctionCallConv(callee));

    if (!callee || is_marked == cpc_is_marked_call(call)) {
        return NULL;
    }
    return is_marked ? "a coroutine_fn is called through a cast that loses its mark; "
                       "call it as what it is"
                     : "an ordinary function is called through a cast that marks it "
                       "coroutine_fn; call it as what it is";
}

static bool check_in_coroutine(const CpcMarks *marks, LLVMValueRef instruction)
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
        } else {
            why = find_lost_mark(instruction);
        }
        break;
    case LLVMStore:
        if (cpc_pointer_loses_mark(marks, instruction)) {
            why = "a pointer to a coroutine_mixed_fn loses its mark here; declare what "
                  "it "
                  "is assigned to with coroutine_mixed_fn too";
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

static bool check_in_ordinary(const CpcMarks *marks, LLVMValueRef instruction)
{
    LLVMValueRef callee = cpc_called_function(instruction);
    const char *lost = find_lost_mark(instruction);

    if (lost) {
        cpc_shim_error(instruction, lost);
        return false;
    }
    if (!cpc_is_marked_call(instruction) &&
        !(callee && cpc_values_contain(&marks->variadic, callee))) {
        return true;
    }
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

typedef bool Check(const CpcMarks *marks, LLVMValueRef instruction);

static bool check_all(const CpcMarks *marks, LLVMValueRef function, Check *check)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
    bool is_fine = true;

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; at; at = LLVMGetNextInstruction(at)) {
            is_fine = check(marks, at) && is_fine;
        }
    }
    return is_fine;
}

bool cpc_check_coroutine(const CpcMarks *marks, LLVMValueRef function)
{
    return check_all(marks, function, check_in_coroutine);
}

bool cpc_check_ordinary(const CpcMarks *marks, LLVMValueRef function)
{
    return check_all(marks, function, check_in_ordinary);
}

bool cpc_check_variadic(LLVMValueRef function)
{
    const char *why = NULL;

    if (!cpc_variadic_is_possible(LLVMGetGlobalParent(function))) {
        why = "coroutine_variadic_fn is not known for this processor; take a va_list";
    } else if (cpc_is_address_taken(function)) {
        why = "the address of a coroutine_variadic_fn has no mark; point to a "
              "coroutine_fn that takes a va_list";
    } else if (!LLVMIsFunctionVarArg(LLVMGlobalGetValueType(function))) {
        why = "coroutine_variadic_fn without \"...\"; mark it coroutine_fn";
    }
    if (why) {
        cpc_shim_error(function, why);
    }
    return !why;
}
