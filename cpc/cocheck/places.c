/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "places.h"

#include "marks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pointer that is copied from variable to variable is followed this far. */
#define MAX_COPIES 6

__attribute__((format(printf, 1, 2))) static char *text(const char *format, ...)
{
    char *made = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&made, format, args) < 0) {
        abort();
    }
    va_end(args);
    return made;
}

static const char *name_of(LLVMValueRef value)
{
    size_t length;

    return LLVMGetValueName2(value, &length);
}

static bool is_struct(LLVMTypeRef type)
{
    return LLVMGetTypeKind(type) == LLVMStructTypeKind;
}

/* --- names of places ------------------------------------------------------------------- */

/* Two units may call different structs "struct.anon". */
static bool is_anonymous(LLVMTypeRef type)
{
    const char *name = LLVMGetStructName(type);

    return !name || strstr(name, ".anon");
}

/* Field @index of a @type that lies at @outer, if that is known. */
static char *field(LLVMTypeRef type, unsigned long long index, const char *outer)
{
    if (!is_anonymous(type)) {
        return text("field %s %llu", LLVMGetStructName(type), index);
    }
    return outer ? text("%s.%llu", outer, index) : NULL;
}

static char *of_type(LLVMTypeRef type)
{
    char *printed = LLVMPrintTypeToString(type);
    char *made = text("type %s", printed);

    LLVMDisposeMessage(printed);
    return made;
}

static char *place_at(LLVMValueRef pointer, unsigned *marks);

/* The innermost field that an address computation ends in; an item is at its array. */
static char *place_of_address(LLVMValueRef gep, unsigned *marks)
{
    LLVMTypeRef type = LLVMGetGEPSourceElementType(gep);
    char *place = place_at(LLVMGetOperand(gep, 0), marks);

    for (int i = 2; i < LLVMGetNumOperands(gep); i++) {
        if (is_struct(type)) {
            unsigned long long index =
                LLVMConstIntGetZExtValue(LLVMGetOperand(gep, (unsigned)i));
            char *inner = field(type, index, place);
            free(place);
            place = inner;
            type = LLVMStructGetTypeAtIndex(type, (unsigned)index);
        } else {
            type = LLVMGetElementType(type);
        }
    }
    return place;
}

static bool is_address_computation(LLVMValueRef pointer)
{
    return LLVMIsAGetElementPtrInst(pointer) ||
           (LLVMIsAConstantExpr(pointer) &&
            LLVMGetConstOpcode(pointer) == LLVMGetElementPtr);
}

static LLVMValueRef annotated_pointer(LLVMValueRef pointer, unsigned *marks)
{
    static const char name[] = "llvm.ptr.annotation.";

    while (LLVMIsACallInst(pointer) && LLVMIsAFunction(LLVMGetCalledValue(pointer)) &&
           strncmp(name_of(LLVMGetCalledValue(pointer)), name, strlen(name)) == 0) {
        *marks |= cocheck_marks_in(LLVMGetOperand(pointer, 1));
        pointer = LLVMGetOperand(pointer, 0);
    }
    return pointer;
}

/* The place that @pointer points to, or NULL. */
static char *place_at(LLVMValueRef pointer, unsigned *marks)
{
    pointer = annotated_pointer(pointer, marks);
    if (is_address_computation(pointer)) {
        return place_of_address(pointer, marks);
    }
    return LLVMIsAGlobalVariable(pointer) ? text("variable %s", name_of(pointer))
                                          : NULL;
}

/* The first field of a struct is where the struct is, and LLVM writes it so. */
static char *place_of_first(LLVMValueRef variable)
{
    LLVMTypeRef type = LLVMGlobalGetValueType(variable);
    char *place = text("variable %s", name_of(variable));

    while (is_struct(type) && LLVMCountStructElementTypes(type) > 0) {
        char *inner = field(type, 0, place);
        free(place);
        place = inner;
        type = LLVMStructGetTypeAtIndex(type, 0);
    }
    return place;
}

static char *place_of(LLVMValueRef pointer, unsigned *marks)
{
    pointer = annotated_pointer(pointer, marks);
    return LLVMIsAGlobalVariable(pointer) ? place_of_first(pointer)
                                          : place_at(pointer, marks);
}

/* --- locals and parameters --------------------------------------------------------------- */

static unsigned marks_of_local(LLVMValueRef local)
{
    static const char name[] = "llvm.var.annotation";
    unsigned marks = 0;

    for (LLVMUseRef use = LLVMGetFirstUse(local); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (LLVMIsACallInst(user) && LLVMIsAFunction(LLVMGetCalledValue(user)) &&
            strncmp(name_of(LLVMGetCalledValue(user)), name, strlen(name)) == 0) {
            marks |= cocheck_marks_in(LLVMGetOperand(user, 1));
        }
    }
    return marks;
}

static char *parameter(LLVMValueRef argument)
{
    LLVMValueRef function = LLVMGetParamParent(argument);
    unsigned index = 0;

    while (LLVMGetParam(function, index) != argument) {
        index++;
    }
    return text("parameter %s %u", name_of(function), index);
}

typedef struct {
    LLVMTypeRef type; /* of what is called */
    void (*visit)(const CocheckPlace *place, void *opaque);
    void *opaque;
    unsigned marks;
    unsigned n_copies;
} Search;

