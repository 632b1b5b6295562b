/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * list.h - marks that are not in the source: CPC_LIST=FILE
 *
 * For a large program that is not marked yet.  The file has one name a line, as
 * "cocheck --list mixed" and "--list pointer" print them: a function that is to be a
 * coroutine_mixed_fn, or a place (cocheck/record.h) that points to such functions.  Static
 * functions of one name are all meant.
 */
#pragma once

#include <llvm-c/Core.h>
#include <stdbool.h>

/* Whether there is a list. */
bool cpc_list_is_given(void);

bool cpc_list_has(const char *name);

/* Whether @call, through a pointer, can be one of a function on the list. */
bool cpc_list_has_pointer(LLVMValueRef call);
