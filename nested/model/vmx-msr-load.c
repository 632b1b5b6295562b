/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmx-msr-load.c - the VM-entry MSR-load area, 26.4 */
#include "vmx-check.h"

#define FS_BASE         0xc0000100
#define GS_BASE         0xc0000101
#define SMM_MONITOR_CTL 0x9b

/* MSRs of every processor with VMX, and what WRMSR refuses of their values. */
#define SYSENTER_ESP   0x175
#define SYSENTER_EIP   0x176
#define PAT            0x277
#define EFER           0xc0000080
#define LSTAR          0xc0000082
#define KERNEL_GS_BASE 0xc0000102

/* WRMSR cannot change LME while there is paging; LMA is read-only, which is no error. */
static enum vmx_opinion efer(const struct vmx_look *look, uint64_t value)
{
    bool is_paging = vmx_get(look, VMCS_GUEST_CR0) & CR0_PG;
    bool changes_lme = !(value & EFER_LME) == look->is_ia32e;

    return vmx_illegal_if(vmx_reserved_in_efer(value) || (is_paging && changes_lme));
}

static enum vmx_opinion write_to(const struct vmx_look *look, uint32_t msr,
                                 uint64_t value)
{
    switch (msr) {
    case FS_BASE:
    case GS_BASE:
    case SMM_MONITOR_CTL: /* written in SMM only, where the rulebook never is */
        return VMX_ILLEGAL;
    case PAT:
        return vmx_illegal_if(!vmx_is_pat(value));
    case EFER:
        return efer(look, value);
    case SYSENTER_ESP:
    case SYSENTER_EIP:
    case LSTAR:
    case KERNEL_GS_BASE:
        return vmx_illegal_if(!vmx_is_canonical(look, value));
    default:
        /* The x2APIC's; of any other it is the processor's own. */
        return msr >> 8 == 8 ? VMX_ILLEGAL : VMX_UNSAID;
    }
}

static enum vmx_opinion one_entry(const struct vmx_look *look, uint64_t address)
{
    uint64_t index, value;

    if (!vmx_read_memory(look, address, &index) ||
        !vmx_read_memory(look, address + 8, &value)) {
        return VMX_UNSAID;
    }
    return index >> 32 ? VMX_ILLEGAL : write_to(look, (uint32_t)index, value);
}

/* Lists longer than IA32_VMX_MISC[27:25] recommends are "unpredictable" (24.8.2). */
static bool is_too_long(const struct vmx_look *look, uint64_t count)
{
    return count > 512 * ((look->cpu->misc >> 25 & 7) + 1);
}

uint64_t vmx_msr_load_failure(const struct vmx_look *look, uint64_t *out_unsaid)
{
    uint64_t count = vmx_get(look, VMCS_ENTRY_MSR_LOAD_COUNT);
    uint64_t first = vmx_get(look, VMCS_ENTRY_MSR_LOAD_ADDRESS);

    *out_unsaid = is_too_long(look, count);
    for (uint64_t i = 0; !is_too_long(look, count) && i < count; i++) {
        switch (one_entry(look, first + 16 * i)) {
        case VMX_ILLEGAL:
            return i + 1;
        case VMX_UNSAID:
            *out_unsaid = *out_unsaid ? *out_unsaid : i + 1;
            break;
        case VMX_LEGAL:
            break;
        }
    }
    return 0;
}
