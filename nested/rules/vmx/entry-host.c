/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry-host.c - the host-state area, checked before anything of the guest's is */
#include "vmx/entry-rule.h"

#define REGISTERS     "SDM3C 26.2.2"
#define SEGMENTS      "SDM3C 26.2.3"
#define ADDRESS_SPACE "SDM3C 26.2.4"

#define NOT_CANONICAL BIT(47)
#define CANONICAL     (UINT64_MAX << 47)

#define HOST_CANONICAL(name, place, field)                                             \
    VMX_HOST_RULE(name ".CANONICAL", place, "the field must be a canonical address",   \
                  VMX_MAKE(field, NOT_CANONICAL), VMX_MAKE(field, CANONICAL))
#define HOST_SELECTOR(name, field)                                                     \
    VMX_HOST_RULE(name ".RPL1", SEGMENTS, "RPL must be 0", VMX_SET(field, 1), ),       \
        VMX_HOST_RULE(name ".RPL2", SEGMENTS, "RPL must be 0", VMX_SET(field, 2), ),   \
        VMX_HOST_RULE(name ".TI", SEGMENTS, "the TI flag must be 0",                   \
                      VMX_SET(field, 4), )

static const struct nested_rule entry_host[] = {
    VMX_HOST_RULE("CR0.PE", REGISTERS, "CR0.PE is fixed to 1 in VMX operation",
                  VMX_CLEAR(VMCS_HOST_CR0, CR0_PE), ),
    VMX_HOST_RULE("CR0.PG", REGISTERS, "CR0.PG is fixed to 1 in VMX operation",
                  VMX_CLEAR(VMCS_HOST_CR0, CR0_PG), ),
    VMX_HOST_RULE("CR0.NE", REGISTERS, "CR0.NE is fixed to 1 in VMX operation",
                  VMX_CLEAR(VMCS_HOST_CR0, BIT(5)), ),
    VMX_HOST_RULE("CR0.BIT32", REGISTERS, "a reserved bit of CR0 is set",
                  VMX_SET(VMCS_HOST_CR0, BIT(32)), ),
    VMX_HOST_RULE("CR4.VMXE", REGISTERS, "CR4.VMXE is fixed to 1 in VMX operation",
                  VMX_CLEAR(VMCS_HOST_CR4, BIT(13)), ),
    VMX_HOST_RULE("CR4.BIT15", REGISTERS, "a reserved bit of CR4 is set",
                  VMX_SET(VMCS_HOST_CR4, BIT(15)), ),
    VMX_HOST_RULE("CR4.BIT32", REGISTERS, "a reserved bit of CR4 is set",
                  VMX_SET(VMCS_HOST_CR4, BIT(32)), ),
    VMX_HOST_RULE("CR3.BIT52", REGISTERS, "CR3[63:52] must be 0",
                  VMX_SET(VMCS_HOST_CR3, BIT(52)), ),
    VMX_HOST_RULE("CR3.BIT63", REGISTERS, "CR3[63:52] must be 0",
                  VMX_SET(VMCS_HOST_CR3, BIT(63)), ),
    VMX_HOST_RULE("CR3.BEYOND_MEMORY", REGISTERS,
                  "CR3 has a bit beyond the physical-address width",
                  VMX_LIMIT(VMCS_HOST_CR3, 0), ),
    HOST_CANONICAL("SYSENTER_ESP", REGISTERS, VMCS_HOST_SYSENTER_ESP),
    HOST_CANONICAL("SYSENTER_EIP", REGISTERS, VMCS_HOST_SYSENTER_EIP),
    VMX_ENTRY_RULE("HOST.PAT.TYPE2", REGISTERS,
                   "with load IA32_PAT, each byte must be a memory type", VMX_FAIL,
                   VMX_ERROR_HOST_STATE,
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_PAT),
                            VMX_CHANGE(VMCS_HOST_PAT, 0xff, 2)),
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_PAT),
                            VMX_CHANGE(VMCS_HOST_PAT, 0xff, 6))),
    VMX_ENTRY_RULE("HOST.PAT.TYPE8", REGISTERS,
                   "with load IA32_PAT, each byte must be a memory type", VMX_FAIL,
                   VMX_ERROR_HOST_STATE,
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_PAT),
                            VMX_CHANGE(VMCS_HOST_PAT, UINT64_MAX << 56, BIT(59))),
                   VMX_LIST(VMX_CHANGE(VMCS_HOST_PAT, UINT64_MAX << 56, BIT(59)))),
    VMX_ENTRY_RULE("HOST.EFER.LMA", REGISTERS,
                   "with load IA32_EFER, LMA must equal the host address-space size",
                   VMX_FAIL, VMX_ERROR_HOST_STATE,
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_EFER),
                            VMX_CLEAR(VMCS_HOST_EFER, EFER_LMA)),
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_EFER))),
    VMX_ENTRY_RULE("HOST.EFER.LME", REGISTERS,
                   "with load IA32_EFER, LME must equal the host address-space size",
                   VMX_FAIL, VMX_ERROR_HOST_STATE,
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_EFER),
                            VMX_CLEAR(VMCS_HOST_EFER, EFER_LME)),
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_EFER))),
    VMX_ENTRY_RULE("HOST.EFER.BIT9", REGISTERS,
                   "with load IA32_EFER, reserved bits must be 0", VMX_FAIL,
                   VMX_ERROR_HOST_STATE,
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_EFER),
                            VMX_SET(VMCS_HOST_EFER, BIT(9))),
                   VMX_LIST(VMX_SET(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_EFER))),
    HOST_SELECTOR("CS", VMCS_HOST_CS_SELECTOR),
    HOST_SELECTOR("SS", VMCS_HOST_SS_SELECTOR),
    HOST_SELECTOR("DS", VMCS_HOST_DS_SELECTOR),
    HOST_SELECTOR("ES", VMCS_HOST_ES_SELECTOR),
    HOST_SELECTOR("FS", VMCS_HOST_FS_SELECTOR),
    HOST_SELECTOR("GS", VMCS_HOST_GS_SELECTOR),
    HOST_SELECTOR("TR", VMCS_HOST_TR_SELECTOR),
    VMX_HOST_RULE("CS.ZERO", SEGMENTS, "the selector cannot be 0",
                  VMX_MAKE(VMCS_HOST_CS_SELECTOR, 0), ),
    VMX_HOST_RULE("TR.ZERO", SEGMENTS, "the selector cannot be 0",
                  VMX_MAKE(VMCS_HOST_TR_SELECTOR, 0), ),
    HOST_CANONICAL("FS_BASE", SEGMENTS, VMCS_HOST_FS_BASE),
    HOST_CANONICAL("GS_BASE", SEGMENTS, VMCS_HOST_GS_BASE),
    VMX_HOST_RULE("TR_BASE.CANONICAL", SEGMENTS,
                  "the field must be a canonical address",
                  VMX_MAKE(VMCS_HOST_TR_BASE, NOT_CANONICAL), ),
    VMX_HOST_RULE("GDTR_BASE.CANONICAL", SEGMENTS,
                  "the field must be a canonical address",
                  VMX_MAKE(VMCS_HOST_GDTR_BASE, NOT_CANONICAL), ),
    VMX_HOST_RULE("IDTR_BASE.CANONICAL", SEGMENTS,
                  "the field must be a canonical address",
                  VMX_MAKE(VMCS_HOST_IDTR_BASE, NOT_CANONICAL), ),
    VMX_HOST_RULE("CR4.PAE", ADDRESS_SPACE,
                  "with a 64-bit host address space, CR4.PAE must be 1",
                  VMX_CLEAR(VMCS_HOST_CR4, CR4_PAE), ),
};
NESTED_RULES(entry_host);
