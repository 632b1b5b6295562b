/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A function that waits in the middle becomes two.  The first begins as the function did,
 * runs on the C stack, and as long as no callee has to wait costs little more than it did.
 * When one has to, it writes the values that are still needed into a frame and returns it.
 * The second is a copy of the function whose beginning is replaced by jumps to where each
 * call had been made, after those values have been read back from the frame:
 *
 *     f.cpc(arena, x)                        f.cpc.resume(frame, arena)
 *         ...                                    switch (frame->where)
 *         outcome = g.cpc(arena, x)              where 1: x = frame->x
 *         if (outcome waits) -> wait 1                    goto then 1
 *     then 1:                                ...
 *         ...                                    outcome = g.cpc(arena, x)
 *         return finished, result                if (outcome waits) -> wait 1
 *     wait 1:                                then 1:
 *         frame = cpc.frame(...)                 ...
 *         frame->x = x                           frame->parent->result = result
 *         return frame                           give the memory back
 *                                                return frame->parent
 *
 * Neither is more than ordinary code to LLVM.  A value that is alive across a suspension
 * is moved into a variable before the function is copied; LLVM makes values of these
 * variables again in both copies.  Places, which are locals that have an address, are in
 * memory of our own from the beginning, and the frame behind them; both are found by one
 * pointer, of which LLVM knows nothing that it could assume.
 *
 * Within one call of either function the thread does not change: there is nothing to be
 * done about thread-local variables, since no optimisation has been run yet that could
 * have moved an address over a suspension.
 */
#include "split.h"

#include "memory.h"
#include "shim.h"

#include "../runtime/arena.h"
#include <stdlib.h>

/* One of the two functions. */
typedef struct {
    CpcBody body;
    CpcValues variables; /* of the values that are kept in the frame */
    LLVMValueRef base;   /* of our memory, if there is any from the beginning */
    LLVMValueRef start;  /* of it before it was aligned; in the first function */
    LLVMValueRef frame;  /* in the second one */
} Half;

typedef struct {
    const CpcIr *ir;
    CpcFrameLayout frame;
    bool has_memory; /* from the beginning: locals, alloca() */
    LLVMValueRef resume;
} Split;

static LLVMValueRef in_frame(const Half *half, LLVMValueRef frame,
                             unsigned long long offset)
{
    const CpcIr *ir = half->body.ir;

    return cpc_build_offset(ir, half->body.builder, frame, cpc_size(ir, offset));
}

static void move_value(const Split *split, const Half *half, LLVMValueRef frame,
                       size_t i, bool is_saved)
{
    LLVMBuilderRef builder = half->body.builder;
    LLVMTypeRef type = split->frame.lives.items[i].type;
    LLVMValueRef variable = half->variables.items[i];
    LLVMValueRef place = in_frame(half, frame, split->frame.offsets[i]);
    LLVMValueRef value = LLVMBuildLoad2(builder, type, is_saved ? variable : place, "");
    LLVMValueRef store = LLVMBuildStore(builder, value, is_saved ? place : variable);

    LLVMSetAlignment(is_saved ? store : value, cpc_frame_alignment(split->ir, type));
}

/* Save to the frame, or read from there, what is needed after call @call. */
static void move_values(const Split *split, const Half *half, LLVMValueRef frame,
                        size_t call, bool is_saved)
{
    for (size_t i = 0; i < split->frame.lives.n; i++) {
        if (split->frame.lives.items[i].is_needed[call]) {
            move_value(split, half, frame, i, is_saved);
        }
    }
}

static void save_where(const Split *split, const Half *half, LLVMValueRef frame,
                       size_t call)
{
    if (half->body.calls.n > 1) {
        LLVMBuildStore(half->body.builder,
                       LLVMConstInt(split->frame.where_type, call, false),
                       in_frame(half, frame, split->frame.where_offset));
    }
}

static void store_word(const Half *half, LLVMValueRef value, LLVMValueRef frame,
                       unsigned word)
{
    LLVMBuildStore(half->body.builder, value,
                   cpc_build_word(half->body.ir, half->body.builder, frame, word));
}

static LLVMValueRef load_word(const Half *half, LLVMValueRef frame, unsigned word)
{
    return LLVMBuildLoad2(
        half->body.builder, half->body.ir->pointer,
        cpc_build_word(half->body.ir, half->body.builder, frame, word), "");
}

