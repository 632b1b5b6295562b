/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory.h"

#include "shim.h"

#include "../runtime/arena.h"
#include <llvm/Config/llvm-config.h>
#include <string.h>

unsigned long long cpc_round_up(unsigned long long size, unsigned long long alignment)
{
    return (size + alignment - 1) / alignment * alignment;
}

unsigned long long cpc_max(unsigned long long a, unsigned long long b)
{
    return a > b ? a : b;
}

/* --- locals ------------------------------------------------------------------------- */

static unsigned long long size_of_alloca(const CpcBody *body, LLVMValueRef local)
{
    return LLVMConstIntGetZExtValue(LLVMGetOperand(local, 0)) *
           LLVMABISizeOfType(body->ir->layout, LLVMGetAllocatedType(local));
}

unsigned long long cpc_memory_of_locals(const CpcBody *body)
{
    unsigned long long size = 0;

    for (size_t i = 0; i < body->locals.n; i++) {
        LLVMValueRef local = body->locals.items[i];
        size =
            cpc_round_up(size, LLVMGetAlignment(local)) + size_of_alloca(body, local);
    }
    return cpc_round_up(size, cpc_max(body->alignment, CPC_ARENA_ALIGNMENT));
}

void cpc_memory_place_locals(const CpcBody *body, LLVMValueRef base)
{
    unsigned long long offset = 0;

    for (size_t i = 0; i < body->locals.n; i++) {
        LLVMValueRef local = body->locals.items[i];
        unsigned long long size = size_of_alloca(body, local);

        offset = cpc_round_up(offset, LLVMGetAlignment(local));
        LLVMReplaceAllUsesWith(local, cpc_build_offset(body->ir, body->builder, base,
                                                       cpc_size(body->ir, offset)));
        LLVMInstructionEraseFromParent(local);
        offset += size;
    }
}

/* --- taking and giving back ---------------------------------------------------------- */

static LLVMValueRef load_word(const CpcIr *ir, LLVMBuilderRef builder,
                              LLVMValueRef arena, unsigned word)
{
    return LLVMBuildLoad2(builder, ir->pointer,
                          cpc_build_word(ir, builder, arena, word), "");
}

static void store_word(const CpcIr *ir, LLVMBuilderRef builder, LLVMValueRef value,
                       LLVMValueRef arena, unsigned word)
{
    LLVMBuildStore(builder, value, cpc_build_word(ir, builder, arena, word));
}

/* next += size, or a new chunk. */
static LLVMValueRef build_take(const CpcIr *ir, LLVMBuilderRef builder,
                               LLVMValueRef arena, LLVMValueRef size)
{
    LLVMValueRef function = LLVMGetBasicBlockParent(LLVMGetInsertBlock(builder));
    LLVMBasicBlockRef fast = cpc_append_block(ir, function, "take");
    LLVMBasicBlockRef slow = cpc_append_block(ir, function, "grow");
    LLVMBasicBlockRef then = cpc_append_block(ir, function, "taken");
    LLVMValueRef taken = load_word(ir, builder, arena, CPC_ARENA_NEXT);
    LLVMValueRef end = load_word(ir, builder, arena, CPC_ARENA_END);
    LLVMValueRef next = cpc_build_offset(ir, builder, taken, size);
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntUGT, next, end, ""), slow,
                    fast);

    LLVMPositionBuilderAtEnd(builder, fast);
    store_word(ir, builder, next, arena, CPC_ARENA_NEXT);
    LLVMBuildBr(builder, then);

    LLVMPositionBuilderAtEnd(builder, slow);
    LLVMValueRef args[] = { arena, size };
    LLVMValueRef grown =
        cpc_build_runtime(ir, builder, "cpc_arena_grow", ir->pointer, args, 2);
    LLVMBuildBr(builder, then);

    LLVMPositionBuilderAtEnd(builder, then);
    LLVMValueRef start = LLVMBuildPhi(builder, ir->pointer, "");
    LLVMValueRef from[] = { taken, grown };
    LLVMBasicBlockRef blocks[] = { fast, slow };
    LLVMAddIncoming(start, from, blocks, 2);
    return start;
}

