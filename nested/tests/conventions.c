/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conventions.c - a flat as kvm-unit-tests has them: no RUN lines, its own SUMMARY or none */
#include "lib/console.h"

void nested_start(const void *info) __attribute__((noreturn));

void nested_start(const void *info)
{
    nested_console_init();
    nested_print("enabling apic\n");
    nested_print("PASS: cpuid works\n");
    nested_print("FAIL: vmcall from user (expected #UD)\n");
    nested_print("SKIP: xsave (not supported)\n");
#ifndef WITHOUT_SUMMARY
    nested_print("SUMMARY: 3 tests, 1 unexpected failures, 1 skipped\n");
#endif
    nested_exit(1);
}
