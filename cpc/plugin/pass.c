/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A coroutine_fn is known by its calling convention (swiftcall, which C code does not
 * use otherwise).  Each one gets a twin with the new type, named f.cpc, that takes over
 * its body and all its uses; so an object that was compiled without the plugin does not
 * link with one that was.
 *
 * A coroutine_mixed_fn is known by its annotation and remains what it is for ordinary
 * callers; a clone of it becomes f.cpc, which coroutines call.  Its address is always
 * that of the ordinary one.
 *
 * Everything is checked before anything is changed: after an error the module is still
 * the one that clang made.
 */
#include "body.h"
#include "check.h"
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    CpcIr ir;
    CpcValues marked;
    CpcValues mixed;
    CpcValues mixed_twins; /* of each in mixed */
} Pass;

static LLVMTypeRef return_type(LLVMValueRef function)
{
    return LLVMGetReturnType(LLVMGlobalGetValueType(function));
}

/* --- who is what ----------------------------------------------------------------------- */

static bool is_text(LLVMValueRef string, const char *text)
{
    LLVMValueRef data =
        LLVMIsAGlobalVariable(string) ? LLVMGetInitializer(string) : NULL;
    size_t length;

    if (!data || !LLVMIsAConstantDataSequential(data) || !LLVMIsConstantString(data)) {
        return false;
    }
    const char *actual = LLVMGetAsString(data, &length);
    return length == strlen(text) + 1 && memcmp(actual, text, length) == 0;
}

/* The rows of llvm.global.annotations begin with what is annotated, and the words. */
static void find_mixed(Pass *pass)
{
    LLVMValueRef table = LLVMGetNamedGlobal(pass->ir.module, "llvm.global.annotations");
    LLVMValueRef rows = table ? LLVMGetInitializer(table) : NULL;

    for (int i = 0; rows && i < LLVMGetNumOperands(rows); i++) {
        LLVMValueRef row = LLVMGetOperand(rows, (unsigned)i);
        LLVMValueRef what = LLVMGetOperand(row, 0);
        if (LLVMIsAFunction(what) &&
            is_text(LLVMGetOperand(row, 1), "coroutine_mixed_fn")) {
            cpc_values_add(&pass->mixed, what);
        }
    }
}

static void find_marked(Pass *pass)
{
    LLVMValueRef at = LLVMGetFirstFunction(pass->ir.module);

    for (; at; at = LLVMGetNextFunction(at)) {
        if (cpc_is_mark(LLVMGetFunctionCallConv(at))) {
            cpc_values_add(&pass->marked, at);
        }
    }
}

static bool is_mixed(const Pass *pass, LLVMValueRef function)
{
    for (size_t i = 0; i < pass->mixed.n; i++) {
        if (pass->mixed.items[i] == function) {
            return true;
        }
    }
    return false;
}

static bool check_module(const Pass *pass)
{
    LLVMValueRef at = LLVMGetFirstFunction(pass->ir.module);
    bool is_fine = true;

    for (; at; at = LLVMGetNextFunction(at)) {
        bool is_coroutine =
            cpc_is_mark(LLVMGetFunctionCallConv(at)) || is_mixed(pass, at);
        bool passes = is_coroutine ? cpc_check_coroutine(at) : cpc_check_ordinary(at);
        is_fine = passes && is_fine;
    }
    return is_fine;
}

/* --- twins ----------------------------------------------------------------------------- */

static void keep_function_attributes(LLVMValueRef from, LLVMValueRef to)
{
    unsigned index = (unsigned)LLVMAttributeFunctionIndex;
    unsigned n = LLVMGetAttributeCountAtIndex(from, index);
    LLVMAttributeRef *attributes = calloc(n + 1, sizeof(LLVMAttributeRef));

    LLVMGetAttributesAtIndex(from, index, attributes);
    for (unsigned i = 0; i < n; i++) {
        if (cpc_is_kept_for_function(attributes[i])) {
            LLVMAddAttributeAtIndex(to, index, attributes[i]);
        }
    }
    free(attributes);
}

static void keep_parameter_attributes(LLVMValueRef from, LLVMValueRef to,
                                      unsigned index, unsigned n_added)
{
    unsigned by_value = LLVMGetEnumAttributeKindForName("byval", strlen("byval"));
    unsigned n = LLVMGetAttributeCountAtIndex(from, index);
    LLVMAttributeRef *attributes = calloc(n + 1, sizeof(LLVMAttributeRef));

    LLVMGetAttributesAtIndex(from, index, attributes);
    for (unsigned i = 0; i < n; i++) {
        /* byval stays until body.c has made the copy. */
        if (cpc_is_kept_for_parameter(attributes[i]) ||
            (LLVMIsTypeAttribute(attributes[i]) &&
             LLVMGetEnumAttributeKind(attributes[i]) == by_value)) {
            LLVMAddAttributeAtIndex(to, index + n_added, attributes[i]);
        }
    }
    free(attributes);
}