static LLVMValueRef build_aligned(const CpcBody *body, LLVMValueRef pointer)
{
    const CpcIr *ir = body->ir;
    LLVMTypeRef types[] = { ir->pointer, ir->size };
    LLVMValueRef args[] = {
        cpc_build_offset(ir, body->builder, pointer, cpc_size(ir, body->alignment - 1)),
        LLVMConstInt(ir->size, -body->alignment, true),
    };

    return cpc_build_intrinsic(ir, body->builder, "llvm.ptrmask", types, 2, args, 2);
}

CpcTaken cpc_memory_take(const CpcBody *body, unsigned long long size)
{
    bool is_overaligned = body->alignment > CPC_ARENA_ALIGNMENT;
    unsigned long long all =
        size + (is_overaligned ? body->alignment - CPC_ARENA_ALIGNMENT : 0);
    LLVMValueRef start =
        build_take(body->ir, body->builder, body->arena,
                   cpc_size(body->ir, cpc_round_up(all, CPC_ARENA_ALIGNMENT)));

    return (CpcTaken){ start, is_overaligned ? build_aligned(body, start) : start };
}

/* next = @to, unless @is_slow. */
static void build_drop(const CpcBody *body, LLVMValueRef to, LLVMValueRef is_slow)
{
    const CpcIr *ir = body->ir;
    LLVMBuilderRef builder = body->builder;
    LLVMBasicBlockRef fast = cpc_append_block(ir, body->function, "drop");
    LLVMBasicBlockRef slow = cpc_append_block(ir, body->function, "shrink");
    LLVMBasicBlockRef then = cpc_append_block(ir, body->function, "dropped");

    LLVMBuildCondBr(builder, is_slow, slow, fast);
    LLVMPositionBuilderAtEnd(builder, fast);
    store_word(ir, builder, to, body->arena, CPC_ARENA_NEXT);
    LLVMBuildBr(builder, then);

    LLVMPositionBuilderAtEnd(builder, slow);
    LLVMValueRef args[] = { body->arena, to };
    cpc_build_runtime(ir, builder, "cpc_arena_drop", ir->none, args, 2);
    LLVMBuildBr(builder, then);
    LLVMPositionBuilderAtEnd(builder, then);
}

void cpc_memory_drop(const CpcBody *body, LLVMValueRef start)
{
    const CpcIr *ir = body->ir;
    LLVMBuilderRef builder = body->builder;
    LLVMValueRef is_slow = LLVMConstInt(ir->i1, 1, false);

    /* What began a chunk ends it. */
    if (body->dynamic.n == 0) {
        is_slow =
            LLVMBuildICmp(builder, LLVMIntEQ, start,
                          load_word(ir, builder, body->arena, CPC_ARENA_BASE), "");
    }
    build_drop(body, start, is_slow);
}

void cpc_memory_drop_to(const CpcBody *body, LLVMValueRef mark)
{
    const CpcIr *ir = body->ir;
    LLVMBuilderRef builder = body->builder;
    LLVMBasicBlockRef drop = cpc_append_block(ir, body->function, "mine");
    LLVMBasicBlockRef then = cpc_append_block(ir, body->function, "then");

    LLVMBuildCondBr(builder, LLVMBuildIsNull(builder, mark, ""), then, drop);
    LLVMPositionBuilderAtEnd(builder, drop);
    LLVMValueRef base = LLVMBuildPtrToInt(
        builder, load_word(ir, builder, body->arena, CPC_ARENA_BASE), ir->size, "");
    LLVMValueRef end = LLVMBuildPtrToInt(
        builder, load_word(ir, builder, body->arena, CPC_ARENA_END), ir->size, "");
    LLVMValueRef place = LLVMBuildPtrToInt(builder, mark, ir->size, "");
    /* base < place <= end, in one comparison. */
    LLVMValueRef after = LLVMBuildSub(builder, LLVMBuildSub(builder, place, base, ""),
                                      cpc_size(ir, 1), "");
    LLVMValueRef is_slow = LLVMBuildICmp(builder, LLVMIntUGE, after,
                                         LLVMBuildSub(builder, end, base, ""), "");

    build_drop(body, mark, is_slow);
    LLVMBuildBr(builder, then);
    LLVMPositionBuilderAtEnd(builder, then);
}

