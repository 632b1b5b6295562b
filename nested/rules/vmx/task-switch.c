/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * task-switch.c - task switches of a guest of 32 bits: what exits, and what comes before
 *
 * The tables of prepare() are good: 18h is a task to go to, 20h one to return to, 28h a
 * task gate to 18h, as is the IDT's entry 40h.  A rule breaks a descriptor of them.
 */
#include "lib/memory.h"
#include "vmx/behaviour.h"

#define PLACE  "SDM3C 25.4.2, 27.2.1 table 27-2"
#define CHECKS "SDM3C 25.4.2; 3A 7.3 table 7-1"
#define GATES  "SDM3C 25.4.2; 2A CALL, JMP" /* what table 7-1 leaves out */

#define NEW     0x18
#define NESTER  0x20
#define GATE    0x28
#define CURRENT 0x30
#define VECTOR  0x40

#define CODE_32   UINT64_C(0x00CF9B000000FFFF)
#define DATA_32   UINT64_C(0x00CF93000000FFFF)
#define AVAILABLE UINT64_C(0x0000890000000067) /* a TSS, limit 67h */
#define BUSY      BIT(41)
#define TASK_GATE UINT64_C(0x0000850000000000)
#define PRESENT   BIT(47)

#define UD 6
#define TS 10
#define NP 11
#define GP 13

#define RFLAGS_NT BIT(14)

/* Bits 31:30 of the qualification. */
enum source { BY_CALL, BY_IRET, BY_JMP, BY_GATE };

VMX_GUEST(task_jmp, "", ".byte 0xea, 0, 0, 0, 0, 0x18, 0");
VMX_GUEST(task_call, "", ".byte 0x9a, 0, 0, 0, 0, 0x18, 0");
VMX_GUEST(task_jmp_gate, "", ".byte 0xea, 0, 0, 0, 0, 0x28, 0");
VMX_GUEST(task_call_gate, "", ".byte 0x9a, 0, 0, 0, 0, 0x28, 0");
VMX_GUEST(task_iret, "", "iretl");
VMX_GUEST(task_int, "", "int $0x40");
VMX_GUEST(task_ud, "", "ud2");
VMX_GUEST(task_nop, "", "nop");

static uint64_t gdt[7], idt[VECTOR + 1];
static uint32_t tss[3][26] __attribute__((aligned(128))); /* new, nester, current */

static uint64_t at_base(const uint32_t *task)
{
    uint64_t base = (uint64_t)task;

    return AVAILABLE | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
}

static void prepare(void)
{
    memset(tss, 0, sizeof tss);
    tss[2][0] = NESTER; /* the link that IRET follows */
    gdt[1] = CODE_32;
    gdt[2] = DATA_32;
    gdt[NEW / 8] = at_base(tss[0]);
    gdt[NESTER / 8] = at_base(tss[1]) | BUSY;
    gdt[GATE / 8] = TASK_GATE | NEW << 16;
    gdt[CURRENT / 8] = at_base(tss[2]) | BUSY;
    memset(idt, 0, sizeof idt);
    idt[2] = idt[UD] = idt[VECTOR] = TASK_GATE | NEW << 16;
    vmx_write(VMCS_GUEST_GDTR_BASE, (uint64_t)gdt);
    vmx_write(VMCS_GUEST_GDTR_LIMIT, sizeof gdt - 1);
    vmx_write(VMCS_GUEST_IDTR_BASE, (uint64_t)idt);
    vmx_write(VMCS_GUEST_IDTR_LIMIT, sizeof idt - 1);
    vmx_write(VMCS_GUEST_TR_BASE, (uint64_t)tss[2]);
}

#define ALL_BUT(vector)       VMX_MAKE(VMCS_EXCEPTION_BITMAP, UINT32_MAX & ~BIT(vector))
#define ALL                   VMX_MAKE(VMCS_EXCEPTION_BITMAP, UINT32_MAX)
#define NOT_PRESENT(selector) VMX_CLEAR_AT(&gdt[(selector) / 8], PRESENT)

#define SEE_SWITCH(selector, source)                                                   \
    VMX_SEE(VMCS_EXIT_QUALIFICATION, (uint64_t)(source) << 30 | (selector)),           \
        VMX_SEE(VMCS_GUEST_TR_SELECTOR, CURRENT)
#define SEE_NO_VECTORING     VMX_SEE_BITS(VMCS_IDT_VECTORING_INFO, BIT(31), 0)
#define SEE_VECTORING(event) VMX_SEE(VMCS_IDT_VECTORING_INFO, event)
#define SEE_FAULT(vector, code)                                                        \
    VMX_SEE(VMCS_EXIT_INTERRUPTION_INFO,                                               \
            VMX_EVENT(VMX_HARDWARE_EXCEPTION, vector) | VMX_EVENT_CODE),               \
        VMX_SEE(VMCS_EXIT_ERROR_CODE, code)

