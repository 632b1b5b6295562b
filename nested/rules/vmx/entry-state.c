/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry-state.c - what remains of the guest's and host's state: MSRs, RFLAGS, RIP,
 * activity, interruptibility, pending debug exceptions, link pointer, PDPTEs */
#include "vmx/entry-rule.h"

#define REGISTERS    "SDM3C 26.3.1.1"
#define RIP_RFLAGS   "SDM3C 26.3.1.4"
#define NON_REGISTER "SDM3C 26.3.1.5"

#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define IF_SET    VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_IF)
#define TF_SET    VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_TF)

#define GUEST VMX_GUEST_LISTS
#define INJECT(type, vector)                                                           \
    VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO, VMX_EVENT(type, vector))
#define EXTERNAL IF_SET, INJECT(VMX_EXTERNAL, 0x40)
#define NMI      INJECT(VMX_NMI, 2)
#define SOFTWARE                                                                       \
    INJECT(VMX_SOFTWARE_INTERRUPT, 0x40), VMX_MAKE(VMCS_ENTRY_INSTRUCTION_LENGTH, 2)
#define ACTIVITY(n)  VMX_MAKE(VMCS_GUEST_ACTIVITY, n)
#define BLOCKED(by)  VMX_MAKE(VMCS_GUEST_INTERRUPTIBILITY, by)
#define PENDING(n)   VMX_MAKE(VMCS_GUEST_PENDING_DEBUG, n)
#define BS           BIT(14)
#define VIRTUAL_NMIS VMX_PIN(VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS)

#define LOAD_PAT  VMX_ENTERS(VMX_ENTRY_LOAD_PAT)
#define LOAD_EFER VMX_ENTERS(VMX_ENTRY_LOAD_EFER)
#define PAT_BYTE(i, type)                                                              \
    VMX_CHANGE(VMCS_GUEST_PAT, UINT64_C(0xff) << 8 * i, (uint64_t)(type) << 8 * i)
#define BAD_PAT(i, type)                                                               \
    GUEST("PAT.BYTE" #i "_TYPE" #type, REGISTERS,                                      \
          "with load IA32_PAT, each byte must be a memory type",                       \
          VMX_LIST(LOAD_PAT, PAT_BYTE(i, type)), VMX_LIST(PAT_BYTE(i, type)))

#define LINK(name, claim, ...)                                                         \
    VMX_ENTRY_FULL("GUEST.LINK." name, NON_REGISTER ", 26.7", claim, .way = VMX_EXIT,  \
                   .detail = VMX_INVALID_GUEST, .qualification = 4, __VA_ARGS__)
#define LINK_TO_DATA VMX_MAKE(VMCS_LINK_POINTER, (uint64_t)vmx_pages.data)

#define PDPTE(i) (&vmx_pages.pae_pdpt[i])
#define BAD_PDPTE(name, claim, i, bits)                                                \
    VMX_ENTRY_FULL("GUEST.PDPTE." name, "SDM3C 26.3.1.6, 26.7", claim,                 \
                   .way = VMX_EXIT, .detail = VMX_INVALID_GUEST, .qualification = 2,   \
                   .breaks =                                                           \
                       VMX_LIST(VMX_GUEST_32, { VMX_WORD, 0, 0, bits, PDPTE(i) }),     \
                   .neighbour = VMX_LIST(VMX_GUEST_32))

static const char *lacks_perf_4(void)
{
    return cpu_cpuid(0, 0).eax >= 10 && (cpu_cpuid(10, 0).eax & 0xff) >= 2
               ? NULL
               : "no IA32_PERF_GLOBAL_CTRL";
}

static const char *lacks_activity(unsigned bit)
{
    return cpu_rdmsr(0x485) & BIT(bit) ? NULL : "no such activity state";
}

static const char *lacks_hlt(void)
{
    return lacks_activity(6);
}

static const char *lacks_shutdown(void)
{
    return lacks_activity(7);
}

static const char *lacks_wait_for_sipi(void)
{
    return lacks_activity(8);
}

#define NMI_AFTER_STI NMI, IF_SET, BLOCKED(VMX_BLOCKING_STI)

