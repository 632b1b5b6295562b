/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ir.h - the little language that pass.c and body.c speak, on top of LLVM-C
 *
 * One module is compiled at a time, so its types live in one struct that is passed along.
 */
#pragma once

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm-c/Target.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    LLVMModuleRef module;
    LLVMContextRef context;
    LLVMTargetDataRef layout;
    LLVMTypeRef pointer, none, i1, i8, i32, size; /* size: size_t */
    unsigned pointer_size;
} CpcIr;

/* A list that grows; zeroed memory is an empty one.  Free with free(list.items). */
typedef struct {
    LLVMValueRef *items;
    size_t n;
    size_t room;
} CpcValues;

CpcIr cpc_ir_of(LLVMModuleRef module);

void cpc_values_add(CpcValues *values, LLVMValueRef value);

bool cpc_is_named(LLVMValueRef value, const char *name);
/* Whether @value is a call of an intrinsic whose name begins with @name. */
bool cpc_is_intrinsic(LLVMValueRef value, const char *name);
/* The function that @value calls by its name, or NULL. */
LLVMValueRef cpc_called_function(LLVMValueRef value);

/* Give @function the attribute @name at LLVM's attribute index @index. */
void cpc_add_attribute(const CpcIr *ir, LLVMValueRef function, unsigned index,
                       const char *name);

LLVMValueRef cpc_size(const CpcIr *ir, unsigned long long size);

/* Call LLVM's intrinsic @name; @types are those that it is overloaded with. */
LLVMValueRef cpc_build_intrinsic(const CpcIr *ir, LLVMBuilderRef builder,
                                 const char *name, LLVMTypeRef *types, unsigned n_types,
                                 LLVMValueRef *args, unsigned n_args);

/* Call the runtime's function @name, which takes what @args are and returns @type. */
LLVMValueRef cpc_build_runtime(const CpcIr *ir, LLVMBuilderRef builder,
                               const char *name, LLVMTypeRef type, LLVMValueRef *args,
                               unsigned n_args);

/* @pointer plus so many bytes. */
LLVMValueRef cpc_build_offset(const CpcIr *ir, LLVMBuilderRef builder,
                              LLVMValueRef pointer, LLVMValueRef bytes);

/* The address of word @index (CPC_ARENA_*) of an arena or a frame. */
LLVMValueRef cpc_build_word(const CpcIr *ir, LLVMBuilderRef builder,
                            LLVMValueRef pointer, unsigned index);

/* A local of @function's, as if it were declared there: @size bytes. */
LLVMValueRef cpc_build_local(const CpcIr *ir, LLVMValueRef function,
                             unsigned long long size, unsigned alignment);

LLVMBasicBlockRef cpc_insert_block(const CpcIr *ir, LLVMBasicBlockRef before,
                                   const char *name);
LLVMBasicBlockRef cpc_append_block(const CpcIr *ir, LLVMValueRef function,
                                   const char *name);

/* Before @instruction, with its line for the debugger. */
void cpc_position_before(LLVMBuilderRef builder, LLVMValueRef instruction);
