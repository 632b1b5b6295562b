/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "context.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    LLVMBasicBlockRef block;
    unsigned context;
} Row;

struct CocheckContexts {
    Row *rows; /* sorted by block */
    size_t n;
    bool has_question; /* if not, all of it is COCHECK_BOTH */
};

/* --- the question -------------------------------------------------------------------- */

static LLVMValueRef called_function(LLVMValueRef value)
{
    LLVMValueRef callee = LLVMIsACallInst(value) ? LLVMGetCalledValue(value) : NULL;

    return callee && LLVMIsAFunction(callee) ? callee : NULL;
}

static bool is_question(LLVMValueRef value)
{
    static const char ending[] = "in_coroutine";
    LLVMValueRef callee = called_function(value);
    size_t length, n = strlen(ending);

    if (!callee) {
        return false;
    }
    const char *name = LLVMGetValueName2(callee, &length);
    return length >= n && memcmp(name + length - n, ending, n) == 0;
}

/* __builtin_expect() */
static bool is_expectation(LLVMValueRef value)
{
    static const char name[] = "llvm.expect.";
    LLVMValueRef callee = called_function(value);
    size_t length;

    return callee &&
           strncmp(LLVMGetValueName2(callee, &length), name, strlen(name)) == 0;
}

static unsigned opposite(unsigned meaning)
{
    return meaning == COCHECK_BOTH ? meaning : COCHECK_BOTH ^ meaning;
}

static unsigned meaning_of(LLVMValueRef condition);

static unsigned meaning_of_comparison(LLVMValueRef comparison)
{
    LLVMValueRef with = LLVMGetOperand(comparison, 1);
    unsigned inner = meaning_of(LLVMGetOperand(comparison, 0));

    if (!LLVMIsAConstantInt(with) || LLVMConstIntGetZExtValue(with) != 0) {
        return COCHECK_BOTH;
    }
    switch (LLVMGetICmpPredicate(comparison)) {
    case LLVMIntNE:
        return inner;
    case LLVMIntEQ:
        return opposite(inner);
    default:
        return COCHECK_BOTH;
    }
}

/* What "@condition is true" says; COCHECK_BOTH is nothing. */
static unsigned meaning_of(LLVMValueRef condition)
{
    if (is_question(condition)) {
        return COCHECK_IN_COROUTINE;
    }
    if (is_expectation(condition)) {
        return meaning_of(LLVMGetOperand(condition, 0));
    }
    if (!LLVMIsAInstruction(condition)) {
        return COCHECK_BOTH;
    }
    switch (LLVMGetInstructionOpcode(condition)) {
    case LLVMZExt:
    case LLVMSExt:
    case LLVMTrunc:
        return meaning_of(LLVMGetOperand(condition, 0));
    case LLVMXor: /* clang's "not" */
        return opposite(meaning_of(LLVMGetOperand(condition, 0)));
    case LLVMICmp:
        return meaning_of_comparison(condition);
    default:
        return COCHECK_BOTH;
    }
}

/* --- the blocks ------------------------------------------------------------------------ */

static int by_block(const void *a, const void *b)
{
    const Row *left = a, *right = b;

    return left->block < right->block ? -1 : left->block > right->block;
}

static Row *row_of(const CocheckContexts *contexts, LLVMBasicBlockRef block)
{
    Row key = { block, 0 };

    return bsearch(&key, contexts->rows, contexts->n, sizeof(Row), by_block);
}

static bool asks(LLVMValueRef function)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; at; at = LLVMGetNextInstruction(at)) {
            if (is_question(at)) {
                return true;
            }
        }
    }
    return false;
}

static bool add(const CocheckContexts *contexts, LLVMBasicBlockRef block,
                unsigned context)
{
    Row *row = row_of(contexts, block);
    unsigned before = row->context;

    row->context |= context;
    return row->context != before;
}

/* Tell @row's successors; whether one of them did not know it. */
static bool pass_on(const CocheckContexts *contexts, const Row *row)
{
    LLVMValueRef end = LLVMGetBasicBlockTerminator(row->block);
    bool is_new = false;

    if (!end) {
        return false;
    }
    unsigned n = LLVMGetNumSuccessors(end);
    unsigned meaning = COCHECK_BOTH;
    if (LLVMIsABranchInst(end) && LLVMIsConditional(end)) {
        meaning = meaning_of(LLVMGetCondition(end));
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned says = row->context & (i == 0 ? meaning : opposite(meaning));
        is_new = add(contexts, LLVMGetSuccessor(end, i), says) || is_new;
    }
    return is_new;
}

CocheckContexts *cocheck_contexts_of(LLVMValueRef function)
{
    CocheckContexts *contexts = calloc(1, sizeof(*contexts));
    bool is_new = true;

    if (!contexts) {
        abort();
    }
    contexts->has_question = asks(function);
    if (!contexts->has_question) {
        return contexts;
    }
    contexts->rows = calloc(LLVMCountBasicBlocks(function), sizeof(Row));
    if (!contexts->rows) {
        abort();
    }
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
    for (; block; block = LLVMGetNextBasicBlock(block)) {
        contexts->rows[contexts->n++].block = block;
    }
    qsort(contexts->rows, contexts->n, sizeof(Row), by_block);
    add(contexts, LLVMGetEntryBasicBlock(function), COCHECK_BOTH);
    while (is_new) {
        is_new = false;
        for (size_t i = 0; i < contexts->n; i++) {
            is_new = pass_on(contexts, &contexts->rows[i]) || is_new;
        }
    }
    return contexts;
}

void cocheck_contexts_free(CocheckContexts *contexts)
{
    free(contexts->rows);
    free(contexts);
}

unsigned cocheck_context_at(const CocheckContexts *contexts, LLVMBasicBlockRef block)
{
    return contexts->has_question ? row_of(contexts, block)->context : COCHECK_BOTH;
}

const char *cocheck_context_name(unsigned context)
{
    static const char *const names[] = { "-", "coroutine", "ordinary", "both" };

    return names[context];
}
