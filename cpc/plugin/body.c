/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * LLVM's coroutine passes cut a function at its suspension points and keep what is alive
 * across them in a frame.  We leave them the control flow and the values that never had
 * an address, and nothing else:
 *
 *   - A local whose address gets out is not theirs.  It becomes bytes of our own in
 *     the arena, before the frame.  LLVM decides by escape and lifetime analysis which
 *     variable needs to live in the frame, and got it wrong repeatedly (LLVM issues
 *     41087, 86580, 149604); besides, it marks the frame noalias when it resumes, which
 *     is untrue of a variable that others point to.  Our bytes are found through a
 *     pointer that is loaded from the frame, of which nothing is assumed.
 *   - Lifetime markers are dropped for the same reason.
 *   - Arguments that are structs by value are copied first of all, since the caller's
 *     copy may be on a stack that is gone when we go on.
 *   - The address of a thread-local variable is asked for by a call that nobody may move
 *     over a suspension (LLVM issue 111257): we may go on on another thread.
 *
 * Of a function that calls no coroutine only the returns change.  One that calls
 * coroutines as the last thing it does, and has no local that they could point to, hands
 * its caller's place on to them and needs no frame either: cpc_yield() is one.
 */
#include "body.h"

#include "attributes.h"
#include "marks.h"
#include "shim.h"

#include "../runtime/arena.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    const CpcIr *ir;
    LLVMValueRef function;
    LLVMTypeRef type;   /* of what it returned */
    LLVMValueRef arena; /* parameter */
    LLVMValueRef
        result; /* parameter: where the result goes; NULL if it returns nothing */
    CpcCloneOf *clone_of;
    const void *opaque;
    LLVMBuilderRef builder;

    CpcValues calls; /* of coroutines */
    CpcValues returns;
    CpcValues locals;  /* that live in our memory */
    CpcValues dynamic; /* alloca(), variable-length arrays, and their scopes */
    unsigned long long alignment;
    unsigned long long locals_size;

    LLVMValueRef slot;  /* where callees put what they return */
    LLVMValueRef start; /* of our memory in the arena */
    LLVMValueRef handle;
    LLVMBasicBlockRef stop;    /* returns to the caller, or to who resumed us */
    LLVMBasicBlockRef destroy; /* nobody asks a frame to destroy itself */
    LLVMValueRef stopped_with; /* phi in stop: NULL or the frame */
} Body;

/* --- calls and their types ---------------------------------------------------------- */

static bool is_void(LLVMTypeRef type)
{
    return LLVMGetTypeKind(type) == LLVMVoidTypeKind;
}

LLVMTypeRef cpc_converted_type(const CpcIr *ir, LLVMTypeRef type)
{
    unsigned n = LLVMCountParamTypes(type), n_added = 0;
    LLVMTypeRef *types = calloc(n + 2, sizeof(*types));

    types[n_added++] = ir->pointer;
    if (!is_void(LLVMGetReturnType(type))) {
        types[n_added++] = ir->pointer;
    }
    LLVMGetParamTypes(type, types + n_added);
    LLVMTypeRef converted = LLVMFunctionType(ir->pointer, types, n + n_added, false);
    free(types);
    return converted;
}

static LLVMValueRef clone_called(const Body *body, LLVMValueRef instruction)
{
    LLVMValueRef callee = cpc_called_function(instruction);

    return callee ? body->clone_of(callee, body->opaque) : NULL;
}

static bool is_coroutine_call(const Body *body, LLVMValueRef instruction)
{
    return cpc_is_marked_call(instruction) || clone_called(body, instruction);
}

/* The call in its new form, before @call; its result goes to @result. */
static LLVMValueRef build_call(Body *body, LLVMValueRef call, LLVMValueRef result)
{
    LLVMValueRef clone = clone_called(body, call);
    LLVMTypeRef type = LLVMGetCalledFunctionType(call);
    unsigned n = LLVMGetNumArgOperands(call), n_added = 0;
    LLVMValueRef *args = calloc(n + 2, sizeof(*args));

    args[n_added++] = body->arena;
    if (!is_void(LLVMGetReturnType(type))) {
        args[n_added++] = result;
    }
    for (unsigned i = 0; i < n; i++) {
        args[n_added + i] = LLVMGetOperand(call, i);
    }
    LLVMValueRef built =
        LLVMBuildCall2(body->builder, cpc_converted_type(body->ir, type),
                       clone ? clone : LLVMGetCalledValue(call), args, n + n_added, "");
    for (unsigned i = 1; i <= n; i++) {
        cpc_keep_argument_attributes(call, built, i, i + n_added);
    }
    free(args);
    return built;
}

