/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exit-registers.c - control and debug registers: masks, shadows, targets, exits */
#include "vmx/behaviour.h"

extern uint64_t nested_pml4[]; /* the CR3 of host and guest */

#define EXITS   "SDM3C 25.1.3, 27.2.1 table 27-3"
#define CHANGED "SDM3C 25.3"

#define CR0_MP  BIT(1)
#define CR0_TS  BIT(3)
#define CR4_TSD BIT(2)

/* Guests start with the host's CR0 and CR4, in which TS and TSD are clear. */
VMX_GUEST(set_ts, "mov %cr0, %rbx; or $8, %rbx", "mov %rbx, %cr0");
VMX_GUEST(read_cr0, "", "mov %cr0, %rbx");
VMX_GUEST(set_tsd, "mov %cr4, %rdx; or $4, %rdx", "mov %rdx, %cr4");
VMX_GUEST(read_cr4, "", "mov %cr4, %r9");
VMX_GUEST(clts, "", "clts");
VMX_GUEST(lmsw, "smsw %cx; or $8, %ecx", "lmsw %cx");
VMX_GUEST(write_cr3, "mov %cr3, %r8", "mov %r8, %cr3");
VMX_GUEST(read_cr3, "", "mov %cr3, %rsi");
VMX_GUEST(write_cr8, "xor %edi, %edi", "mov %rdi, %cr8");
VMX_GUEST(read_cr8, "", "mov %cr8, %rbp");
VMX_GUEST(write_dr3, "xor %eax, %eax", "mov %rax, %dr3");
VMX_GUEST(read_dr7, "", "mov %dr7, %r15");

enum { TO_CR, FROM_CR, CLTS, LMSW };
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 };

/* Table 27-3: which register, which access, which general register. */
#define CR_ACCESS(cr, type, gpr)                                                       \
    VMX_SEE(VMCS_EXIT_QUALIFICATION, cr | type << 4 | gpr << 8)
#define LMSW_SOURCE(value) ((uint64_t)(value) << 16)

#define BY_CONTROL(name, claim, code, control, ...)                                    \
    VMX_BEHAVIOUR("EXIT." name, EXITS, claim, .guest = VMX_CODE(code),                 \
                  .with = VMX_LIST(VMX_CPU(control)), .reason = VMX_REASON_CR,         \
                  .sees = VMX_SIGHTS(__VA_ARGS__),                                     \
                  .without = VMX_LIST(VMX_CLEAR(VMCS_PROCESSOR_CONTROLS, control)))

