/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <llvm/IR/Module.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Transforms/Utils/ModuleUtils.h>

using namespace llvm;

/* For who wants no object, or one of bitcode. */
static void write_file(const char *rows)
{
    const char *path = getenv("COCHECK_FILE");
    FILE *file = path ? fopen(path, "w") : nullptr;

    if (path && (!file || fputs(rows, file) < 0 || fclose(file) != 0)) {
        report_fatal_error(Twine("Cannot write COCHECK_FILE '") + path + "'", false);
    }
}

extern "C" void cocheck_embed(LLVMModuleRef module)
{
    char *rows = cocheck_record(module);

    write_file(rows);
    embedBufferInModule(*unwrap(module),
                        MemoryBufferRef(StringRef(rows, strlen(rows)), "cocheck"),
                        COCHECK_SECTION);
    free(rows);
}
