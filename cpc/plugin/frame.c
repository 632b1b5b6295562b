/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame.h"

#include "function.h"
#include "memory.h"
#include "shim.h"

#include "../runtime/arena.h"
#include <stdio.h>
#include <stdlib.h>

/* --- calls, each at the end of a block ------------------------------------------------- */

/* The block after @call, which begins with a phi of what it returns. */
static void separate_call(const CpcBody *body, LLVMValueRef call)
{
    LLVMTypeRef type = LLVMTypeOf(call);
    LLVMBasicBlockRef then = cpc_shim_split(LLVMGetNextInstruction(call), "then");

    if (!cpc_is_void(type)) {
        LLVMBasicBlockRef before = LLVMGetInstructionParent(call);
        LLVMPositionBuilderBefore(body->builder, LLVMGetFirstInstruction(then));
        LLVMValueRef result = LLVMBuildPhi(body->builder, type, "");
        LLVMReplaceAllUsesWith(call, result);
        LLVMAddIncoming(result, &call, &before, 1);
    }
}

LLVMBasicBlockRef cpc_frame_block_after(LLVMValueRef call)
{
    return LLVMGetSuccessor(LLVMGetNextInstruction(call), 0);
}

static CpcLives find_lives(const CpcBody *body)
{
    LLVMBasicBlockRef *blocks = calloc(body->calls.n, sizeof(*blocks));

    for (size_t i = 0; i < body->calls.n; i++) {
        separate_call(body, body->calls.items[i]);
    }
    for (size_t i = 0; i < body->calls.n; i++) {
        blocks[i] = cpc_frame_block_after(body->calls.items[i]);
    }
    CpcLives lives = cpc_lives_find(body->function, blocks, body->calls.n);
    free(blocks);
    return lives;
}

/* --- the layout --------------------------------------------------------------------------- */

unsigned cpc_frame_alignment(const CpcIr *ir, LLVMTypeRef type)
{
    unsigned alignment = LLVMABIAlignmentOfType(ir->layout, type);

    return alignment < CPC_ARENA_ALIGNMENT ? alignment : CPC_ARENA_ALIGNMENT;
}

unsigned long long cpc_frame_result_offset(const CpcIr *ir)
{
    return CPC_FRAME_N_WORDS * ir->pointer_size;
}

static unsigned long long result_size(const CpcBody *body)
{
    unsigned long long size = 0;

    for (size_t i = 0; i < body->calls.n; i++) {
        LLVMTypeRef type = LLVMTypeOf(body->calls.items[i]);
        if (!cpc_is_void(type)) {
            size = cpc_max(size, LLVMABISizeOfType(body->ir->layout, type));
        }
    }
    return size;
}

CpcFrameLayout cpc_frame_lay_out(const CpcBody *body)
{
    const CpcIr *ir = body->ir;
    CpcFrameLayout layout = { .lives = find_lives(body) };
    unsigned long long end = cpc_frame_result_offset(ir) + result_size(body);

    /* One byte is shorter to write, before each call; gdb/cpc.py knows. */
    layout.where_type = body->calls.n <= 256 ? ir->i8 : ir->i32;
    if (body->calls.n > 1) {
        unsigned long long size = LLVMABISizeOfType(ir->layout, layout.where_type);
        layout.where_offset = cpc_round_up(end, size);
        end = layout.where_offset + size;
    }
    layout.offsets = calloc(layout.lives.n + 1, sizeof(*layout.offsets));
    for (size_t i = 0; i < layout.lives.n; i++) {
        LLVMTypeRef type = layout.lives.items[i].type;
        layout.offsets[i] = cpc_round_up(end, cpc_frame_alignment(ir, type));
        end = layout.offsets[i] + LLVMABISizeOfType(ir->layout, type);
    }
    layout.size = cpc_round_up(end, CPC_ARENA_ALIGNMENT);
    layout.locals_size = cpc_memory_of_locals(body);
    return layout;
}

CpcValues cpc_frame_demote(const CpcBody *body, const CpcFrameLayout *layout)
{
    CpcValues variables = { 0 };

    for (size_t i = 0; i < layout->lives.n; i++) {
        cpc_values_add(&variables, cpc_lives_demote(body->ir, body->function,
                                                    layout->lives.items[i].value));
    }
    return variables;
}

void cpc_frame_layout_free(CpcFrameLayout *layout)
{
    free(layout->offsets);
    cpc_lives_free(&layout->lives);
}

/* --- the function that goes on -------------------------------------------------------------- */

/* "CL2": cpc/gdb/cpc.py looks for it. */
#define LINES_MAGIC 0x434c3200

/*
 * In front of the function, read backwards from it: the magic number, whose last byte is
 * how many suspensions there are (0: 256 or more, of which nothing is said), where a frame
 * says which, and their lines, as far as 16 bits can say.  Sixteen bytes or a multiple, so
 * that the function is aligned as before.
 */
static void note_lines(const CpcBody *body, const CpcFrameLayout *layout,
                       LLVMValueRef resume)
{
    unsigned n_lines = body->calls.n < 256 ? (unsigned)body->calls.n : 0;
    unsigned n = (unsigned)cpc_round_up((n_lines + 1) / 2 + 2, 4);
    unsigned *words = calloc(n, sizeof(*words));

    words[n - 1] = LINES_MAGIC | n_lines;
    words[n - 2] = (unsigned)layout->where_offset;
    for (size_t i = 0; i < n_lines; i++) {
        unsigned line = LLVMGetDebugLocLine(body->calls.items[i]);
        words[n - 3 - i / 2] |= (line <= 0xffff ? line : 0) << (i % 2 * 16);
    }
    cpc_shim_put_before(resume, words, n);
    free(words);
}

LLVMValueRef cpc_frame_declare_resume(const CpcBody *body, const CpcFrameLayout *layout)
{
    const CpcIr *ir = body->ir;
    LLVMTypeRef types[] = { ir->pointer, ir->pointer };
    LLVMTypeRef type = LLVMFunctionType(ir->pointer, types, 2, false);
    size_t length;
    const char *name = LLVMGetValueName2(body->function, &length);
    char *resume_name = malloc(length + sizeof(".resume"));

    sprintf(resume_name, "%s.resume", name);
    LLVMValueRef resume = cpc_function_declare(ir, body->function, type, resume_name);
    LLVMSetLinkage(resume, LLVMInternalLinkage);
    LLVMSetVisibility(resume, LLVMDefaultVisibility);
    free(resume_name);
    cpc_add_attribute(ir, resume, 2, "nonnull");
    if (cpc_shim_has_debug_info(body->function)) {
        note_lines(body, layout, resume);
    }
    return resume;
}
