/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * split.c makes two functions of one, and writes values to the frame and reads them back at
 * each call.  That is the fastest, and half of it is code that most runs never see.  A large
 * function stays whole instead.  It takes its frame as it begins, in which all values that
 * are alive across a call have their place for good, and to go on is to call it again, with
 * an odd address of the arena:
 *
 *     f.cpc(arena, x)                            f.cpc.resume(frame, arena)
 *         frame = cpc.enter(arena, sizes)            arena->parent = frame
 *         if (arena is odd) -> go on                 return f.cpc(arena + 1)
 *         frame->x = x
 *         ...
 *         frame->where = 1
 *         outcome = g.cpc(arena, frame->x)
 *         if (outcome waits)
 *             return cpc_arena_wait(...)
 *     then 1:
 *         ...
 *         parent = cpc_arena_end(arena, frame)
 *         if (parent) parent->result = result
 *         return parent, result
 *     go on:
 *         switch (frame->where)
 *             where 1: goto then 1
 *
 * What it returns is the same for whom called it and for the loop that resumes: who begins
 * has no parent yet, so NULL says "finished" to the first, and a frame says "waits"; who
 * goes on returns its parent to the loop as who is next, or NULL as it waits again.
 */
#include "whole.h"

#include "attributes.h"
#include "memory.h"
#include "shim.h"

#include "../runtime/arena.h"
#include <stdlib.h>
#include <string.h>

/*
 * A small function is faster as two, a program smaller the lower this is: the text of
 * qemu-img is 28 % more than with stacks with 80, 24 % with 40, 22 % with 20.  With 20 the
 * bench's loop around a yield is whole too: 6 ns to enter it and come back, not 3.9.
 */
#define MIN_INSTRUCTIONS 24

typedef struct {
    CpcBody *body;
    const CpcFrameLayout *layout;
    LLVMValueRef tagged; /* the arena's address, odd in order to go on */
    LLVMValueRef frame;
    LLVMValueRef resume;
} Whole;

static size_t count_instructions(LLVMValueRef function)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
    size_t n = 0;

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; at; at = LLVMGetNextInstruction(at)) {
            n++;
        }
    }
    return n;
}

/*
 * The function that goes on jumps to the one that it is.  LLVM does so too when a result
 * is left on the x87 stack, where nobody takes it away.
 */
static bool is_returned_in_register(LLVMTypeRef type)
{
    LLVMTypeKind kind = LLVMGetTypeKind(type);

    return kind == LLVMVoidTypeKind || kind == LLVMIntegerTypeKind ||
           kind == LLVMPointerTypeKind;
}

bool cpc_whole_is_better(const CpcBody *body, const CpcFrameLayout *layout)
{
    return is_returned_in_register(body->type) && body->dynamic.n == 0 &&
           body->alignment <= CPC_ARENA_ALIGNMENT &&
           layout->locals_size + layout->size <= CPC_MAX_ENTERED &&
           count_instructions(body->function) >= MIN_INSTRUCTIONS;
}

static LLVMValueRef in_frame(const Whole *whole, unsigned long long offset)
{
    const CpcIr *ir = whole->body->ir;

    return cpc_build_offset(ir, whole->body->builder, whole->frame,
                            cpc_size(ir, offset));
}

/* --- the beginning ------------------------------------------------------------------------- */

/* The arena and its frame, before anything else.  Returns whether to go on. */
static LLVMValueRef build_entry(Whole *whole)
{
    CpcBody *body = whole->body;
    const CpcIr *ir = body->ir;
    LLVMBuilderRef builder = body->builder;
    LLVMTypeRef types[] = { ir->pointer, ir->size };
    LLVMValueRef args[] = { whole->tagged, LLVMConstInt(ir->size, -2ULL, true) };
    LLVMValueRef address = LLVMBuildPtrToInt(builder, whole->tagged, ir->size, "");

    body->arena = cpc_build_intrinsic(ir, builder, "llvm.ptrmask", types, 2, args, 2);
    whole->frame = cpc_memory_enter(ir, builder, whole->tagged,
                                    whole->layout->locals_size, whole->layout->size);
    return LLVMBuildTrunc(builder, address, ir->i1, "");
}

