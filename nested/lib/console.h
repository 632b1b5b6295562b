/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console.h - say something on COM1, and end the machine
 *
 * The lines are kvm-unit-tests' ("PASS: name", "SUMMARY: ..."), so that its runner
 * reads ours.  Ending goes by QEMU's isa-debug-exit (port 0xf4, exit status
 * code << 1 | 1) and Bochs' shutdown port (0x8900); on bare metal the CPU halts.
 */
#pragma once

#include <stdint.h>

void nested_console_init(void);
/* printf's %s %c %d %u %x %lx %lu %%, with a field width and leading zeros. */
void nested_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Until the last character is out: what follows may end the engine. */
void nested_console_flush(void);
void nested_exit(unsigned code) __attribute__((noreturn));