/* --- the frame of a function that has no memory yet ------------------------------------ */

static void build_frame_maker(const CpcIr *ir, LLVMValueRef maker)
{
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);
    LLVMValueRef args[] = { LLVMGetParam(maker, 0), LLVMGetParam(maker, 1),
                            LLVMGetParam(maker, 2), LLVMGetParam(maker, 3) };
    LLVMValueRef arena = args[0], callee = args[1], size = args[2], resume = args[3];
    LLVMBasicBlockRef begin = cpc_append_block(ir, maker, "");
    LLVMBasicBlockRef fast = cpc_append_block(ir, maker, "take");
    LLVMBasicBlockRef slow = cpc_append_block(ir, maker, "grow");

    LLVMPositionBuilderAtEnd(builder, begin);
    LLVMValueRef frame = load_word(ir, builder, arena, CPC_ARENA_NEXT);
    LLVMValueRef end = load_word(ir, builder, arena, CPC_ARENA_END);
    LLVMValueRef next = cpc_build_offset(ir, builder, frame, size);
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntUGT, next, end, ""), slow,
                    fast);
    LLVMPositionBuilderAtEnd(builder, fast);
    store_word(ir, builder, next, arena, CPC_ARENA_NEXT);
    store_word(ir, builder, resume, frame, CPC_FRAME_RESUME);
    store_word(ir, builder, LLVMConstNull(ir->pointer), frame, CPC_FRAME_MARK);
    store_word(ir, builder, frame, callee, CPC_FRAME_PARENT);
    LLVMBuildRet(builder, frame);
    LLVMPositionBuilderAtEnd(builder, slow);
    LLVMBuildRet(builder, cpc_build_runtime(ir, builder, "cpc_arena_frame", ir->pointer,
                                            args, 4));
    LLVMDisposeBuilder(builder);
}

/*
 *     CpcFrame *cpc.frame(CpcArena *arena, CpcFrame *callee, size_t size, resume)
 *
 * What cpc_arena_frame() does, but without a call as long as there is room.
 */
LLVMValueRef cpc_memory_frame_maker(const CpcIr *ir, LLVMTypeRef *type)
{
    static const char name[] = "cpc.frame";
    LLVMTypeRef types[] = { ir->pointer, ir->pointer, ir->size, ir->pointer };
    LLVMValueRef maker = LLVMGetNamedFunction(ir->module, name);

    *type = LLVMFunctionType(ir->pointer, types, 4, false);
    if (!maker) {
        maker = LLVMAddFunction(ir->module, name, *type);
        LLVMSetLinkage(maker, LLVMInternalLinkage);
        cpc_add_attribute(ir, maker, (unsigned)LLVMAttributeFunctionIndex, "nounwind");
        build_frame_maker(ir, maker);
    }
    return maker;
}

/* --- the frame of a function that is whole ---------------------------------------------- */

/* LLVM 15 and 16 let it overwrite what is returned. */
#if LLVM_VERSION_MAJOR >= 17
#define HAS_PRESERVE_MOST true
#else
#define HAS_PRESERVE_MOST false
#endif

/* A call of it leaves the arguments where they are, on those that have this convention. */
static unsigned convention_of_enter(const CpcIr *ir)
{
    const char *target = LLVMGetTarget(ir->module);
    bool is_known = strncmp(target, "x86_64", strlen("x86_64")) == 0 ||
                    strncmp(target, "aarch64", strlen("aarch64")) == 0;

    return HAS_PRESERVE_MOST && is_known ? LLVMPreserveMostCallConv : LLVMCCallConv;
}

static LLVMValueRef build_bytes(const CpcIr *ir, LLVMBuilderRef builder,
                                LLVMValueRef sizes, unsigned shift)
{
    LLVMValueRef shifted =
        LLVMBuildLShr(builder, sizes, LLVMConstInt(ir->i32, shift, false), "");
    LLVMValueRef units =
        LLVMBuildAnd(builder, shifted, LLVMConstInt(ir->i32, 0xffff, false), "");

    return LLVMBuildZExt(
        builder, LLVMBuildMul(builder, units, LLVMConstInt(ir->i32, 16, false), ""),
        ir->size, "");
}

