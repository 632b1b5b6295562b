/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "marks.h"

#include "list.h"

#include <stdlib.h>
#include <string.h>

/* LLVM-C's enum LLVMCallConv has no name for this one (llvm/IR/CallingConv.h). */
#define RISCV_VECTOR_CALL 110

bool cpc_is_mark(unsigned convention)
{
    return convention == LLVMSwiftCallConv || convention == RISCV_VECTOR_CALL;
}

unsigned cpc_mark_of(LLVMModuleRef module)
{
    bool is_riscv = strncmp(LLVMGetTarget(module), "riscv", strlen("riscv")) == 0;

    return is_riscv ? RISCV_VECTOR_CALL : LLVMSwiftCallConv;
}

bool cpc_is_marked_call(LLVMValueRef instruction)
{
    return (LLVMIsACallInst(instruction) || LLVMIsAInvokeInst(instruction)) &&
           cpc_is_mark(LLVMGetInstructionCallConv(instruction));
}

bool cpc_values_contain(const CpcValues *values, LLVMValueRef value)
{
    for (size_t i = 0; i < values->n; i++) {
        if (values->items[i] == value) {
            return true;
        }
    }
    return false;
}

bool cpc_is_text(LLVMValueRef string, const char *text)
{
    LLVMValueRef data =
        LLVMIsAGlobalVariable(string) ? LLVMGetInitializer(string) : NULL;
    size_t length;

    if (!data || !LLVMIsAConstantDataSequential(data) || !LLVMIsConstantString(data)) {
        return false;
    }
    const char *actual = LLVMGetAsString(data, &length);
    return length == strlen(text) + 1 && memcmp(actual, text, length) == 0;
}

static void add_once(CpcValues *values, LLVMValueRef value)
{
    if (!cpc_values_contain(values, value)) {
        cpc_values_add(values, value);
    }
}

static void note_annotation(CpcMarks *marks, LLVMValueRef what, LLVMValueRef words)
{
    if (cpc_is_text(words, "coroutine_mixed_fn")) {
        add_once(LLVMIsAFunction(what) ? &marks->mixed : &marks->pointers, what);
    } else if (cpc_is_text(words, "coroutine_variadic_fn") && LLVMIsAFunction(what)) {
        add_once(&marks->variadic, what);
    } else if (cpc_is_text(words, "coroutine_suspend_fn") && LLVMIsAFunction(what)) {
        add_once(&marks->suspending, what);
    }
}

/* Before LLVM 18 the marks of functions are assumptions too: see CPC_MARK(). */
static void note_assumptions(CpcMarks *marks, LLVMValueRef function)
{
    static const char name[] = "llvm.assume";
    LLVMAttributeRef attribute = LLVMGetStringAttributeAtIndex(
        function, (unsigned)LLVMAttributeFunctionIndex, name, (unsigned)strlen(name));
    unsigned length;
    const char *words =
        attribute ? LLVMGetStringAttributeValue(attribute, &length) : "";

    if (strstr(words, "coroutine_mixed_fn")) {
        add_once(&marks->mixed, function);
    } else if (strstr(words, "coroutine_variadic_fn")) {
        add_once(&marks->variadic, function);
    } else if (strstr(words, "coroutine_suspend_fn")) {
        add_once(&marks->suspending, function);
    }
}

/* The rows of llvm.global.annotations begin with what is annotated, and the words. */
static void find_annotated(CpcMarks *marks, LLVMModuleRef module)
{
    LLVMValueRef table = LLVMGetNamedGlobal(module, "llvm.global.annotations");
    LLVMValueRef rows = table ? LLVMGetInitializer(table) : NULL;

    for (int i = 0; rows && i < LLVMGetNumOperands(rows); i++) {
        LLVMValueRef row = LLVMGetOperand(rows, (unsigned)i);
        note_annotation(marks, LLVMGetOperand(row, 0), LLVMGetOperand(row, 1));
    }
}

static bool is_listed(const CpcMarks *marks, LLVMValueRef function)
{
    size_t length;

    return cpc_list_has(LLVMGetValueName2(function, &length)) &&
           !cpc_values_contain(&marks->mixed, function) &&
           !cpc_values_contain(&marks->variadic, function);
}

static void find_marked(CpcMarks *marks, LLVMModuleRef module)
{
    LLVMValueRef at = LLVMGetFirstFunction(module);

    for (; at; at = LLVMGetNextFunction(at)) {
        if (cpc_is_mark(LLVMGetFunctionCallConv(at))) {
            cpc_values_add(&marks->marked, at);
        } else if (is_listed(marks, at)) {
            cpc_values_add(&marks->mixed, at);
        }
        note_assumptions(marks, at);
    }
}

CpcMarks cpc_marks_of(LLVMModuleRef module)
{
    CpcMarks marks = { 0 };

    find_annotated(&marks, module);
    find_marked(&marks, module);
    return marks;
}

void cpc_marks_free(CpcMarks *marks)
{
    free(marks->marked.items);
    free(marks->mixed.items);
    free(marks->variadic.items);
    free(marks->suspending.items);
    free(marks->pointers.items);
}

static bool is_annotation_row(LLVMValueRef user)
{
    return LLVMIsAConstantStruct(user) && LLVMGetNumOperands(user) == 5 &&
           (cpc_is_text(LLVMGetOperand(user, 1), "coroutine_mixed_fn") ||
            cpc_is_text(LLVMGetOperand(user, 1), "coroutine_variadic_fn"));
}

static bool is_argument(LLVMValueRef call, LLVMValueRef function)
{
    for (unsigned i = 0; i < LLVMGetNumArgOperands(call); i++) {
        if (LLVMGetOperand(call, i) == function) {
            return true;
        }
    }
    return false;
}

bool cpc_is_address_taken(LLVMValueRef function)
{
    for (LLVMUseRef use = LLVMGetFirstUse(function); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        bool is_call = (LLVMIsACallInst(user) || LLVMIsAInvokeInst(user)) &&
                       LLVMGetCalledValue(user) == function &&
                       !is_argument(user, function);
        if (!is_call && !is_annotation_row(user)) {
            return true;
        }
    }
    return false;
}
