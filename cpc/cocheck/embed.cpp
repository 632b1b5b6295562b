/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/MemoryBuffer.h>
#if LLVM_VERSION_MAJOR >= 17
#include <llvm/TargetParser/Triple.h>
#else
#include <llvm/ADT/Triple.h>
#endif
#include <llvm/Transforms/Utils/ModuleUtils.h>

using namespace llvm;

/* For who wants no object, or one of bitcode, or makes a program in one command. */
static void write_file(const char *variable, const char *mode, const char *rows)
{
    const char *path = getenv(variable);
    FILE *file = path ? fopen(path, mode) : nullptr;

    if (path && (!file || fputs(rows, file) < 0 || fclose(file) != 0)) {
        report_fatal_error(Twine("Cannot write ") + variable + " '" + path + "'", false);
    }
}

/* Elsewhere linkers would keep the section in the program. */
static bool has_excluded_sections(const Module &module)
{
    Triple triple(module.getTargetTriple());

    return triple.isOSBinFormatELF() || triple.isOSBinFormatCOFF();
}

extern "C" void cocheck_embed(LLVMModuleRef module)
{
    char *rows = cocheck_record(module);

    write_file("COCHECK_FILE", "w", rows);
    write_file("COCHECK_APPEND", "a", rows);
    if (has_excluded_sections(*unwrap(module))) {
        embedBufferInModule(*unwrap(module),
                            MemoryBufferRef(StringRef(rows, strlen(rows)), "cocheck"),
                            COCHECK_SECTION);
    }
    free(rows);
}