/* --- before anything else ------------------------------------------------------------ */

static LLVMBasicBlockRef entry_of(const Body *body)
{
    return LLVMGetEntryBasicBlock(body->function);
}

static LLVMTypeRef by_value_type(const Body *body, unsigned parameter)
{
    unsigned kind = LLVMGetEnumAttributeKindForName("byval", strlen("byval"));
    LLVMAttributeRef attribute =
        LLVMGetEnumAttributeAtIndex(body->function, parameter + 1, kind);

    return attribute ? LLVMGetTypeAttributeValue(attribute) : NULL;
}

/* The caller no longer copies a struct by value, so the callee does. */
static void copy_parameter(Body *body, unsigned index, LLVMTypeRef type)
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

static void copy_parameters(Body *body)
{
    for (unsigned i = 0; i < LLVMCountParams(body->function); i++) {
        LLVMTypeRef type = by_value_type(body, i);
        if (type) {
            copy_parameter(body, i, type);
        }
    }
}

/* --- what is in there ---------------------------------------------------------------- */

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

static unsigned long long max_size(unsigned long long a, unsigned long long b)
{
    return a > b ? a : b;
}

static void note_alloca(Body *body, LLVMValueRef local)
{
    bool is_fixed = LLVMGetInstructionParent(local) == entry_of(body) &&
                    LLVMIsAConstantInt(LLVMGetOperand(local, 0));

    if (!is_fixed) {
        cpc_values_add(&body->dynamic, local);
        return;
    }
    body->alignment = max_size(body->alignment, LLVMGetAlignment(local));
    if (gets_out(local)) {
        cpc_values_add(&body->locals, local);
    }
}

/* A frame that keeps such a value between two suspensions has to be aligned for it. */
static void note_alignment_of_value(Body *body, LLVMValueRef instruction)
{
    LLVMTypeRef type = LLVMTypeOf(instruction);

    if (LLVMGetTypeKind(type) == LLVMVectorTypeKind) {
        body->alignment =
            max_size(body->alignment, LLVMABIAlignmentOfType(body->ir->layout, type));
    }
}

static void note_instruction(Body *body, LLVMValueRef instruction)
{
    note_alignment_of_value(body, instruction);
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

typedef void Visit(Body *body, LLVMValueRef instruction);

/* @visit may erase the instruction that it is given. */
static void for_each_instruction(Body *body, Visit *visit)
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

/* --- nothing that depends on the thread or the scope --------------------------------- */

/* A function that answers with the address of @variable and says nothing of itself. */
static LLVMValueRef thread_local_getter(const Body *body, LLVMValueRef variable)
{
    static const char *const attributes[] = { "noinline", "optnone", "nounwind" };
    const CpcIr *ir = body->ir;
    LLVMTypeRef pointer = ir->pointer;
    LLVMTypeRef type = LLVMFunctionType(pointer, NULL, 0, false);
    LLVMValueRef getter = LLVMAddFunction(ir->module, "cpc.thread_local", type);
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);

    for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
        unsigned kind =
            LLVMGetEnumAttributeKindForName(attributes[i], strlen(attributes[i]));
        LLVMAddAttributeAtIndex(getter, LLVMAttributeFunctionIndex,
                                LLVMCreateEnumAttribute(ir->context, kind, 0));
    }
    LLVMSetLinkage(getter, LLVMInternalLinkage);
    LLVMPositionBuilderAtEnd(builder, cpc_append_block(ir, getter, ""));
    LLVMBuildRet(builder, cpc_build_intrinsic(ir, builder, "llvm.threadlocal.address",
                                              &pointer, 1, &variable, 1));
    LLVMDisposeBuilder(builder);
    return getter;
}

static void ask_for_thread_local(Body *body, LLVMValueRef address)
{
    LLVMValueRef getter = thread_local_getter(body, LLVMGetOperand(address, 0));

    cpc_position_before(body->builder, address);
    LLVMReplaceAllUsesWith(address,
                           LLVMBuildCall2(body->builder, LLVMGlobalGetValueType(getter),
                                          getter, NULL, 0, ""));
    LLVMInstructionEraseFromParent(address);
}

