/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cve.c - which rules have the shape of holes that hypervisors had
 *
 * 2023-30456: an L1 gave its guest CR0 and CR4 that no long mode can have, and L0 walked
 * page tables by them.
 */
#include "lib/rule.h"

const struct nested_cve nested_cves[] = {
    { "2023-30456", "VMX.ENTRY.GUEST.CR0.PG_IN_IA32E" },
    { "2023-30456", "VMX.ENTRY.GUEST.CR4.PAE_IN_IA32E" },
    { "2023-30456", "VMX.ENTRY.GUEST.CR4.PCIDE_OUTSIDE_IA32E" },
    { 0, 0 },
};
