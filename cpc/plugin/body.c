/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Of a function that calls no coroutine only the returns change.  One that calls
 * coroutines as the last thing it does, and has no local that they could point to, hands
 * its caller's place on to them and is not cut either.  All others are: split.c.
 *
 * Arguments that are structs by value are copied first of all, since the caller's copy may
 * be on a stack that is gone when the function goes on.  LLVM's SROA then makes values of
 * all variables that never had an address, so that what is left are places; it is the only
 * optimisation that has been run when a function is cut, and none of the others gets the
 * chance to reason about suspensions as if they were calls.
 */
#include "body.h"

#include "attributes.h"
#include "marks.h"
#include "memory.h"
#include "shim.h"
#include "split.h"
#include "whole.h"

#include "../runtime/arena.h"
#include <stdlib.h>
#include <string.h>

/* --- calls and their types ---------------------------------------------------------- */

bool cpc_is_void(LLVMTypeRef type)
{
    return LLVMGetTypeKind(type) == LLVMVoidTypeKind;
}

LLVMTypeRef cpc_outcome_type(const CpcIr *ir, LLVMTypeRef type)
{
    LLVMTypeRef types[] = { ir->pointer, type };

    return cpc_is_void(type) ? ir->pointer
                             : LLVMStructTypeInContext(ir->context, types, 2, false);
}

LLVMTypeRef cpc_converted_type(const CpcIr *ir, LLVMTypeRef type)
{
    unsigned n = LLVMCountParamTypes(type);
    LLVMTypeRef *types = calloc(n + 1, sizeof(LLVMTypeRef));

    types[0] = ir->pointer;
    LLVMGetParamTypes(type, types + 1);
    LLVMTypeRef converted = LLVMFunctionType(
        cpc_outcome_type(ir, LLVMGetReturnType(type)), types, n + 1, false);
    free(types);
    return converted;
}

static LLVMValueRef clone_called(const CpcBody *body, LLVMValueRef instruction)
{
    LLVMValueRef callee = cpc_called_function(instruction);

    return callee ? body->clone_of(callee, body->opaque) : NULL;
}

static bool is_coroutine_call(const CpcBody *body, LLVMValueRef instruction)
{
    return cpc_is_marked_call(instruction) || clone_called(body, instruction);
}

/* What cpc_arena_suspend() does. */
static LLVMValueRef build_suspension(const CpcBody *body)
{
    const CpcIr *ir = body->ir;
    LLVMBuilderRef builder = body->builder;
    LLVMValueRef next =
        LLVMBuildLoad2(builder, ir->pointer,
                       cpc_build_word(ir, builder, body->arena, CPC_ARENA_NEXT), "");

    LLVMBuildStore(builder, next,
                   cpc_build_word(ir, builder, body->arena, CPC_ARENA_MARK));
    return body->arena;
}

LLVMValueRef cpc_build_call(const CpcBody *body, LLVMValueRef call)
{
    if (cpc_is_named(LLVMGetCalledValue(call), CPC_SUSPEND)) {
        return build_suspension(body);
    }
    LLVMValueRef clone = clone_called(body, call);
    LLVMTypeRef type = LLVMGetCalledFunctionType(call);
    unsigned n = LLVMGetNumArgOperands(call);
    LLVMValueRef *args = calloc(n + 1, sizeof(LLVMValueRef));

    args[0] = body->arena;
    for (unsigned i = 0; i < n; i++) {
        args[i + 1] = LLVMGetOperand(call, i);
    }
    LLVMValueRef built =
        LLVMBuildCall2(body->builder, cpc_converted_type(body->ir, type),
                       clone ? clone : LLVMGetCalledValue(call), args, n + 1, "");
    for (unsigned i = 1; i <= n; i++) {
        cpc_keep_argument_attributes(call, built, i, i + 1);
    }
    free(args);
    return built;
}

void cpc_build_outcome(const CpcBody *body, LLVMValueRef frame, LLVMValueRef result)
{
    LLVMTypeRef type = cpc_outcome_type(body->ir, body->type);
    LLVMValueRef outcome = frame;

    if (!cpc_is_void(body->type)) {
        outcome = LLVMBuildInsertValue(body->builder, LLVMGetUndef(type), frame, 0, "");
    }
    if (result) {
        outcome = LLVMBuildInsertValue(body->builder, outcome, result, 1, "");
    }
    LLVMBuildRet(body->builder, outcome);
}

/* --- before anything else ------------------------------------------------------------ */

static LLVMBasicBlockRef entry_of(const CpcBody *body)
{
    return LLVMGetEntryBasicBlock(body->function);
}

