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
 * that of the ordinary one; where it is taken, the runtime is told of both.
 *
 * A coroutine_variadic_fn is made a coroutine_fn with a fixed number of parameters first
 * of all, and is nothing special from then on.
 *
 * Everything is checked before anything is changed: after an error the module is still
 * the one that clang made.
 */
#include "attributes.h"
#include "body.h"
#include "check.h"
#include "function.h"
#include "marks.h"
#include "pointer.h"
#include "shim.h"
#include "variadic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    CpcIr ir;
    CpcMarks marks;
    CpcValues mixed_twins; /* of each in marks.mixed */
} Pass;

static LLVMTypeRef return_type(LLVMValueRef function)
{
    return LLVMGetReturnType(LLVMGlobalGetValueType(function));
}

static bool is_variadic(LLVMValueRef function)
{
    return LLVMIsFunctionVarArg(LLVMGlobalGetValueType(function));
}

/* --- checks ---------------------------------------------------------------------------- */

static bool is_coroutine(const Pass *pass, LLVMValueRef function)
{
    return cpc_is_mark(LLVMGetFunctionCallConv(function)) ||
           cpc_values_contain(&pass->marks.mixed, function) ||
           cpc_values_contain(&pass->marks.variadic, function);
}

static bool check_module(const Pass *pass)
{
    LLVMValueRef at = LLVMGetFirstFunction(pass->ir.module);
    bool is_fine = true;

    for (; at; at = LLVMGetNextFunction(at)) {
        bool passes = is_coroutine(pass, at) ? cpc_check_coroutine(&pass->marks, at)
                                             : cpc_check_ordinary(&pass->marks, at);
        is_fine = passes && is_fine;
    }
    for (size_t i = 0; i < pass->marks.variadic.n; i++) {
        is_fine = cpc_check_variadic(pass->marks.variadic.items[i]) && is_fine;
    }
    return is_fine;
}

/* --- the function that suspends ------------------------------------------------------- */

/* Calls of it are calls of CPC_SUSPEND from now on, which body.c knows. */
static void name_suspension(const Pass *pass, LLVMValueRef function)
{
    LLVMTypeRef type = LLVMFunctionType(pass->ir.none, NULL, 0, false);
    LLVMValueRef named = LLVMGetNamedFunction(pass->ir.module, CPC_SUSPEND);
    LLVMUseRef next;

    if (!named) {
        named = LLVMAddFunction(pass->ir.module, CPC_SUSPEND, type);
    }
    for (LLVMUseRef use = LLVMGetFirstUse(function); use; use = next) {
        LLVMValueRef user = LLVMGetUser(use);
        next = LLVMGetNextUse(use);
        if (cpc_called_function(user) == function) {
            LLVMSetOperand(user, (unsigned)LLVMGetNumOperands(user) - 1, named);
        }
    }
}

static void forget_suspension(const Pass *pass)
{
    LLVMValueRef named = LLVMGetNamedFunction(pass->ir.module, CPC_SUSPEND);

    if (named) {
        LLVMDeleteFunction(named);
    }
}

/* --- variadic functions ---------------------------------------------------------------- */

static void pack_calls(const Pass *pass, LLVMValueRef function)
{
    LLVMUseRef next;

    for (LLVMUseRef use = LLVMGetFirstUse(function); use; use = next) {
        LLVMValueRef user = LLVMGetUser(use);
        next = LLVMGetNextUse(use);
        if (LLVMIsACallInst(user)) {
            LLVMValueRef packed = cpc_variadic_pack(&pass->ir, user);
            LLVMSetInstructionCallConv(packed, cpc_mark_of(pass->ir.module));
        }
    }
}

static void make_marked(Pass *pass, LLVMValueRef function)
{
    LLVMValueRef fixed = cpc_variadic_fix(&pass->ir, function);

    LLVMSetFunctionCallConv(fixed, cpc_mark_of(pass->ir.module));
    cpc_values_add(&pass->marks.marked, fixed);
    pack_calls(pass, fixed);
}

/* Calls in @function, which runs in coroutines, of mixed functions with "...". */
static void pack_calls_of_mixed(const Pass *pass, LLVMValueRef function)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef next;
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = next) {
            LLVMValueRef callee = cpc_called_function(at);
            next = LLVMGetNextInstruction(at);
            if (callee && is_variadic(callee) &&
                cpc_values_contain(&pass->marks.mixed, callee)) {
                cpc_variadic_pack(&pass->ir, at);
            }
        }
    }
}

/* --- twins ----------------------------------------------------------------------------- */

/* An empty function that @function can become when it is converted. */
static LLVMValueRef declare_twin(const CpcIr *ir, LLVMValueRef function)
{
    LLVMTypeRef type = LLVMGlobalGetValueType(function);
    size_t length;
    const char *name = LLVMGetValueName2(function, &length);
    char *twin_name = malloc(length + sizeof(".cpc"));

    if (!twin_name) {
        abort();
    }
    sprintf(twin_name, "%s.cpc", name);
    if (is_variadic(function)) {
        type = cpc_variadic_fixed_type(ir, type);
    }
    LLVMValueRef twin =
        cpc_function_declare(ir, function, cpc_converted_type(ir, type), twin_name);
    free(twin_name);
    cpc_add_attribute(ir, twin, 1, "nonnull");
    return twin;
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

    for (size_t i = 0; i < pass->marks.mixed.n; i++) {
        if (pass->marks.mixed.items[i] == function) {
            return pass->mixed_twins.items[i];
        }
    }
    return NULL;
}

