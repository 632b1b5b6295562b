/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "marks.h"

#include <stdlib.h>
#include <string.h>

/* LLVM-C's enum LLVMCallConv has no name for this one (llvm/IR/CallingConv.h). */
#define RISCV_VECTOR_CALL 110

static const struct {
    const char *annotation;
    const char *mark;
} words[] = {
    { "coroutine_fn", "coroutine" },
    { "coroutine_variadic_fn", "coroutine" },
    { "coroutine_mixed_fn", "mixed" },
    { "coroutine_start_fn", "start" },
};

bool cocheck_is_mark(unsigned convention)
{
    return convention == LLVMSwiftCallConv || convention == RISCV_VECTOR_CALL;
}

static const char *mark_for(LLVMValueRef string)
{
    LLVMValueRef data =
        LLVMIsAGlobalVariable(string) ? LLVMGetInitializer(string) : NULL;
    size_t length;

    if (!data || !LLVMIsAConstantDataSequential(data) || !LLVMIsConstantString(data)) {
        return NULL;
    }
    const char *text = LLVMGetAsString(data, &length);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (length == strlen(words[i].annotation) + 1 &&
            memcmp(text, words[i].annotation, length) == 0) {
            return words[i].mark;
        }
    }
    return NULL;
}

unsigned cocheck_marks_in(LLVMValueRef string)
{
    const char *mark = mark_for(string);

    return !mark                            ? 0
           : strcmp(mark, "coroutine") == 0 ? COCHECK_MARK_COROUTINE
           : strcmp(mark, "mixed") == 0     ? COCHECK_MARK_MIXED
                                            : 0;
}

static int by_function(const void *a, const void *b)
{
    const CocheckAnnotation *left = a, *right = b;

    return left->function < right->function ? -1 : left->function > right->function;
}

/* The rows of llvm.global.annotations begin with what is annotated, and the words. */
CocheckMarks cocheck_marks_of(LLVMModuleRef module)
{
    LLVMValueRef table = LLVMGetNamedGlobal(module, "llvm.global.annotations");
    LLVMValueRef rows = table ? LLVMGetInitializer(table) : NULL;
    int n = rows ? LLVMGetNumOperands(rows) : 0;
    CocheckMarks marks = { calloc((size_t)n + 1, sizeof(CocheckAnnotation)), 0 };

    if (!marks.rows) {
        abort();
    }
    for (int i = 0; i < n; i++) {
        LLVMValueRef row = LLVMGetOperand(rows, (unsigned)i);
        LLVMValueRef what = LLVMGetOperand(row, 0);
        const char *mark = mark_for(LLVMGetOperand(row, 1));
        if (mark && LLVMIsAFunction(what)) {
            marks.rows[marks.n++] = (CocheckAnnotation){ what, mark };
        }
    }
    qsort(marks.rows, marks.n, sizeof(*marks.rows), by_function);
    return marks;
}

void cocheck_marks_free(CocheckMarks *marks)
{
    free(marks->rows);
}

const char *cocheck_mark_of(const CocheckMarks *marks, LLVMValueRef function)
{
    CocheckAnnotation key = { function, NULL };

    if (cocheck_is_mark(LLVMGetFunctionCallConv(function))) {
        return "coroutine";
    }
    const CocheckAnnotation *found =
        bsearch(&key, marks->rows, marks->n, sizeof(*marks->rows), by_function);
    return found ? found->mark : "-";
}
