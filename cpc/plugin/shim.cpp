/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim.h"

#include "../cocheck/record.h"

#include <llvm/Config/llvm-config.h>
#if LLVM_VERSION_MAJOR < 15
#error "The plugin needs LLVM 15 or newer: before, pointers had types"
#endif

#include <llvm/Analysis/AssumptionCache.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/PassManager.h>
#include <llvm/Passes/PassBuilder.h>
#if LLVM_VERSION_MAJOR >= 22
#include <llvm/Plugins/PassPlugin.h>
#else
#include <llvm/Passes/PassPlugin.h>
#endif
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/ModuleUtils.h>

using namespace llvm;

void cpc_shim_error(LLVMValueRef where, const char *message)
{
    auto *instruction = dyn_cast<Instruction>(unwrap(where));
    auto *function =
        instruction ? instruction->getFunction() : cast<Function>(unwrap(where));
    DiagnosticLocation location;

    if (instruction) {
        location = DiagnosticLocation(instruction->getDebugLoc());
    } else {
        location = DiagnosticLocation(function->getSubprogram());
    }
    function->getContext().diagnose(
        DiagnosticInfoUnsupported(*function, message, location, DS_Error));
}

LLVMValueRef cpc_shim_clone(LLVMValueRef function, const char *name, CpcValues *values)
{
    ValueToValueMapTy map;
    Function *clone = CloneFunction(unwrap<Function>(function), map);

    clone->setName(name);
    for (size_t i = 0; values && i < values->n; i++) {
        values->items[i] = wrap(map.lookup(unwrap(values->items[i])));
    }
    return wrap(clone);
}

void cpc_shim_make_values(LLVMValueRef function)
{
    FunctionAnalysisManager analyses;
    FunctionPassManager passes;

    if (unwrap<Function>(function)->hasOptNone()) {
        return;
    }
    analyses.registerPass([] { return PassInstrumentationAnalysis(); });
    analyses.registerPass([] { return AssumptionAnalysis(); });
    analyses.registerPass([] { return DominatorTreeAnalysis(); });
    analyses.registerPass([] { return TargetIRAnalysis(); });
#if LLVM_VERSION_MAJOR >= 16
    passes.addPass(SROAPass(SROAOptions::PreserveCFG));
#else
    passes.addPass(SROAPass());
#endif
    passes.run(*unwrap<Function>(function), analyses);
}

bool cpc_shim_has_debug_info(LLVMValueRef function)
{
    DISubprogram *subprogram = unwrap<Function>(function)->getSubprogram();

    return subprogram &&
           subprogram->getUnit()->getEmissionKind() != DICompileUnit::NoDebug;
}

void cpc_shim_put_before(LLVMValueRef function, const unsigned *words, unsigned n)
{
    auto *before = unwrap<Function>(function);

    before->setPrefixData(
        ConstantDataArray::get(before->getContext(), ArrayRef<unsigned>(words, n)));
}

void cpc_shim_drop_unreachable(LLVMValueRef function)
{
    removeUnreachableBlocks(*unwrap<Function>(function));
}

void cpc_shim_move_body(LLVMValueRef from, LLVMValueRef to)
{
    auto *old_function = unwrap<Function>(from);
    auto *new_function = unwrap<Function>(to);

#if LLVM_VERSION_MAJOR >= 16
    new_function->splice(new_function->begin(), old_function);
#else
    new_function->getBasicBlockList().splice(new_function->begin(),
                                             old_function->getBasicBlockList());
#endif
    new_function->setSubprogram(old_function->getSubprogram());
    old_function->setSubprogram(nullptr);
}

/* GCC's manual, "Common Function Attributes": up to 100 is the implementation's. */
void cpc_shim_call_first(LLVMModuleRef module, LLVMValueRef function)
{
    appendToGlobalCtors(*unwrap(module), unwrap<Function>(function), 101);
}

void cpc_shim_drop_body(LLVMValueRef function)
{
    unwrap<Function>(function)->deleteBody();
}

LLVMBasicBlockRef cpc_shim_split(LLVMValueRef at, const char *name)
{
    auto *instruction = unwrap<Instruction>(at);

    return wrap(
        instruction->getParent()->splitBasicBlock(instruction->getIterator(), name));
}

namespace
{
struct CpcPass : PassInfoMixin<CpcPass> {
    PreservedAnalyses run(Module &module, ModuleAnalysisManager &)
    {
        /* As clang made it: what calls whom is gone when it has been converted. */
        cocheck_embed(wrap(&module));
        return cpc_pass_run(wrap(&module)) ? PreservedAnalyses::none()
                                           : PreservedAnalyses::all();
    }

    /* At -O0 as well. */
    static bool isRequired()
    {
        return true;
    }
};

/* First of all, so that LLVM's own coroutine passes find what this one leaves them. */
void register_pass(PassBuilder &builder)
{
    builder.registerPipelineStartEPCallback(
        [](ModulePassManager &manager, OptimizationLevel) {
            manager.addPass(CpcPass());
        });
}
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK __attribute__((visibility("default")))
PassPluginLibraryInfo
llvmGetPassPluginInfo()
{
    return { LLVM_PLUGIN_API_VERSION, "cpc", "1", register_pass };
}
