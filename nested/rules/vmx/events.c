/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events.c - exceptions, injection, delivery that fails, windows, traps and timers */
#include "vmx/behaviour.h"

#define EXCEPTIONS "SDM3C 25.2, 27.2.2"
#define INJECTION  "SDM3C 26.5.1.1"
#define VECTORING  "SDM3C 27.2.3"
#define WINDOWS    "SDM3C 25.2"

#define DB        1
#define BP        3
#define UD        6
#define GP        13
#define PF        14
#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)

VMX_GUEST(ud2, "", "ud2");
VMX_GUEST(int3, "", "int3");
VMX_GUEST(icebp, "", ".byte 0xf1");
VMX_GUEST(divide, "xor %edx, %edx; xor %ecx, %ecx", "div %ecx");
VMX_GUEST(load_not_canonical, "mov $1, %rax; shl $63, %rax", "mov (%rax), %ebx");
VMX_GUEST(load_bad_selector, "mov $0x7f8, %eax", "mov %eax, %ds");
VMX_GUEST(int_40, "", "int $0x40");
VMX_GUEST(read_beyond, "mov $0x123456789ab, %rax", "mov (%rax), %ebx");
VMX_GUEST(write_beyond, "mov $0x123456789ab, %rax", "mov %bl, (%rax)");
VMX_GUEST(fetch_beyond, "mov $0x12345678000, %rax; jmp *%rax", "nop");
VMX_GUEST(nops, "", "nop");
VMX_GUEST(spin, "", "1: jmp 1b");
VMX_GUEST(rdtsc_twice, "", "rdtsc");
VMX_GUEST(halt, "", "hlt");
VMX_GUEST(iret_to_null, "push $0; push $0; push $0; push $0; push $0", "iretq");

#define BITMAP(vector) VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(vector))
#define NO_BITMAP      VMX_MAKE(VMCS_EXCEPTION_BITMAP, 0)
#define SEE_EVENT(type, vector)                                                        \
    VMX_SEE(VMCS_EXIT_INTERRUPTION_INFO, VMX_EVENT(type, vector))
#define SEE_EVENT_CODE(type, vector, code)                                             \
    VMX_SEE(VMCS_EXIT_INTERRUPTION_INFO, VMX_EVENT(type, vector) | VMX_EVENT_CODE),    \
        VMX_SEE(VMCS_EXIT_ERROR_CODE, code)
/* The valid bit: nothing was being delivered. */
#define SEE_NO_VECTORING VMX_SEE_BITS(VMCS_IDT_VECTORING_INFO, BIT(31), 0)

/* With its bit clear, the guest's IDT ends it with the vector in RAX. */
#define EXCEPTION(name, claim, code, vector, how, ...)                                 \
    VMX_BEHAVIOUR("EXCEPTION." name, EXCEPTIONS, claim, .guest = VMX_CODE(code),       \
                  .with = VMX_LIST(BITMAP(vector)), .reason = VMX_REASON_EXCEPTION,    \
                  .progress = how, .sees = VMX_SIGHTS(__VA_ARGS__, SEE_NO_VECTORING),  \
                  .neighbour_reason = VMX_REASON_VMCALL,                               \
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, vector)))

/* Error code of a page fault: W is bit 1, I/D bit 4. */
#define PAGE_FAULT(name, claim, mask, match, near_mask, near_match, bit)               \
    VMX_BEHAVIOUR(                                                                     \
        "EXCEPTION.PF_" name, EXCEPTIONS, claim, .guest = VMX_CODE(write_beyond),      \
        .with = VMX_LIST(VMX_MAKE(VMCS_EXCEPTION_BITMAP, bit),                         \
                         VMX_MAKE(VMCS_PAGE_FAULT_MASK, mask),                         \
                         VMX_MAKE(VMCS_PAGE_FAULT_MATCH, match)),                      \
        .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,                  \
        .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, UINT64_C(0x123456789ab)),  \
                           SEE_EVENT_CODE(VMX_HARDWARE_EXCEPTION, PF, 2)),             \
        .without = VMX_LIST(VMX_MAKE(VMCS_EXCEPTION_BITMAP, bit),                      \
                            VMX_MAKE(VMCS_PAGE_FAULT_MASK, near_mask),                 \
                            VMX_MAKE(VMCS_PAGE_FAULT_MATCH, near_match)),              \
        .neighbour_reason = VMX_REASON_VMCALL,                                         \
        .neighbour_sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, PF)))

