/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

CpcIr cpc_ir_of(LLVMModuleRef module)
{
    LLVMContextRef context = LLVMGetModuleContext(module);
    LLVMTargetDataRef layout = LLVMGetModuleDataLayout(module);

    return (CpcIr){
        .module = module,
        .context = context,
        .layout = layout,
        .pointer = LLVMPointerTypeInContext(context, 0),
        .none = LLVMVoidTypeInContext(context),
        .i1 = LLVMInt1TypeInContext(context),
        .i8 = LLVMInt8TypeInContext(context),
        .i32 = LLVMInt32TypeInContext(context),
        .size = LLVMIntPtrTypeInContext(context, layout),
        .pointer_size = LLVMPointerSize(layout),
    };
}

void cpc_values_add(CpcValues *values, LLVMValueRef value)
{
    if (values->n == values->room) {
        values->room = values->room ? values->room * 2 : 16;
        values->items = realloc(values->items, values->room * sizeof(*values->items));
        if (!values->items) {
            abort();
        }
    }
    values->items[values->n++] = value;
}

bool cpc_is_named(LLVMValueRef value, const char *name)
{
    size_t length;
    const char *actual = LLVMGetValueName2(value, &length);

    return length == strlen(name) && memcmp(actual, name, length) == 0;
}

LLVMValueRef cpc_called_function(LLVMValueRef value)
{
    LLVMValueRef callee = LLVMIsACallInst(value) ? LLVMGetCalledValue(value) : NULL;

    return callee && LLVMIsAFunction(callee) ? callee : NULL;
}

bool cpc_is_intrinsic(LLVMValueRef value, const char *name)
{
    LLVMValueRef callee = cpc_called_function(value);
    size_t length;

    return callee && LLVMGetIntrinsicID(callee) != 0 &&
           strncmp(LLVMGetValueName2(callee, &length), name, strlen(name)) == 0;
}

void cpc_add_attribute(const CpcIr *ir, LLVMValueRef function, unsigned index,
                       const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

    LLVMAddAttributeAtIndex(function, index,
                            LLVMCreateEnumAttribute(ir->context, kind, 0));
}

LLVMValueRef cpc_size(const CpcIr *ir, unsigned long long size)
{
    return LLVMConstInt(ir->size, size, false);
}

LLVMValueRef cpc_build_intrinsic(const CpcIr *ir, LLVMBuilderRef builder,
                                 const char *name, LLVMTypeRef *types, unsigned n_types,
                                 LLVMValueRef *args, unsigned n_args)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(ir->module, id, types, n_types);

    return LLVMBuildCall2(builder, LLVMGlobalGetValueType(function), function, args,
                          n_args, "");
}

LLVMValueRef cpc_build_runtime(const CpcIr *ir, LLVMBuilderRef builder,
                               const char *name, LLVMTypeRef type, LLVMValueRef *args,
                               unsigned n_args)
{
    LLVMValueRef function = LLVMGetNamedFunction(ir->module, name);
    LLVMTypeRef types[4];

    for (unsigned i = 0; i < n_args; i++) {
        types[i] = LLVMTypeOf(args[i]);
    }
    LLVMTypeRef function_type = LLVMFunctionType(type, types, n_args, false);
    if (!function) {
        function = LLVMAddFunction(ir->module, name, function_type);
        /* As clang has it where the function is compiled; MSan wants both to agree. */
        if (type != ir->none) {
            cpc_add_attribute(ir, function, LLVMAttributeReturnIndex, "noundef");
        }
    }
    return LLVMBuildCall2(builder, function_type, function, args, n_args, "");
}

LLVMValueRef cpc_build_offset(const CpcIr *ir, LLVMBuilderRef builder,
                              LLVMValueRef pointer, LLVMValueRef bytes)
{
    return LLVMBuildGEP2(builder, ir->i8, pointer, &bytes, 1, "");
}

LLVMValueRef cpc_build_word(const CpcIr *ir, LLVMBuilderRef builder,
                            LLVMValueRef pointer, unsigned index)
{
    return cpc_build_offset(ir, builder, pointer,
                            cpc_size(ir, index * ir->pointer_size));
}

LLVMValueRef cpc_build_local(const CpcIr *ir, LLVMValueRef function,
                             unsigned long long size, unsigned alignment)
{
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(function);

    LLVMPositionBuilderBefore(builder, LLVMGetFirstInstruction(entry));
    LLVMValueRef local =
        LLVMBuildArrayAlloca(builder, ir->i8, LLVMConstInt(ir->i32, size, false), "");
    LLVMSetAlignment(local, alignment);
    LLVMDisposeBuilder(builder);
    return local;
}

LLVMBasicBlockRef cpc_insert_block(const CpcIr *ir, LLVMBasicBlockRef before,
                                   const char *name)
{
    return LLVMInsertBasicBlockInContext(ir->context, before, name);
}

LLVMBasicBlockRef cpc_append_block(const CpcIr *ir, LLVMValueRef function,
                                   const char *name)
{
    return LLVMAppendBasicBlockInContext(ir->context, function, name);
}

void cpc_position_before(LLVMBuilderRef builder, LLVMValueRef instruction)
{
    LLVMPositionBuilderBefore(builder, instruction);
    LLVMSetCurrentDebugLocation2(builder, LLVMInstructionGetDebugLoc(instruction));
}
