/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmx-host.c - the host-state area, 26.2.2 to 26.2.4 */
#include "vmx-check.h"

#define REGISTERS     "SDM3C 26.2.2"
#define SEGMENTS      "SDM3C 26.2.3"
#define ADDRESS_SPACE "SDM3C 26.2.4"

#define CR4_PCIDE BIT(17)

static bool is_64(const struct vmx_look *look)
{
    return look->exit & VMX_EXIT_HOST_64;
}

static enum vmx_opinion cr0(const struct vmx_look *look)
{
    return vmx_illegal_if(!vmx_is_cr0(look, vmx_get(look, VMCS_HOST_CR0), 0));
}

static enum vmx_opinion cr3(const struct vmx_look *look)
{
    return vmx_illegal_if(vmx_beyond_width(look, vmx_get(look, VMCS_HOST_CR3)));
}

static enum vmx_opinion cr4(const struct vmx_look *look)
{
    return vmx_illegal_if(!vmx_is_cr4(look, vmx_get(look, VMCS_HOST_CR4)));
}

static enum vmx_opinion canonical(const struct vmx_look *look, enum vmcs_field field)
{
    return vmx_illegal_if(!vmx_is_canonical(look, vmx_get(look, field)));
}

static enum vmx_opinion sysenter_esp(const struct vmx_look *look)
{
    return canonical(look, VMCS_HOST_SYSENTER_ESP);
}

static enum vmx_opinion sysenter_eip(const struct vmx_look *look)
{
    return canonical(look, VMCS_HOST_SYSENTER_EIP);
}

static enum vmx_opinion counters(const struct vmx_look *look)
{
    return look->exit & VMX_EXIT_LOAD_PERF
               ? vmx_look_at_counters(look, vmx_get(look, VMCS_HOST_PERF_GLOBAL_CTRL))
               : VMX_LEGAL;
}

static enum vmx_opinion pat(const struct vmx_look *look)
{
    return vmx_illegal_if((look->exit & VMX_EXIT_LOAD_PAT) &&
                          !vmx_is_pat(vmx_get(look, VMCS_HOST_PAT)));
}

static enum vmx_opinion efer_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if((look->exit & VMX_EXIT_LOAD_EFER) &&
                          vmx_reserved_in_efer(vmx_get(look, VMCS_HOST_EFER)));
}

static enum vmx_opinion efer_mode(const struct vmx_look *look)
{
    uint64_t mode = vmx_get(look, VMCS_HOST_EFER) & (EFER_LMA | EFER_LME);
    uint64_t wanted = is_64(look) ? EFER_LMA | EFER_LME : 0;

    return vmx_illegal_if((look->exit & VMX_EXIT_LOAD_EFER) && mode != wanted);
}

static enum vmx_opinion selectors(const struct vmx_look *look)
{
    for (unsigned field = VMCS_HOST_ES_SELECTOR; field <= VMCS_HOST_TR_SELECTOR;
         field += 2) {
        if (vmx_get(look, (enum vmcs_field)field) & 7) {
            return VMX_ILLEGAL;
        }
    }
    return VMX_LEGAL;
}

static enum vmx_opinion null_selectors(const struct vmx_look *look)
{
    return vmx_illegal_if(vmx_get(look, VMCS_HOST_CS_SELECTOR) == 0 ||
                          vmx_get(look, VMCS_HOST_TR_SELECTOR) == 0);
}

static enum vmx_opinion null_ss(const struct vmx_look *look)
{
    return vmx_illegal_if(!is_64(look) && vmx_get(look, VMCS_HOST_SS_SELECTOR) == 0);
}

static enum vmx_opinion fs_base(const struct vmx_look *look)
{
    return canonical(look, VMCS_HOST_FS_BASE);
}

static enum vmx_opinion gs_base(const struct vmx_look *look)
{
    return canonical(look, VMCS_HOST_GS_BASE);
}

static enum vmx_opinion tr_base(const struct vmx_look *look)
{
    return canonical(look, VMCS_HOST_TR_BASE);
}

static enum vmx_opinion gdtr_base(const struct vmx_look *look)
{
    return canonical(look, VMCS_HOST_GDTR_BASE);
}

static enum vmx_opinion idtr_base(const struct vmx_look *look)
{
    return canonical(look, VMCS_HOST_IDTR_BASE);
}

/* These two are about controls, in the section of the host's state: which of the two
 * errors they give is left open. */
static enum vmx_opinion size_now(const struct vmx_look *look)
{
    if (look->state->is_outside_ia32e) {
        return vmx_illegal_if(look->is_ia32e || is_64(look));
    }
    return vmx_illegal_if(!is_64(look));
}

static enum vmx_opinion size_of_guest(const struct vmx_look *look)
{
    return vmx_illegal_if(!is_64(look) && look->is_ia32e);
}

static enum vmx_opinion pcide(const struct vmx_look *look)
{
    return vmx_illegal_if(!is_64(look) && (vmx_get(look, VMCS_HOST_CR4) & CR4_PCIDE));
}

static enum vmx_opinion pae(const struct vmx_look *look)
{
    return vmx_illegal_if(is_64(look) && !(vmx_get(look, VMCS_HOST_CR4) & CR4_PAE));
}

static enum vmx_opinion rip(const struct vmx_look *look)
{
    uint64_t rip = vmx_get(look, VMCS_HOST_RIP);

    return vmx_illegal_if(is_64(look) ? !vmx_is_canonical(look, rip) : rip >> 32 != 0);
}

static const struct vmx_check checks[] = {
#define HOST(run, name, cites)                                                         \
    {                                                                                  \
        run, VMX_FAILS_HOST, "HOST." name, cites                                       \
    }
    HOST(cr0, "CR0", REGISTERS),
    HOST(cr3, "CR3", REGISTERS),
    HOST(cr4, "CR4", REGISTERS),
    HOST(sysenter_esp, "SYSENTER_ESP", REGISTERS),
    HOST(sysenter_eip, "SYSENTER_EIP", REGISTERS),
    HOST(counters, "PERF_GLOBAL_CTRL", REGISTERS),
    HOST(pat, "PAT", REGISTERS),
    HOST(efer_reserved, "EFER.RESERVED", REGISTERS),
    HOST(efer_mode, "EFER.MODE", REGISTERS),
    HOST(selectors, "SELECTORS", SEGMENTS),
    HOST(null_selectors, "NULL_SELECTORS", SEGMENTS),
    HOST(null_ss, "NULL_SS", SEGMENTS),
    HOST(fs_base, "FS_BASE", SEGMENTS),
    HOST(gs_base, "GS_BASE", SEGMENTS),
    HOST(tr_base, "TR_BASE", SEGMENTS),
    HOST(gdtr_base, "GDTR_BASE", SEGMENTS),
    HOST(idtr_base, "IDTR_BASE", SEGMENTS),
#define EITHER(run, name)                                                              \
    {                                                                                  \
        run, VMX_FAILS_HOST | VMX_FAILS_CONTROLS, "HOST." name, ADDRESS_SPACE          \
    }
    EITHER(size_now, "ADDRESS_SPACE.NOW"),
    EITHER(size_of_guest, "ADDRESS_SPACE.GUEST"),
    HOST(pcide, "CR4.PCIDE", ADDRESS_SPACE),
    HOST(pae, "CR4.PAE", ADDRESS_SPACE),
    HOST(rip, "RIP", ADDRESS_SPACE),
};
const struct vmx_check_list vmx_host_checks = VMX_CHECK_LIST(checks);