#define INJECT(type, vector)                                                           \
    VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO, VMX_EVENT(type, vector))
#define INJECT_CODE(vector, code)                                                      \
    VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO,                                             \
             VMX_EVENT(VMX_HARDWARE_EXCEPTION, vector) | VMX_EVENT_CODE),              \
        VMX_MAKE(VMCS_ENTRY_EXCEPTION_CODE, code)
#define LENGTH(n) VMX_MAKE(VMCS_ENTRY_INSTRUCTION_LENGTH, n)
#define IF_SET    VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_IF)

/* What delivery pushes, from the top: SS, RSP, RFLAGS, CS, RIP, error code. */
#define PUSHED_RIP  (VMX_STACK_TOP - 40)
#define PUSHED_CODE (VMX_STACK_TOP - 48)
#define DELIVERED(vector, skipped, code)                                               \
    VMX_SEE_REGISTER(rax, vector),                                                     \
        VMX_SEE_AT(PUSHED_RIP, (uint64_t)nops_start + skipped)
#define INJECTED(name, claim, vector, skipped, ...)                                    \
    VMX_BEHAVIOUR(                                                                     \
        "INJECT." name, INJECTION, claim, .guest = VMX_CODE(nops),                     \
        .with = VMX_LIST(__VA_ARGS__), .reason = VMX_REASON_VMCALL,                    \
        .progress = VMX_ANYWHERE,                                                      \
        .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, vector),                              \
                           VMX_SEE_AT(PUSHED_RIP, (uint64_t)nops_start + skipped),     \
                           VMX_SEE(VMCS_GUEST_RSP, (uint64_t)PUSHED_RIP),              \
                           VMX_SEE_BITS(VMCS_ENTRY_INTERRUPTION_INFO, BIT(31), 0)))

/* An IDT that ends before the vector: #GP with the vector's selector, EXT for what did
 * not come from an instruction of the guest's. */
#define SHORT_IDT            VMX_MAKE(VMCS_GUEST_IDTR_LIMIT, 3 * 16 - 1)
#define GP_CODE(vector, ext) ((vector) << 3 | 2 | (ext))
#define FAILED_DELIVERY(name, claim, vector, ext, vectoring, ...)                      \
    VMX_BEHAVIOUR("VECTORING." name, VECTORING, claim, .guest = VMX_CODE(nops),        \
                  .with = VMX_LIST(BITMAP(GP), SHORT_IDT, __VA_ARGS__),                \
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_ANYWHERE,            \
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_IDT_VECTORING_INFO, vectoring),      \
                                     VMX_SEE(VMCS_GUEST_RIP, (uint64_t)nops_start),    \
                                     SEE_EVENT_CODE(VMX_HARDWARE_EXCEPTION, GP,        \
                                                    GP_CODE(vector, ext))),            \
                  .without = VMX_LIST(BITMAP(GP), __VA_ARGS__),                        \
                  .neighbour_reason = VMX_REASON_VMCALL,                               \
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, vector)))

#define WINDOW VMX_CPU(VMX_CPU_INTERRUPT_WINDOW)
#define NMI_WINDOW                                                                     \
    VMX_PIN(VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS), VMX_CPU(VMX_CPU_NMI_WINDOW)
#define BLOCKED(by) VMX_MAKE(VMCS_GUEST_INTERRUPTIBILITY, by)
#define NMIS        VMX_PIN(VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS)

#define TIMER(value)                                                                   \
    VMX_PIN(VMX_PIN_PREEMPTION_TIMER), VMX_MAKE(VMCS_PREEMPTION_TIMER, value)

#define NMI_UNBLOCKED BIT(12)

#define PENDING(bits)      VMX_MAKE(VMCS_GUEST_PENDING_DEBUG, bits)
#define ENABLED_BREAKPOINT BIT(12)
#define BS                 BIT(14)

