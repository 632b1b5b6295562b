/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variadic.h"

#include "attributes.h"
#include "function.h"

#include <stdlib.h>
#include <string.h>

/* --- what a va_list is ----------------------------------------------------------------- */

typedef struct {
    unsigned offset;
    unsigned size;
    unsigned long long value;
} Word;

typedef struct {
    const char *triple; /* how it begins */
    const char *system; /* a word in it, or NULL */
    unsigned pointer_offset;
    Word words[4];        /* those that say that all registers have been used up */
    bool is_unaligned;    /* every argument is aligned to a pointer's size only */
    bool is_by_reference; /* structs are */
} VaList;

/*
 * The first that fits.  System V ABI for x86-64, 3.5.7; AAPCS64, appendix B; ELF ABI s390x
 * supplement, 1.2.2.  All others here have a pointer into the stack.
 */
static const VaList lists[] = {
    { "x86_64", "windows", 0 },
    { "x86_64", NULL, 8, { { 0, 4, 48 }, { 4, 4, 176 } } },
    { "aarch64", "windows", 0 },
    { "aarch64", NULL, 0, { { 24, 4, 0 }, { 28, 4, 0 } } },
    { "s390x", NULL, 16, { { 0, 8, 5 }, { 8, 8, 4 } } },
    { "i386", NULL, 0, { { 0 } }, true },
    { "i486", NULL, 0, { { 0 } }, true },
    { "i586", NULL, 0, { { 0 } }, true },
    { "i686", NULL, 0, { { 0 } }, true },
    { "wasm32", NULL, 0, { { 0 } }, false, true },
    { "arm", NULL, 0 },
    { "thumb", NULL, 0 },
    { "riscv", NULL, 0 },
    { "powerpc64le", NULL, 0 },
};

static const VaList *list_of(LLVMModuleRef module)
{
    const char *triple = LLVMGetTarget(module);

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        if (strncmp(triple, lists[i].triple, strlen(lists[i].triple)) == 0 &&
            (!lists[i].system || strstr(triple, lists[i].system))) {
            return &lists[i];
        }
    }
    return NULL;
}

bool cpc_variadic_is_possible(LLVMModuleRef module)
{
    return list_of(module);
}

static void build_word(const CpcIr *ir, LLVMBuilderRef builder, LLVMValueRef list,
                       const Word *word)
{
    LLVMTypeRef type = LLVMIntTypeInContext(ir->context, word->size * 8);

    LLVMBuildStore(builder, LLVMConstInt(type, word->value, false),
                   cpc_build_offset(ir, builder, list, cpc_size(ir, word->offset)));
}

/* In place of va_start(): @args is all that is left. */
static void convert_start(const CpcIr *ir, LLVMValueRef start, LLVMValueRef args)
{
    const VaList *kind = list_of(ir->module);
    LLVMValueRef list = LLVMGetOperand(start, 0);
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);

    cpc_position_before(builder, start);
    LLVMBuildStore(
        builder, args,
        cpc_build_offset(ir, builder, list, cpc_size(ir, kind->pointer_offset)));
    for (size_t i = 0; i < 4 && kind->words[i].size > 0; i++) {
        build_word(ir, builder, list, &kind->words[i]);
    }
    LLVMDisposeBuilder(builder);
    LLVMInstructionEraseFromParent(start);
}

static void convert_starts(const CpcIr *ir, LLVMValueRef function, LLVMValueRef args)
{
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);

    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef next;
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = next) {
            next = LLVMGetNextInstruction(at);
            if (cpc_is_intrinsic(at, "llvm.va_start")) {
                convert_start(ir, at, args);
            }
        }
    }
}

/* --- the function ---------------------------------------------------------------------- */

LLVMTypeRef cpc_variadic_fixed_type(const CpcIr *ir, LLVMTypeRef type)
{
    unsigned n = LLVMCountParamTypes(type);
    LLVMTypeRef *types = calloc(n + 1, sizeof(LLVMTypeRef));

    LLVMGetParamTypes(type, types);
    types[n] = ir->pointer;
    LLVMTypeRef fixed = LLVMFunctionType(LLVMGetReturnType(type), types, n + 1, false);
    free(types);
    return fixed;
}

LLVMValueRef cpc_variadic_fix(const CpcIr *ir, LLVMValueRef function)
{
    LLVMTypeRef type = cpc_variadic_fixed_type(ir, LLVMGlobalGetValueType(function));
    size_t length;
    char *name = strdup(LLVMGetValueName2(function, &length));
    LLVMValueRef fixed = cpc_function_declare(ir, function, type, "");

    cpc_function_become(fixed, function, 0);
    LLVMSetValueName2(fixed, name, length);
    free(name);
    convert_starts(ir, fixed, LLVMGetParam(fixed, LLVMCountParams(fixed) - 1));
    return fixed;
}

/* --- a call ---------------------------------------------------------------------------- */

/* The type of a struct that is passed by value, or NULL. */
static LLVMTypeRef by_value_type(LLVMValueRef call, unsigned argument)
{
    unsigned kind = LLVMGetEnumAttributeKindForName("byval", strlen("byval"));
    LLVMAttributeRef attribute = LLVMGetCallSiteEnumAttribute(call, argument + 1, kind);

    return attribute ? LLVMGetTypeAttributeValue(attribute) : NULL;
}

