/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "function.h"

#include "attributes.h"
#include "shim.h"

LLVMValueRef cpc_function_declare(const CpcIr *ir, LLVMValueRef like, LLVMTypeRef type,
                                  const char *name)
{
    LLVMValueRef declared = LLVMAddFunction(ir->module, name, type);

    LLVMSetLinkage(declared, LLVMGetLinkage(like));
    LLVMSetVisibility(declared, LLVMGetVisibility(like));
    LLVMSetUnnamedAddress(declared, LLVMGetUnnamedAddress(like));
    LLVMSetSection(declared, LLVMGetSection(like));
    cpc_keep_function_attributes(like, declared);
    return declared;
}

void cpc_function_become(LLVMValueRef heir, LLVMValueRef function, unsigned n_added)
{
    cpc_shim_move_body(function, heir);
    for (unsigned i = 0; i < LLVMCountParams(function); i++) {
        cpc_keep_parameter_attributes(function, heir, i + 1, i + 1 + n_added);
        LLVMReplaceAllUsesWith(LLVMGetParam(function, i),
                               LLVMGetParam(heir, i + n_added));
    }
    LLVMReplaceAllUsesWith(function, heir);
    LLVMDeleteFunction(function);
}
