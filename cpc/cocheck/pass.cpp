/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pass.cpp - cocheck.so: a clang plugin that records who calls whom, and compiles nothing
 *
 * For code that still switches stacks.  cpc-plugin.so records the same by itself.
 */
#include "record.h"

#include <llvm/IR/Module.h>
#include <llvm/IR/PassManager.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Passes/PassPlugin.h>

using namespace llvm;

namespace
{
struct RecordPass : PassInfoMixin<RecordPass> {
    PreservedAnalyses run(Module &module, ModuleAnalysisManager &)
    {
        cocheck_embed(wrap(&module));
        return PreservedAnalyses::none();
    }

    /* At -O0 as well. */
    static bool isRequired()
    {
        return true;
    }
};

void register_pass(PassBuilder &builder)
{
    builder.registerPipelineStartEPCallback(
        [](ModulePassManager &manager, OptimizationLevel) {
            manager.addPass(RecordPass());
        });
}
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK __attribute__((visibility("default")))
PassPluginLibraryInfo
llvmGetPassPluginInfo()
{
    return { LLVM_PLUGIN_API_VERSION, "cocheck", "1", register_pass };
}
