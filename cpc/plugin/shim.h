/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shim.h - the few things that LLVM has in C++ only
 *
 * pass.c is what the plugin does; shim.cpp puts it into clang's pipeline.
 */
#pragma once

#include "ir.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Compile the coroutines of @module; whether anything changed.  In pass.c. */
bool cpc_pass_run(LLVMModuleRef module);

/* An error of clang's, at @where: an instruction or a function. */
void cpc_shim_error(LLVMValueRef where, const char *message);

/* A copy of @function in the same module; replaces each of @values by its copy. */
LLVMValueRef cpc_shim_clone(LLVMValueRef function, const char *name, CpcValues *values);

/* Unless @function is to stay as it is for the debugger: make values of its variables. */
void cpc_shim_make_values(LLVMValueRef function);

/* Whether @function is compiled with -g; lines alone are known without. */
bool cpc_shim_has_debug_info(LLVMValueRef function);
/* Put @n words of 32 bits in front of @function. */
void cpc_shim_put_before(LLVMValueRef function, const unsigned *words, unsigned n);

/* Drop the blocks that no path leads to. */
void cpc_shim_drop_unreachable(LLVMValueRef function);

/* Move the blocks of @from, and its debug info, to @to, which has none. */
void cpc_shim_move_body(LLVMValueRef from, LLVMValueRef to);

/* Call @function, which takes and returns nothing, before any constructor of the program. */
void cpc_shim_call_first(LLVMModuleRef module, LLVMValueRef function);

/* Make a declaration of @function. */
void cpc_shim_drop_body(LLVMValueRef function);

/* A new block that begins with @at; the old one, up to there, branches to it. */
LLVMBasicBlockRef cpc_shim_split(LLVMValueRef at, const char *name);

#ifdef __cplusplus
}
#endif