static LLVMTypeRef by_value_type(const CpcBody *body, unsigned parameter)
{
    unsigned kind = LLVMGetEnumAttributeKindForName("byval", strlen("byval"));
    LLVMAttributeRef attribute =
        LLVMGetEnumAttributeAtIndex(body->function, parameter + 1, kind);

    return attribute ? LLVMGetTypeAttributeValue(attribute) : NULL;
}

/* The caller no longer copies a struct by value, so the callee does. */
static void copy_parameter(CpcBody *body, unsigned index, LLVMTypeRef type)
{
    LLVMValueRef parameter = LLVMGetParam(body->function, index);
    LLVMValueRef first = LLVMGetFirstInstruction(entry_of(body));
    unsigned kind = LLVMGetEnumAttributeKindForName("byval", strlen("byval"));
    unsigned alignment = LLVMABIAlignmentOfType(body->ir->layout, type);

    LLVMPositionBuilderBefore(body->builder, first);
    LLVMValueRef copy = LLVMBuildAlloca(body->builder, type, "");
    while (LLVMIsAAllocaInst(first)) {
        first = LLVMGetNextInstruction(first);
    }
    LLVMReplaceAllUsesWith(parameter, copy);
    LLVMPositionBuilderBefore(body->builder, first);
    /* An argument on the stack need not be aligned as its type is: 1 is always true. */
    LLVMBuildMemCpy(body->builder, copy, alignment, parameter, 1,
                    cpc_size(body->ir, LLVMABISizeOfType(body->ir->layout, type)));
    LLVMRemoveEnumAttributeAtIndex(body->function, index + 1, kind);
}

static void copy_parameters(CpcBody *body)
{
    for (unsigned i = 0; i < LLVMCountParams(body->function); i++) {
        LLVMTypeRef type = by_value_type(body, i);
        if (type) {
            copy_parameter(body, i, type);
        }
    }
}

/* --- what is in there ---------------------------------------------------------------- */

static bool is_of_fixed_size(LLVMValueRef local)
{
    return LLVMIsAConstantInt(LLVMGetOperand(local, 0));
}

static void note_alloca(CpcBody *body, LLVMValueRef local)
{
    bool is_fixed =
        LLVMGetInstructionParent(local) == entry_of(body) && is_of_fixed_size(local);

    if (!is_fixed) {
        cpc_values_add(&body->dynamic, local);
        return;
    }
    body->alignment = cpc_max(body->alignment, LLVMGetAlignment(local));
    cpc_values_add(&body->locals, local);
}

static void note_instruction(CpcBody *body, LLVMValueRef instruction)
{
    if (LLVMIsAReturnInst(instruction)) {
        cpc_values_add(&body->returns, instruction);
    } else if (LLVMIsAAllocaInst(instruction)) {
        note_alloca(body, instruction);
    } else if (cpc_is_intrinsic(instruction, "llvm.stacksave") ||
               cpc_is_intrinsic(instruction, "llvm.stackrestore")) {
        cpc_values_add(&body->dynamic, instruction);
    } else if (is_coroutine_call(body, instruction)) {
        cpc_values_add(&body->calls, instruction);
    }
}

typedef void Visit(CpcBody *body, LLVMValueRef instruction);

/* @visit may erase the instruction that it is given. */
static void for_each_instruction(CpcBody *body, Visit *visit)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(body->function);

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef next;
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = next) {
            next = LLVMGetNextInstruction(at);
            visit(body, at);
        }
    }
}

/* Variables of fixed size come first of all. */
static void gather_locals(CpcBody *body)
{
    LLVMValueRef first = LLVMGetFirstInstruction(entry_of(body)), next;

    LLVMPositionBuilderBefore(body->builder, first);
    for (LLVMValueRef at = first; at; at = next) {
        next = LLVMGetNextInstruction(at);
        if (at != first && LLVMIsAAllocaInst(at) && is_of_fixed_size(at)) {
            LLVMInstructionRemoveFromParent(at);
            LLVMInsertIntoBuilder(body->builder, at);
        }
    }
}

LLVMValueRef cpc_first_after_locals(LLVMValueRef function)
{
    LLVMValueRef at = LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(function));

    while (LLVMIsAAllocaInst(at) && is_of_fixed_size(at)) {
        at = LLVMGetNextInstruction(at);
    }
    return at;
}

/* --- a function that never waits, or only as the last thing it does ------------------- */

static bool is_fixed_gep(LLVMValueRef value)
{
    if (!LLVMIsAGetElementPtrInst(value)) {
        return false;
    }
    for (int i = 1; i < LLVMGetNumOperands(value); i++) {
        if (!LLVMIsAConstantInt(LLVMGetOperand(value, (unsigned)i))) {
            return false;
        }
    }
    return true;
}