static unsigned long long by_value_alignment(LLVMValueRef call, unsigned argument)
{
    unsigned kind = LLVMGetEnumAttributeKindForName("align", strlen("align"));
    LLVMAttributeRef attribute = LLVMGetCallSiteEnumAttribute(call, argument + 1, kind);

    return attribute ? LLVMGetEnumAttributeValue(attribute) : 1;
}

typedef struct {
    LLVMTypeRef by_value; /* or NULL */
    unsigned long long size;
    unsigned long long alignment;
    unsigned long long offset;
} Place;

/* Clang writes a struct of 16-byte alignment as an array of i128, whatever LLVM takes that
 * to be aligned to (ppc64le: 8, until LLVM 20). */
static bool is_array_of_i128(LLVMTypeRef type)
{
    LLVMTypeRef item =
        LLVMGetTypeKind(type) == LLVMArrayTypeKind ? LLVMGetElementType(type) : NULL;

    return item && LLVMGetTypeKind(item) == LLVMIntegerTypeKind &&
           LLVMGetIntTypeWidth(item) == 128;
}

static Place place_of(const CpcIr *ir, LLVMValueRef call, unsigned argument,
                      unsigned long long end)
{
    const VaList *kind = list_of(ir->module);
    LLVMTypeRef type = LLVMTypeOf(LLVMGetOperand(call, argument));
    LLVMTypeRef by_value = kind->is_by_reference ? NULL : by_value_type(call, argument);
    unsigned long long alignment = by_value ? by_value_alignment(call, argument)
                                            : LLVMABIAlignmentOfType(ir->layout, type);

    if (is_array_of_i128(type)) {
        alignment = 16;
    }
    if (kind->is_unaligned || alignment < ir->pointer_size) {
        alignment = ir->pointer_size;
    }
    return (Place){
        .by_value = by_value,
        .size = LLVMABISizeOfType(ir->layout, by_value ? by_value : type),
        .alignment = alignment,
        .offset = (end + alignment - 1) / alignment * alignment,
    };
}

/* What is smaller than a slot fills it, so that it is where a big-endian one looks. */
static LLVMValueRef widened(const CpcIr *ir, LLVMBuilderRef builder, LLVMValueRef value)
{
    LLVMTypeRef type = LLVMTypeOf(value);
    bool is_small = LLVMGetTypeKind(type) == LLVMIntegerTypeKind &&
                    LLVMGetIntTypeWidth(type) < ir->pointer_size * 8;

    return is_small ? LLVMBuildSExt(builder, value, ir->size, "") : value;
}

static void build_argument(const CpcIr *ir, LLVMBuilderRef builder, LLVMValueRef value,
                           const Place *place, LLVMValueRef args)
{
    LLVMValueRef to = cpc_build_offset(ir, builder, args, cpc_size(ir, place->offset));

    if (place->by_value) {
        LLVMBuildMemCpy(builder, to, ir->pointer_size, value, 1,
                        cpc_size(ir, place->size));
    } else {
        LLVMBuildStore(builder, widened(ir, builder, value), to);
    }
}

/* All of the further arguments in a local, which is the caller's own. */
static LLVMValueRef build_arguments(const CpcIr *ir, LLVMBuilderRef builder,
                                    LLVMValueRef call, unsigned n_fixed)
{
    unsigned n = LLVMGetNumArgOperands(call) - n_fixed;
    Place *places = calloc(n + 1, sizeof(*places));
    unsigned long long end = 0, alignment = 16;

    for (unsigned i = 0; i < n; i++) {
        places[i] = place_of(ir, call, n_fixed + i, end);
        /* va_arg() aligns the address, not the offset. */
        alignment = places[i].alignment > alignment ? places[i].alignment : alignment;
        end = places[i].offset + places[i].size;
        end = (end + ir->pointer_size - 1) / ir->pointer_size * ir->pointer_size;
    }
    LLVMValueRef function = LLVMGetBasicBlockParent(LLVMGetInstructionParent(call));
    LLVMValueRef args = cpc_build_local(ir, function, end, (unsigned)alignment);
    for (unsigned i = 0; i < n; i++) {
        build_argument(ir, builder, LLVMGetOperand(call, n_fixed + i), &places[i],
                       args);
    }
    free(places);
    return args;
}

LLVMValueRef cpc_variadic_pack(const CpcIr *ir, LLVMValueRef call)
{
    LLVMTypeRef type = LLVMGetCalledFunctionType(call);
    unsigned n_fixed = LLVMCountParamTypes(type);
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(ir->context);
    LLVMValueRef *args = calloc(n_fixed + 1, sizeof(LLVMValueRef));

    cpc_position_before(builder, call);
    for (unsigned i = 0; i < n_fixed; i++) {
        args[i] = LLVMGetOperand(call, i);
    }
    args[n_fixed] = LLVMGetNumArgOperands(call) > n_fixed
                        ? build_arguments(ir, builder, call, n_fixed)
                        : LLVMConstNull(ir->pointer);
    LLVMValueRef packed =
        LLVMBuildCall2(builder, cpc_variadic_fixed_type(ir, type),
                       LLVMGetCalledValue(call), args, n_fixed + 1, "");
    for (unsigned i = 1; i <= n_fixed; i++) {
        cpc_keep_argument_attributes(call, packed, i, i);
    }
    LLVMSetInstructionCallConv(packed, LLVMGetInstructionCallConv(call));
    LLVMReplaceAllUsesWith(call, packed);
    LLVMInstructionEraseFromParent(call);
    LLVMDisposeBuilder(builder);
    free(args);
    return packed;
}