/* The neighbour's descriptor is not present, and that is a fault and no task switch. */
#define SWITCH(name, claim, code, change, selector, source, broken, ...)               \
    VMX_BEHAVIOUR("TASK_SWITCH." name, PLACE, claim, .guest = VMX_CODE(code),          \
                  .prepare = prepare, .with = VMX_LIST(VMX_GUEST_32, ALL, change),     \
                  .reason = VMX_REASON_TASK_SWITCH,                                    \
                  .sees = VMX_SIGHTS(SEE_SWITCH(selector, source), __VA_ARGS__),       \
                  .without = VMX_LIST(VMX_GUEST_32, ALL, change, NOT_PRESENT(broken)), \
                  .neighbour_reason = VMX_FAULTS,                                      \
                  .neighbour_sees = VMX_SIGHTS(SEE_FAULT(NP, broken)))
#define NOTHING VMX_SET(VMCS_GUEST_RFLAGS, 0)

/* By the IDT's task gate, for what is delivered: @how says where RIP is. */
#define DELIVERED(name, claim, code, change, how, event)                               \
    VMX_BEHAVIOUR(                                                                     \
        "TASK_SWITCH." name, PLACE ", 27.2.3", claim, .guest = VMX_CODE(code),         \
        .prepare = prepare, .with = VMX_LIST(VMX_GUEST_32, ALL_BUT(UD), change),       \
        .reason = VMX_REASON_TASK_SWITCH, .progress = how,                             \
        .sees = VMX_SIGHTS(SEE_SWITCH(NEW, BY_GATE), SEE_VECTORING(event)),            \
        .without = VMX_LIST(VMX_GUEST_32, ALL_BUT(UD), change, NOT_PRESENT(NEW)),      \
        .neighbour_reason = VMX_FAULTS,                                                \
        .neighbour_sees = VMX_SIGHTS(SEE_VECTORING(event)))
#define INJECT(event)                                                                  \
    VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO, event),                                     \
        VMX_SET(VMCS_GUEST_RFLAGS, BIT(9)) /* IF */

/* A check that comes before the exit: the fault wins. */
#define CHECKED(name, place, claim, code, change, vector, error, source)               \
    VMX_BEHAVIOUR("TASK_SWITCH.CHECK." name, place, claim, .guest = VMX_CODE(code),    \
                  .prepare = prepare, .with = VMX_LIST(VMX_GUEST_32, ALL, change),     \
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,        \
                  .sees = VMX_SIGHTS(SEE_FAULT(vector, error)),                        \
                  .without = VMX_LIST(VMX_GUEST_32, ALL),                              \
                  .neighbour_reason = VMX_REASON_TASK_SWITCH,                          \
                  .neighbour_sees = VMX_SIGHTS(SEE_SWITCH(NEW, source)))

