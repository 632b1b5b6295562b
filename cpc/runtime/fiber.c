/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The backend for Windows: each coroutine is a fiber, which is a stack that the system
 * knows and can switch to.  A thread that enters coroutines becomes a fiber itself, and
 * stays one: to be that and back again for each enter costs more than all the rest.
 *
 * A fiber lives as long as its coroutine, the pool included: when the entry has returned,
 * it waits to be given another one.
 *
 * Source: Microsoft's documentation of CreateFiberEx(), ConvertThreadToFiberEx() and
 * SwitchToFiber().  FIBER_FLAG_FLOAT_SWITCH is needed on x86-32 and implied elsewhere.
 */
#include "backend.h"
#include "system.h"

#include <stdlib.h>
#include <windows.h>

/* Address space; committed as it is touched. */
#define STACK_SIZE ((SIZE_T)1 << 20)

typedef struct {
    Coroutine base;
    CoroutineEntry *entry;
    void *opaque;
    void *fiber;
    void *enterer; /* the fiber that it goes back to */
    bool has_ended;
} FiberCoroutine;

static void CALLBACK live(void *data)
{
    FiberCoroutine *self = data;

    for (;;) {
        self->entry(self->opaque);
        self->has_ended = true;
        SwitchToFiber(self->enterer);
    }
}

/* The fiber that runs now. */
static void *this_fiber(void)
{
    if (!IsThreadAFiber() && !ConvertThreadToFiberEx(NULL, FIBER_FLAG_FLOAT_SWITCH)) {
        cpc_fatal("Cannot make a fiber of this thread: error %lu", GetLastError());
    }
    return GetCurrentFiber();
}

Coroutine *cpc_backend_new(void)
{
    FiberCoroutine *self = calloc(1, sizeof(*self));

    if (!self) {
        cpc_fatal("No memory for a coroutine");
    }
    self->fiber = CreateFiberEx(0, STACK_SIZE, FIBER_FLAG_FLOAT_SWITCH, live, self);
    if (!self->fiber) {
        cpc_fatal("Cannot make a coroutine's fiber: error %lu", GetLastError());
    }
    return &self->base;
}

void cpc_backend_free(Coroutine *co)
{
    FiberCoroutine *self = (FiberCoroutine *)co;

    DeleteFiber(self->fiber);
    free(self);
}

void cpc_backend_prepare(Coroutine *co, CoroutineEntry *entry, void *opaque)
{
    FiberCoroutine *self = (FiberCoroutine *)co;

    self->entry = entry;
    self->opaque = opaque;
    self->has_ended = false;
}

CpcOutcome cpc_backend_run(Coroutine *co)
{
    FiberCoroutine *self = (FiberCoroutine *)co;

    self->enterer = this_fiber();
    SwitchToFiber(self->fiber);
    return self->has_ended ? CPC_ENDED : CPC_YIELDED;
}

void coroutine_fn cpc_backend_yield(Coroutine *co)
{
    SwitchToFiber(((FiberCoroutine *)co)->enterer);
}
