/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Clang's first, unoptimised IR still shows what the programmer wrote: a parameter or
 * local is a memory cell of its own, a field is reached by its struct's name and number,
 * and a mark is either the calling convention (cpc/include/cpc/coroutine.h) or, in code
 * that switches stacks, an annotation of the function, field, variable or parameter.
 *
 * Function pointers are followed as far as one function and the names of places go: what
 * is stored into a field may come out of any field of that name.  That forgets which
 * object it was, which is what makes it hold over many units, and tables of functions
 * come out as one expects.
 */
#include "record.h"

#include "context.h"
#include "marks.h"
#include "places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    LLVMModuleRef module;
    CocheckMarks marks;
    FILE *out;
} Recorder;

static const char *name_of(LLVMValueRef value)
{
    size_t length;

    return LLVMGetValueName2(value, &length);
}

static unsigned line_of(LLVMValueRef value)
{
    return LLVMGetDebugLocLine(value);
}

/* --- calls ------------------------------------------------------------------------- */

typedef struct {
    Recorder *recorder;
    const char *context;
    LLVMValueRef call;
} CallSite;

static void record_callee(const CocheckPlace *place, void *opaque)
{
    CallSite *site = opaque;
    FILE *out = site->recorder->out;

    if (place->function) {
        fprintf(out, "call\t%s\t%s\t%u\n", name_of(place->function), site->context,
                line_of(site->call));
        return;
    }
    bool is_coroutine = (place->marks & COCHECK_MARK_COROUTINE) ||
                        cocheck_is_mark(LLVMGetInstructionCallConv(site->call));
    fprintf(out, "pointer\t%s\t%s\t%s\t%u\n", place->text,
            is_coroutine                        ? "coroutine"
            : place->marks & COCHECK_MARK_MIXED ? "mixed"
                                                : "-",
            site->context, line_of(site->call));
}

static bool is_call(LLVMValueRef instruction)
{
    return LLVMIsACallInst(instruction) || LLVMIsAInvokeInst(instruction);
}

static void record_call(Recorder *recorder, LLVMValueRef call, unsigned context)
{
    LLVMValueRef callee = LLVMGetCalledValue(call);
    CallSite site = { recorder, cocheck_context_name(context), call };

    if (LLVMIsAInlineAsm(callee) ||
        (LLVMIsAFunction(callee) && LLVMGetIntrinsicID(callee) != 0)) {
        return;
    }
    cocheck_find_callees(callee, LLVMGetCalledFunctionType(call), record_callee, &site);
}

/* --- addresses --------------------------------------------------------------------- */

static void record_taken(Recorder *recorder, LLVMValueRef function, const char *place,
                         unsigned line)
{
    fprintf(recorder->out, "taken\t%s\t%s\t%u\n", name_of(function), place, line);
}

static bool is_callee(LLVMValueRef instruction, unsigned operand)
{
    /* The last operand of a call is what is called. */
    return is_call(instruction) && (int)operand == LLVMGetNumOperands(instruction) - 1;
}

static void record_use(Recorder *recorder, LLVMValueRef function, LLVMValueRef user,
                       unsigned operand)
{
    char *place = cocheck_place_of_use(user, operand, LLVMGlobalGetValueType(function));

    record_taken(recorder, function, place, line_of(user));
    free(place);
}

/* "which = condition ? one : other": both go where the choice goes. */
static void record_choice(Recorder *recorder, LLVMValueRef function,
                          LLVMValueRef choice)
{
    for (LLVMUseRef use = LLVMGetFirstUse(choice); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        for (int i = 0; i < LLVMGetNumOperands(user); i++) {
            if (LLVMGetOperand(user, (unsigned)i) == choice &&
                !is_callee(user, (unsigned)i)) {
                record_use(recorder, function, user, (unsigned)i);
            }
        }
    }
}

typedef struct {
    Recorder *recorder;
    const char *to;
} Copy;

static void record_copy(const CocheckPlace *from, void *opaque)
{
    const Copy *copy = opaque;

    if (from->text && !cocheck_is_vague(from->text)) {
        fprintf(copy->recorder->out, "copied\t%s\t%s\n", from->text, copy->to);
    }
}

