/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry-guest.c - the guest-state area: entry failures with exit reason 33 */
#include "vmx/entry-rule.h"

#define REGISTERS    "SDM3C 26.3.1.1"
#define SEGMENTS     "SDM3C 26.3.1.2"
#define TABLES       "SDM3C 26.3.1.3"
#define RIP_RFLAGS   "SDM3C 26.3.1.4"
#define NON_REGISTER "SDM3C 26.3.1.5"

#define NOT_CANONICAL BIT(47)
#define CANONICAL     (UINT64_MAX << 47)

#define GUEST_RESERVED_RIGHTS(name, field, bit)                                        \
    VMX_GUEST_RULE(name ".RIGHTS.BIT" #bit, SEGMENTS,                                  \
                   "reserved access-rights bits must be 0",                            \
                   VMX_SET(field, BIT(bit)), )

/* "4. Invalid VMCS link pointer": the one check with a qualification of its own that
 * no MSR or page table is needed for. */
#define LINK_QUALIFICATION 4
#define VMX_LINK_RULE(name, claim, broken, allowed)                                    \
    {                                                                                  \
        .id = "VMX.ENTRY.GUEST." name, .cites = NON_REGISTER ", 26.7", .says = claim,  \
        .lacks = vmx_lacks, .check = vmx_check_entry,                                  \
        .data = &(const struct vmx_entry)                                              \
        {                                                                              \
            .way = VMX_EXIT, .detail = VMX_INVALID_GUEST, .breaks = broken,            \
            .neighbour = allowed, .qualification = LINK_QUALIFICATION                  \
        }                                                                              \
    }