/* __errno_location() and pthread_self() are declared const, and depend on the thread. */
static void forget_that_it_is_const(LLVMValueRef function)
{
    static const char name[] = "memory";
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

    if (LLVMIsDeclaration(function) && LLVMGetIntrinsicID(function) == 0) {
        LLVMRemoveEnumAttributeAtIndex(function, LLVMAttributeFunctionIndex, kind);
    }
}

static void forget_call_is_const(LLVMValueRef call)
{
    static const char name[] = "memory";
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMValueRef callee = cpc_called_function(call);

    if (callee && LLVMGetIntrinsicID(callee) != 0) {
        return;
    }
    LLVMRemoveCallSiteEnumAttribute(call, LLVMAttributeFunctionIndex, kind);
    if (callee) {
        forget_that_it_is_const(callee);
    }
}

static void forget_thread_and_scope(Body *body, LLVMValueRef instruction)
{
    if (cpc_is_intrinsic(instruction, "llvm.lifetime.")) {
        LLVMInstructionEraseFromParent(instruction);
    } else if (cpc_is_intrinsic(instruction, "llvm.threadlocal.address")) {
        ask_for_thread_local(body, instruction);
    } else if (LLVMIsACallInst(instruction)) {
        forget_call_is_const(instruction);
    }
}

/* --- a function that never waits, or only as the last thing it does ------------------- */

static void store_result(Body *body, LLVMValueRef ret)
{
    cpc_position_before(body->builder, ret);
    if (body->result) {
        LLVMBuildStore(body->builder, LLVMGetOperand(ret, 0), body->result);
    }
}

static void finish_at(Body *body, LLVMValueRef ret)
{
    store_result(body, ret);
    LLVMBuildRet(body->builder, LLVMConstNull(body->ir->pointer));
    LLVMInstructionEraseFromParent(ret);
}

/* The return of what @call returns and nothing in between, or NULL. */
static LLVMValueRef return_after(const Body *body, LLVMValueRef call)
{
    LLVMValueRef next = LLVMGetNextInstruction(call);

    if (!next || !LLVMIsAReturnInst(next)) {
        return NULL;
    }
    if (LLVMGetReturnType(LLVMGetCalledFunctionType(call)) != body->type) {
        return NULL;
    }
    return is_void(body->type) || LLVMGetOperand(next, 0) == call ? next : NULL;
}

static bool only_hands_on(const Body *body)
{
    for (size_t i = 0; i < body->calls.n; i++) {
        if (!return_after(body, body->calls.items[i])) {
            return false;
        }
    }
    return body->locals.n == 0 && body->dynamic.n == 0;
}

static void hand_on(Body *body, LLVMValueRef call)
{
    LLVMValueRef ret = return_after(body, call);

    cpc_position_before(body->builder, call);
    LLVMBuildRet(body->builder, build_call(body, call, body->result));
    LLVMInstructionEraseFromParent(ret);
    LLVMInstructionEraseFromParent(call);
}

static bool is_handed_on(const Body *body, LLVMValueRef ret)
{
    for (size_t i = 0; i < body->calls.n; i++) {
        if (return_after(body, body->calls.items[i]) == ret) {
            return true;
        }
    }
    return false;
}

static void convert_without_frame(Body *body)
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

/* --- memory ------------------------------------------------------------------------- */

static unsigned long long round_up(unsigned long long size,
                                   unsigned long long alignment)
{
    return (size + alignment - 1) / alignment * alignment;
}

static bool is_overaligned(const Body *body)
{
    return body->alignment > CPC_ARENA_ALIGNMENT;
}

/* One place for all that callees return: each is read before the next call is made. */
static void add_slot(Body *body)
{
    unsigned long long size = 0, alignment = 1;

    for (size_t i = 0; i < body->calls.n; i++) {
        LLVMTypeRef type =
            LLVMGetReturnType(LLVMGetCalledFunctionType(body->calls.items[i]));
        if (!is_void(type)) {
            size = max_size(size, LLVMABISizeOfType(body->ir->layout, type));
            alignment =
                max_size(alignment, LLVMABIAlignmentOfType(body->ir->layout, type));
        }
    }
    if (size == 0) {
        return;
    }
    LLVMPositionBuilderBefore(body->builder, LLVMGetFirstInstruction(entry_of(body)));
    body->slot = LLVMBuildArrayAlloca(body->builder, body->ir->i8,
                                      LLVMConstInt(body->ir->i32, size, false), "");
    LLVMSetAlignment(body->slot, (unsigned)alignment);
    body->alignment = max_size(body->alignment, alignment);
    cpc_values_add(&body->locals, body->slot);
}