/* Whether @pointer is used for more than reading and writing at fixed places. */
static bool gets_out(LLVMValueRef pointer)
{
    for (LLVMUseRef use = LLVMGetFirstUse(pointer); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        bool is_stored = LLVMIsAStoreInst(user) && LLVMGetOperand(user, 0) == pointer;

        if (!(LLVMIsALoadInst(user) || (LLVMIsAStoreInst(user) && !is_stored) ||
              cpc_is_intrinsic(user, "llvm.memcpy.") ||
              cpc_is_intrinsic(user, "llvm.memset.") ||
              (is_fixed_gep(user) && !gets_out(user)))) {
            return true;
        }
    }
    return false;
}

static void finish_at(CpcBody *body, LLVMValueRef ret)
{
    cpc_position_before(body->builder, ret);
    cpc_build_outcome(body, LLVMConstNull(body->ir->pointer),
                      cpc_is_void(body->type) ? NULL : LLVMGetOperand(ret, 0));
    LLVMInstructionEraseFromParent(ret);
}

/* The return of what @call returns and nothing in between, or NULL. */
static LLVMValueRef return_after(const CpcBody *body, LLVMValueRef call)
{
    LLVMValueRef next = LLVMGetNextInstruction(call);

    if (!next || !LLVMIsAReturnInst(next)) {
        return NULL;
    }
    if (LLVMGetReturnType(LLVMGetCalledFunctionType(call)) != body->type) {
        return NULL;
    }
    return cpc_is_void(body->type) || LLVMGetOperand(next, 0) == call ? next : NULL;
}

static bool only_hands_on(const CpcBody *body)
{
    for (size_t i = 0; i < body->calls.n; i++) {
        if (!return_after(body, body->calls.items[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < body->locals.n; i++) {
        if (gets_out(body->locals.items[i])) {
            return false;
        }
    }
    return body->dynamic.n == 0;
}

static void hand_on(CpcBody *body, LLVMValueRef call)
{
    LLVMValueRef ret = return_after(body, call);

    cpc_position_before(body->builder, call);
    LLVMBuildRet(body->builder, cpc_build_call(body, call));
    LLVMInstructionEraseFromParent(ret);
    LLVMInstructionEraseFromParent(call);
}

static bool is_handed_on(const CpcBody *body, LLVMValueRef ret)
{
    for (size_t i = 0; i < body->calls.n; i++) {
        if (return_after(body, body->calls.items[i]) == ret) {
            return true;
        }
    }
    return false;
}

static void convert_without_frame(CpcBody *body)
{
    for (size_t i = 0; i < body->returns.n; i++) {
        if (!is_handed_on(body, body->returns.items[i])) {
            finish_at(body, body->returns.items[i]);
        }
    }
    for (size_t i = 0; i < body->calls.n; i++) {
        hand_on(body, body->calls.items[i]);
    }
}

/* --- one body ------------------------------------------------------------------------- */

/* Markers of a variable's scope are true of the C stack only. */
static void forget_scope(CpcBody *body, LLVMValueRef instruction)
{
    if (cpc_is_intrinsic(instruction, "llvm.lifetime.")) {
        LLVMInstructionEraseFromParent(instruction);
    }
}

static void convert_with_frame(CpcBody *body)
{
    CpcFrameLayout layout = cpc_frame_lay_out(body);

    if (cpc_whole_is_better(body, &layout)) {
        cpc_whole_convert(body, &layout);
    } else {
        cpc_split(body, &layout);
    }
    cpc_frame_layout_free(&layout);
}

void cpc_body_convert(const CpcIr *ir, LLVMValueRef function, LLVMTypeRef type,
                      CpcCloneOf *clone_of, const void *opaque)
{
    CpcBody body = {
        .ir = ir,
        .function = function,
        .type = type,
        .arena = LLVMGetParam(function, 0),
        .clone_of = clone_of,
        .opaque = opaque,
        .builder = LLVMCreateBuilderInContext(ir->context),
    };

    copy_parameters(&body);
    cpc_shim_drop_unreachable(function);
    cpc_shim_make_values(function);
    gather_locals(&body);
    for_each_instruction(&body, note_instruction);
    if (body.calls.n == 0 || only_hands_on(&body)) {
        convert_without_frame(&body);
    } else {
        for_each_instruction(&body, forget_scope);
        convert_with_frame(&body);
    }
    LLVMDisposeBuilder(body.builder);
    free(body.calls.items);
    free(body.returns.items);
    free(body.locals.items);
    free(body.dynamic.items);
}
