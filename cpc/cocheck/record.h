/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record.h - what one object says about its calls: the contract of plugin and cocheck
 *
 * Each object that was compiled with cocheck.so or cpc-plugin.so has a section
 * COCHECK_SECTION that linkers leave out of programs.  It is text, a row a line, words
 * separated by tabs:
 *
 *     unit      SOURCE                           begins a unit
 *     declared  NAME MARK                        a marked function that is defined elsewhere
 *     alias     NAME TARGET
 *     function  NAME LINKAGE MARK FILE LINE TYPE a definition; what follows is its own
 *     call      NAME CONTEXT LINE
 *     pointer   PLACE MARK CONTEXT LINE          a call through what PLACE holds
 *     taken     NAME PLACE LINE                  a function's address goes to PLACE
 *     copied    PLACE PLACE                      what the first holds goes to the second
 *
 * MARK:     coroutine, mixed, start or "-".
 * LINKAGE:  local, weak or global.
 * CONTEXT:  where the call can happen as far as the function asked in_coroutine(): in a
 *           coroutine, outside of one ("ordinary"), or in "both".
 * PLACE:    where a function pointer is kept, as precisely as the code says it:
 *           field STRUCT INDEX, variable NAME, parameter FUNCTION INDEX, or else type TYPE.
 */
#pragma once

#define COCHECK_SECTION ".cocheck"

#ifdef __cplusplus
extern "C" {
#endif

#include <llvm-c/Core.h>

/* The rows of @module (caller frees), as clang made it: before any optimisation. */
char *cocheck_record(LLVMModuleRef module);

/*
 * Put them into the object that @module becomes, if it is ELF or COFF, into the file that
 * the environment's COCHECK_FILE names, if any, and at the end of COCHECK_APPEND's.  In
 * embed.cpp.
 */
void cocheck_embed(LLVMModuleRef module);

#ifdef __cplusplus
}
#endif