/* Any pointer may be one to a function: whether it is shows when all units are known. */
static void record_copies(Recorder *recorder, LLVMValueRef user, unsigned operand)
{
    LLVMValueRef value = LLVMGetOperand(user, operand);
    LLVMTypeRef type = LLVMTypeOf(value);

    if (LLVMGetTypeKind(type) != LLVMPointerTypeKind || LLVMIsAConstant(value) ||
        LLVMIsAAllocaInst(value) || LLVMIsAGetElementPtrInst(value)) {
        return;
    }
    Copy copy = { recorder, cocheck_place_of_use(user, operand, type) };
    if (!cocheck_is_vague(copy.to) && strcmp(copy.to, "local") != 0) {
        cocheck_find_callees(value, type, record_copy, &copy);
    }
    free((char *)copy.to);
}

static void record_operand(Recorder *recorder, LLVMValueRef instruction,
                           unsigned operand)
{
    LLVMValueRef value = LLVMGetOperand(instruction, operand);

    if (is_callee(instruction, operand) || LLVMIsAICmpInst(instruction)) {
        return;
    }
    if (!LLVMIsAFunction(value)) {
        record_copies(recorder, instruction, operand);
        return;
    }
    if (LLVMIsAPHINode(instruction) || LLVMIsASelectInst(instruction)) {
        record_choice(recorder, value, instruction);
    } else {
        record_use(recorder, value, instruction, operand);
    }
}

static void record_taken_in(Recorder *recorder, LLVMValueRef instruction)
{
    for (int i = 0; i < LLVMGetNumOperands(instruction); i++) {
        record_operand(recorder, instruction, (unsigned)i);
    }
}

static void record_initial(LLVMValueRef function, const char *place, void *opaque)
{
    record_taken(opaque, function, place, 0);
}

/* --- definitions ------------------------------------------------------------------- */

static const char *linkage_name(LLVMValueRef function)
{
    switch (LLVMGetLinkage(function)) {
    case LLVMInternalLinkage:
    case LLVMPrivateLinkage:
        return "local";
    case LLVMExternalLinkage:
        return "global";
    default:
        return "weak"; /* and inline: another definition may be taken in its place */
    }
}

static void record_head(Recorder *recorder, LLVMValueRef function)
{
    unsigned n = 0;
    const char *file = LLVMGetDebugLocFilename(function, &n);

    char *type = LLVMPrintTypeToString(LLVMGlobalGetValueType(function));
    fprintf(recorder->out, "function\t%s\t%s\t%s\t%.*s\t%u\t%s\n", name_of(function),
            linkage_name(function), cocheck_mark_of(&recorder->marks, function),
            file ? (int)n : 1, file ? file : "-", line_of(function), type);
    LLVMDisposeMessage(type);
}

static void record_body(Recorder *recorder, LLVMValueRef function)
{
    CocheckContexts *contexts = cocheck_contexts_of(function);
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        unsigned context = cocheck_context_at(contexts, block);
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; context != 0 && at; at = LLVMGetNextInstruction(at)) {
            if (is_call(at)) {
                record_call(recorder, at, context);
            }
            record_taken_in(recorder, at);
        }
    }
    cocheck_contexts_free(contexts);
}

static void record_function(Recorder *recorder, LLVMValueRef function)
{
    const char *mark = cocheck_mark_of(&recorder->marks, function);

    if (!LLVMIsDeclaration(function)) {
        record_head(recorder, function);
        record_body(recorder, function);
    } else if (strcmp(mark, "-") != 0) {
        fprintf(recorder->out, "declared\t%s\t%s\n", name_of(function), mark);
    }
}

static void record_aliases(Recorder *recorder)
{
    LLVMValueRef at = LLVMGetFirstGlobalAlias(recorder->module);

    for (; at; at = LLVMGetNextGlobalAlias(at)) {
        LLVMValueRef target = LLVMAliasGetAliasee(at);
        if (LLVMIsAFunction(target)) {
            fprintf(recorder->out, "alias\t%s\t%s\n", name_of(at), name_of(target));
        }
    }
}

char *cocheck_record(LLVMModuleRef module)
{
    char *rows = NULL;
    size_t size = 0, length;
    Recorder recorder = { module, cocheck_marks_of(module),
                          open_memstream(&rows, &size) };

    if (!recorder.out) {
        abort();
    }
    fprintf(recorder.out, "unit\t%s\n", LLVMGetSourceFileName(module, &length));
    LLVMValueRef at = LLVMGetFirstGlobal(module);
    for (; at; at = LLVMGetNextGlobal(at)) {
        cocheck_find_initial(at, record_initial, &recorder);
    }
    record_aliases(&recorder);
    for (at = LLVMGetFirstFunction(module); at; at = LLVMGetNextFunction(at)) {
        record_function(&recorder, at);
    }
    if (fclose(recorder.out) != 0) {
        abort();
    }
    cocheck_marks_free(&recorder.marks);
    return rows;
}
