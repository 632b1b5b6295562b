/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept is listed, not what is dropped: a forgotten "nocapture" or "willreturn"
 * on a function that now keeps its arguments in a frame would be a miscompile.
 */
#include "body.h"

#include <string.h>

static const char *const kept_for_parameters[] = { "zeroext", "signext", "noundef" };

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

bool cpc_is_kept_for_parameter(LLVMAttributeRef attribute)
{
    return LLVMIsEnumAttribute(attribute) &&
           is_among(attribute, kept_for_parameters,
                    sizeof(kept_for_parameters) / sizeof(*kept_for_parameters));
}

/* Attributes that are strings say how to generate code: features, frame pointer. */
bool cpc_is_kept_for_function(LLVMAttributeRef attribute)
{
    return LLVMIsStringAttribute(attribute) ||
           (LLVMIsEnumAttribute(attribute) &&
            is_among(attribute, kept_for_functions,
                     sizeof(kept_for_functions) / sizeof(*kept_for_functions)));
}
