/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - the socket by which shares come and go while a guest looks
 *
 * A line of JSON asks, a line answers:
 *
 *     {"attach": {"share": "LABEL=PATH[,WORD...]"}}    with a lender's connection
 *         {"storage": "0x00020001"}; the share is there until the connection ends
 *     {"detach": {"label": TEXT}} or {"detach": {"storage": "0x00010001"}}
 *         {}
 *     {"set": {"label": TEXT, "limits": LIMITS}}
 *         {"bytes": NUMBER, "objects": NUMBER, "free": NUMBER}
 *     {"list": {}}
 *         {"shares": [{"label": TEXT, "storage": "0x00010001"}, ...]}
 *
 * LIMITS is {"quota": NUMBER, "quota-objects": NUMBER, "reserve": NUMBER or null}; what
 * is left out stays.
 *
 * Anything else is answered by {"error": TEXT}.  Callers are this user's own programs,
 * which the socket's mode and a look at the caller's user id see to.
 */
#pragma once

#include "shares.h"

#include <cpc/coroutine.h>

typedef struct Control Control;

/* Listen at @path; the socket is made here, before a sandbox forbids it. */
Control *control_new(const char *path, Shares *shares, GError **error);
void control_free(Control *control); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Control, control_free)

/* Answer until control_end(); every caller in a coroutine of its own. */
void coroutine_fn control_run(Control *control);
/* Hang up, which takes away what was attached, and wait until nobody is served. */
void coroutine_fn control_end(Control *control);
