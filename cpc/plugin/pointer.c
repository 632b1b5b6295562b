/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pointer.h"

#include "attributes.h"
#include "list.h"
#include "shim.h"

#include <stdlib.h>

/* How many phis and selects a pointer is followed through: "a ? b : c", nested. */
#define MAX_DEPTH 8

/* clang notes a field's annotation at each use, and a local variable's once. */
static bool is_note(LLVMValueRef value, const char *intrinsic)
{
    return cpc_is_intrinsic(value, intrinsic) &&
           cpc_is_text(LLVMGetOperand(value, 1), "coroutine_mixed_fn");
}

static bool is_noted_local(LLVMValueRef local)
{
    for (LLVMUseRef use = LLVMGetFirstUse(local); use; use = LLVMGetNextUse(use)) {
        if (is_note(LLVMGetUser(use), "llvm.var.annotation")) {
            return true;
        }
    }
    return false;
}

/* What @place is an element or field of. */
static LLVMValueRef object_of(LLVMValueRef place)
{
    while (LLVMIsAGetElementPtrInst(place) ||
           (LLVMIsAConstantExpr(place) &&
            LLVMGetConstOpcode(place) == LLVMGetElementPtr)) {
        place = LLVMGetOperand(place, 0);
    }
    return place;
}

static bool is_marked_place(const CpcMarks *marks, LLVMValueRef place)
{
    LLVMValueRef object = object_of(place);

    return is_note(object, "llvm.ptr.annotation") ||
           (LLVMIsAAllocaInst(object) && is_noted_local(object)) ||
           cpc_values_contain(&marks->pointers, object);
}

static bool is_mixed(const CpcMarks *marks, LLVMValueRef value, unsigned depth)
{
    if (LLVMIsALoadInst(value)) {
        return is_marked_place(marks, LLVMGetOperand(value, 0));
    }
    if (depth == 0) {
        return false;
    }
    if (LLVMIsASelectInst(value)) {
        return is_mixed(marks, LLVMGetOperand(value, 1), depth - 1) ||
               is_mixed(marks, LLVMGetOperand(value, 2), depth - 1);
    }
    for (unsigned i = 0; LLVMIsAPHINode(value) && i < LLVMCountIncoming(value); i++) {
        if (is_mixed(marks, LLVMGetIncomingValue(value, i), depth - 1)) {
            return true;
        }
    }
    return false;
}

bool cpc_pointer_is_mixed(const CpcMarks *marks, LLVMValueRef value)
{
    return is_mixed(marks, value, MAX_DEPTH);
}

bool cpc_pointer_loses_mark(const CpcMarks *marks, LLVMValueRef instruction)
{
    return LLVMIsAStoreInst(instruction) &&
           cpc_pointer_is_mixed(marks, LLVMGetOperand(instruction, 0)) &&
           !is_marked_place(marks, LLVMGetOperand(instruction, 1));
}

static LLVMValueRef build_call_of_twin(const CpcIr *ir, LLVMBuilderRef builder,
                                       LLVMValueRef call, LLVMValueRef twin)
{
    unsigned n = LLVMGetNumArgOperands(call);
    LLVMValueRef *args = calloc(n + 1, sizeof(LLVMValueRef));

    for (unsigned i = 0; i < n; i++) {
        args[i] = LLVMGetOperand(call, i);
    }
    LLVMValueRef built =
        LLVMBuildCall2(builder, LLVMGetCalledFunctionType(call), twin, args, n, "");
    LLVMSetInstructionCallConv(built, cpc_mark_of(ir->module));
    for (unsigned i = 1; i <= n; i++) {
        cpc_keep_argument_attributes(call, built, i, i);
    }
    free(args);
    return built;
}

static void join(const CpcIr *ir, LLVMValueRef call, LLVMValueRef other,
                 LLVMBasicBlockRef then)
{
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);
    LLVMTypeRef type = LLVMTypeOf(call);

    if (LLVMGetTypeKind(type) != LLVMVoidTypeKind) {
        LLVMPositionBuilderBefore(builder, LLVMGetFirstInstruction(then));
        LLVMValueRef result = LLVMBuildPhi(builder, type, "");
        LLVMValueRef values[] = { call, other };
        LLVMBasicBlockRef from[] = { LLVMGetInstructionParent(call),
                                     LLVMGetInstructionParent(other) };
        LLVMReplaceAllUsesWith(call, result);
        LLVMAddIncoming(result, values, from, 2);
    }
    LLVMDisposeBuilder(builder);
}

/*     twin = cpc_twin_of(pointer);
 *     result = twin ? twin(...) : pointer(...);  */
static void convert_call(const CpcIr *ir, LLVMValueRef call)
{
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);
    LLVMBasicBlockRef ordinary = cpc_shim_split(call, "ordinary");
    LLVMBasicBlockRef then = cpc_shim_split(LLVMGetNextInstruction(call), "then");
    LLVMBasicBlockRef before = LLVMGetPreviousBasicBlock(ordinary);
    LLVMBasicBlockRef marked = cpc_insert_block(ir, ordinary, "twin");
    LLVMValueRef pointer = LLVMGetCalledValue(call);

    LLVMInstructionEraseFromParent(LLVMGetBasicBlockTerminator(before));
    LLVMPositionBuilderAtEnd(builder, before);
    LLVMSetCurrentDebugLocation2(builder, LLVMInstructionGetDebugLoc(call));
    LLVMValueRef twin =
        cpc_build_runtime(ir, builder, "cpc_twin_of", ir->pointer, &pointer, 1);
    LLVMBuildCondBr(builder, LLVMBuildIsNotNull(builder, twin, ""), marked, ordinary);
    LLVMPositionBuilderAtEnd(builder, marked);
    LLVMValueRef other = build_call_of_twin(ir, builder, call, twin);
    LLVMBuildBr(builder, then);
    join(ir, call, other, then);
    LLVMDisposeBuilder(builder);
}

static bool is_call_of_mixed(const CpcMarks *marks, LLVMValueRef instruction)
{
    return LLVMIsACallInst(instruction) && !cpc_is_marked_call(instruction) &&
           !LLVMIsFunctionVarArg(LLVMGetCalledFunctionType(instruction)) &&
           !LLVMIsAFunction(LLVMGetCalledValue(instruction)) &&
           (cpc_pointer_is_mixed(marks, LLVMGetCalledValue(instruction)) ||
            cpc_list_has_pointer(instruction));
}

void cpc_pointer_convert(const CpcIr *ir, const CpcMarks *marks, LLVMValueRef function)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
    CpcValues calls = { 0 };

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; at; at = LLVMGetNextInstruction(at)) {
            if (is_call_of_mixed(marks, at)) {
                cpc_values_add(&calls, at);
            }
        }
    }
    for (size_t i = 0; i < calls.n; i++) {
        convert_call(ir, calls.items[i]);
    }
    free(calls.items);
}

static void forget_mark(LLVMValueRef instruction)
{
    if (is_note(instruction, "llvm.ptr.annotation")) {
        LLVMReplaceAllUsesWith(instruction, LLVMGetOperand(instruction, 0));
        LLVMInstructionEraseFromParent(instruction);
    } else if (is_note(instruction, "llvm.var.annotation")) {
        LLVMInstructionEraseFromParent(instruction);
    }
}

void cpc_pointer_forget_marks(LLVMValueRef function)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef next;
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = next) {
            next = LLVMGetNextInstruction(at);
            forget_mark(at);
        }
    }
}