/* A processor may do either. */
static const char *takes_nmi_after_sti(void)
{
    vmx_enable();
    vmx_good(vmx_guest_vmcall);
    vmx_apply(VMX_LIST(NMI_AFTER_STI));
    struct vmx_outcome outcome = vmx_run();
    bool is_refused = outcome.way == VMX_EXIT && outcome.detail == VMX_INVALID_GUEST;
    return is_refused ? NULL : "an NMI may be injected with blocking by STI";
}

#define STATE(name, claim, lack, broken, allowed)                                      \
    VMX_ENTRY_FULL("GUEST.ACTIVITY." name, NON_REGISTER, claim, .way = VMX_EXIT,       \
                   .detail = VMX_INVALID_GUEST, .breaks = broken,                      \
                   .neighbour = allowed, .lacks = lack)

static const struct nested_rule entry_state[] = {
    BAD_PAT(0, 2),
    BAD_PAT(3, 3),
    BAD_PAT(7, 8),
    GUEST("EFER.BIT9", REGISTERS, "with load IA32_EFER, reserved bits must be 0",
          VMX_LIST(LOAD_EFER, VMX_SET(VMCS_GUEST_EFER, BIT(9))),
          VMX_LIST(VMX_SET(VMCS_GUEST_EFER, BIT(9)))),
    GUEST("EFER.LMA", REGISTERS,
          "with load IA32_EFER, LMA must equal IA-32e mode guest",
          VMX_LIST(LOAD_EFER, VMX_CLEAR(VMCS_GUEST_EFER, EFER_LMA)),
          VMX_LIST(VMX_CLEAR(VMCS_GUEST_EFER, EFER_LMA))),
    GUEST("EFER.LME_NOT_LMA", REGISTERS,
          "with load IA32_EFER and CR0.PG, LME must equal LMA",
          VMX_LIST(LOAD_EFER, VMX_CLEAR(VMCS_GUEST_EFER, EFER_LME)),
          VMX_LIST(VMX_CLEAR(VMCS_GUEST_EFER, EFER_LME))),
    VMX_ENTRY_FULL("GUEST.PERF_GLOBAL_CTRL.BIT63", REGISTERS,
                   "with load IA32_PERF_GLOBAL_CTRL, reserved bits must be 0",
                   .way = VMX_EXIT, .detail = VMX_INVALID_GUEST,
                   .breaks = VMX_LIST(VMX_ENTERS(VMX_ENTRY_LOAD_PERF),
                                      VMX_MAKE(VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(63))),
                   .neighbour = VMX_LIST(VMX_ENTERS(VMX_ENTRY_LOAD_PERF)),
                   .lacks = lacks_perf_4),
    VMX_ENTRY_FULL("HOST.PERF_GLOBAL_CTRL.BIT63", "SDM3C 26.2.2",
                   "with load IA32_PERF_GLOBAL_CTRL, reserved bits must be 0",
                   .way = VMX_FAIL, .detail = VMX_ERROR_HOST_STATE,
                   .breaks = VMX_LIST(VMX_EXITS(VMX_EXIT_LOAD_PERF),
                                      VMX_MAKE(VMCS_HOST_PERF_GLOBAL_CTRL, BIT(63))),
                   .neighbour = VMX_LIST(VMX_EXITS(VMX_EXIT_LOAD_PERF)),
                   .lacks = lacks_perf_4),
    VMX_ENTRY_FULL(
        "HOST.ADDRESS_SPACE", "SDM3C 26.2.4, 30.4",
        "in IA-32e mode, host address-space size must be 1; whether that is a "
        "control's error or the host state's is open",
        .way = VMX_FAIL, .detail = VMX_ERROR_HOST_STATE,
        .allowed_detail = VMX_ERROR_CONTROLS,
        .breaks =
            VMX_LIST(VMX_GUEST_32, VMX_CLEAR(VMCS_EXIT_CONTROLS, VMX_EXIT_HOST_64)),
        .neighbour = VMX_LIST(VMX_GUEST_32)),
    GUEST("CR4.PCIDE_OUTSIDE_IA32E", REGISTERS,
          "CR4.PCIDE must be 0 outside of IA-32e mode",
          VMX_LIST(VMX_GUEST_32, VMX_SET(VMCS_GUEST_CR4, BIT(17))),
          VMX_LIST(VMX_SET(VMCS_GUEST_CR4, BIT(17)))),
    GUEST("CR0.PG_IN_IA32E", REGISTERS,
          "an IA-32e mode guest must have CR0.PG set, unrestricted or not",
          VMX_LIST(VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED),
                   VMX_CLEAR(VMCS_GUEST_CR0, CR0_PG)),
          VMX_LIST(VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED))),
    GUEST("CR0.PE_IN_IA32E", REGISTERS,
          "an IA-32e mode guest must have CR0.PG set, and so CR0.PE",
          VMX_LIST(VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED),
                   VMX_CLEAR(VMCS_GUEST_CR0, CR0_PG | CR0_PE)),
          VMX_LIST(VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED))),
    BAD_PDPTE("BIT1", "bits 2:1 of a present PDPTE are reserved", 0, BIT(1)),
    BAD_PDPTE("BIT5", "bits 8:5 of a present PDPTE are reserved", 3, BIT(5)),
    BAD_PDPTE("BIT63", "bits 63:N of a present PDPTE are reserved", 1, BIT(63)),

    GUEST("RFLAGS.BIT5", RIP_RFLAGS, "reserved bits must be 0",
          VMX_LIST(VMX_SET(VMCS_GUEST_RFLAGS, BIT(5))), VMX_LIST()),
    GUEST("RFLAGS.BIT15", RIP_RFLAGS, "reserved bits must be 0",
          VMX_LIST(VMX_SET(VMCS_GUEST_RFLAGS, BIT(15))), VMX_LIST()),
    GUEST("RFLAGS.BIT32", RIP_RFLAGS, "reserved bits must be 0",
          VMX_LIST(VMX_SET(VMCS_GUEST_RFLAGS, BIT(32))), VMX_LIST()),
    GUEST("RFLAGS.IF_FOR_EXTERNAL", RIP_RFLAGS,
          "IF must be 1 if an external interrupt is injected",
          VMX_LIST(INJECT(VMX_EXTERNAL, 0x40)), VMX_LIST(EXTERNAL)),
    GUEST("RIP.BIT32_OUTSIDE_64_BIT", RIP_RFLAGS,
          "RIP[63:32] must be 0 outside of 64-bit mode",
          VMX_LIST(VMX_GUEST_32, VMX_SET(VMCS_GUEST_RIP, BIT(32))),
          VMX_LIST(VMX_GUEST_32)),
    GUEST("RIP.BIT32_COMPATIBILITY", RIP_RFLAGS,
          "RIP[63:32] must be 0 in IA-32e mode without CS.L",
          VMX_LIST(VMX_MAKE(VMCS_GUEST_CS_RIGHTS, 0xc09b),
                   VMX_SET(VMCS_GUEST_RIP, BIT(32))),
          VMX_LIST(VMX_MAKE(VMCS_GUEST_CS_RIGHTS, 0xc09b))),

    STATE("HLT_WITH_DPL", "HLT is for SS.DPL 0", lacks_hlt,
          VMX_LIST(ACTIVITY(VMX_HLT), EXTERNAL, VMX_MAKE(VMCS_GUEST_CS_SELECTOR, 0x23),
                   VMX_MAKE(VMCS_GUEST_CS_RIGHTS, 0xa0fb),
                   VMX_MAKE(VMCS_GUEST_SS_SELECTOR, 0x2b),
                   VMX_MAKE(VMCS_GUEST_SS_RIGHTS, 0xc0f3)),
          VMX_LIST(ACTIVITY(VMX_HLT), EXTERNAL)),
    STATE("HLT_WITH_STI", "blocking by STI needs the active state", lacks_hlt,
          VMX_LIST(ACTIVITY(VMX_HLT), IF_SET, BLOCKED(VMX_BLOCKING_STI)),
          VMX_LIST(IF_SET, BLOCKED(VMX_BLOCKING_STI))),
    STATE("HLT_WITH_MOV_SS", "blocking by MOV SS needs the active state", lacks_hlt,
          VMX_LIST(ACTIVITY(VMX_HLT), BLOCKED(VMX_BLOCKING_MOV_SS)),
          VMX_LIST(BLOCKED(VMX_BLOCKING_MOV_SS))),
    STATE("HLT_WITH_SOFTWARE_INTERRUPT", "a software interrupt is not for HLT",
          lacks_hlt, VMX_LIST(ACTIVITY(VMX_HLT), SOFTWARE), VMX_LIST(SOFTWARE)),
    STATE("HLT_WITH_UD", "of exceptions, only #DB and #MC are for HLT", lacks_hlt,
          VMX_LIST(ACTIVITY(VMX_HLT), INJECT(VMX_HARDWARE_EXCEPTION, 6)),
          VMX_LIST(ACTIVITY(VMX_HLT), INJECT(VMX_HARDWARE_EXCEPTION, 1))),
    STATE("HLT_WITH_DE", "of exceptions, only #DB and #MC are for HLT", lacks_hlt,
          VMX_LIST(ACTIVITY(VMX_HLT), INJECT(VMX_HARDWARE_EXCEPTION, 0)),
          VMX_LIST(ACTIVITY(VMX_HLT), INJECT(VMX_HARDWARE_EXCEPTION, 18))),
    STATE("SHUTDOWN_WITH_EXTERNAL", "only NMI and #MC are for shutdown", lacks_shutdown,
          VMX_LIST(ACTIVITY(VMX_SHUTDOWN), EXTERNAL),
          VMX_LIST(ACTIVITY(VMX_SHUTDOWN), NMI)),
    STATE("SHUTDOWN_WITH_DB", "only NMI and #MC are for shutdown", lacks_shutdown,
          VMX_LIST(ACTIVITY(VMX_SHUTDOWN), INJECT(VMX_HARDWARE_EXCEPTION, 1)),
          VMX_LIST(ACTIVITY(VMX_SHUTDOWN), INJECT(VMX_HARDWARE_EXCEPTION, 18))),
    STATE("WAIT_FOR_SIPI_WITH_NMI", "nothing is for wait-for-SIPI", lacks_wait_for_sipi,
          VMX_LIST(ACTIVITY(VMX_WAIT_FOR_SIPI), NMI), VMX_LIST(NMI)),
    STATE("WAIT_FOR_SIPI_WITH_MC", "nothing is for wait-for-SIPI", lacks_wait_for_sipi,
          VMX_LIST(ACTIVITY(VMX_WAIT_FOR_SIPI), INJECT(VMX_HARDWARE_EXCEPTION, 18)),
          VMX_LIST(INJECT(VMX_HARDWARE_EXCEPTION, 18))),

    GUEST("INTERRUPTIBILITY.STI_AND_MOV_SS", NON_REGISTER,
          "there is no blocking by both STI and MOV SS",
          VMX_LIST(IF_SET, BLOCKED(VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS)),
          VMX_LIST(IF_SET, BLOCKED(VMX_BLOCKING_MOV_SS))),
    GUEST("INTERRUPTIBILITY.STI_WITH_EXTERNAL", NON_REGISTER,
          "an injected external interrupt is not for blocking by STI",
          VMX_LIST(EXTERNAL, BLOCKED(VMX_BLOCKING_STI)), VMX_LIST(EXTERNAL)),
    GUEST("INTERRUPTIBILITY.MOV_SS_WITH_EXTERNAL", NON_REGISTER,
          "an injected external interrupt is not for blocking by MOV SS",
          VMX_LIST(EXTERNAL, BLOCKED(VMX_BLOCKING_MOV_SS)), VMX_LIST(EXTERNAL)),
    GUEST("INTERRUPTIBILITY.MOV_SS_WITH_NMI", NON_REGISTER,
          "an injected NMI is not for blocking by MOV SS",
          VMX_LIST(NMI, BLOCKED(VMX_BLOCKING_MOV_SS)), VMX_LIST(NMI)),
    VMX_ENTRY_FULL(
        "GUEST.INTERRUPTIBILITY.STI_WITH_NMI", NON_REGISTER ", 26.7",
        "a refusal of an injected NMI with blocking by STI has qualification 3",
        .way = VMX_EXIT, .detail = VMX_INVALID_GUEST, .qualification = 3,
        .breaks = VMX_LIST(NMI_AFTER_STI), .neighbour = VMX_LIST(NMI, IF_SET),
        .lacks = takes_nmi_after_sti),
    GUEST("INTERRUPTIBILITY.NMI_WITH_NMI", NON_REGISTER,
          "with virtual NMIs, an injected NMI is not for blocking by NMI",
          VMX_LIST(VIRTUAL_NMIS, NMI, BLOCKED(VMX_BLOCKING_NMI)),
          VMX_LIST(NMI, BLOCKED(VMX_BLOCKING_NMI))),
    GUEST("INTERRUPTIBILITY.BIT4_WITH_MOV_SS", NON_REGISTER,
          "enclave interruption is not for blocking by MOV SS",
          VMX_LIST(BLOCKED(BIT(4) | VMX_BLOCKING_MOV_SS)),
          VMX_LIST(BLOCKED(VMX_BLOCKING_MOV_SS))),

    GUEST("PENDING_DEBUG.BIT11", NON_REGISTER, "reserved bits must be 0",
          VMX_LIST(PENDING(BIT(11))), VMX_LIST()),
    GUEST("PENDING_DEBUG.BIT13", NON_REGISTER, "reserved bits must be 0",
          VMX_LIST(PENDING(BIT(13))), VMX_LIST()),
    GUEST("PENDING_DEBUG.BIT15", NON_REGISTER, "reserved bits must be 0",
          VMX_LIST(PENDING(BIT(15))), VMX_LIST()),
    GUEST("PENDING_DEBUG.BIT17", NON_REGISTER, "reserved bits must be 0",
          VMX_LIST(PENDING(BIT(17))), VMX_LIST()),
    GUEST("PENDING_DEBUG.BS_WITHOUT_TF", NON_REGISTER,
          "with blocking by MOV SS and without TF, BS must be 0",
          VMX_LIST(BLOCKED(VMX_BLOCKING_MOV_SS), PENDING(BS)),
          VMX_LIST(BLOCKED(VMX_BLOCKING_MOV_SS))),
    GUEST("PENDING_DEBUG.TF_WITHOUT_BS", NON_REGISTER,
          "with blocking by MOV SS and TF, BS must be 1",
          VMX_LIST(BLOCKED(VMX_BLOCKING_MOV_SS), TF_SET),
          VMX_LIST(BLOCKED(VMX_BLOCKING_MOV_SS), TF_SET, PENDING(BS))),
    GUEST("PENDING_DEBUG.STI_WITHOUT_BS", NON_REGISTER,
          "with blocking by STI and TF, BS must be 1",
          VMX_LIST(BLOCKED(VMX_BLOCKING_STI), IF_SET, TF_SET),
          VMX_LIST(BLOCKED(VMX_BLOCKING_STI), IF_SET, TF_SET, PENDING(BS))),
    GUEST("PENDING_DEBUG.BTF_WITH_BS", NON_REGISTER,
          "with blocking by MOV SS, TF and BTF, BS must be 0",
          VMX_LIST(VMX_ENTERS(VMX_ENTRY_LOAD_DEBUG), VMX_MAKE(VMCS_GUEST_DEBUGCTL, 2),
                   BLOCKED(VMX_BLOCKING_MOV_SS), TF_SET, PENDING(BS)),
          VMX_LIST(VMX_ENTERS(VMX_ENTRY_LOAD_DEBUG), VMX_MAKE(VMCS_GUEST_DEBUGCTL, 2),
                   BLOCKED(VMX_BLOCKING_MOV_SS), TF_SET)),

    LINK("BIT11", "a link pointer that is used must have bits 11:0 zero",
         .breaks = VMX_LIST(VMX_MAKE(VMCS_LINK_POINTER, BIT(11))),
         .neighbour = VMX_LIST()),
    LINK("BEYOND_MEMORY", "no bit beyond the physical-address width",
         .breaks = VMX_LIST(VMX_LIMIT(VMCS_LINK_POINTER, 0)), .neighbour = VMX_LIST()),
    LINK("REVISION", "what it points to must begin with the VMCS revision",
         .breaks = VMX_LIST(VMX_POKE(vmx_pages.data, 0x7ffffffe), LINK_TO_DATA),
         .neighbour = VMX_LIST()),
};
NESTED_RULES(entry_state);