static unsigned long long size_of_alloca(const Body *body, LLVMValueRef local)
{
    return LLVMConstIntGetZExtValue(LLVMGetOperand(local, 0)) *
           LLVMABISizeOfType(body->ir->layout, LLVMGetAllocatedType(local));
}

static unsigned long long sum_up_locals(const Body *body)
{
    unsigned long long size = 0;

    for (size_t i = 0; i < body->locals.n; i++) {
        LLVMValueRef local = body->locals.items[i];
        size = round_up(size, LLVMGetAlignment(local)) + size_of_alloca(body, local);
    }
    return round_up(size, max_size(body->alignment, CPC_ARENA_ALIGNMENT));
}

/* Our memory begins at @base. */
static void place_locals(Body *body, LLVMValueRef base)
{
    unsigned long long offset = 0;

    for (size_t i = 0; i < body->locals.n; i++) {
        LLVMValueRef local = body->locals.items[i];
        unsigned long long size = size_of_alloca(body, local);

        offset = round_up(offset, LLVMGetAlignment(local));
        LLVMValueRef place =
            cpc_build_offset(body->ir, body->builder, base, cpc_size(body->ir, offset));
        LLVMReplaceAllUsesWith(local, place);
        if (local == body->slot) {
            body->slot = place;
        }
        LLVMInstructionEraseFromParent(local);
        offset += size;
    }
}

/* Bytes to take from the arena: ours, LLVM's frame, and what aligning them may lose. */
static LLVMValueRef build_size(Body *body)
{
    const CpcIr *ir = body->ir;
    unsigned long long ours = body->locals_size + CPC_ARENA_ALIGNMENT - 1;

    if (is_overaligned(body)) {
        ours += body->alignment - CPC_ARENA_ALIGNMENT;
    }
    LLVMTypeRef size_type = ir->size;
    LLVMValueRef size = cpc_build_intrinsic(ir, body->builder, "llvm.coro.size",
                                            &size_type, 1, NULL, 0);
    size = LLVMBuildAdd(body->builder, size, cpc_size(ir, ours), "");
    return LLVMBuildAnd(
        body->builder, size,
        LLVMConstInt(ir->size, -(unsigned long long)CPC_ARENA_ALIGNMENT, true), "");
}

/* Take memory for this call: next += size, or a new chunk. */
static void build_take(Body *body, LLVMBasicBlockRef then)
{
    const CpcIr *ir = body->ir;
    LLVMBuilderRef builder = body->builder;
    LLVMBasicBlockRef fast = cpc_insert_block(ir, then, "take");
    LLVMBasicBlockRef slow = cpc_insert_block(ir, then, "grow");
    LLVMValueRef size = build_size(body);
    LLVMValueRef next_word = cpc_build_word(ir, builder, body->arena, CPC_ARENA_NEXT);
    LLVMValueRef end_word = cpc_build_word(ir, builder, body->arena, CPC_ARENA_END);
    LLVMValueRef taken = LLVMBuildLoad2(builder, ir->pointer, next_word, "");
    LLVMValueRef end = LLVMBuildLoad2(builder, ir->pointer, end_word, "");
    LLVMValueRef next = cpc_build_offset(ir, builder, taken, size);
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntUGT, next, end, ""), slow,
                    fast);

    LLVMPositionBuilderAtEnd(builder, fast);
    LLVMBuildStore(builder, next, next_word);
    LLVMBuildBr(builder, then);

    LLVMPositionBuilderAtEnd(builder, slow);
    LLVMValueRef args[] = { body->arena, size };
    LLVMValueRef grown =
        cpc_build_runtime(ir, builder, "cpc_arena_grow", ir->pointer, args, 2);
    LLVMBuildBr(builder, then);

    LLVMPositionBuilderAtEnd(builder, then);
    body->start = LLVMBuildPhi(builder, ir->pointer, "");
    LLVMValueRef from[] = { taken, grown };
    LLVMBasicBlockRef blocks[] = { fast, slow };
    LLVMAddIncoming(body->start, from, blocks, 2);
}