/* An empty function that @function can become when it is converted. */
static LLVMValueRef declare_twin(const CpcIr *ir, LLVMValueRef function,
                                 LLVMValueRef named_after)
{
    LLVMTypeRef type = cpc_converted_type(ir, LLVMGlobalGetValueType(function));
    size_t length;
    const char *name = LLVMGetValueName2(named_after, &length);
    char *twin_name = malloc(length + sizeof(".cpc"));

    if (!twin_name) {
        abort();
    }
    sprintf(twin_name, "%s.cpc", name);
    LLVMValueRef twin = LLVMAddFunction(ir->module, twin_name, type);
    free(twin_name);
    LLVMSetLinkage(twin, LLVMGetLinkage(named_after));
    LLVMSetVisibility(twin, LLVMGetVisibility(named_after));
    LLVMSetUnnamedAddress(twin, LLVMGetUnnamedAddress(named_after));
    LLVMSetSection(twin, LLVMGetSection(named_after));
    keep_function_attributes(function, twin);
    return twin;
}

/* @twin takes over what @function does, and who calls it. */
static void become(LLVMValueRef twin, LLVMValueRef function)
{
    unsigned n = LLVMCountParams(function), n_added = LLVMCountParams(twin) - n;

    cpc_shim_move_body(function, twin);
    for (unsigned i = 0; i < n; i++) {
        keep_parameter_attributes(function, twin, i + 1, n_added);
        LLVMReplaceAllUsesWith(LLVMGetParam(function, i),
                               LLVMGetParam(twin, i + n_added));
    }
    LLVMReplaceAllUsesWith(function, twin);
    LLVMDeleteFunction(function);
}

/* The body of a C99 "inline" function is a hint, which is not worth a coroutine. */
static void drop_hints(const CpcValues *functions)
{
    for (size_t i = 0; i < functions->n; i++) {
        if (LLVMGetLinkage(functions->items[i]) == LLVMAvailableExternallyLinkage) {
            cpc_shim_drop_body(functions->items[i]);
        }
    }
}

static LLVMValueRef twin_of_mixed(LLVMValueRef function, const void *opaque)
{
    const Pass *pass = opaque;

    for (size_t i = 0; i < pass->mixed.n; i++) {
        if (pass->mixed.items[i] == function) {
            return pass->mixed_twins.items[i];
        }
    }
    return NULL;
}

static void convert(const Pass *pass, LLVMValueRef twin, LLVMTypeRef type)
{
    if (!LLVMIsDeclaration(twin)) {
        cpc_body_convert(&pass->ir, twin, type, twin_of_mixed, pass);
    }
}

/* A body is copied while it is still an ordinary one, and converted after all have been. */
static void split_mixed(Pass *pass, size_t i)
{
    LLVMValueRef function = pass->mixed.items[i];
    LLVMValueRef twin = pass->mixed_twins.items[i];

    if (!LLVMIsDeclaration(function)) {
        become(twin, cpc_shim_clone(function, "cpc.clone"));
    }
}

static void convert_marked(Pass *pass)
{
    for (size_t i = 0; i < pass->marked.n; i++) {
        LLVMValueRef function = pass->marked.items[i];
        LLVMTypeRef type = return_type(function);
        LLVMValueRef twin = declare_twin(&pass->ir, function, function);

        become(twin, function);
        convert(pass, twin, type);
    }
}

/* --- a mixed function outside of a coroutine ------------------------------------------- */

static void refuse_call(const Pass *pass, LLVMValueRef call, LLVMValueRef caller)
{
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(pass->ir.context);
    size_t length;

    cpc_position_before(builder, call);
    LLVMValueRef name =
        LLVMBuildGlobalStringPtr(builder, LLVMGetValueName2(caller, &length), "");
    cpc_build_runtime(&pass->ir, builder, "cpc_arena_missing", pass->ir.none, &name, 1);
    LLVMDisposeBuilder(builder);
    if (LLVMGetTypeKind(LLVMTypeOf(call)) != LLVMVoidTypeKind) {
        LLVMReplaceAllUsesWith(call, LLVMGetUndef(LLVMTypeOf(call)));
    }
    LLVMInstructionEraseFromParent(call);
}

/* It is meant to ask cpc_in_coroutine() first; who did not is told when it is called. */
static void refuse_calls(const Pass *pass, LLVMValueRef function)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef next;
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = next) {
            next = LLVMGetNextInstruction(at);
            if (cpc_is_marked_call(at)) {
                refuse_call(pass, at, function);
            }
        }
    }
}

/* --- the module ------------------------------------------------------------------------ */

static void convert_module(Pass *pass)
{
    for (size_t i = 0; i < pass->mixed.n; i++) {
        LLVMValueRef function = pass->mixed.items[i];
        cpc_values_add(&pass->mixed_twins, declare_twin(&pass->ir, function, function));
    }
    for (size_t i = 0; i < pass->mixed.n; i++) {
        split_mixed(pass, i);
    }
    for (size_t i = 0; i < pass->mixed.n; i++) {
        refuse_calls(pass, pass->mixed.items[i]);
        convert(pass, pass->mixed_twins.items[i], return_type(pass->mixed.items[i]));
    }
    convert_marked(pass);
}

bool cpc_pass_run(LLVMModuleRef module)
{
    Pass pass = { .ir = cpc_ir_of(module) };

    find_mixed(&pass);
    find_marked(&pass);
    /* Even with neither there may be a call through a pointer. */
    bool converts = check_module(&pass) && (pass.mixed.n > 0 || pass.marked.n > 0);
    if (converts) {
        drop_hints(&pass.marked);
        drop_hints(&pass.mixed);
        convert_module(&pass);
    }
    free(pass.marked.items);
    free(pass.mixed.items);
    free(pass.mixed_twins.items);
    return converts;
}
