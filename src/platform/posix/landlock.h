/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * landlock.h - files beneath some roots and nothing else; for sandbox.c
 *
 * Sources:  Linux Documentation/userspace-api/landlock.rst.
 */
#pragma once

#include "platform/sandbox.h"

/* @missing gains what this kernel's Landlock cannot do and no other layer does. */
bool ostler_posix_landlock(const OstlerSandboxConfig *config, GPtrArray *missing,
                           GError **error);
