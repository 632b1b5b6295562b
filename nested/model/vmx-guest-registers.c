/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmx-guest-registers.c - the guest's control and debug registers, MSRs, descriptor
 * tables, RIP and RFLAGS: 26.3.1.1, 26.3.1.3, 26.3.1.4 */
#include "vmx-check.h"

#define REGISTERS  "SDM3C 26.3.1.1"
#define TABLES     "SDM3C 26.3.1.3"
#define RIP_RFLAGS "SDM3C 26.3.1.4"

#define CR4_PCIDE BIT(17)

#define RFLAGS_IF BIT(9)
#define RFLAGS_VM BIT(17)

static enum vmx_opinion cr0(const struct vmx_look *look)
{
    uint64_t free = look->is_unrestricted ? CR0_PE | CR0_PG : 0;

    return vmx_illegal_if(!vmx_is_cr0(look, vmx_get(look, VMCS_GUEST_CR0), free));
}

static enum vmx_opinion cr0_pg_without_pe(const struct vmx_look *look)
{
    uint64_t cr0 = vmx_get(look, VMCS_GUEST_CR0);

    return vmx_illegal_if((cr0 & CR0_PG) && !(cr0 & CR0_PE));
}

static enum vmx_opinion cr4(const struct vmx_look *look)
{
    return vmx_illegal_if(!vmx_is_cr4(look, vmx_get(look, VMCS_GUEST_CR4)));
}

static bool loads_debug_controls(const struct vmx_look *look)
{
    return look->entry & VMX_ENTRY_LOAD_DEBUG;
}

/* LBR and BTF are on every processor, 5:3 and 63:16 on none; which of the others there
 * are is each model's own (chapter 35). */
static enum vmx_opinion debugctl(const struct vmx_look *look)
{
    uint64_t value = vmx_get(look, VMCS_GUEST_DEBUGCTL);

    if (!loads_debug_controls(look) || !(value & ~UINT64_C(3))) {
        return VMX_LEGAL;
    }
    return value & ~UINT64_C(0xffc7) ? VMX_ILLEGAL : VMX_UNSAID;
}

static enum vmx_opinion pg_in_ia32e(const struct vmx_look *look)
{
    return vmx_illegal_if(look->is_ia32e && !(vmx_get(look, VMCS_GUEST_CR0) & CR0_PG));
}

static enum vmx_opinion pae_in_ia32e(const struct vmx_look *look)
{
    return vmx_illegal_if(look->is_ia32e && !(vmx_get(look, VMCS_GUEST_CR4) & CR4_PAE));
}

static enum vmx_opinion pcide_outside_ia32e(const struct vmx_look *look)
{
    return vmx_illegal_if(!look->is_ia32e &&
                          (vmx_get(look, VMCS_GUEST_CR4) & CR4_PCIDE));
}

static enum vmx_opinion cr3(const struct vmx_look *look)
{
    return vmx_illegal_if(vmx_beyond_width(look, vmx_get(look, VMCS_GUEST_CR3)));
}

static enum vmx_opinion dr7(const struct vmx_look *look)
{
    return vmx_illegal_if(loads_debug_controls(look) &&
                          vmx_get(look, VMCS_GUEST_DR7) >> 32);
}

static enum vmx_opinion canonical(const struct vmx_look *look, enum vmcs_field field)
{
    return vmx_illegal_if(!vmx_is_canonical(look, vmx_get(look, field)));
}

static enum vmx_opinion sysenter_esp(const struct vmx_look *look)
{
    return canonical(look, VMCS_GUEST_SYSENTER_ESP);
}

static enum vmx_opinion sysenter_eip(const struct vmx_look *look)
{
    return canonical(look, VMCS_GUEST_SYSENTER_EIP);
}

static enum vmx_opinion counters(const struct vmx_look *look)
{
    return look->entry & VMX_ENTRY_LOAD_PERF
               ? vmx_look_at_counters(look, vmx_get(look, VMCS_GUEST_PERF_GLOBAL_CTRL))
               : VMX_LEGAL;
}

static enum vmx_opinion pat(const struct vmx_look *look)
{
    return vmx_illegal_if((look->entry & VMX_ENTRY_LOAD_PAT) &&
                          !vmx_is_pat(vmx_get(look, VMCS_GUEST_PAT)));
}

static bool loads_efer(const struct vmx_look *look)
{
    return look->entry & VMX_ENTRY_LOAD_EFER;
}

static enum vmx_opinion efer_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(loads_efer(look) &&
                          vmx_reserved_in_efer(vmx_get(look, VMCS_GUEST_EFER)));
}

static enum vmx_opinion efer_lma(const struct vmx_look *look)
{
    bool has_lma = vmx_get(look, VMCS_GUEST_EFER) & EFER_LMA;

    return vmx_illegal_if(loads_efer(look) && has_lma != look->is_ia32e);
}

static enum vmx_opinion efer_lme(const struct vmx_look *look)
{
    uint64_t efer = vmx_get(look, VMCS_GUEST_EFER);
    bool is_paging = vmx_get(look, VMCS_GUEST_CR0) & CR0_PG;

    return vmx_illegal_if(loads_efer(look) && is_paging &&
                          !(efer & EFER_LME) != !(efer & EFER_LMA));
}