/* The new frame in the memory from @start, for whoever makes one. */
static void build_new_frame(const CpcIr *ir, LLVMBuilderRef builder, LLVMValueRef start,
                            LLVMValueRef sizes)
{
    LLVMValueRef frame =
        cpc_build_offset(ir, builder, start, build_bytes(ir, builder, sizes, 0));

    store_word(ir, builder, LLVMConstNull(ir->pointer), frame, CPC_FRAME_PARENT);
    store_word(ir, builder, start, frame, CPC_FRAME_MARK);
    LLVMBuildRet(builder, frame);
}

/* In a function of its own, so that the other need not save registers. */
static void build_enter_growing(const CpcIr *ir, LLVMValueRef enter)
{
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);
    LLVMValueRef arena = LLVMGetParam(enter, 0), sizes = LLVMGetParam(enter, 1);

    LLVMPositionBuilderAtEnd(builder, cpc_append_block(ir, enter, ""));
    LLVMValueRef args[] = { arena, build_bytes(ir, builder, sizes, 16) };
    LLVMValueRef start =
        cpc_build_runtime(ir, builder, "cpc_arena_grow", ir->pointer, args, 2);
    build_new_frame(ir, builder, start, sizes);
    LLVMDisposeBuilder(builder);
}

typedef void Build(const CpcIr *ir, LLVMValueRef function);

/*
 *     CpcFrame *@name(CpcArena *tagged, uint32_t sizes)
 *
 * One in a program.  In @sizes, in units of 16 bytes: all, and of these the locals.
 */
static LLVMValueRef declare_enter(const CpcIr *ir, const char *name, Build *build)
{
    LLVMTypeRef types[] = { ir->pointer, ir->i32 };
    LLVMValueRef enter = LLVMGetNamedFunction(ir->module, name);

    if (!enter) {
        unsigned index = (unsigned)LLVMAttributeFunctionIndex;
        enter = LLVMAddFunction(ir->module, name,
                                LLVMFunctionType(ir->pointer, types, 2, false));
        LLVMSetLinkage(enter, LLVMLinkOnceODRLinkage);
        LLVMSetVisibility(enter, LLVMHiddenVisibility);
        LLVMSetFunctionCallConv(enter, convention_of_enter(ir));
        cpc_add_attribute(ir, enter, index, "nounwind");
        cpc_add_attribute(ir, enter, index, "noinline");
        build(ir, enter);
    }
    return enter;
}

static LLVMValueRef build_enter_call(LLVMBuilderRef builder, LLVMValueRef enter,
                                     LLVMValueRef tagged, LLVMValueRef sizes)
{
    LLVMValueRef args[] = { tagged, sizes };
    LLVMValueRef frame =
        LLVMBuildCall2(builder, LLVMGlobalGetValueType(enter), enter, args, 2, "");

    LLVMSetInstructionCallConv(frame, LLVMGetFunctionCallConv(enter));
    return frame;
}