static const struct nested_rule entry_guest[] = {
    VMX_GUEST_RULE("CR0.NE", REGISTERS, "CR0.NE is fixed to 1 in VMX operation",
                   VMX_CLEAR(VMCS_GUEST_CR0, BIT(5)), ),
    VMX_GUEST_RULE("CR0.BIT32", REGISTERS, "a reserved bit of CR0 is set",
                   VMX_SET(VMCS_GUEST_CR0, BIT(32)), ),
    VMX_GUEST_RULE("CR0.PG_WITHOUT_PE", REGISTERS, "CR0.PG is 1 and CR0.PE is 0",
                   VMX_CLEAR(VMCS_GUEST_CR0, CR0_PE), ),
    VMX_GUEST_RULE("CR4.VMXE", REGISTERS, "CR4.VMXE is fixed to 1 in VMX operation",
                   VMX_CLEAR(VMCS_GUEST_CR4, BIT(13)), ),
    VMX_GUEST_RULE("CR4.BIT15", REGISTERS, "a reserved bit of CR4 is set",
                   VMX_SET(VMCS_GUEST_CR4, BIT(15)), ),
    VMX_GUEST_RULE("CR4.PAE_IN_IA32E", REGISTERS,
                   "an IA-32e mode guest must have CR4.PAE set",
                   VMX_CLEAR(VMCS_GUEST_CR4, CR4_PAE), ),
    VMX_GUEST_RULE("CR3.BIT52", REGISTERS, "CR3[63:52] must be 0",
                   VMX_SET(VMCS_GUEST_CR3, BIT(52)), ),
    VMX_GUEST_RULE("CR3.BEYOND_MEMORY", REGISTERS,
                   "CR3 has a bit beyond the physical-address width",
                   VMX_LIMIT(VMCS_GUEST_CR3, 0), ),
    VMX_GUEST_RULE("SYSENTER_ESP.CANONICAL", REGISTERS,
                   "the field must be a canonical address",
                   VMX_MAKE(VMCS_GUEST_SYSENTER_ESP, NOT_CANONICAL),
                   VMX_MAKE(VMCS_GUEST_SYSENTER_ESP, CANONICAL)),
    VMX_GUEST_RULE("SYSENTER_EIP.CANONICAL", REGISTERS,
                   "the field must be a canonical address",
                   VMX_MAKE(VMCS_GUEST_SYSENTER_EIP, NOT_CANONICAL),
                   VMX_MAKE(VMCS_GUEST_SYSENTER_EIP, CANONICAL)),
    VMX_ENTRY_RULE("GUEST.DR7.BIT32", REGISTERS,
                   "with load debug controls, DR7[63:32] must be 0", VMX_EXIT,
                   VMX_INVALID_GUEST,
                   VMX_LIST(VMX_SET(VMCS_ENTRY_CONTROLS, VMX_ENTRY_LOAD_DEBUG),
                            VMX_SET(VMCS_GUEST_DR7, BIT(32))),
                   VMX_LIST(VMX_SET(VMCS_ENTRY_CONTROLS, VMX_ENTRY_LOAD_DEBUG))),
    VMX_ENTRY_RULE("GUEST.DEBUGCTL.BIT63", REGISTERS,
                   "with load debug controls, reserved bits of IA32_DEBUGCTL must be 0",
                   VMX_EXIT, VMX_INVALID_GUEST,
                   VMX_LIST(VMX_SET(VMCS_ENTRY_CONTROLS, VMX_ENTRY_LOAD_DEBUG),
                            VMX_SET(VMCS_GUEST_DEBUGCTL, BIT(63))),
                   VMX_LIST(VMX_SET(VMCS_ENTRY_CONTROLS, VMX_ENTRY_LOAD_DEBUG))),
    VMX_GUEST_RULE("TR.TI", SEGMENTS, "TR's TI flag must be 0",
                   VMX_SET(VMCS_GUEST_TR_SELECTOR, 4), ),
    VMX_GUEST_RULE("SS.RPL", SEGMENTS, "SS's RPL must equal CS's",
                   VMX_SET(VMCS_GUEST_SS_SELECTOR, 3), ),
    VMX_GUEST_RULE("TR_BASE.CANONICAL", SEGMENTS, "the base must be canonical",
                   VMX_MAKE(VMCS_GUEST_TR_BASE, NOT_CANONICAL),
                   VMX_MAKE(VMCS_GUEST_TR_BASE, CANONICAL)),
    VMX_GUEST_RULE("FS_BASE.CANONICAL", SEGMENTS, "the base must be canonical",
                   VMX_MAKE(VMCS_GUEST_FS_BASE, NOT_CANONICAL),
                   VMX_MAKE(VMCS_GUEST_FS_BASE, CANONICAL)),
    VMX_GUEST_RULE("GS_BASE.CANONICAL", SEGMENTS, "the base must be canonical",
                   VMX_MAKE(VMCS_GUEST_GS_BASE, NOT_CANONICAL),
                   VMX_MAKE(VMCS_GUEST_GS_BASE, CANONICAL)),
    VMX_GUEST_RULE("CS_BASE.HIGH", SEGMENTS, "CS's base[63:32] must be 0",
                   VMX_MAKE(VMCS_GUEST_CS_BASE, BIT(32)), ),
    VMX_GUEST_RULE("SS_BASE.HIGH", SEGMENTS, "a usable SS's base[63:32] must be 0",
                   VMX_MAKE(VMCS_GUEST_SS_BASE, BIT(32)), ),
    VMX_GUEST_RULE("CS.TYPE0", SEGMENTS, "CS's type must be a code segment's, accessed",
                   VMX_CLEAR(VMCS_GUEST_CS_RIGHTS, 0xf), ),
    VMX_GUEST_RULE("CS.NOT_ACCESSED", SEGMENTS, "CS's type must have the accessed bit",
                   VMX_CLEAR(VMCS_GUEST_CS_RIGHTS, 1), ),
    VMX_GUEST_RULE("CS.S", SEGMENTS, "S must be 1",
                   VMX_CLEAR(VMCS_GUEST_CS_RIGHTS, VMX_RIGHTS_S), ),
    VMX_GUEST_RULE("CS.P", SEGMENTS, "P must be 1",
                   VMX_CLEAR(VMCS_GUEST_CS_RIGHTS, VMX_RIGHTS_P), ),
    VMX_GUEST_RULE("CS.L_AND_D", SEGMENTS, "in IA-32e mode with L, D must be 0",
                   VMX_SET(VMCS_GUEST_CS_RIGHTS, VMX_RIGHTS_D), ),
    VMX_GUEST_RULE("CS.G_WITH_HIGH_LIMIT", SEGMENTS,
                   "a limit with any of bits 31:20 set needs G = 1",
                   VMX_CLEAR(VMCS_GUEST_CS_RIGHTS, VMX_RIGHTS_G), ),
    VMX_GUEST_RULE("CS.G_WITH_LOW_LIMIT", SEGMENTS,
                   "a limit with any of bits 11:0 clear needs G = 0",
                   VMX_MAKE(VMCS_GUEST_CS_LIMIT, 0xfffffffe), ),
    GUEST_RESERVED_RIGHTS("CS", VMCS_GUEST_CS_RIGHTS, 8),
    GUEST_RESERVED_RIGHTS("CS", VMCS_GUEST_CS_RIGHTS, 17),
    GUEST_RESERVED_RIGHTS("CS", VMCS_GUEST_CS_RIGHTS, 31),
    GUEST_RESERVED_RIGHTS("SS", VMCS_GUEST_SS_RIGHTS, 8),
    GUEST_RESERVED_RIGHTS("DS", VMCS_GUEST_DS_RIGHTS, 8),
    GUEST_RESERVED_RIGHTS("TR", VMCS_GUEST_TR_RIGHTS, 8),
    VMX_GUEST_RULE("SS.TYPE", SEGMENTS, "SS's type must be 3 or 7",
                   VMX_CLEAR(VMCS_GUEST_SS_RIGHTS, 2),
                   VMX_SET(VMCS_GUEST_SS_RIGHTS, 4)),
    VMX_GUEST_RULE("SS.DPL", SEGMENTS, "SS's DPL must equal its RPL",
                   VMX_SET(VMCS_GUEST_SS_RIGHTS, VMX_RIGHTS_DPL(3)), ),
    VMX_GUEST_RULE("TR.TYPE_AVAILABLE", SEGMENTS,
                   "an IA-32e mode guest's TR must be a busy 64-bit TSS",
                   VMX_CLEAR(VMCS_GUEST_TR_RIGHTS, 2), ),
    VMX_GUEST_RULE("TR.UNUSABLE", SEGMENTS, "TR must be usable",
                   VMX_SET(VMCS_GUEST_TR_RIGHTS, VMX_RIGHTS_UNUSABLE), ),
    VMX_GUEST_RULE("TR.P", SEGMENTS, "P must be 1",
                   VMX_CLEAR(VMCS_GUEST_TR_RIGHTS, VMX_RIGHTS_P), ),
    VMX_GUEST_RULE("GDTR_BASE.CANONICAL", TABLES, "the base must be canonical",
                   VMX_MAKE(VMCS_GUEST_GDTR_BASE, NOT_CANONICAL), ),
    VMX_GUEST_RULE("IDTR_BASE.CANONICAL", TABLES, "the base must be canonical",
                   VMX_MAKE(VMCS_GUEST_IDTR_BASE, NOT_CANONICAL), ),
    VMX_GUEST_RULE("GDTR_LIMIT.BIT16", TABLES, "bits 31:16 of the limit must be 0",
                   VMX_SET(VMCS_GUEST_GDTR_LIMIT, BIT(16)), ),
    VMX_GUEST_RULE("IDTR_LIMIT.BIT16", TABLES, "bits 31:16 of the limit must be 0",
                   VMX_SET(VMCS_GUEST_IDTR_LIMIT, BIT(16)), ),
    VMX_GUEST_RULE("RFLAGS.BIT1", RIP_RFLAGS, "reserved bit 1 must be 1",
                   VMX_CLEAR(VMCS_GUEST_RFLAGS, BIT(1)), ),
    VMX_GUEST_RULE("RFLAGS.BIT3", RIP_RFLAGS, "reserved bits must be 0",
                   VMX_SET(VMCS_GUEST_RFLAGS, BIT(3)), ),
    VMX_GUEST_RULE("RFLAGS.BIT22", RIP_RFLAGS, "reserved bits must be 0",
                   VMX_SET(VMCS_GUEST_RFLAGS, BIT(22)), ),
    VMX_GUEST_RULE("RFLAGS.BIT63", RIP_RFLAGS, "reserved bits must be 0",
                   VMX_SET(VMCS_GUEST_RFLAGS, BIT(63)), ),
    VMX_GUEST_RULE("RFLAGS.VM_IN_IA32E", RIP_RFLAGS,
                   "VM must be 0 in an IA-32e mode guest",
                   VMX_SET(VMCS_GUEST_RFLAGS, BIT(17)), ),
    /* Bits 63:N, with N linear-address bits: bit 47 is free.  The neighbour enters and
     * faults in the guest, whose IDT ends it by VMCALL. */
    VMX_GUEST_RULE(
        "RIP.BIT48", RIP_RFLAGS, "in 64-bit mode, RIP[63:48] must be identical",
        VMX_MAKE(VMCS_GUEST_RIP, BIT(48)), VMX_MAKE(VMCS_GUEST_RIP, BIT(47))),
    VMX_GUEST_RULE("ACTIVITY.4", NON_REGISTER, "the activity state must be 0 to 3",
                   VMX_MAKE(VMCS_GUEST_ACTIVITY, 4), ),
    VMX_GUEST_RULE("INTERRUPTIBILITY.BIT5", NON_REGISTER, "reserved bits must be 0",
                   VMX_SET(VMCS_GUEST_INTERRUPTIBILITY, BIT(5)), ),
    VMX_GUEST_RULE("INTERRUPTIBILITY.BIT31", NON_REGISTER, "reserved bits must be 0",
                   VMX_SET(VMCS_GUEST_INTERRUPTIBILITY, BIT(31)), ),
    VMX_GUEST_RULE("INTERRUPTIBILITY.STI_WITHOUT_IF", NON_REGISTER,
                   "blocking by STI must be 0 if RFLAGS.IF is 0",
                   VMX_SET(VMCS_GUEST_INTERRUPTIBILITY, BIT(0)), ),
    VMX_GUEST_RULE("INTERRUPTIBILITY.SMI", NON_REGISTER,
                   "blocking by SMI must be 0 outside of SMM",
                   VMX_SET(VMCS_GUEST_INTERRUPTIBILITY, BIT(2)), ),
    VMX_GUEST_RULE("PENDING_DEBUG.BIT4", NON_REGISTER, "reserved bits must be 0",
                   VMX_SET(VMCS_GUEST_PENDING_DEBUG, BIT(4)), ),
    VMX_GUEST_RULE("PENDING_DEBUG.BIT63", NON_REGISTER, "reserved bits must be 0",
                   VMX_SET(VMCS_GUEST_PENDING_DEBUG, BIT(63)), ),
    VMX_LINK_RULE("LINK.ALIGNED",
                  "a link pointer that is used must have bits 11:0 zero",
                  VMX_LIST(VMX_MAKE(VMCS_LINK_POINTER, 0x1001)), VMX_LIST()),
};
NESTED_RULES(entry_guest);