static LLVMValueRef build_aligned(Body *body, LLVMValueRef pointer)
{
    const CpcIr *ir = body->ir;

    if (!is_overaligned(body)) {
        return pointer;
    }
    LLVMTypeRef types[] = { ir->pointer, ir->size };
    LLVMValueRef args[] = {
        cpc_build_offset(ir, body->builder, pointer, cpc_size(ir, body->alignment - 1)),
        LLVMConstInt(ir->size, -body->alignment, true),
    };
    return cpc_build_intrinsic(ir, body->builder, "llvm.ptrmask", types, 2, args, 2);
}

/* next = start; or a chunk is empty again.  @parent is no longer in our frame. */
static void build_drop(Body *body)
{
    const CpcIr *ir = body->ir;
    LLVMBuilderRef builder = body->builder;
    LLVMBasicBlockRef fast = cpc_append_block(ir, body->function, "drop");
    LLVMBasicBlockRef slow = cpc_append_block(ir, body->function, "shrink");
    LLVMBasicBlockRef then = cpc_append_block(ir, body->function, "finished");
    bool is_plain = body->locals_size == 0 && !is_overaligned(body);
    /* The frame begins our memory then, and need not remember where that is. */
    LLVMValueRef start = is_plain ? body->handle : body->start;
    LLVMValueRef base_word = cpc_build_word(ir, builder, body->arena, CPC_ARENA_BASE);
    LLVMValueRef base = LLVMBuildLoad2(builder, ir->pointer, base_word, "");
    LLVMValueRef is_slow = body->dynamic.n > 0
                               ? LLVMConstInt(ir->i1, 1, false)
                               : LLVMBuildICmp(builder, LLVMIntEQ, start, base, "");
    LLVMBuildCondBr(builder, is_slow, slow, fast);

    LLVMPositionBuilderAtEnd(builder, fast);
    LLVMBuildStore(builder, start,
                   cpc_build_word(ir, builder, body->arena, CPC_ARENA_NEXT));
    LLVMBuildBr(builder, then);

    LLVMPositionBuilderAtEnd(builder, slow);
    LLVMValueRef args[] = { body->arena, start };
    cpc_build_runtime(ir, builder, "cpc_arena_drop", ir->none, args, 2);
    LLVMBuildBr(builder, then);
    LLVMPositionBuilderAtEnd(builder, then);
}

/* --- alloca() and variable-length arrays ----------------------------------------------- */

static LLVMValueRef build_dynamic_alloca(Body *body, LLVMValueRef local)
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

static void convert_dynamic(Body *body, LLVMValueRef instruction)
{
    const CpcIr *ir = body->ir;
    LLVMValueRef value = NULL;

    cpc_position_before(body->builder, instruction);
    if (LLVMIsAAllocaInst(instruction)) {
        value = build_dynamic_alloca(body, instruction);
    } else if (cpc_is_intrinsic(instruction, "llvm.stacksave")) {
        value = LLVMBuildLoad2(
            body->builder, ir->pointer,
            cpc_build_word(ir, body->builder, body->arena, CPC_ARENA_NEXT), "");
    } else {
        LLVMValueRef args[] = { body->arena, LLVMGetOperand(instruction, 0) };
        cpc_build_runtime(ir, body->builder, "cpc_arena_drop", ir->none, args, 2);
    }
    if (value) {
        LLVMReplaceAllUsesWith(instruction, value);
    }
    LLVMInstructionEraseFromParent(instruction);
}

/* --- a function with a frame --------------------------------------------------------- */

static LLVMValueRef build_coro(Body *body, const char *name, LLVMValueRef *args,
                               unsigned n_args)
{
    return cpc_build_intrinsic(body->ir, body->builder, name, NULL, 0, args, n_args);
}

/* LLVM takes a variable for fixed only in the entry block, which is about to be cut. */
static void gather_allocas(Body *body)
{
    LLVMValueRef first = LLVMGetFirstInstruction(entry_of(body)), next;

    LLVMPositionBuilderBefore(body->builder, first);
    for (LLVMValueRef at = first; at; at = next) {
        next = LLVMGetNextInstruction(at);
        if (at != first && LLVMIsAAllocaInst(at) &&
            LLVMIsAConstantInt(LLVMGetOperand(at, 0))) {
            LLVMInstructionRemoveFromParent(at);
            LLVMInsertIntoBuilder(body->builder, at);
        }
    }
}

