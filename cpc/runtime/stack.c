/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all backends that switch stacks have in common. */
#include "backend.h"
#include "system.h"

void coroutine_fn cpc_yield(void)
{
    Coroutine *self = cpc_self();

    if (!self) {
        cpc_fatal("cpc_yield() was called outside of a coroutine");
    }
    cpc_backend_yield(self);
}
