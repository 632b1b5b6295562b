/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * marks.h - how a function is marked: by its calling convention or by an annotation
 */
#pragma once

#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    LLVMValueRef function;
    const char *mark; /* static */
} CocheckAnnotation;

typedef struct {
    CocheckAnnotation *rows; /* sorted by function */
    size_t n;
} CocheckMarks;

CocheckMarks cocheck_marks_of(LLVMModuleRef module);
void cocheck_marks_free(CocheckMarks *marks);

/* "coroutine", "mixed", "start" or "-". */
const char *cocheck_mark_of(const CocheckMarks *marks, LLVMValueRef function);

/* Whether @convention is that of a coroutine_fn. */
bool cocheck_is_mark(unsigned convention);

enum {
    COCHECK_MARK_COROUTINE = 1,
    COCHECK_MARK_MIXED = 2,
};

/* What the constant @string means as an annotation of a pointer; 0 if nothing to us. */
unsigned cocheck_marks_in(LLVMValueRef string);
