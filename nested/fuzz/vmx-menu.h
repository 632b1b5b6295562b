/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmx-menu.h - changes of a VMCS by number: lists that somebody wrote, and single bits
 *
 * The lists set up what bits alone do not reach (a guest in virtual-8086 mode, posted
 * interrupts) or lie on an edge.  After them comes every bit of every field that a check
 * looks at.
 */
#pragma once

#include "vmx/change.h"

uint32_t vmx_menu_pick(uint64_t random);

struct vmx_flip {
    enum vmcs_field field;
    unsigned bit;
};

/* The list of change number @change, or NULL: then it is the bit *@out_flip. */
const struct vmx_change *vmx_menu_list(uint32_t change, struct vmx_flip *out_flip);