static const struct nested_rule exit_registers[] = {
    VMX_BEHAVIOUR("EXIT.CR0_WRITE", EXITS,
                  "MOV to CR0 exits if a bit in the mask differs from the read shadow",
                  .guest = VMX_CODE(set_ts),
                  .with = VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_TS)),
                  .reason = VMX_REASON_CR, .sees = VMX_SIGHTS(CR_ACCESS(0, TO_CR, RBX)),
                  .without = VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_TS),
                                      VMX_MAKE(VMCS_CR0_SHADOW, CR0_TS))),
    VMX_BEHAVIOUR("EXIT.CR0_WRITE_UNMASKED", EXITS,
                  "a bit outside of the mask is the guest's own to write",
                  .guest = VMX_CODE(set_ts),
                  .with = VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_TS | CR0_MP),
                                   VMX_MAKE(VMCS_CR0_SHADOW, CR0_MP)),
                  .reason = VMX_REASON_CR,
                  .without = VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_MP),
                                      VMX_MAKE(VMCS_CR0_SHADOW, CR0_MP)),
                  .neighbour_sees =
                      VMX_SIGHTS(VMX_SEE_BITS(VMCS_GUEST_CR0, CR0_TS, CR0_TS))),
    VMX_BEHAVIOUR("CR0.SHADOW", CHANGED,
                  "MOV from CR0 reads masked bits from the read shadow",
                  .guest = VMX_CODE(read_cr0),
                  .with = VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_TS | CR0_PG),
                                   VMX_MAKE(VMCS_CR0_SHADOW, CR0_TS)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS({ VMX_WORD, CR0_TS | CR0_PG | CR0_PE,
                                       CR0_TS | CR0_PE, &vmx_guest.rbx }),
                  .neighbour_sees = VMX_SIGHTS({ VMX_WORD, CR0_TS | CR0_PG | CR0_PE,
                                                 CR0_PG | CR0_PE, &vmx_guest.rbx })),
    VMX_BEHAVIOUR(
        "EXIT.CR4_WRITE", EXITS,
        "MOV to CR4 exits if a bit in the mask differs from the read shadow",
        .guest = VMX_CODE(set_tsd), .with = VMX_LIST(VMX_MAKE(VMCS_CR4_MASK, CR4_TSD)),
        .reason = VMX_REASON_CR, .sees = VMX_SIGHTS(CR_ACCESS(4, TO_CR, RDX)),
        .without = VMX_LIST(VMX_MAKE(VMCS_CR4_MASK, CR4_TSD),
                            VMX_MAKE(VMCS_CR4_SHADOW, CR4_TSD)),
        .neighbour_sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_GUEST_CR4, CR4_TSD, 0))),
    VMX_BEHAVIOUR("CR4.SHADOW", CHANGED,
                  "MOV from CR4 reads masked bits from the read shadow",
                  .guest = VMX_CODE(read_cr4),
                  .with = VMX_LIST(VMX_MAKE(VMCS_CR4_MASK, CR4_TSD | BIT(13)),
                                   VMX_MAKE(VMCS_CR4_SHADOW, CR4_TSD)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS({ VMX_WORD, CR4_TSD | BIT(13) | CR4_PAE,
                                       CR4_TSD | CR4_PAE, &vmx_guest.r9 }),
                  .neighbour_sees = VMX_SIGHTS({ VMX_WORD, CR4_TSD | BIT(13) | CR4_PAE,
                                                 BIT(13) | CR4_PAE, &vmx_guest.r9 })),
    VMX_BEHAVIOUR("EXIT.CLTS", EXITS,
                  "CLTS exits if CR0.TS is set in both the mask and the read shadow",
                  .guest = VMX_CODE(clts),
                  .with = VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_TS),
                                   VMX_MAKE(VMCS_CR0_SHADOW, CR0_TS)),
                  .reason = VMX_REASON_CR, .sees = VMX_SIGHTS(CR_ACCESS(0, CLTS, 0)),
                  .without = VMX_LIST(VMX_MAKE(VMCS_CR0_SHADOW, CR0_TS))),
    VMX_BEHAVIOUR(
        "CR0.CLTS_MASKED", CHANGED,
        "CLTS leaves CR0.TS alone if it is masked and clear in the shadow",
        .guest = VMX_CODE(clts),
        .with =
            VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_TS), VMX_SET(VMCS_GUEST_CR0, CR0_TS)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_GUEST_CR0, CR0_TS, CR0_TS)),
        .without = VMX_LIST(VMX_SET(VMCS_GUEST_CR0, CR0_TS)),
        .neighbour_sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_GUEST_CR0, CR0_TS, 0))),
    VMX_BEHAVIOUR(
        "EXIT.LMSW", EXITS, "LMSW exits if it would change a masked bit of CR0[3:1]",
        .guest = VMX_CODE(lmsw), .with = VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_TS)),
        .reason = VMX_REASON_CR,
        .sees =
            VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_QUALIFICATION, 0xff | LMSW_SOURCE(0xf),
                                    LMSW << 4 | LMSW_SOURCE(0xb))),
        .without = VMX_LIST(VMX_MAKE(VMCS_CR0_MASK, CR0_PE))),
    BY_CONTROL("CR3_WRITE", "MOV to CR3 exits with CR3-load exiting", write_cr3,
               VMX_CPU_CR3_LOAD, CR_ACCESS(3, TO_CR, R8)),
    VMX_BEHAVIOUR("EXIT.CR3_TARGET", EXITS,
                  "MOV to CR3 does not exit if the value is one of the targets",
                  .guest = VMX_CODE(write_cr3),
                  .with = VMX_LIST(VMX_CPU(VMX_CPU_CR3_LOAD),
                                   VMX_MAKE(VMCS_CR3_TARGET0, (uint64_t)nested_pml4),
                                   VMX_MAKE(VMCS_CR3_TARGET_COUNT, 0)),
                  .reason = VMX_REASON_CR, .sees = VMX_SIGHTS(CR_ACCESS(3, TO_CR, R8)),
                  .without = VMX_LIST(VMX_CPU(VMX_CPU_CR3_LOAD),
                                      VMX_MAKE(VMCS_CR3_TARGET0, (uint64_t)nested_pml4),
                                      VMX_MAKE(VMCS_CR3_TARGET_COUNT, 1))),
    VMX_BEHAVIOUR(
        "EXIT.CR3_TARGET_BEYOND_COUNT", EXITS,
        "only as many targets as the count says are considered",
        .guest = VMX_CODE(write_cr3),
        .with = VMX_LIST(VMX_CPU(VMX_CPU_CR3_LOAD),
                         VMX_MAKE(VMCS_CR3_TARGET0 + 6, (uint64_t)nested_pml4),
                         VMX_MAKE(VMCS_CR3_TARGET_COUNT, 3)),
        .reason = VMX_REASON_CR,
        .without = VMX_LIST(VMX_CPU(VMX_CPU_CR3_LOAD),
                            VMX_MAKE(VMCS_CR3_TARGET0 + 6, (uint64_t)nested_pml4),
                            VMX_MAKE(VMCS_CR3_TARGET_COUNT, 4))),
    BY_CONTROL("CR3_READ", "MOV from CR3 exits with CR3-store exiting", read_cr3,
               VMX_CPU_CR3_STORE, CR_ACCESS(3, FROM_CR, RSI)),
    BY_CONTROL("CR8_WRITE", "MOV to CR8 exits with CR8-load exiting", write_cr8,
               VMX_CPU_CR8_LOAD, CR_ACCESS(8, TO_CR, RDI)),
    BY_CONTROL("CR8_READ", "MOV from CR8 exits with CR8-store exiting", read_cr8,
               VMX_CPU_CR8_STORE, CR_ACCESS(8, FROM_CR, RBP)),
    VMX_BEHAVIOUR(
        "CR8.SHADOW", "SDM3C 25.3, 29.3",
        "with use TPR shadow, MOV from CR8 reads VTPR[7:4]",
        .guest = VMX_CODE(read_cr8),
        .with = VMX_LIST(VMX_CPU(VMX_CPU_TPR_SHADOW),
                         VMX_POKE8((uint8_t *)vmx_pages.virtual_apic + 0x80, 0x90)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rbp, 9)),
        .without = VMX_LIST(VMX_CPU(VMX_CPU_TPR_SHADOW)),
        .neighbour_sees = VMX_SIGHTS(VMX_SEE_REGISTER(rbp, 0))),
    VMX_BEHAVIOUR("EXIT.DR_WRITE", "SDM3C 25.1.3, 27.2.1 table 27-4",
                  "MOV to DR exits with MOV-DR exiting", .guest = VMX_CODE(write_dr3),
                  .with = VMX_LIST(VMX_CPU(VMX_CPU_MOV_DR)), .reason = VMX_REASON_DR,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 3))),
    VMX_BEHAVIOUR(
        "EXIT.DR_READ", "SDM3C 25.1.3, 27.2.1 table 27-4",
        "MOV from DR exits with MOV-DR exiting", .guest = VMX_CODE(read_dr7),
        .with = VMX_LIST(VMX_CPU(VMX_CPU_MOV_DR)), .reason = VMX_REASON_DR,
        .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 7 | 1 << 4 | 15 << 8))),
};
NESTED_RULES(exit_registers);