/* --- what both do with a call ------------------------------------------------------------ */

/* Converts @call; the builder is then where it has to wait.  Returns the callee's frame. */
static LLVMValueRef convert_call(const Half *half, LLVMValueRef call)
{
    const CpcBody *body = &half->body;
    LLVMBuilderRef builder = body->builder;
    LLVMBasicBlockRef before = LLVMGetInstructionParent(call),
                      then = cpc_frame_block_after(call);
    LLVMBasicBlockRef wait = cpc_append_block(body->ir, body->function, "wait");
    bool is_void = cpc_is_void(LLVMTypeOf(call));

    cpc_position_before(builder, call);
    LLVMValueRef outcome = cpc_build_call(body, call);
    LLVMValueRef frame =
        is_void ? outcome : LLVMBuildExtractValue(builder, outcome, 0, "");
    if (!is_void) {
        LLVMReplaceAllUsesWith(call, LLVMBuildExtractValue(builder, outcome, 1, ""));
    }
    LLVMInstructionEraseFromParent(LLVMGetBasicBlockTerminator(before));
    LLVMInstructionEraseFromParent(call);
    LLVMPositionBuilderAtEnd(builder, before);
    LLVMBuildCondBr(builder, LLVMBuildIsNull(builder, frame, ""), then, wait);
    LLVMPositionBuilderAtEnd(builder, wait);
    return frame;
}

/* --- the first function ------------------------------------------------------------------ */

/* Memory for the locals, and the frame behind them, which may be needed. */
static void build_memory(const Split *split, Half *half)
{
    LLVMBuilderRef builder = half->body.builder;
    LLVMBasicBlockRef rest =
        cpc_shim_split(cpc_first_after_locals(half->body.function), "rest");
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(half->body.function);

    LLVMInstructionEraseFromParent(LLVMGetBasicBlockTerminator(entry));
    LLVMPositionBuilderAtEnd(builder, entry);
    LLVMSetCurrentDebugLocation2(builder, NULL);
    CpcTaken taken =
        cpc_memory_take(&half->body, split->frame.locals_size + split->frame.size);
    half->start = taken.start;
    half->base = taken.base;
    cpc_memory_place_locals(&half->body, half->base);
    LLVMBuildBr(builder, rest);
}

static LLVMValueRef build_frame(const Split *split, const Half *half,
                                LLVMValueRef callee)
{
    const CpcIr *ir = split->ir;
    LLVMBuilderRef builder = half->body.builder;

    if (!split->has_memory) {
        LLVMTypeRef type;
        LLVMValueRef maker = cpc_memory_frame_maker(ir, &type);
        LLVMValueRef args[] = { half->body.arena, callee,
                                cpc_size(ir, split->frame.size), split->resume };
        return LLVMBuildCall2(builder, type, maker, args, 4, "");
    }
    LLVMValueRef frame = in_frame(half, half->base, split->frame.locals_size);
    store_word(half, split->resume, frame, CPC_FRAME_RESUME);
    store_word(half, LLVMConstNull(ir->pointer), frame, CPC_FRAME_MARK);
    store_word(half, half->start, half->body.arena, CPC_ARENA_MARK);
    store_word(half, frame, callee, CPC_FRAME_PARENT);
    return frame;
}

static void convert_first_call(const Split *split, Half *half, size_t i)
{
    LLVMValueRef callee = convert_call(half, half->body.calls.items[i]);
    LLVMValueRef frame = build_frame(split, half, callee);

    save_where(split, half, frame, i);
    move_values(split, half, frame, i, true);
    cpc_build_outcome(&half->body, frame, NULL);
}

static void convert_first_return(const Split *split, Half *half, LLVMValueRef ret)
{
    LLVMValueRef result = cpc_is_void(half->body.type) ? NULL : LLVMGetOperand(ret, 0);
    LLVMBasicBlockRef block = LLVMGetInstructionParent(ret);

    cpc_position_before(half->body.builder, ret);
    LLVMInstructionEraseFromParent(ret);
    LLVMPositionBuilderAtEnd(half->body.builder, block);
    if (split->has_memory) {
        cpc_memory_drop(&half->body, half->start);
    }
    cpc_build_outcome(&half->body, LLVMConstNull(split->ir->pointer), result);
}

