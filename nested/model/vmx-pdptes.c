/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmx-pdptes.c - the four entries of a guest with PAE paging, 26.3.1.6 */
#include "vmx-check.h"

#define PRESENT BIT(0)

static bool uses_pae_paging(const struct vmx_look *look)
{
    return (vmx_get(look, VMCS_GUEST_CR0) & CR0_PG) &&
           (vmx_get(look, VMCS_GUEST_CR4) & CR4_PAE) && !look->is_ia32e;
}

/* With EPT from the VMCS, else from the table that CR3[31:5] points to (vol. 3A, table
 * 4-7).  The host is in IA-32e mode, so that PAE paging was not in use before. */
static bool read_entry(const struct vmx_look *look, unsigned i, uint64_t *out)
{
    if (look->secondary & VMX_CPU2_EPT) {
        *out = vmx_get(look, (enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i));
        return true;
    }
    uint64_t table = vmx_get(look, VMCS_GUEST_CR3) & UINT64_C(0xffffffe0);
    return vmx_read_memory(look, table + 8 * i, out);
}

/* Vol. 3A, 4.4.1: of a present one bits 2:1, 8:5 and 63:MAXPHYADDR. */
static bool has_reserved(const struct vmx_look *look, uint64_t entry)
{
    return (entry & PRESENT) &&
           ((entry & UINT64_C(0x1e6)) || vmx_beyond_width(look, entry));
}

static enum vmx_opinion pdptes(const struct vmx_look *look)
{
    enum vmx_opinion opinion = VMX_LEGAL;
    uint64_t entry;

    for (unsigned i = 0; uses_pae_paging(look) && i < 4; i++) {
        if (!read_entry(look, i, &entry)) {
            opinion = VMX_UNSAID;
        } else if (has_reserved(look, entry)) {
            return VMX_ILLEGAL;
        }
    }
    return opinion;
}

static const struct vmx_check checks[] = {
    { pdptes, VMX_FAILS_PDPTE, "GUEST.PDPTE", "SDM3C 26.3.1.6, 26.7" },
};
const struct vmx_check_list vmx_pdpte_checks = VMX_CHECK_LIST(checks);
