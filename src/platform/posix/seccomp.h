/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* seccomp.h - the system calls a confined program may make; for sandbox.c */
#pragma once

#include "platform/sandbox.h"

/* @missing gains a sentence if this kernel has no seccomp filters. */
bool ostler_posix_seccomp(OstlerSandboxNeeds needs, GPtrArray *missing, GError **error);