static LLVMValueRef first_after_allocas(Body *body)
{
    LLVMValueRef at = LLVMGetFirstInstruction(entry_of(body));

    while (LLVMIsAAllocaInst(at)) {
        at = LLVMGetNextInstruction(at);
    }
    return at;
}

static LLVMValueRef build_parent(Body *body)
{
    LLVMValueRef parent = LLVMBuildAlloca(body->builder, body->ir->pointer, "parent");

    LLVMSetAlignment(parent, body->ir->pointer_size);
    return parent;
}

/* At the end of the entry block: take memory, begin the frame, go on with @rest. */
static LLVMValueRef build_beginning(Body *body, LLVMBasicBlockRef rest)
{
    const CpcIr *ir = body->ir;
    LLVMBasicBlockRef begin = cpc_insert_block(ir, rest, "begin");
    LLVMValueRef terminator = LLVMGetBasicBlockTerminator(entry_of(body));

    LLVMPositionBuilderAtEnd(body->builder, entry_of(body));
    LLVMInstructionEraseFromParent(terminator);
    LLVMValueRef parent = build_parent(body);
    LLVMValueRef id_args[] = {
        LLVMConstInt(ir->i32, max_size(body->alignment, CPC_ARENA_ALIGNMENT), false),
        parent,
        LLVMConstNull(ir->pointer),
        LLVMConstNull(ir->pointer),
    };
    LLVMValueRef id = build_coro(body, "llvm.coro.id", id_args, 4);
    build_take(body, begin);
    LLVMValueRef base = build_aligned(body, body->start);
    LLVMValueRef frame =
        cpc_build_offset(ir, body->builder, base, cpc_size(ir, body->locals_size));
    LLVMValueRef begin_args[] = { id, body->locals_size == 0 ? base : frame };
    body->handle = build_coro(body, "llvm.coro.begin", begin_args, 2);
    LLVMBuildStore(body->builder, LLVMConstNull(ir->pointer), parent);
    place_locals(body, base);
    LLVMBuildBr(body->builder, rest);
    return parent;
}

static void build_stop(Body *body)
{
    const CpcIr *ir = body->ir;
    LLVMValueRef end_args[] = {
        LLVMConstNull(ir->pointer),
        LLVMConstInt(ir->i1, 0, false),
        LLVMConstNull(LLVMTokenTypeInContext(ir->context)),
    };

    body->destroy = cpc_append_block(ir, body->function, "destroy");
    LLVMPositionBuilderAtEnd(body->builder, body->destroy);
    build_coro(body, "llvm.trap", NULL, 0);
    LLVMBuildUnreachable(body->builder);

    body->stop = cpc_append_block(ir, body->function, "stop");
    LLVMPositionBuilderAtEnd(body->builder, body->stop);
    body->stopped_with = LLVMBuildPhi(body->builder, ir->pointer, "");
    build_coro(body, "llvm.coro.end", end_args, 3);
    LLVMBuildRet(body->builder, body->stopped_with);
}

static void stop_with(Body *body, LLVMValueRef frame)
{
    LLVMBasicBlockRef from = LLVMGetInsertBlock(body->builder);

    LLVMAddIncoming(body->stopped_with, &frame, &from, 1);
}

/* Where all returns go: give the memory back and name who goes on. */
static void build_finish(Body *body, LLVMValueRef parent)
{
    const CpcIr *ir = body->ir;
    LLVMBasicBlockRef finish = cpc_append_block(ir, body->function, "finish");

    for (size_t i = 0; i < body->returns.n; i++) {
        LLVMValueRef ret = body->returns.items[i];
        store_result(body, ret);
        LLVMBuildBr(body->builder, finish);
        LLVMInstructionEraseFromParent(ret);
    }
    LLVMPositionBuilderAtEnd(body->builder, finish);
    LLVMSetCurrentDebugLocation2(body->builder, NULL);
    LLVMValueRef next = LLVMBuildLoad2(body->builder, ir->pointer, parent, "");
    LLVMBuildStore(body->builder, next,
                   cpc_build_word(ir, body->builder, body->arena, CPC_ARENA_TOP));
    build_drop(body);
    stop_with(body, LLVMConstNull(ir->pointer));
    LLVMBuildBr(body->builder, body->stop);
}

