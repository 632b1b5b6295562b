/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * memory.h - the arena, as compiled code uses it
 */
#pragma once

#include "body.h"

unsigned long long cpc_round_up(unsigned long long size, unsigned long long alignment);
unsigned long long cpc_max(unsigned long long a, unsigned long long b);

/* How many bytes the locals of @body take, one after the other. */
unsigned long long cpc_memory_of_locals(const CpcBody *body);
/* Put the locals where the bytes from @base are; they are variables no longer. */
void cpc_memory_place_locals(const CpcBody *body, LLVMValueRef base);

/* @size bytes of the arena, aligned as @body needs it.  Ends in another block. */
typedef struct {
    LLVMValueRef start; /* to give back */
    LLVMValueRef base;  /* aligned */
} CpcTaken;

CpcTaken cpc_memory_take(const CpcBody *body, unsigned long long size);
/* Give back what was taken since @start was, in the call that took it. */
void cpc_memory_drop(const CpcBody *body, LLVMValueRef start);
/* The same in a later one: the arena may be in another chunk. */
void cpc_memory_drop_to(const CpcBody *body, LLVMValueRef mark);

/* alloca(), variable-length arrays and their scopes; @is_second: where it goes on. */
void cpc_memory_convert_dynamic(const CpcBody *body, LLVMValueRef instruction,
                                bool is_second);

/* How much cpc_memory_enter() can take. */
#define CPC_MAX_ENTERED (0xffff * 16)
/*
 * A frame of @size bytes, with locals before it, of an arena at an even address; the one to
 * go on with of an arena at the odd address behind: see whole.c.
 */
LLVMValueRef cpc_memory_enter(const CpcIr *ir, LLVMBuilderRef builder,
                              LLVMValueRef tagged, unsigned long long locals_size,
                              unsigned long long size);

/* A function that makes the frame of one that has to wait: see memory.c. */
LLVMValueRef cpc_memory_frame_maker(const CpcIr *ir, LLVMTypeRef *type);