/* A guest before the guest: it takes an NMI, and exits without IRET. */
static void run_with_injected_nmi(void)
{
    vmx_write(VMCS_ENTRY_INTERRUPTION_INFO, VMX_EVENT(VMX_NMI, 2));
    vmx_run();
    vmx_good((void (*)(void))nops_start);
}

static const char *lacks_mtf(void)
{
    bool has_mtf = vmx_allowed(VMCS_PROCESSOR_CONTROLS) & VMX_CPU_MTF;

    return has_mtf ? NULL : "no monitor trap flag";
}

static const struct nested_rule events[] = {
    VMX_BEHAVIOUR(
        "EXCEPTION.IN_IRET", "SDM3C 27.2.2",
        "a fault of IRET says 'NMI unblocking' only if NMIs were blocked",
        .guest = VMX_CODE(iret_to_null), .with = VMX_LIST(BITMAP(GP)),
        .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
        .sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_INTERRUPTION_INFO, NMI_UNBLOCKED, 0)),
        .without = VMX_LIST(BITMAP(GP), BLOCKED(VMX_BLOCKING_NMI)),
        .neighbour_reason = VMX_FAULTS,
        .neighbour_sees = VMX_SIGHTS(
            VMX_SEE_BITS(VMCS_EXIT_INTERRUPTION_INFO, NMI_UNBLOCKED, NMI_UNBLOCKED))),
    EXCEPTION("UD", "#UD exits if its bit is 1", ud2, UD, VMX_AT_NO_LENGTH,
              SEE_EVENT(VMX_HARDWARE_EXCEPTION, UD)),
    EXCEPTION("DE", "#DE exits if its bit is 1", divide, 0, VMX_AT_NO_LENGTH,
              SEE_EVENT(VMX_HARDWARE_EXCEPTION, 0)),
    EXCEPTION("BP", "INT3 exits as a software exception, with its length", int3, BP,
              VMX_AT_INSTRUCTION, SEE_EVENT(VMX_SOFTWARE_EXCEPTION, BP)),
    EXCEPTION("INT1", "INT1 exits as a privileged software exception, with its length",
              icebp, DB, VMX_AT_INSTRUCTION, SEE_EVENT(VMX_PRIVILEGED_EXCEPTION, DB)),
    EXCEPTION("GP_0", "#GP(0) exits with its error code", load_not_canonical, GP,
              VMX_AT_NO_LENGTH, SEE_EVENT_CODE(VMX_HARDWARE_EXCEPTION, GP, 0)),
    EXCEPTION("GP_SELECTOR", "#GP(selector) exits with its error code",
              load_bad_selector, GP, VMX_AT_NO_LENGTH,
              SEE_EVENT_CODE(VMX_HARDWARE_EXCEPTION, GP, 0x7f8)),
    EXCEPTION("PF_READ", "a read's #PF exits with the address and the error code",
              read_beyond, PF, VMX_AT_NO_LENGTH,
              VMX_SEE(VMCS_EXIT_QUALIFICATION, UINT64_C(0x123456789ab)),
              SEE_EVENT_CODE(VMX_HARDWARE_EXCEPTION, PF, 0)),
    EXCEPTION("PF_FETCH", "a fetch's #PF exits with the address and I/D", fetch_beyond,
              PF, VMX_ANYWHERE,
              VMX_SEE(VMCS_EXIT_QUALIFICATION, UINT64_C(0x12345678000)),
              VMX_SEE(VMCS_GUEST_RIP, UINT64_C(0x12345678000)),
              SEE_EVENT_CODE(VMX_HARDWARE_EXCEPTION, PF, 0x10)),
    PAGE_FAULT("MATCH", "with PFEC & mask = match, bit 14 of the bitmap says", 2, 2, 2,
               0, BIT(PF)),
    PAGE_FAULT("NO_MATCH", "with PFEC & mask other than match, it is reversed", 2, 0, 2,
               2, 0),
    PAGE_FAULT("MASK_0", "a mask of 0 and a match of 0 are equal always", 0, 0, 0, 1,
               BIT(PF)),
    PAGE_FAULT("MATCH_OUTSIDE", "a match bit outside of the mask is never equal", 0, 4,
               0, 0, 0),
    VMX_BEHAVIOUR("EXCEPTION.SINGLE_STEP", "SDM3C 25.2, 27.2.1 table 27-1",
                  "a single step's #DB exits after it, with BS in the qualification",
                  .guest = VMX_CODE(nops),
                  .with = VMX_LIST(BITMAP(DB), VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_TF)),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, BS),
                                     SEE_EVENT(VMX_HARDWARE_EXCEPTION, DB))),
    VMX_BEHAVIOUR("EXCEPTION.TRIPLE_FAULT", "SDM3C 25.2",
                  "a fault that cannot be delivered, twice, exits as a triple fault",
                  .guest = VMX_CODE(ud2),
                  .with = VMX_LIST(VMX_MAKE(VMCS_GUEST_IDTR_LIMIT, 0)),
                  .reason = VMX_REASON_TRIPLE_FAULT, .progress = VMX_ANYWHERE,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .neighbour_reason = VMX_REASON_VMCALL,
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, UD))),
    VMX_BEHAVIOUR("EXCEPTION.DOUBLE_FAULT", "SDM3C 25.2, 27.2.3",
                  "#DF exits if its bit is 1, with what led to it as IDT-vectoring",
                  .guest = VMX_CODE(ud2),
                  .with = VMX_LIST(BITMAP(8), VMX_MAKE(VMCS_GUEST_IDTR_LIMIT, 0)),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(SEE_EVENT_CODE(VMX_HARDWARE_EXCEPTION, 8, 0)),
                  .neighbour_reason = VMX_REASON_VMCALL),

    INJECTED("EXTERNAL", "an external interrupt is delivered before any instruction",
             0x40, 0, IF_SET, INJECT(VMX_EXTERNAL, 0x40)),
    INJECTED("NMI", "an NMI is delivered by vector 2", 2, 0, INJECT(VMX_NMI, 2)),
    INJECTED("EXCEPTION", "a hardware exception returns to the instruction", UD, 0,
             INJECT(VMX_HARDWARE_EXCEPTION, UD)),
    INJECTED("SOFTWARE_INTERRUPT", "a software interrupt returns after its length",
             0x40, 2, INJECT(VMX_SOFTWARE_INTERRUPT, 0x40), LENGTH(2)),
    INJECTED("PRIVILEGED", "a privileged software exception returns after its length",
             DB, 1, INJECT(VMX_PRIVILEGED_EXCEPTION, DB), LENGTH(1)),
    INJECTED("SOFTWARE_EXCEPTION", "a software exception returns after its length", BP,
             1, INJECT(VMX_SOFTWARE_EXCEPTION, BP), LENGTH(1)),
    VMX_BEHAVIOUR(
        "INJECT.ERROR_CODE", INJECTION, "the error code is pushed as the VMCS has it",
        .guest = VMX_CODE(nops), .with = VMX_LIST(INJECT_CODE(GP, 0x1234)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
        .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, GP), VMX_SEE_AT(PUSHED_CODE, 0x1234),
                           VMX_SEE_AT(PUSHED_RIP, (uint64_t)nops_start))),
    VMX_BEHAVIOUR("INJECT.PAST_BITMAP", "SDM3C 26.5.1.2",
                  "the exception bitmap does not apply to what is injected",
                  .guest = VMX_CODE(nops),
                  .with = VMX_LIST(BITMAP(UD), INJECT(VMX_HARDWARE_EXCEPTION, UD)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
                  .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, UD)),
                  .without = VMX_LIST(BITMAP(UD))),
    VMX_BEHAVIOUR(
        "INJECT.NOT_VALID", "SDM3C 26.5", "without the valid bit nothing is injected",
        .guest = VMX_CODE(nops), .with = VMX_LIST(INJECT(VMX_HARDWARE_EXCEPTION, UD)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
        .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, UD)),
        .without = VMX_LIST(INJECT(VMX_HARDWARE_EXCEPTION, UD),
                            VMX_CLEAR(VMCS_ENTRY_INTERRUPTION_INFO, BIT(31)))),
    VMX_BEHAVIOUR("INJECT.PENDING_MTF", "SDM3C 26.5.2",
                  "type 7 with vector 0 exits by MTF before any instruction",
                  .guest = VMX_CODE(nops), .with = VMX_LIST(INJECT(VMX_OTHER, 0)),
                  .reason = VMX_REASON_MTF, .progress = VMX_AT_NO_LENGTH,
                  .lacks = lacks_mtf),
    VMX_BEHAVIOUR("INJECT.WAKES_HLT", "SDM3C 26.6.2",
                  "a vectoring entry to HLT is active after it",
                  .guest = VMX_CODE(nops),
                  .with = VMX_LIST(IF_SET, VMX_MAKE(VMCS_GUEST_ACTIVITY, VMX_HLT),
                                   INJECT(VMX_EXTERNAL, 0x40)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
                  .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, 0x40),
                                     VMX_SEE(VMCS_GUEST_ACTIVITY, VMX_ACTIVE))),

    FAILED_DELIVERY("EXTERNAL", "a fault while an external interrupt is delivered",
                    0x40, 1, VMX_EVENT(VMX_EXTERNAL, 0x40), IF_SET,
                    INJECT(VMX_EXTERNAL, 0x40)),
    FAILED_DELIVERY("EXCEPTION", "a fault while a hardware exception is delivered", UD,
                    1, VMX_EVENT(VMX_HARDWARE_EXCEPTION, UD),
                    INJECT(VMX_HARDWARE_EXCEPTION, UD)),
    FAILED_DELIVERY("SOFTWARE_INTERRUPT",
                    "a fault while a software interrupt is delivered", 0x40, 0,
                    VMX_EVENT(VMX_SOFTWARE_INTERRUPT, 0x40),
                    INJECT(VMX_SOFTWARE_INTERRUPT, 0x40), LENGTH(2)),
    FAILED_DELIVERY("SOFTWARE_EXCEPTION",
                    "a fault while a software exception is delivered", BP, 0,
                    VMX_EVENT(VMX_SOFTWARE_EXCEPTION, BP),
                    INJECT(VMX_SOFTWARE_EXCEPTION, BP), LENGTH(1)),
    VMX_BEHAVIOUR(
        "VECTORING.INT", "SDM3C 27.2.3, 27.2.4",
        "a fault in INT n tells the interrupt and the instruction's length",
        .guest = VMX_CODE(int_40), .with = VMX_LIST(BITMAP(GP), SHORT_IDT),
        .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_INSTRUCTION,
        .sees = VMX_SIGHTS(
            VMX_SEE(VMCS_IDT_VECTORING_INFO, VMX_EVENT(VMX_SOFTWARE_INTERRUPT, 0x40)),
            SEE_EVENT_CODE(VMX_HARDWARE_EXCEPTION, GP, GP_CODE(0x40, 0))),
        .without = VMX_LIST(BITMAP(GP)), .neighbour_reason = VMX_REASON_VMCALL),

    VMX_BEHAVIOUR("WINDOW.INTERRUPT", WINDOWS,
                  "with IF and nothing that blocks, it exits before any instruction",
                  .guest = VMX_CODE(nops), .with = VMX_LIST(WINDOW, IF_SET),
                  .reason = VMX_REASON_INTERRUPT_WINDOW, .progress = VMX_AT_NO_LENGTH,
                  .without = VMX_LIST(WINDOW)),
    VMX_BEHAVIOUR("WINDOW.INTERRUPT_STI", WINDOWS,
                  "blocking by STI puts it off by an instruction",
                  .guest = VMX_CODE(nops),
                  .with = VMX_LIST(WINDOW, IF_SET, BLOCKED(VMX_BLOCKING_STI)),
                  .reason = VMX_REASON_INTERRUPT_WINDOW, .progress = VMX_AFTER,
                  .without = VMX_LIST(WINDOW)),
    VMX_BEHAVIOUR("WINDOW.INTERRUPT_MOV_SS", WINDOWS,
                  "blocking by MOV SS puts it off by an instruction",
                  .guest = VMX_CODE(nops),
                  .with = VMX_LIST(WINDOW, IF_SET, BLOCKED(VMX_BLOCKING_MOV_SS)),
                  .reason = VMX_REASON_INTERRUPT_WINDOW, .progress = VMX_AFTER,
                  .without = VMX_LIST(WINDOW)),
    VMX_BEHAVIOUR("WINDOW.WAKES_HLT", "SDM3C 25.2, 26.6.5, 27.3.4",
                  "an interrupt window wakes from HLT", .guest = VMX_CODE(nops),
                  .with = VMX_LIST(WINDOW, IF_SET, TIMER(0x10000),
                                   VMX_MAKE(VMCS_GUEST_ACTIVITY, VMX_HLT)),
                  .reason = VMX_REASON_INTERRUPT_WINDOW, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_ACTIVITY, VMX_HLT)),
                  .without = VMX_LIST(WINDOW)),
    VMX_BEHAVIOUR("WINDOW.NMI", WINDOWS,
                  "without virtual-NMI blocking, it exits before any instruction",
                  .guest = VMX_CODE(nops), .with = VMX_LIST(NMI_WINDOW),
                  .reason = VMX_REASON_NMI_WINDOW, .progress = VMX_AT_NO_LENGTH,
                  .without = VMX_LIST(NMI_WINDOW, BLOCKED(VMX_BLOCKING_NMI))),
    VMX_BEHAVIOUR("WINDOW.NMI_MOV_SS", WINDOWS,
                  "blocking by MOV SS puts it off by an instruction",
                  .guest = VMX_CODE(nops),
                  .with = VMX_LIST(NMI_WINDOW, BLOCKED(VMX_BLOCKING_MOV_SS)),
                  .reason = VMX_REASON_NMI_WINDOW, .progress = VMX_AFTER,
                  .without = VMX_LIST(NMI_WINDOW, BLOCKED(VMX_BLOCKING_NMI))),
    VMX_BEHAVIOUR(
        "WINDOW.INJECTED_NMI_BLOCKS", "SDM3C 26.6.1",
        "with virtual NMIs, an injected NMI blocks virtual NMIs",
        .guest = VMX_CODE(nops), .with = VMX_LIST(NMIS, INJECT(VMX_NMI, 2)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
        .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_INTERRUPTIBILITY, VMX_BLOCKING_NMI)),
        .without = VMX_LIST(NMIS),
        .neighbour_sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_INTERRUPTIBILITY, 0))),

    VMX_BEHAVIOUR(
        "WINDOW.ENTRY_UNBLOCKS_NMI", "SDM3C 26.6.1",
        "without virtual NMIs, bit 3 alone says whether NMIs are blocked after "
        "an entry, whatever was injected before",
        .guest = VMX_CODE(nops), .prepare = run_with_injected_nmi, .with = VMX_LIST(),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_INTERRUPTIBILITY, 0)),
        .without = VMX_LIST(BLOCKED(VMX_BLOCKING_NMI)),
        .neighbour_sees =
            VMX_SIGHTS(VMX_SEE(VMCS_GUEST_INTERRUPTIBILITY, VMX_BLOCKING_NMI))),
    VMX_BEHAVIOUR("MTF.EVERY", "SDM3C 25.5.2",
                  "with monitor trap flag, it exits after an instruction",
                  .guest = VMX_CODE(nops), .with = VMX_LIST(VMX_CPU(VMX_CPU_MTF)),
                  .reason = VMX_REASON_MTF, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0))),
    VMX_BEHAVIOUR(
        "MTF.AFTER_INJECTION", "SDM3C 25.5.2",
        "with monitor trap flag and an injected event, it exits before the "
        "handler's first instruction",
        .guest = VMX_CODE(nops),
        .with = VMX_LIST(VMX_CPU(VMX_CPU_MTF), INJECT(VMX_HARDWARE_EXCEPTION, UD)),
        .reason = VMX_REASON_MTF, .progress = VMX_ANYWHERE,
        .sees = VMX_SIGHTS(VMX_SEE_AT(PUSHED_RIP, (uint64_t)nops_start),
                           VMX_SEE(VMCS_GUEST_RSP, (uint64_t)PUSHED_RIP)),
        .without = VMX_LIST(INJECT(VMX_HARDWARE_EXCEPTION, UD)),
        .neighbour_reason = VMX_REASON_VMCALL),

    VMX_BEHAVIOUR("TIMER.ZERO", "SDM3C 25.5.1, 26.6.4",
                  "a preemption timer of 0 exits before any instruction",
                  .guest = VMX_CODE(nops), .with = VMX_LIST(TIMER(0)),
                  .reason = VMX_REASON_TIMER, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .without = VMX_LIST(TIMER(UINT32_MAX))),
    VMX_BEHAVIOUR("TIMER.ENDS_LOOP", "SDM3C 25.5.1",
                  "the preemption timer ends a guest that never exits",
                  .guest = VMX_CODE(spin), .with = VMX_LIST(TIMER(0x100)),
                  .reason = VMX_REASON_TIMER, .progress = VMX_AT_NO_LENGTH,
                  .neighbour = VMX_CODE(nops)),
    VMX_BEHAVIOUR(
        "TIMER.WAKES_HLT", "SDM3C 25.5.1",
        "the preemption timer exits from HLT as well, which stays HLT",
        .guest = VMX_CODE(halt),
        .with = VMX_LIST(TIMER(0x100), VMX_CLEAR(VMCS_PROCESSOR_CONTROLS, VMX_CPU_HLT)),
        .reason = VMX_REASON_TIMER, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_ACTIVITY, VMX_HLT)),
        .without = VMX_LIST(TIMER(UINT32_MAX)), .neighbour = VMX_CODE(nops)),
    VMX_BEHAVIOUR("TIMER.SAVED", "SDM3C 27.3.3 (25.5.1)",
                  "save VMX-preemption timer stores 0 once it has expired",
                  .guest = VMX_CODE(spin),
                  .with = VMX_LIST(TIMER(0x100), VMX_EXITS(VMX_EXIT_SAVE_TIMER)),
                  .reason = VMX_REASON_TIMER, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_PREEMPTION_TIMER, 0)),
                  .without = VMX_LIST(TIMER(0x10000)), .neighbour = VMX_CODE(nops),
                  .neighbour_sees =
                      VMX_SIGHTS(VMX_SEE(VMCS_PREEMPTION_TIMER, 0x10000))),

    VMX_BEHAVIOUR("PENDING.BREAKPOINT", "SDM3C 26.6.3, 27.2.1 table 27-1",
                  "a pending enabled breakpoint is a #DB right after entry",
                  .guest = VMX_CODE(nops),
                  .with = VMX_LIST(BITMAP(DB), PENDING(ENABLED_BREAKPOINT | BIT(2))),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, BIT(2)),
                                     SEE_EVENT(VMX_HARDWARE_EXCEPTION, DB)),
                  .without = VMX_LIST(BITMAP(DB), PENDING(BIT(2)))),
    VMX_BEHAVIOUR("PENDING.SINGLE_STEP", "SDM3C 26.6.3, 27.2.1 table 27-1",
                  "a pending single step is a #DB right after entry",
                  .guest = VMX_CODE(nops), .with = VMX_LIST(BITMAP(DB), PENDING(BS)),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, BS),
                                     SEE_EVENT(VMX_HARDWARE_EXCEPTION, DB)),
                  .without = VMX_LIST(BITMAP(DB))),
    /* "Held pending or lost as would normally be the case": which of the two here is
     * not said in so many words. */
    VMX_BEHAVIOUR_UNCONFIRMED(
        "PENDING.MOV_SS", "SDM3C 26.6.3",
        "blocking by MOV SS holds a pending #DB back by an instruction",
        .guest = VMX_CODE(nops),
        .with = VMX_LIST(BITMAP(DB), PENDING(ENABLED_BREAKPOINT | BIT(0)),
                         BLOCKED(VMX_BLOCKING_MOV_SS)),
        .reason = VMX_REASON_EXCEPTION, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(SEE_EVENT(VMX_HARDWARE_EXCEPTION, DB)),
        .without = VMX_LIST(BITMAP(DB), PENDING(BIT(0)), BLOCKED(VMX_BLOCKING_MOV_SS))),
};
NESTED_RULES(events);