static void convert(const Pass *pass, LLVMValueRef twin, LLVMTypeRef type)
{
    if (!LLVMIsDeclaration(twin)) {
        cpc_pointer_convert(&pass->ir, &pass->marks, twin);
        pack_calls_of_mixed(pass, twin);
        cpc_pointer_forget_marks(twin);
        cpc_body_convert(&pass->ir, twin, type, twin_of_mixed, pass);
    }
}

/* A body is copied while it is still an ordinary one, and converted after all have been. */
static void split_mixed(Pass *pass, size_t i)
{
    LLVMValueRef function = pass->marks.mixed.items[i];
    LLVMValueRef twin = pass->mixed_twins.items[i];

    if (LLVMIsDeclaration(function)) {
        return;
    }
    LLVMValueRef clone = cpc_shim_clone(function, "cpc.clone", NULL);
    if (is_variadic(clone)) {
        clone = cpc_variadic_fix(&pass->ir, clone);
    }
    cpc_function_become(twin, clone, 1);
    /* It is the function a second time; what has to be fast is marked coroutine_fn. */
    cpc_compile_for_size(&pass->ir, twin);
}

static void convert_marked(Pass *pass)
{
    for (size_t i = 0; i < pass->marks.marked.n; i++) {
        LLVMValueRef function = pass->marks.marked.items[i];
        LLVMTypeRef type = return_type(function);
        LLVMValueRef twin = declare_twin(&pass->ir, function);

        cpc_function_become(twin, function, 1);
        convert(pass, twin, type);
    }
}

/* --- pointers to mixed functions ------------------------------------------------------- */

/* A table of functions and twins, for the runtime to find a twin by its function. */
static LLVMValueRef build_table(const CpcIr *ir, const CpcValues *functions,
                                const CpcValues *twins)
{
    LLVMValueRef *items = calloc(functions->n * 2 + 1, sizeof(LLVMValueRef));

    for (size_t i = 0; i < functions->n; i++) {
        items[2 * i] = functions->items[i];
        items[2 * i + 1] = twins->items[i];
    }
    unsigned n = (unsigned)functions->n * 2;
    LLVMValueRef table =
        LLVMAddGlobal(ir->module, LLVMArrayType(ir->pointer, n), "cpc.twins");
    LLVMSetInitializer(table, LLVMConstArray(ir->pointer, items, n));
    LLVMSetLinkage(table, LLVMInternalLinkage);
    LLVMSetGlobalConstant(table, true);
    free(items);
    return table;
}

static void build_registration(const CpcIr *ir, const CpcValues *functions,
                               const CpcValues *twins)
{
    LLVMTypeRef type = LLVMFunctionType(ir->none, NULL, 0, false);
    LLVMValueRef function = LLVMAddFunction(ir->module, "cpc.register", type);
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);
    LLVMValueRef args[] = { build_table(ir, functions, twins),
                            cpc_size(ir, functions->n) };

    LLVMSetLinkage(function, LLVMInternalLinkage);
    LLVMPositionBuilderAtEnd(builder, cpc_append_block(ir, function, ""));
    cpc_build_runtime(ir, builder, "cpc_twins_register", ir->none, args, 2);
    LLVMBuildRetVoid(builder);
    LLVMDisposeBuilder(builder);
    cpc_shim_call_first(ir->module, function);
}

static void register_twins(const Pass *pass)
{
    CpcValues functions = { 0 }, twins = { 0 };

    for (size_t i = 0; i < pass->marks.mixed.n; i++) {
        if (cpc_is_address_taken(pass->marks.mixed.items[i])) {
            cpc_values_add(&functions, pass->marks.mixed.items[i]);
            cpc_values_add(&twins, pass->mixed_twins.items[i]);
        }
    }
    if (functions.n > 0) {
        build_registration(&pass->ir, &functions, &twins);
    }
    free(functions.items);
    free(twins.items);
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

static void convert_mixed(Pass *pass)
{
    const CpcValues *mixed = &pass->marks.mixed;

    for (size_t i = 0; i < mixed->n; i++) {
        cpc_values_add(&pass->mixed_twins, declare_twin(&pass->ir, mixed->items[i]));
    }
    for (size_t i = 0; i < mixed->n; i++) {
        split_mixed(pass, i);
    }
    register_twins(pass);
    for (size_t i = 0; i < mixed->n; i++) {
        refuse_calls(pass, mixed->items[i]);
        convert(pass, pass->mixed_twins.items[i], return_type(mixed->items[i]));
    }
}

static void convert_module(Pass *pass)
{
    for (size_t i = 0; i < pass->marks.variadic.n; i++) {
        make_marked(pass, pass->marks.variadic.items[i]);
    }
    for (size_t i = 0; i < pass->marks.suspending.n; i++) {
        name_suspension(pass, pass->marks.suspending.items[i]);
    }
    drop_hints(&pass->marks.marked);
    drop_hints(&pass->marks.mixed);
    convert_mixed(pass);
    convert_marked(pass);
    forget_suspension(pass);
}

static void forget_marks(const CpcIr *ir)
{
    LLVMValueRef at = LLVMGetFirstFunction(ir->module);

    for (; at; at = LLVMGetNextFunction(at)) {
        cpc_pointer_forget_marks(at);
    }
}

bool cpc_pass_run(LLVMModuleRef module)
{
    Pass pass = { .ir = cpc_ir_of(module), .marks = cpc_marks_of(module) };

    /* Even with no coroutine there may be a call through a pointer. */
    bool is_fine = check_module(&pass);
    if (is_fine) {
        convert_module(&pass);
        forget_marks(&pass.ir);
    }
    cpc_marks_free(&pass.marks);
    free(pass.mixed_twins.items);
    return is_fine;
}
