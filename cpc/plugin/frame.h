/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * frame.h - what a function that waits in the middle keeps, and where
 *
 * For split.c and whole.c.
 */
#pragma once

#include "body.h"
#include "live.h"

/* Behind the words of runtime/arena.h, and behind the locals, which come first of all. */
typedef struct {
    CpcLives lives;              /* the values that are kept */
    unsigned long long *offsets; /* of each */
    unsigned long long where_offset;
    LLVMTypeRef where_type; /* of the number of the call that waits */
    unsigned long long size;
    unsigned long long locals_size;
} CpcFrameLayout;

/* Puts each call of @body's at the end of a block, which the layout is found by. */
CpcFrameLayout cpc_frame_lay_out(const CpcBody *body);
void cpc_frame_layout_free(CpcFrameLayout *layout);

/* Keep the values in variables instead, one for each. */
CpcValues cpc_frame_demote(const CpcBody *body, const CpcFrameLayout *layout);

/* Where the function goes on after @call; begins with a phi unless that returns nothing. */
LLVMBasicBlockRef cpc_frame_block_after(LLVMValueRef call);

/* Of a value in a frame: its type may want more than there is. */
unsigned cpc_frame_alignment(const CpcIr *ir, LLVMTypeRef type);
/* In the caller's frame: what the callee returns. */
unsigned long long cpc_frame_result_offset(const CpcIr *ir);

/*
 * An empty function that @body's goes on in: f.cpc.resume(frame, arena).  With -g it is
 * noted there at which lines: gdb/cpc.py.
 */
LLVMValueRef cpc_frame_declare_resume(const CpcBody *body,
                                      const CpcFrameLayout *layout);
