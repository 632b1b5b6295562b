/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "continuation.h"

/* The plugin puts what cpc_yield() does where it is called; this is for pointers to it. */
CpcFrame *suspend(CpcArena *arena) __asm__("cpc_yield.cpc");

CpcFrame *suspend(CpcArena *arena)
{
    return cpc_arena_suspend(arena);
}
