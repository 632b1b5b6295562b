/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backend to compare with: stacks, switched by a dozen instructions of assembler.
 *
 * The least that switching stacks can cost on x86-64: what the ABI lets a callee keep is
 * pushed and popped, nothing is asked of the system, and stacks come from malloc().
 */
#include "../cpc/runtime/backend.h"

#include <stdint.h>
#include <stdlib.h>

#define STACK_SIZE (16 << 10)

typedef struct {
    Coroutine base;
    CoroutineEntry *entry;
    void *opaque;
    void *here;    /* where it goes on */
    void *enterer; /* and who entered it */
    bool has_ended;
    char *stack;
} StackCoroutine;

/* Stop at *@from and go on at @to (System V ABI for x86-64, 3.2.1). */
void bench_switch(void **from, void *to);
__asm__("bench_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n");

/* A new stack begins here, with its coroutine in %rbx. */
void bench_begin(void);
__asm__("bench_begin:\n"
        "    movq %rbx, %rdi\n"
        "    call bench_live\n");

void bench_live(StackCoroutine *self);

void bench_live(StackCoroutine *self)
{
    for (;;) {
        self->entry(self->opaque);
        self->has_ended = true;
        bench_switch(&self->here, self->enterer);
    }
}

Coroutine *cpc_backend_new(void)
{
    StackCoroutine *self = calloc(1, sizeof(*self));

    self->stack = malloc(STACK_SIZE);
    void **top = (void **)(self->stack + STACK_SIZE);
    *--top = NULL; /* so that bench_begin() has the alignment of a called function */
    *--top = (void *)(uintptr_t)bench_begin;
    *--top = NULL; /* %rbp */
    *--top = self; /* %rbx */
    top -= 4;      /* %r12 to %r15 */
    self->here = top;
    return &self->base;
}

void cpc_backend_free(Coroutine *co)
{
    free(((StackCoroutine *)co)->stack);
    free(co);
}

void cpc_backend_prepare(Coroutine *co, CoroutineEntry *entry, void *opaque)
{
    StackCoroutine *self = (StackCoroutine *)co;

    self->entry = entry;
    self->opaque = opaque;
    self->has_ended = false;
}

CpcOutcome cpc_backend_run(Coroutine *co)
{
    StackCoroutine *self = (StackCoroutine *)co;

    bench_switch(&self->enterer, self->here);
    return self->has_ended ? CPC_ENDED : CPC_YIELDED;
}

void cpc_backend_yield(Coroutine *co)
{
    StackCoroutine *self = (StackCoroutine *)co;

    bench_switch(&self->here, self->enterer);
}