static void build_enter(const CpcIr *ir, LLVMValueRef enter)
{
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);
    LLVMValueRef tagged = LLVMGetParam(enter, 0), sizes = LLVMGetParam(enter, 1);
    LLVMBasicBlockRef begin = cpc_append_block(ir, enter, "");
    LLVMBasicBlockRef start = cpc_append_block(ir, enter, "start");
    LLVMBasicBlockRef take = cpc_append_block(ir, enter, "take");
    LLVMBasicBlockRef grow = cpc_append_block(ir, enter, "grow");
    LLVMBasicBlockRef go_on = cpc_append_block(ir, enter, "go_on");

    LLVMPositionBuilderAtEnd(builder, begin);
    LLVMValueRef address = LLVMBuildPtrToInt(builder, tagged, ir->size, "");
    LLVMBuildCondBr(builder, LLVMBuildTrunc(builder, address, ir->i1, ""), go_on,
                    start);

    LLVMPositionBuilderAtEnd(builder, start);
    LLVMValueRef taken = load_word(ir, builder, tagged, CPC_ARENA_NEXT);
    LLVMValueRef end = load_word(ir, builder, tagged, CPC_ARENA_END);
    LLVMValueRef next =
        cpc_build_offset(ir, builder, taken, build_bytes(ir, builder, sizes, 16));
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntUGT, next, end, ""), grow,
                    take);

    LLVMPositionBuilderAtEnd(builder, take);
    store_word(ir, builder, next, tagged, CPC_ARENA_NEXT);
    build_new_frame(ir, builder, taken, sizes);

    LLVMPositionBuilderAtEnd(builder, grow);
    LLVMValueRef growing = declare_enter(ir, "cpc.enter.growing", build_enter_growing);
    LLVMValueRef grown = build_enter_call(builder, growing, tagged, sizes);
    LLVMSetTailCall(grown, true);
    LLVMBuildRet(builder, grown);

    LLVMPositionBuilderAtEnd(builder, go_on);
    LLVMValueRef arena =
        cpc_build_offset(ir, builder, tagged, LLVMConstInt(ir->size, -1ULL, true));
    LLVMBuildRet(builder, load_word(ir, builder, arena, CPC_FRAME_PARENT));
    LLVMDisposeBuilder(builder);
}

LLVMValueRef cpc_memory_enter(const CpcIr *ir, LLVMBuilderRef builder,
                              LLVMValueRef tagged, unsigned long long locals_size,
                              unsigned long long size)
{
    unsigned long long sizes = (locals_size + size) / CPC_ARENA_ALIGNMENT << 16 |
                               locals_size / CPC_ARENA_ALIGNMENT;

    return build_enter_call(builder, declare_enter(ir, "cpc.enter", build_enter),
                            tagged, LLVMConstInt(ir->i32, sizes, false));
}

/* --- alloca() and variable-length arrays ----------------------------------------------- */

static LLVMValueRef build_dynamic_alloca(const CpcBody *body, LLVMValueRef local)
{
    const CpcIr *ir = body->ir;
    LLVMValueRef n =
        LLVMBuildZExtOrBitCast(body->builder, LLVMGetOperand(local, 0), ir->size, "");
    LLVMValueRef item =
        cpc_size(ir, LLVMABISizeOfType(ir->layout, LLVMGetAllocatedType(local)));
    LLVMValueRef args[] = { body->arena, LLVMBuildMul(body->builder, n, item, "") };

    if (LLVMGetAlignment(local) > CPC_ARENA_ALIGNMENT) {
        cpc_shim_error(local, "array of variable length in a coroutine_fn that needs "
                              "more than 16 bytes of alignment");
    }
    return cpc_build_runtime(ir, body->builder, "cpc_arena_take", ir->pointer, args, 2);
}

/* In the second function a mark is odd: see cpc_arena_leave_scope(). */
static LLVMValueRef build_scope(const CpcBody *body, bool is_second)
{
    const CpcIr *ir = body->ir;
    LLVMValueRef next = load_word(ir, body->builder, body->arena, CPC_ARENA_NEXT);

    return is_second ? cpc_build_offset(ir, body->builder, next, cpc_size(ir, 1))
                     : next;
}

static void build_scope_end(const CpcBody *body, LLVMValueRef scope, bool is_second)
{
    LLVMValueRef args[] = { body->arena, scope };

    cpc_build_runtime(body->ir, body->builder,
                      is_second ? "cpc_arena_leave_scope" : "cpc_arena_drop",
                      body->ir->none, args, 2);
}

void cpc_memory_convert_dynamic(const CpcBody *body, LLVMValueRef instruction,
                                bool is_second)
{
    LLVMValueRef value = NULL;

    cpc_position_before(body->builder, instruction);
    if (LLVMIsAAllocaInst(instruction)) {
        value = build_dynamic_alloca(body, instruction);
    } else if (cpc_is_intrinsic(instruction, "llvm.stacksave")) {
        value = build_scope(body, is_second);
    } else {
        build_scope_end(body, LLVMGetOperand(instruction, 0), is_second);
    }
    if (value) {
        LLVMReplaceAllUsesWith(instruction, value);
    }
    LLVMInstructionEraseFromParent(instruction);
}
