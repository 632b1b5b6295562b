/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* msr-lists.c - MSRs that VM entry loads and VM exit stores: what fails and what moves */
#include "vmx/behaviour.h"
#include "vmx/entry-rule.h"

#define LOADING "SDM3C 26.4, 26.7"

#define PAT       0x277
#define GOOD_PAT  UINT64_C(0x0007040600070406)
#define OTHER_PAT UINT64_C(0x0006060606060606)
#define ENTRY(i, msr, bits)                                                            \
    VMX_POKE(&vmx_pages.entry_load[i].index, msr),                                     \
        VMX_POKE(&vmx_pages.entry_load[i].value, bits)
#define COUNT(n) VMX_MAKE(VMCS_ENTRY_MSR_LOAD_COUNT, n)
#define FAILURE  ((uint32_t)VMX_REASON_ENTRY_FAILURE | (uint32_t)VMX_REASON_MSR_LOADING)

/* The exit qualification is the entry's number, from 1. */
#define FAILS(name, claim, n, ...)                                                     \
    VMX_ENTRY_FULL("MSR." name, LOADING, claim, .way = VMX_EXIT, .detail = FAILURE,    \
                   .qualification = n, .breaks = VMX_LIST(__VA_ARGS__),                \
                   .neighbour = VMX_LIST(COUNT(2), ENTRY(0, PAT, GOOD_PAT),            \
                                         ENTRY(1, PAT, GOOD_PAT)))

VMX_GUEST(read_pat, "mov $0x277, %ecx", "rdmsr");
VMX_GUEST(rest, "", "nop");

#define MSR_BITMAPS VMX_CPU(VMX_CPU_MSR_BITMAPS)

static const struct nested_rule msr_lists[] = {
    FAILS("FS_BASE", "IA32_FS_BASE cannot be loaded so", 1, COUNT(1),
          ENTRY(0, 0xc0000100, 0)),
    FAILS("GS_BASE", "IA32_GS_BASE cannot be loaded so", 1, COUNT(1),
          ENTRY(0, 0xc0000101, 0)),
    FAILS("X2APIC_FIRST", "an MSR of the x2APIC's cannot be loaded so", 1, COUNT(1),
          ENTRY(0, 0x800, 0)),
    FAILS("X2APIC_LAST", "an MSR of the x2APIC's cannot be loaded so", 1, COUNT(1),
          ENTRY(0, 0x8ff, 0)),
    FAILS("SMM_MONITOR", "an MSR that is written in SMM only cannot be loaded", 1,
          COUNT(1), ENTRY(0, 0x9b, 0)),
    FAILS("BIT32", "bits 63:32 of an entry must be 0", 1, COUNT(1),
          ENTRY(0, BIT(32) | PAT, GOOD_PAT)),
    FAILS("VALUE", "a value that WRMSR refuses cannot be loaded", 1, COUNT(1),
          ENTRY(0, PAT, 2)),
    FAILS("SECOND", "the qualification names the second entry", 2, COUNT(2),
          ENTRY(0, PAT, GOOD_PAT), ENTRY(1, PAT, 2)),
    FAILS("FIRST_OF_TWO", "entries are processed in order", 1, COUNT(2),
          ENTRY(0, PAT, 2), ENTRY(1, 0xc0000100, 0)),
    FAILS("EFER_LMA", "so it is with IA32_EFER's reserved bits", 1, COUNT(1),
          ENTRY(0, 0xc0000080, BIT(9))),

    VMX_BEHAVIOUR("MSR.LOADED", "SDM3C 26.4", "the guest reads what entry loaded",
                  .guest = VMX_CODE(read_pat),
                  .with = VMX_LIST(MSR_BITMAPS, COUNT(1), ENTRY(0, PAT, OTHER_PAT)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(
                      { VMX_WORD, UINT32_MAX, (uint32_t)OTHER_PAT, &vmx_guest.rax }),
                  .without = VMX_LIST(MSR_BITMAPS, COUNT(1), ENTRY(0, PAT, GOOD_PAT)),
                  .neighbour_sees = VMX_SIGHTS(
                      { VMX_WORD, UINT32_MAX, (uint32_t)GOOD_PAT, &vmx_guest.rax })),
    VMX_BEHAVIOUR("MSR.LOADED_IN_ORDER", "SDM3C 26.4", "the last entry for an MSR wins",
                  .guest = VMX_CODE(read_pat),
                  .with = VMX_LIST(MSR_BITMAPS, COUNT(2), ENTRY(0, PAT, GOOD_PAT),
                                   ENTRY(1, PAT, OTHER_PAT)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(
                      { VMX_WORD, UINT32_MAX, (uint32_t)OTHER_PAT, &vmx_guest.rax }),
                  .without = VMX_LIST(MSR_BITMAPS, COUNT(2), ENTRY(0, PAT, OTHER_PAT),
                                      ENTRY(1, PAT, GOOD_PAT))),
    VMX_BEHAVIOUR(
        "MSR.AFTER_FIELD", "SDM3C 26.3.2.1, 26.4",
        "the list is loaded after the IA32_PAT field", .guest = VMX_CODE(read_pat),
        .with = VMX_LIST(MSR_BITMAPS, VMX_ENTERS(VMX_ENTRY_LOAD_PAT),
                         VMX_MAKE(VMCS_GUEST_PAT, GOOD_PAT), COUNT(1),
                         ENTRY(0, PAT, OTHER_PAT)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees =
            VMX_SIGHTS({ VMX_WORD, UINT32_MAX, (uint32_t)OTHER_PAT, &vmx_guest.rax }),
        .without = VMX_LIST(MSR_BITMAPS, VMX_ENTERS(VMX_ENTRY_LOAD_PAT),
                            VMX_MAKE(VMCS_GUEST_PAT, GOOD_PAT))),
    VMX_BEHAVIOUR(
        "MSR.STORED", "SDM3C 27.4", "VM exit stores the guest's value",
        .guest = VMX_CODE(rest),
        .with = VMX_LIST(COUNT(1), ENTRY(0, PAT, OTHER_PAT),
                         VMX_MAKE(VMCS_EXIT_MSR_STORE_COUNT, 1),
                         VMX_POKE(&vmx_pages.exit_store[0].index, PAT)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(VMX_SEE_AT(&vmx_pages.exit_store[0].value, OTHER_PAT)),
        .without = VMX_LIST(VMX_POKE(&vmx_pages.exit_store[0].index, PAT)),
        .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(&vmx_pages.exit_store[0].value, 0))),
    VMX_BEHAVIOUR(
        "MSR.HOST_LOADED", "SDM3C 27.6",
        "VM exit loads the host's values, after it stored the guest's",
        .guest = VMX_CODE(rest),
        .with = VMX_LIST(COUNT(1), ENTRY(0, PAT, OTHER_PAT),
                         VMX_MAKE(VMCS_EXIT_MSR_STORE_COUNT, 1),
                         VMX_POKE(&vmx_pages.exit_store[0].index, PAT),
                         VMX_MAKE(VMCS_EXIT_MSR_LOAD_COUNT, 1),
                         VMX_POKE(&vmx_pages.exit_load[0].index, PAT),
                         VMX_POKE(&vmx_pages.exit_load[0].value, GOOD_PAT)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(VMX_SEE_AT(&vmx_pages.exit_store[0].value, OTHER_PAT))),
};
NESTED_RULES(msr_lists);
