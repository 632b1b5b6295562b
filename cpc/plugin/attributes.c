/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept is listed, not what is dropped: a forgotten "nocapture" or "willreturn"
 * on a function that now keeps its arguments in a frame would be a miscompile.
 */
#include "attributes.h"

#include <stdlib.h>
#include <string.h>

/*
 * Not "noundef": whole.c passes what is undefined, to go on.  MSan wants calls and
 * functions to agree on it, or takes what the one did not pass to the other for undefined.
 */
static const char *const kept_for_parameters[] = { "zeroext", "signext" };

static const char *const kept_for_functions[] = {
    "cold",
    "hot",
    "inlinehint",
    "minsize",
    "nocf_check",
    "noimplicitfloat",
    "noinline",
    "noredzone",
    "nounwind",
    "null_pointer_is_valid",
    "optnone",
    "optsize",
    "sanitize_address",
    "sanitize_hwaddress",
    "sanitize_memory",
    "sanitize_thread",
    "ssp",
    "sspreq",
    "sspstrong",
    "strictfp",
    "uwtable",
};

static bool is_among(LLVMAttributeRef attribute, const char *const *names, size_t n)
{
    unsigned kind = LLVMGetEnumAttributeKind(attribute);

    for (size_t i = 0; i < n; i++) {
        if (kind == LLVMGetEnumAttributeKindForName(names[i], strlen(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_kept_for_parameter(LLVMAttributeRef attribute)
{
    return LLVMIsEnumAttribute(attribute) &&
           is_among(attribute, kept_for_parameters,
                    sizeof(kept_for_parameters) / sizeof(*kept_for_parameters));
}

/* Attributes that are strings say how to generate code: features, frame pointer. */
static bool is_kept_for_function(LLVMAttributeRef attribute)
{
    return LLVMIsStringAttribute(attribute) ||
           (LLVMIsEnumAttribute(attribute) &&
            is_among(attribute, kept_for_functions,
                     sizeof(kept_for_functions) / sizeof(*kept_for_functions)));
}

void cpc_keep_function_attributes(LLVMValueRef from, LLVMValueRef to)
{
    unsigned index = (unsigned)LLVMAttributeFunctionIndex;
    unsigned n = LLVMGetAttributeCountAtIndex(from, index);
    LLVMAttributeRef *attributes = calloc(n + 1, sizeof(LLVMAttributeRef));

    LLVMGetAttributesAtIndex(from, index, attributes);
    for (unsigned i = 0; i < n; i++) {
        if (is_kept_for_function(attributes[i])) {
            LLVMAddAttributeAtIndex(to, index, attributes[i]);
        }
    }
    free(attributes);
}

void cpc_keep_parameter_attributes(LLVMValueRef from, LLVMValueRef to, unsigned index,
                                   unsigned to_index)
{
    unsigned by_value = LLVMGetEnumAttributeKindForName("byval", strlen("byval"));
    unsigned n = LLVMGetAttributeCountAtIndex(from, index);
    LLVMAttributeRef *attributes = calloc(n + 1, sizeof(LLVMAttributeRef));

    LLVMGetAttributesAtIndex(from, index, attributes);
    for (unsigned i = 0; i < n; i++) {
        /* byval stays until body.c has made the copy. */
        if (is_kept_for_parameter(attributes[i]) ||
            (LLVMIsTypeAttribute(attributes[i]) &&
             LLVMGetEnumAttributeKind(attributes[i]) == by_value)) {
            LLVMAddAttributeAtIndex(to, to_index, attributes[i]);
        }
    }
    free(attributes);
}

void cpc_keep_argument_attributes(LLVMValueRef from, LLVMValueRef to, unsigned index,
                                  unsigned to_index)
{
    unsigned n = LLVMGetCallSiteAttributeCount(from, index);
    LLVMAttributeRef *attributes = calloc(n + 1, sizeof(LLVMAttributeRef));

    LLVMGetCallSiteAttributes(from, index, attributes);
    for (unsigned i = 0; i < n; i++) {
        if (is_kept_for_parameter(attributes[i])) {
            LLVMAddCallSiteAttribute(to, to_index, attributes[i]);
        }
    }
    free(attributes);
}

void cpc_compile_for_size(const CpcIr *ir, LLVMValueRef function)
{
    unsigned index = (unsigned)LLVMAttributeFunctionIndex;
    unsigned kind = LLVMGetEnumAttributeKindForName("optnone", strlen("optnone"));

    if (!LLVMGetEnumAttributeAtIndex(function, index, kind)) {
        cpc_add_attribute(ir, function, index, "optsize");
    }
}