static void convert_dynamic(Half *half)
{
    for (size_t i = 0; i < half->body.dynamic.n; i++) {
        cpc_memory_convert_dynamic(&half->body, half->body.dynamic.items[i],
                                   half->frame != NULL);
    }
}

static void convert_first(const Split *split, Half *half)
{
    if (split->has_memory) {
        build_memory(split, half);
    }
    convert_dynamic(half);
    for (size_t i = 0; i < half->body.returns.n; i++) {
        convert_first_return(split, half, half->body.returns.items[i]);
    }
    for (size_t i = 0; i < half->body.calls.n; i++) {
        convert_first_call(split, half, i);
    }
}

/* --- the second function ----------------------------------------------------------------- */

static void convert_second_call(const Split *split, Half *half, size_t i)
{
    LLVMValueRef callee = convert_call(half, half->body.calls.items[i]);

    store_word(half, half->frame, callee, CPC_FRAME_PARENT);
    if (callee != half->body.arena) {
        store_word(half, load_word(half, half->body.arena, CPC_ARENA_MARK), callee,
                   CPC_FRAME_MARK);
    }
    save_where(split, half, half->frame, i);
    move_values(split, half, half->frame, i, true);
    LLVMBuildRet(half->body.builder, LLVMConstNull(split->ir->pointer));
}

static void convert_second_return(const Split *split, Half *half, LLVMValueRef ret)
{
    LLVMBuilderRef builder = half->body.builder;
    LLVMValueRef result = cpc_is_void(half->body.type) ? NULL : LLVMGetOperand(ret, 0);
    LLVMBasicBlockRef block = LLVMGetInstructionParent(ret);

    cpc_position_before(builder, ret);
    LLVMInstructionEraseFromParent(ret);
    LLVMPositionBuilderAtEnd(builder, block);
    LLVMValueRef parent = load_word(half, half->frame, CPC_FRAME_PARENT);
    LLVMValueRef mark = load_word(half, half->frame, CPC_FRAME_MARK);
    if (result) {
        LLVMValueRef store =
            LLVMBuildStore(builder, result,
                           in_frame(half, parent, cpc_frame_result_offset(split->ir)));
        LLVMSetAlignment(store, split->ir->pointer_size);
    }
    cpc_memory_drop_to(&half->body, mark);
    LLVMBuildRet(builder, parent);
}

/* Where the function goes on after call @i. */
static LLVMBasicBlockRef build_going_on(const Split *split, const Half *half, size_t i,
                                        LLVMBasicBlockRef entry)
{
    LLVMBuilderRef builder = half->body.builder;
    LLVMValueRef call = half->body.calls.items[i];
    LLVMBasicBlockRef then = cpc_frame_block_after(call);
    LLVMBasicBlockRef block = cpc_insert_block(split->ir, entry, "resume");

    LLVMPositionBuilderAtEnd(builder, block);
    LLVMSetCurrentDebugLocation2(builder, LLVMInstructionGetDebugLoc(call));
    move_values(split, half, half->frame, i, false);
    if (!cpc_is_void(LLVMTypeOf(call))) {
        LLVMValueRef result = LLVMBuildLoad2(
            builder, LLVMTypeOf(call),
            in_frame(half, half->frame, cpc_frame_result_offset(split->ir)), "");
        LLVMSetAlignment(result, split->ir->pointer_size);
        LLVMAddIncoming(LLVMGetFirstInstruction(then), &result, &block, 1);
    }
    LLVMBuildBr(builder, then);
    return block;
}

static void build_jumps(const Split *split, const Half *half, LLVMBasicBlockRef begin,
                        LLVMBasicBlockRef entry)
{
    LLVMBuilderRef builder = half->body.builder;
    unsigned n = (unsigned)half->body.calls.n;
    LLVMBasicBlockRef *blocks = calloc(n, sizeof(*blocks));

    for (unsigned i = 0; i < n; i++) {
        blocks[i] = build_going_on(split, half, i, entry);
    }
    LLVMPositionBuilderAtEnd(builder, begin);
    LLVMSetCurrentDebugLocation2(builder, NULL);
    if (n == 1) {
        LLVMBuildBr(builder, blocks[0]);
    } else {
        LLVMValueRef where =
            LLVMBuildLoad2(builder, split->frame.where_type,
                           in_frame(half, half->frame, split->frame.where_offset), "");
        /* The last one is where all other numbers would lead; there are none. */
        LLVMValueRef jump = LLVMBuildSwitch(builder, where, blocks[n - 1], n - 1);
        for (unsigned i = 0; i < n - 1; i++) {
            LLVMAddCase(jump, LLVMConstInt(split->frame.where_type, i, false),
                        blocks[i]);
        }
    }
    free(blocks);
}