static void find(Search *search, LLVMValueRef value);

static void found(Search *search, char *place, unsigned marks)
{
    CocheckPlace at = { NULL, place, search->marks | marks };

    search->visit(&at, search->opaque);
    free(place);
}

/* What was ever stored into a local. */
static void find_in_local(Search *search, LLVMValueRef local)
{
    search->marks |= marks_of_local(local);
    for (LLVMUseRef use = LLVMGetFirstUse(local); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (LLVMIsAStoreInst(user) && LLVMGetOperand(user, 1) == local) {
            find(search, LLVMGetOperand(user, 0));
        }
    }
}

static void find_in_memory(Search *search, LLVMValueRef pointer)
{
    unsigned marks = 0;
    LLVMValueRef at = annotated_pointer(pointer, &marks);

    if (LLVMIsAAllocaInst(at) &&
        LLVMGetTypeKind(LLVMGetAllocatedType(at)) == LLVMPointerTypeKind) {
        find_in_local(search, at);
        return;
    }
    char *place = place_of(at, &marks);
    found(search, place ? place : of_type(search->type), marks);
}

static bool is_choice(LLVMValueRef value)
{
    return LLVMIsAPHINode(value) || LLVMIsASelectInst(value);
}

static void find_in_choice(Search *search, LLVMValueRef value)
{
    if (LLVMIsASelectInst(value)) {
        find(search, LLVMGetOperand(value, 1));
        find(search, LLVMGetOperand(value, 2));
        return;
    }
    for (unsigned i = 0; i < LLVMCountIncoming(value); i++) {
        find(search, LLVMGetIncomingValue(value, i));
    }
}

static void find(Search *search, LLVMValueRef value)
{
    if (search->n_copies == MAX_COPIES) {
        return;
    }
    search->n_copies++;
    if (LLVMIsAFunction(value)) {
        search->visit(&(CocheckPlace){ value, NULL, 0 }, search->opaque);
    } else if (LLVMIsAGlobalAlias(value) &&
               LLVMIsAFunction(LLVMAliasGetAliasee(value))) {
        search->visit(&(CocheckPlace){ LLVMAliasGetAliasee(value), NULL, 0 },
                      search->opaque);
    } else if (LLVMIsALoadInst(value)) {
        find_in_memory(search, LLVMGetOperand(value, 0));
    } else if (is_choice(value)) {
        find_in_choice(search, value);
    } else if (LLVMIsAArgument(value)) {
        found(search, parameter(value), 0);
    } else if (!LLVMIsAConstantPointerNull(value)) {
        found(search, of_type(search->type), 0);
    }
    search->n_copies--;
}

void cocheck_find_callees(LLVMValueRef callee, LLVMTypeRef type,
                          void (*visit)(const CocheckPlace *place, void *opaque),
                          void *opaque)
{
    Search search = { type, visit, opaque, 0, 0 };

    find(&search, callee);
}

bool cocheck_is_vague(const char *place)
{
    return strncmp(place, "type ", strlen("type ")) == 0;
}

/* --- where an address goes --------------------------------------------------------------- */

static char *place_of_argument(LLVMValueRef call, unsigned index)
{
    LLVMValueRef callee = LLVMGetCalledValue(call);

    return LLVMIsAFunction(callee) ? text("parameter %s %u", name_of(callee), index)
                                   : NULL;
}

char *cocheck_place_of_use(LLVMValueRef instruction, unsigned operand, LLVMTypeRef type)
{
    unsigned marks = 0;
    char *place = NULL;

    if (LLVMIsAStoreInst(instruction) && operand == 0) {
        LLVMValueRef pointer = LLVMGetOperand(instruction, 1);
        place = LLVMIsAAllocaInst(pointer) ? text("local") : place_of(pointer, &marks);
    } else if (LLVMIsACallInst(instruction)) {
        place = place_of_argument(instruction, operand);
    }
    return place ? place : of_type(type);
}

typedef struct {
    void (*visit)(LLVMValueRef function, const char *place, void *opaque);
    void *opaque;
} Initial;

/* @place is where @value is. */
static void find_initial(const Initial *initial, LLVMValueRef value, const char *place)
{
    LLVMTypeRef type = LLVMTypeOf(value);

    if (LLVMIsAFunction(value)) {
        initial->visit(value, place, initial->opaque);
        return;
    }
    if (!LLVMIsAConstantStruct(value) && !LLVMIsAConstantArray(value)) {
        return;
    }
    for (int i = 0; i < LLVMGetNumOperands(value); i++) {
        char *inner =
            is_struct(type) ? field(type, (unsigned)i, place) : text("%s", place);
        find_initial(initial, LLVMGetOperand(value, (unsigned)i), inner);
        free(inner);
    }
}

void cocheck_find_initial(LLVMValueRef variable,
                          void (*visit)(LLVMValueRef function, const char *place,
                                        void *opaque),
                          void *opaque)
{
    Initial initial = { visit, opaque };
    LLVMValueRef value = LLVMGetInitializer(variable);

    if (value && strncmp(name_of(variable), "llvm.", strlen("llvm.")) != 0) {
        char *place = text("variable %s", name_of(variable));
        find_initial(&initial, value, place);
        free(place);
    }
}