static const struct nested_rule task_switch[] = {
    SWITCH("JMP", "JMP to a TSS exits; source 2", task_jmp, NOTHING, NEW, BY_JMP, NEW,
           SEE_NO_VECTORING),
    SWITCH("CALL", "CALL of a TSS exits; source 0", task_call, NOTHING, NEW, BY_CALL,
           NEW, SEE_NO_VECTORING),
    SWITCH("JMP_GATE",
           "JMP to a task gate exits with the selector of the TSS, not of the gate",
           task_jmp_gate, NOTHING, NEW, BY_JMP, GATE, SEE_NO_VECTORING),
    SWITCH("CALL_GATE", "so does CALL", task_call_gate, NOTHING, NEW, BY_CALL, GATE,
           SEE_NO_VECTORING),
    VMX_BEHAVIOUR(
        "TASK_SWITCH.IRET", PLACE,
        "IRET with NT set exits with the selector that the TSS links to",
        .guest = VMX_CODE(task_iret), .prepare = prepare,
        .with = VMX_LIST(VMX_GUEST_32, ALL, VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_NT)),
        .reason = VMX_REASON_TASK_SWITCH,
        .sees = VMX_SIGHTS(SEE_SWITCH(NESTER, BY_IRET), SEE_NO_VECTORING,
                           VMX_SEE_BITS(VMCS_GUEST_RFLAGS, RFLAGS_NT, RFLAGS_NT)),
        .without = VMX_LIST(VMX_GUEST_32, ALL, VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_NT),
                            NOT_PRESENT(NESTER)),
        .neighbour_reason = VMX_FAULTS),
    DELIVERED("INT", "INT n by a task gate exits; source 3, and the event is recorded",
              task_int, NOTHING, VMX_AT_INSTRUCTION,
              VMX_EVENT(VMX_SOFTWARE_INTERRUPT, VECTOR)),
    DELIVERED("EXCEPTION", "an exception by a task gate exits; source 3", task_ud,
              NOTHING, VMX_AT_NO_LENGTH, VMX_EVENT(VMX_HARDWARE_EXCEPTION, UD)),
    DELIVERED("INJECTED", "so does an injected interrupt", task_nop,
              INJECT(VMX_EVENT(VMX_EXTERNAL, VECTOR)), VMX_AT_NO_LENGTH,
              VMX_EVENT(VMX_EXTERNAL, VECTOR)),
    DELIVERED("INJECTED_NMI", "so does an injected NMI", task_nop,
              INJECT(VMX_EVENT(VMX_NMI, 2)), VMX_AT_NO_LENGTH, VMX_EVENT(VMX_NMI, 2)),
    VMX_BEHAVIOUR("TASK_SWITCH.TOUCHES_NOTHING", "SDM3C 27.1",
                  "neither TSS, nor a descriptor, nor RFLAGS.NT is modified",
                  .guest = VMX_CODE(task_call), .prepare = prepare,
                  .with = VMX_LIST(VMX_GUEST_32, ALL), .reason = VMX_REASON_TASK_SWITCH,
                  .sees = VMX_SIGHTS(
                      { VMX_WORD, PRESENT | BUSY, PRESENT, &gdt[NEW / 8] },
                      { VMX_WORD, PRESENT | BUSY, PRESENT | BUSY, &gdt[CURRENT / 8] },
                      VMX_SEE_AT(&tss[0][0], 0), VMX_SEE_AT(&tss[2][8], 0),
                      VMX_SEE_BITS(VMCS_GUEST_RFLAGS, RFLAGS_NT, 0),
                      VMX_SEE_BITS(VMCS_GUEST_CR0, BIT(3), 0)),
                  .without = VMX_LIST(VMX_GUEST_32, ALL, NOT_PRESENT(NEW)),
                  .neighbour_reason = VMX_FAULTS),
    CHECKED("NOT_PRESENT", CHECKS, "a TSS that is not present is #NP", task_jmp,
            NOT_PRESENT(NEW), NP, NEW, BY_JMP),
    CHECKED("BUSY", GATES, "JMP to a TSS that is busy is #GP", task_jmp,
            VMX_SET_AT(&gdt[NEW / 8], BUSY), GP, NEW, BY_JMP),
    CHECKED("LIMIT", CHECKS, "a TSS with a limit below 67H is #TS", task_jmp,
            VMX_CLEAR_AT(&gdt[NEW / 8], 1), TS, NEW, BY_JMP),
    CHECKED("GATE_NOT_PRESENT", GATES, "a task gate that is not present is #NP",
            task_call_gate, NOT_PRESENT(GATE), NP, GATE, BY_CALL),
    CHECKED("GATE_TO_BUSY", GATES, "a gate to a TSS that is busy is #GP",
            task_call_gate, VMX_SET_AT(&gdt[NEW / 8], BUSY), GP, NEW, BY_CALL),
    CHECKED("BEYOND_GDT", CHECKS, "a gate to a selector beyond the GDT is #GP",
            task_jmp_gate, VMX_SET_AT(&gdt[GATE / 8], UINT64_C(0x20) << 16), GP, 0x38,
            BY_JMP),
    VMX_BEHAVIOUR(
        "TASK_SWITCH.CHECK.IRET_TO_AVAILABLE", CHECKS,
        "IRET to a TSS that is not busy is #TS", .guest = VMX_CODE(task_iret),
        .prepare = prepare,
        .with = VMX_LIST(VMX_GUEST_32, ALL, VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_NT),
                         VMX_CLEAR_AT(&gdt[NESTER / 8], BUSY)),
        .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
        .sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_INTERRUPTION_INFO, 0xff, TS),
                           VMX_SEE(VMCS_EXIT_ERROR_CODE, NESTER)),
        .without = VMX_LIST(VMX_GUEST_32, ALL, VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_NT)),
        .neighbour_reason = VMX_REASON_TASK_SWITCH),
    VMX_BEHAVIOUR("TASK_SWITCH.CHECK.IN_IA32E", "SDM3C 25.4.2; 3A 7.7",
                  "in IA-32e mode there is no task switch: JMP to a TSS is #GP",
                  .guest = VMX_CODE(task_jmp), .prepare = prepare,
                  .with = VMX_LIST(ALL, VMX_MAKE(VMCS_GUEST_CS_RIGHTS, 0xc09b)),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(SEE_FAULT(GP, NEW)),
                  .without = VMX_LIST(VMX_GUEST_32, ALL),
                  .neighbour_reason = VMX_REASON_TASK_SWITCH),
};
NESTED_RULES(task_switch);