/* The alignment of a variable's type may be more than a frame's. */
static void lower_alignment(LLVMValueRef variable, unsigned alignment)
{
    LLVMUseRef use = LLVMGetFirstUse(variable);

    for (; use; use = LLVMGetNextUse(use)) {
        LLVMSetAlignment(LLVMGetUser(use), alignment);
    }
}

static void place_variable(const Whole *whole, LLVMValueRef variable, size_t i)
{
    LLVMTypeRef type = whole->layout->lives.items[i].type;

    lower_alignment(variable, cpc_frame_alignment(whole->body->ir, type));
    LLVMReplaceAllUsesWith(variable, in_frame(whole, whole->layout->offsets[i]));
    LLVMInstructionEraseFromParent(variable);
}

/* --- going on ------------------------------------------------------------------------------ */

/* Where the function goes on after @call. */
static LLVMBasicBlockRef build_going_on(const Whole *whole, LLVMValueRef call)
{
    LLVMBuilderRef builder = whole->body->builder;
    LLVMBasicBlockRef then = cpc_frame_block_after(call);
    LLVMBasicBlockRef block =
        cpc_append_block(whole->body->ir, whole->body->function, "resume");

    LLVMPositionBuilderAtEnd(builder, block);
    LLVMSetCurrentDebugLocation2(builder, LLVMInstructionGetDebugLoc(call));
    if (!cpc_is_void(LLVMTypeOf(call))) {
        LLVMValueRef result = LLVMBuildLoad2(
            builder, LLVMTypeOf(call),
            in_frame(whole, cpc_frame_result_offset(whole->body->ir)), "");
        LLVMSetAlignment(result, whole->body->ir->pointer_size);
        LLVMAddIncoming(LLVMGetFirstInstruction(then), &result, &block, 1);
    }
    LLVMBuildBr(builder, then);
    return block;
}

static void build_jumps(const Whole *whole, LLVMBasicBlockRef go_on)
{
    LLVMBuilderRef builder = whole->body->builder;
    const CpcValues *calls = &whole->body->calls;
    LLVMTypeRef type = whole->layout->where_type;
    LLVMBasicBlockRef last = build_going_on(whole, calls->items[calls->n - 1]);

    LLVMPositionBuilderAtEnd(builder, go_on);
    LLVMSetCurrentDebugLocation2(builder, NULL);
    if (calls->n == 1) {
        LLVMBuildBr(builder, last);
        return;
    }
    LLVMValueRef where =
        LLVMBuildLoad2(builder, type, in_frame(whole, whole->layout->where_offset), "");
    /* The last one is where all other numbers would lead; there are none. */
    LLVMValueRef jump = LLVMBuildSwitch(builder, where, last, (unsigned)calls->n - 1);
    for (size_t i = 0; i + 1 < calls->n; i++) {
        LLVMAddCase(jump, LLVMConstInt(type, i, false),
                    build_going_on(whole, calls->items[i]));
    }
}

static void build_begin(Whole *whole)
{
    CpcBody *body = whole->body;
    LLVMBuilderRef builder = body->builder;
    CpcValues variables = cpc_frame_demote(body, whole->layout);
    LLVMBasicBlockRef start = LLVMGetEntryBasicBlock(body->function);
    LLVMBasicBlockRef go_on = cpc_insert_block(body->ir, start, "go_on");

    LLVMPositionBuilderAtEnd(builder, cpc_insert_block(body->ir, go_on, "begin"));
    LLVMSetCurrentDebugLocation2(builder, NULL);
    LLVMValueRef is_going_on = build_entry(whole);
    cpc_memory_place_locals(body, in_frame(whole, -whole->layout->locals_size));
    for (size_t i = 0; i < variables.n; i++) {
        place_variable(whole, variables.items[i], i);
    }
    LLVMBuildCondBr(builder, is_going_on, go_on, start);
    build_jumps(whole, go_on);
    free(variables.items);
}

