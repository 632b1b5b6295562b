/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * trap.h - exceptions, expected and not
 *
 * A rule that says "this instruction faults" runs it under nested_try().  Any other
 * exception is the engine's or the rule's mistake: it is printed, the running rule
 * fails, and the machine ends, since nothing after it could be trusted.
 */
#pragma once

#include <stdint.h>

enum {
    TRAP_NONE = -1,
    TRAP_DB = 1,
    TRAP_NMI = 2,
    TRAP_BP = 3,
    TRAP_UD = 6,
    TRAP_DF = 8,
    TRAP_GP = 13,
    TRAP_PF = 14,
};

struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* IDT, and a TSS whose IST gives NMI and double fault a stack of their own. */
void nested_trap_init(void);
/* The same for a second processor. */
void nested_trap_init_second(void);

/* Run @function(@opaque): the vector of the exception that ended it, or TRAP_NONE. */
int nested_try(void (*function)(void *), void *opaque);
/* The error code of the exception that nested_try() caught last. */
uint64_t nested_try_error_code(void);

/* Who takes NMIs and vectors from 32 on; NULL: nobody expects them. */
void nested_on_interrupt(void (*handler)(unsigned vector));

/* Where the host's TSS is. */
uint64_t nested_tss_base(void);

/* A guest's own IDT: every vector executes VMMCALL with the vector in EAX, so that an
 * exception in a guest ends in the host's hands and never in the host's code. */
struct cpu_table;
void nested_guest_idt(struct cpu_table *out);