/* Bits 11:2 are reserved (vol. 1, figure 17-3). */
static enum vmx_opinion bndcfgs(const struct vmx_look *look)
{
    uint64_t value = vmx_get(look, VMCS_GUEST_BNDCFGS);

    return vmx_illegal_if(
        (look->entry & VMX_ENTRY_LOAD_BNDCFGS) &&
        ((value & 0xffc) || !vmx_is_canonical(look, value & ~UINT64_C(0xfff))));
}

static enum vmx_opinion gdtr_base(const struct vmx_look *look)
{
    return canonical(look, VMCS_GUEST_GDTR_BASE);
}

static enum vmx_opinion idtr_base(const struct vmx_look *look)
{
    return canonical(look, VMCS_GUEST_IDTR_BASE);
}

static enum vmx_opinion gdtr_limit(const struct vmx_look *look)
{
    return vmx_illegal_if(vmx_get(look, VMCS_GUEST_GDTR_LIMIT) >> 16);
}

static enum vmx_opinion idtr_limit(const struct vmx_look *look)
{
    return vmx_illegal_if(vmx_get(look, VMCS_GUEST_IDTR_LIMIT) >> 16);
}

/* Not quite canonical: bits 63:N, of which N-1 is none. */
static enum vmx_opinion rip(const struct vmx_look *look)
{
    uint64_t value = vmx_get(look, VMCS_GUEST_RIP);
    bool is_64 = look->is_ia32e && (vmx_get(look, VMCS_GUEST_CS_RIGHTS) & VMX_RIGHTS_L);

    if (!is_64) {
        return vmx_illegal_if(value >> 32);
    }
    uint64_t high = value >> look->cpu->linear_bits;
    return vmx_illegal_if(high != 0 && high != UINT64_MAX >> look->cpu->linear_bits);
}

static enum vmx_opinion rflags_reserved(const struct vmx_look *look)
{
    uint64_t rflags = vmx_get(look, VMCS_GUEST_RFLAGS);

    return vmx_illegal_if(rflags >> 22 || (rflags & (BIT(15) | BIT(5) | BIT(3))) ||
                          !(rflags & RFLAGS_FIXED));
}

static enum vmx_opinion rflags_vm(const struct vmx_look *look)
{
    bool is_protected = vmx_get(look, VMCS_GUEST_CR0) & CR0_PE;

    return vmx_illegal_if((vmx_get(look, VMCS_GUEST_RFLAGS) & RFLAGS_VM) &&
                          (look->is_ia32e || !is_protected));
}

static enum vmx_opinion rflags_if(const struct vmx_look *look)
{
    bool is_interrupt = look->event && (look->event >> 8 & 7) == VMX_EXTERNAL;

    return vmx_illegal_if(is_interrupt &&
                          !(vmx_get(look, VMCS_GUEST_RFLAGS) & RFLAGS_IF));
}

static const struct vmx_check checks[] = {
#define GUEST(run, name, cites)                                                        \
    {                                                                                  \
        run, VMX_FAILS_GUEST, "GUEST." name, cites                                     \
    }
    GUEST(cr0, "CR0", REGISTERS),
    GUEST(cr0_pg_without_pe, "CR0.PG_WITHOUT_PE", REGISTERS),
    GUEST(cr4, "CR4", REGISTERS),
    GUEST(debugctl, "DEBUGCTL", REGISTERS),
    GUEST(pg_in_ia32e, "CR0.PG_IN_IA32E", REGISTERS),
    GUEST(pae_in_ia32e, "CR4.PAE_IN_IA32E", REGISTERS),
    GUEST(pcide_outside_ia32e, "CR4.PCIDE", REGISTERS),
    GUEST(cr3, "CR3", REGISTERS),
    GUEST(dr7, "DR7", REGISTERS),
    GUEST(sysenter_esp, "SYSENTER_ESP", REGISTERS),
    GUEST(sysenter_eip, "SYSENTER_EIP", REGISTERS),
    GUEST(counters, "PERF_GLOBAL_CTRL", REGISTERS),
    GUEST(pat, "PAT", REGISTERS),
    GUEST(efer_reserved, "EFER.RESERVED", REGISTERS),
    GUEST(efer_lma, "EFER.LMA", REGISTERS),
    GUEST(efer_lme, "EFER.LME", REGISTERS),
    GUEST(bndcfgs, "BNDCFGS", REGISTERS),
    GUEST(gdtr_base, "GDTR_BASE", TABLES),
    GUEST(idtr_base, "IDTR_BASE", TABLES),
    GUEST(gdtr_limit, "GDTR_LIMIT", TABLES),
    GUEST(idtr_limit, "IDTR_LIMIT", TABLES),
    GUEST(rip, "RIP", RIP_RFLAGS),
    GUEST(rflags_reserved, "RFLAGS.RESERVED", RIP_RFLAGS),
    GUEST(rflags_vm, "RFLAGS.VM", RIP_RFLAGS),
    GUEST(rflags_if, "RFLAGS.IF", RIP_RFLAGS),
};
const struct vmx_check_list vmx_guest_register_checks = VMX_CHECK_LIST(checks);