/* --- calls --------------------------------------------------------------------------------- */

/* Where all calls lead that have to wait: a phi of the callee's frame. */
static LLVMValueRef build_wait(const Whole *whole)
{
    const CpcBody *body = whole->body;
    const CpcIr *ir = body->ir;

    LLVMPositionBuilderAtEnd(body->builder,
                             cpc_append_block(ir, body->function, "wait"));
    LLVMSetCurrentDebugLocation2(body->builder,
                                 LLVMInstructionGetDebugLoc(body->calls.items[0]));
    LLVMValueRef callee = LLVMBuildPhi(body->builder, ir->pointer, "");
    LLVMValueRef args[] = { body->arena, callee, whole->frame, whole->resume };
    LLVMValueRef next =
        cpc_build_runtime(ir, body->builder, "cpc_arena_wait", ir->pointer, args, 4);
    cpc_build_outcome(body, next, NULL);
    return callee;
}

static void save_where(const Whole *whole, size_t i)
{
    if (whole->body->calls.n > 1) {
        LLVMBuildStore(whole->body->builder,
                       LLVMConstInt(whole->layout->where_type, i, false),
                       in_frame(whole, whole->layout->where_offset));
    }
}

static void convert_call(const Whole *whole, size_t i, LLVMValueRef waiting)
{
    const CpcBody *body = whole->body;
    LLVMBuilderRef builder = body->builder;
    LLVMValueRef call = body->calls.items[i];
    LLVMBasicBlockRef before = LLVMGetInstructionParent(call);
    LLVMBasicBlockRef then = cpc_frame_block_after(call);
    LLVMBasicBlockRef wait = LLVMGetInstructionParent(waiting);

    cpc_position_before(builder, call);
    save_where(whole, i);
    LLVMValueRef callee = cpc_build_call(body, call);
    if (!cpc_is_void(LLVMTypeOf(call))) {
        LLVMReplaceAllUsesWith(call, LLVMBuildExtractValue(builder, callee, 1, ""));
        callee = LLVMBuildExtractValue(builder, callee, 0, "");
    }
    LLVMInstructionEraseFromParent(LLVMGetBasicBlockTerminator(before));
    LLVMInstructionEraseFromParent(call);
    LLVMPositionBuilderAtEnd(builder, before);
    LLVMAddIncoming(waiting, &callee, &before, 1);
    if (callee == body->arena) {
        LLVMBuildBr(builder, wait);
    } else {
        LLVMBuildCondBr(builder, LLVMBuildIsNull(builder, callee, ""), then, wait);
    }
}

static void convert_calls(const Whole *whole)
{
    LLVMValueRef waiting = build_wait(whole);

    for (size_t i = 0; i < whole->body->calls.n; i++) {
        convert_call(whole, i, waiting);
    }
}

/* --- returns ------------------------------------------------------------------------------- */

static void store_result(const Whole *whole, LLVMValueRef parent, LLVMValueRef result,
                         LLVMBasicBlockRef then)
{
    const CpcBody *body = whole->body;
    LLVMBuilderRef builder = body->builder;
    LLVMBasicBlockRef store = cpc_append_block(body->ir, body->function, "give");

    LLVMBuildCondBr(builder, LLVMBuildIsNull(builder, parent, ""), then, store);
    LLVMPositionBuilderAtEnd(builder, store);
    LLVMValueRef stored = LLVMBuildStore(
        builder, result,
        cpc_build_offset(body->ir, builder, parent,
                         cpc_size(body->ir, cpc_frame_result_offset(body->ir))));
    LLVMSetAlignment(stored, body->ir->pointer_size);
    LLVMBuildBr(builder, then);
}