/* In a block of its own: @callee has not finished, so this one waits, and goes to @then. */
static void build_wait(Body *body, LLVMValueRef callee, LLVMBasicBlockRef then)
{
    const CpcIr *ir = body->ir;
    LLVMValueRef save = build_coro(body, "llvm.coro.save", &body->handle, 1);
    LLVMValueRef args[] = { save, LLVMConstInt(ir->i1, 0, false) };

    LLVMBuildStore(body->builder, body->handle,
                   cpc_build_word(ir, body->builder, callee, CPC_ARENA_PARENT));
    LLVMValueRef outcome = build_coro(body, "llvm.coro.suspend", args, 2);
    LLVMValueRef choice = LLVMBuildSwitch(body->builder, outcome, body->stop, 2);
    LLVMAddCase(choice, LLVMConstInt(ir->i8, 0, false), then);
    LLVMAddCase(choice, LLVMConstInt(ir->i8, 1, false), body->destroy);
    stop_with(body, body->handle);
}

static void convert_call(Body *body, LLVMValueRef call)
{
    const CpcIr *ir = body->ir;
    LLVMTypeRef type = LLVMGetReturnType(LLVMGetCalledFunctionType(call));
    LLVMBasicBlockRef then = cpc_shim_split(call, "then");
    LLVMBasicBlockRef wait = cpc_insert_block(ir, then, "wait");
    LLVMBasicBlockRef before = LLVMGetPreviousBasicBlock(wait);
    LLVMValueRef branch = LLVMGetBasicBlockTerminator(before);

    LLVMPositionBuilderAtEnd(body->builder, before);
    LLVMInstructionEraseFromParent(branch);
    LLVMSetCurrentDebugLocation2(body->builder, LLVMInstructionGetDebugLoc(call));
    LLVMValueRef frame = build_call(body, call, body->slot);
    LLVMBuildCondBr(body->builder, LLVMBuildIsNotNull(body->builder, frame, ""), wait,
                    then);
    LLVMPositionBuilderAtEnd(body->builder, wait);
    build_wait(body, frame, then);

    if (!is_void(type)) {
        cpc_position_before(body->builder, call);
        LLVMReplaceAllUsesWith(call,
                               LLVMBuildLoad2(body->builder, type, body->slot, ""));
    }
    LLVMInstructionEraseFromParent(call);
}

static void convert_with_frame(Body *body)
{
    static const char name[] = "presplitcoroutine";
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

    add_slot(body);
    body->locals_size = sum_up_locals(body);
    gather_allocas(body);
    LLVMBasicBlockRef rest = cpc_shim_split(first_after_allocas(body), "rest");
    LLVMSetCurrentDebugLocation2(body->builder, NULL);
    LLVMValueRef parent = build_beginning(body, rest);
    build_stop(body);
    for (size_t i = 0; i < body->dynamic.n; i++) {
        convert_dynamic(body, body->dynamic.items[i]);
    }
    if (body->returns.n > 0) {
        build_finish(body, parent);
    }
    for (size_t i = 0; i < body->calls.n; i++) {
        convert_call(body, body->calls.items[i]);
    }
    LLVMAddAttributeAtIndex(body->function, LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(body->ir->context, kind, 0));
}

void cpc_body_convert(const CpcIr *ir, LLVMValueRef function, LLVMTypeRef type,
                      CpcCloneOf *clone_of, const void *opaque)
{
    Body body = {
        .ir = ir,
        .function = function,
        .type = type,
        .arena = LLVMGetParam(function, 0),
        .result = is_void(type) ? NULL : LLVMGetParam(function, 1),
        .clone_of = clone_of,
        .opaque = opaque,
        .builder = LLVMCreateBuilderInContext(ir->context),
    };

    copy_parameters(&body);
    for_each_instruction(&body, forget_thread_and_scope);
    for_each_instruction(&body, note_instruction);
    if (body.calls.n == 0 || only_hands_on(&body)) {
        convert_without_frame(&body);
    } else {
        convert_with_frame(&body);
    }
    LLVMDisposeBuilder(body.builder);
    free(body.calls.items);
    free(body.returns.items);
    free(body.locals.items);
    free(body.dynamic.items);
}