static void convert_second(const Split *split, Half *half)
{
    LLVMBuilderRef builder = half->body.builder;
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(half->body.function);
    LLVMBasicBlockRef begin = cpc_insert_block(split->ir, entry, "begin");

    LLVMPositionBuilderAtEnd(builder, begin);
    LLVMSetCurrentDebugLocation2(builder, NULL);
    for (size_t i = 0; i < half->variables.n; i++) {
        LLVMInstructionRemoveFromParent(half->variables.items[i]);
        LLVMInsertIntoBuilder(builder, half->variables.items[i]);
    }
    if (split->has_memory) {
        half->base = cpc_build_offset(
            split->ir, builder, half->frame,
            LLVMConstInt(split->ir->size, -split->frame.locals_size, true));
        cpc_memory_place_locals(&half->body, half->base);
    }
    build_jumps(split, half, begin, entry);
    convert_dynamic(half);
    for (size_t i = 0; i < half->body.returns.n; i++) {
        convert_second_return(split, half, half->body.returns.items[i]);
    }
    for (size_t i = 0; i < half->body.calls.n; i++) {
        convert_second_call(split, half, i);
    }
    cpc_shim_drop_unreachable(half->body.function);
}

/* --- one body, two functions --------------------------------------------------------------- */

static CpcValues copy_of(const CpcValues *values)
{
    CpcValues copy = { 0 };

    for (size_t i = 0; i < values->n; i++) {
        cpc_values_add(&copy, values->items[i]);
    }
    return copy;
}

static Half half_copy(const Half *first)
{
    Half second = *first;
    CpcValues *lists[] = { &second.body.calls, &second.body.returns,
                           &second.body.locals, &second.body.dynamic,
                           &second.variables };
    CpcValues all = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        *lists[i] = copy_of(lists[i]);
        for (size_t j = 0; j < lists[i]->n; j++) {
            cpc_values_add(&all, lists[i]->items[j]);
        }
    }
    second.body.function = cpc_shim_clone(first->body.function, "cpc.copy", &all);
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        for (size_t j = 0; j < lists[i]->n; j++) {
            lists[i]->items[j] = all.items[n++];
        }
    }
    free(all.items);
    return second;
}

static void half_free(Half *half)
{
    free(half->body.calls.items);
    free(half->body.returns.items);
    free(half->body.locals.items);
    free(half->body.dynamic.items);
    free(half->variables.items);
}

/* @half has the parameters of the first function still. */
static void become_second(Half *half, LLVMValueRef resume)
{
    LLVMValueRef copy = half->body.function;

    cpc_shim_move_body(copy, resume);
    for (unsigned i = 0; i < LLVMCountParams(copy); i++) {
        LLVMValueRef parameter = LLVMGetParam(copy, i);
        LLVMReplaceAllUsesWith(parameter, i == 0 ? LLVMGetParam(resume, 1)
                                                 : LLVMGetUndef(LLVMTypeOf(parameter)));
    }
    LLVMDeleteFunction(copy);
    half->body.function = resume;
    half->frame = LLVMGetParam(resume, 0);
    half->body.arena = LLVMGetParam(resume, 1);
}

void cpc_split(CpcBody *body, const CpcFrameLayout *layout)
{
    Split split = {
        .ir = body->ir,
        .frame = *layout,
        .has_memory = layout->locals_size > 0 || body->dynamic.n > 0,
    };
    Half first = { .body = *body, .variables = cpc_frame_demote(body, layout) };

    split.resume = cpc_frame_declare_resume(body, layout);
    Half second = half_copy(&first);
    become_second(&second, split.resume);
    convert_first(&split, &first);
    convert_second(&split, &second);
    half_free(&second);
    free(first.variables.items);
}