static void build_end(const Whole *whole, LLVMValueRef result)
{
    const CpcBody *body = whole->body;
    LLVMValueRef args[] = { body->arena, whole->frame };
    LLVMValueRef parent = cpc_build_runtime(body->ir, body->builder, "cpc_arena_end",
                                            body->ir->pointer, args, 2);

    if (result) {
        LLVMBasicBlockRef then = cpc_append_block(body->ir, body->function, "ended");
        store_result(whole, parent, result, then);
        LLVMPositionBuilderAtEnd(body->builder, then);
    }
    cpc_build_outcome(body, parent, result);
}

/* All returns become one. */
static void convert_returns(const Whole *whole)
{
    const CpcBody *body = whole->body;
    LLVMBuilderRef builder = body->builder;
    LLVMBasicBlockRef end = cpc_append_block(body->ir, body->function, "end");
    LLVMValueRef result = NULL;

    LLVMPositionBuilderAtEnd(builder, end);
    if (!cpc_is_void(body->type)) {
        result = LLVMBuildPhi(builder, body->type, "");
    }
    for (size_t i = 0; i < body->returns.n; i++) {
        LLVMValueRef ret = body->returns.items[i];
        LLVMBasicBlockRef block = LLVMGetInstructionParent(ret);
        if (result) {
            LLVMValueRef value = LLVMGetOperand(ret, 0);
            LLVMAddIncoming(result, &value, &block, 1);
        }
        cpc_position_before(builder, ret);
        LLVMBuildBr(builder, end);
        LLVMInstructionEraseFromParent(ret);
    }
    LLVMPositionBuilderAtEnd(builder, end);
    build_end(whole, result);
}

/* --- the function that goes on, which is the same ------------------------------------------- */

/* Never on the stack when somebody looks, since it jumps: no table how to unwind it. */
static void drop_unwind_table(LLVMValueRef resume)
{
    unsigned kind = LLVMGetEnumAttributeKindForName("uwtable", strlen("uwtable"));

    LLVMRemoveEnumAttributeAtIndex(resume, (unsigned)LLVMAttributeFunctionIndex, kind);
}

static void build_resume(const Whole *whole)
{
    const CpcBody *body = whole->body;
    const CpcIr *ir = body->ir;
    LLVMBuilderRef builder = body->builder;
    LLVMValueRef frame = LLVMGetParam(whole->resume, 0);
    LLVMValueRef arena = LLVMGetParam(whole->resume, 1);
    unsigned n = LLVMCountParams(body->function);
    LLVMValueRef *args = calloc(n, sizeof(*args));

    drop_unwind_table(whole->resume);
    LLVMPositionBuilderAtEnd(builder, cpc_append_block(ir, whole->resume, ""));
    LLVMSetCurrentDebugLocation2(builder, NULL);
    LLVMBuildStore(builder, frame,
                   cpc_build_word(ir, builder, arena, CPC_FRAME_PARENT));
    args[0] = cpc_build_offset(ir, builder, arena, cpc_size(ir, 1));
    for (unsigned i = 1; i < n; i++) {
        args[i] = LLVMGetUndef(LLVMTypeOf(LLVMGetParam(body->function, i)));
    }
    LLVMValueRef next = LLVMBuildCall2(builder, LLVMGlobalGetValueType(body->function),
                                       body->function, args, n, "");
    LLVMSetTailCall(next, true);
    LLVMBuildRet(builder, cpc_is_void(body->type)
                              ? next
                              : LLVMBuildExtractValue(builder, next, 0, ""));
    free(args);
}

void cpc_whole_convert(CpcBody *body, const CpcFrameLayout *layout)
{
    Whole whole = {
        .body = body,
        .layout = layout,
        .tagged = body->arena,
        .resume = cpc_frame_declare_resume(body, layout),
    };

    build_begin(&whole);
    convert_returns(&whole);
    convert_calls(&whole);
    build_resume(&whole);
    cpc_compile_for_size(body->ir, body->function);
    cpc_shim_drop_unreachable(body->function);
}
