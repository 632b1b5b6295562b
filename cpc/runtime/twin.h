/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * twin.h - pointers to functions that work inside and outside of coroutines
 *
 * A coroutine_mixed_fn is two functions after the plugin has compiled it.  Its address is
 * that of the ordinary one; code that the plugin compiled calls these to find the other.
 *
 * Threads:    both from any thread, at any time.
 */
#pragma once

#include <stddef.h>

typedef void CpcFunction(void);

typedef struct {
    CpcFunction *ordinary;
    CpcFunction *twin;
} CpcTwins;

/* Add @n rows of @table; called as the program or a library of it is loaded. */
void cpc_twins_register(const CpcTwins *table, size_t n);

/* What to call inside of a coroutine in place of @ordinary; NULL if that is not mixed. */
CpcFunction *cpc_twin_of(CpcFunction *ordinary);
