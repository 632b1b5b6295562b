/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Each coroutine has a stack of its own.  makecontext() is the only portable way to get
 * onto a new stack, but switching by swapcontext() costs two system calls (it saves the
 * signal mask); so, as QEMU does, a new coroutine is driven once to where it can be
 * jumped to, and from then on sigsetjmp() and siglongjmp() do the switching.
 *
 *     cpc_backend_new()          live()
 *        setcontext  ------------>  |
 *        <------------------------  go_back()
 *     cpc_backend_run()             |
 *        siglongjmp  ------------>  entry(opaque)
 *                                      cpc_backend_yield()
 *        <---------------------------  go_back()
 *
 * One mapping holds, from low to high: the guard, which turns an overflow into SIGSEGV;
 * the stack, committed by the kernel as it is touched; this file's struct.  The struct
 * shares the page that every coroutine touches first, so that an idle one costs two
 * pages or so.
 *
 * Where an enterer is to be found lies on the enterer's own stack, so there is no
 * per-thread "main coroutine" and nothing thread-local here at all.
 */
/* glibc's checked longjmp() takes a jump to another stack for an attack. */
#undef _FORTIFY_SOURCE

#include "backend.h"
#include "sanitizer.h"
#include "system.h"

#include <errno.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

/* ASan triples frames, and GLib's and json-c's are not small. */
#define MAPPING_SIZE ((size_t)1 << 20)
/* Larger than any frame we have: a page could be stepped over by one big array. */
#define GUARD_SIZE ((size_t)64 << 10)

/* A place on a stack that can be jumped to. */
typedef struct {
    sigjmp_buf registers;
    void *asan_frames;
} Place;

typedef struct {
    Coroutine base;
    CoroutineEntry *entry;
    void *opaque;
    char *stack; /* lowest usable byte */
    size_t stack_size;
    Place place;    /* where this coroutine goes on */
    Place *enterer; /* whom it goes back to; on that one's stack */
    const void *enterer_stack;
    size_t enterer_stack_size;
    bool has_ended;
    unsigned valgrind_id;
} StackCoroutine;

_Static_assert(offsetof(StackCoroutine, base) == 0, "Coroutine is the first member");

/* Stop at @from and go on at @to; returns when somebody goes to @from. */
CPC_NO_ASAN static void go(Place *from, Place *to)
{
    if (!sigsetjmp(from->registers, 0)) {
        siglongjmp(to->registers, 1);
    }
}

CPC_NO_ASAN static void go_back(StackCoroutine *self, void **asan_frames)
{
    cpc_leave_stack(asan_frames, self->enterer_stack, self->enterer_stack_size);
    go(&self->place, self->enterer);
    cpc_arrive_on_stack(self->place.asan_frames, &self->enterer_stack,
                        &self->enterer_stack_size);
}

void cpc_backend_prepare(Coroutine *co, CoroutineEntry *entry, void *opaque)
{
    StackCoroutine *self = (StackCoroutine *)co;

    self->entry = entry;
    self->opaque = opaque;
}

CpcOutcome cpc_backend_run(Coroutine *co)
{
    StackCoroutine *self = (StackCoroutine *)co;
    Place here;

    self->enterer = &here;
    cpc_leave_stack(&here.asan_frames, self->stack, self->stack_size);
    go(&here, &self->place);
    cpc_arrive_on_stack(here.asan_frames, NULL, NULL);
    return self->has_ended ? CPC_ENDED : CPC_YIELDED;
}

void coroutine_fn cpc_backend_yield(Coroutine *co)
{
    StackCoroutine *self = (StackCoroutine *)co;

    go_back(self, &self->place.asan_frames);
}

static void coroutine_start_fn begin(StackCoroutine *self)
{
    self->has_ended = false;
    cpc_stack_is_live(self, sizeof(*self));
    cpc_stack_is_live(self->stack, self->stack_size);
    self->entry(self->opaque);
    cpc_stack_is_dead(self->stack, self->stack_size);
    cpc_stack_is_dead(self, sizeof(*self));
    self->has_ended = true;
}

/* The bottom of every stack.  makecontext() passes ints only: a pointer in two halves. */
CPC_NO_ASAN static void live(unsigned high, unsigned low)
{
    StackCoroutine *self =
        (StackCoroutine *)(uintptr_t)((uint64_t)high << 32 | (uint64_t)low);

    cpc_arrive_on_stack(NULL, &self->enterer_stack, &self->enterer_stack_size);
    go_back(self, &self->place.asan_frames);
    for (;;) {
        begin(self);
        self->place.asan_frames = NULL;
        go_back(self, NULL);
    }
}

static StackCoroutine *map_stack(void)
{
    char *mapping =
        mmap(NULL, MAPPING_SIZE, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED ||
        mprotect(mapping + GUARD_SIZE, MAPPING_SIZE - GUARD_SIZE,
                 PROT_READ | PROT_WRITE) != 0) {
        cpc_fatal("Cannot map a coroutine's stack: %s", strerror(errno));
    }

    size_t reserved = (sizeof(StackCoroutine) + 63) & ~(size_t)63;
    StackCoroutine *self = (StackCoroutine *)(mapping + MAPPING_SIZE - reserved);
    self->stack = mapping + GUARD_SIZE;
    self->stack_size = MAPPING_SIZE - GUARD_SIZE - reserved;
    return self;
}

/* Drive @self through makecontext() to the first go_back(). */
CPC_NO_ASAN static void start(StackCoroutine *self)
{
    ucontext_t context;
    Place here;

    getcontext(&context);
    context.uc_link = NULL;
    context.uc_stack.ss_sp = self->stack;
    context.uc_stack.ss_size = self->stack_size;
    makecontext(&context, (void (*)(void))live, 2,
                (unsigned)((uint64_t)(uintptr_t)self >> 32), (unsigned)(uintptr_t)self);

    self->enterer = &here;
    cpc_leave_stack(&here.asan_frames, self->stack, self->stack_size);
    /* Not swapcontext(): ASan warns of it on stderr, whatever it has been told. */
    if (!sigsetjmp(here.registers, 0)) {
        setcontext(&context);
    }
    cpc_arrive_on_stack(here.asan_frames, NULL, NULL);
}

Coroutine *cpc_backend_new(void)
{
    StackCoroutine *self = map_stack();

    cpc_forget_stack(self->stack, self->stack_size);
    self->valgrind_id =
        VALGRIND_STACK_REGISTER(self->stack, self->stack + self->stack_size);
    start(self);
    return &self->base;
}

void cpc_backend_free(Coroutine *co)
{
    StackCoroutine *self = (StackCoroutine *)co;

    VALGRIND_STACK_DEREGISTER(self->valgrind_id);
    cpc_forget_stack(self->stack, self->stack_size);
    munmap(self->stack - GUARD_SIZE, MAPPING_SIZE);
}
