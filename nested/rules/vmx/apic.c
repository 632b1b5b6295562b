/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * apic.c - a virtual APIC at work: the TPR shadow, the APIC-access page, virtual
 * interrupts
 *
 * prepare() maps the APIC-access page at linear APIC, by a page of 4 KiB, so that no
 * large page leaves open what exits.
 */
#include "lib/memory.h"
#include "vmx/behaviour.h"

#define SHADOW    "SDM3C 29.1.1, 29.3"
#define THRESHOLD "SDM3C 29.1.2, 29.3"
#define READS     "SDM3C 29.4.2"
#define WRITES    "SDM3C 29.4.3"
#define ACCESSES  "SDM3C 29.4, 27.2.1 table 27-6"
#define DELIVERY  "SDM3C 29.2"
#define X2APIC    "SDM3C 29.5"

#define APIC      0x80000000 /* linear; no memory is there */
#define VECTOR    0x61
#define LOWER     0x45
#define RFLAGS_IF BIT(9)

/* Offsets on the page. */
enum {
    ID = 0x20,
    VERSION = 0x30,
    TPR = 0x80,
    PPR = 0xa0,
    EOI = 0xb0,
    LDR = 0xd0,
    ISR = 0x100,
    IRR = 0x200,
    ICR = 0x300,
    TIMER = 0x320,
    COUNT = 0x380,
    CURRENT_COUNT = 0x390,
    SELF_IPI = 0x3f0
};

#define READ_AT(offset)         "mov $0x80000000 + " #offset ", %ecx"
#define WRITE_AT(offset, value) READ_AT(offset) "; mov $" #value ", %eax"
VMX_GUEST(read_id, READ_AT(0x20), "mov (%rcx), %ebx");
VMX_GUEST(read_id_end, READ_AT(0x23), "movb (%rcx), %bl");
VMX_GUEST(read_past_id, READ_AT(0x24), "movb (%rcx), %bl");
VMX_GUEST(read_across_id, READ_AT(0x22), "mov (%rcx), %ebx");
VMX_GUEST(read_long_id, READ_AT(0x20), "mov (%rcx), %rbx");
VMX_GUEST(read_40, READ_AT(0x40), "mov (%rcx), %ebx");
VMX_GUEST(read_tpr, READ_AT(0x80), "mov (%rcx), %ebx");
VMX_GUEST(read_tpr_byte, READ_AT(0x81), "movb (%rcx), %bl");
VMX_GUEST(read_tpr_long, READ_AT(0x80), "mov (%rcx), %rbx");
VMX_GUEST(read_eoi, READ_AT(0xb0), "mov (%rcx), %ebx");
VMX_GUEST(read_isr, READ_AT(0x130), "mov (%rcx), %ebx");
VMX_GUEST(read_count, READ_AT(0x390), "mov (%rcx), %ebx");
VMX_GUEST(write_id, WRITE_AT(0x20, 0x5000000), "mov %eax, (%rcx)");
VMX_GUEST(write_version, WRITE_AT(0x30, 0x5), "mov %eax, (%rcx)");
VMX_GUEST(write_tpr, WRITE_AT(0x80, 0x30), "mov %eax, (%rcx)");
VMX_GUEST(write_tpr_high, WRITE_AT(0x80, 0x1234530), "mov %eax, (%rcx)");
VMX_GUEST(write_ldr, WRITE_AT(0xd0, 0x7000000), "mov %eax, (%rcx)");
VMX_GUEST(write_timer, WRITE_AT(0x320, 0x10020), "mov %eax, (%rcx)");
VMX_GUEST(write_icr_high, WRITE_AT(0x310, 0x1234567), "mov %eax, (%rcx)");
VMX_GUEST(write_icr_other, WRITE_AT(0x300, 0x61), "mov %eax, (%rcx)");
VMX_GUEST(fetch_apic, READ_AT(0x20), "call *%rcx");
VMX_GUEST(push_to_apic, "mov $0x80000400, %esp", "int $0x40");
VMX_GUEST(get_cr8, "", "mov %cr8, %rbx");
VMX_GUEST(set_cr8_3, "mov $3, %eax", "mov %rax, %cr8");
VMX_GUEST(rest, "", "nop");
VMX_GUEST(eoi_twice, "mov $0x800000b0, %ecx; xor %eax, %eax", "mov %eax, (%rcx)");
VMX_GUEST(self_ipi, "mov $0x80000300, %ecx; mov $0x40061, %eax; sti; nop",
          "mov %eax, (%rcx)");
VMX_GUEST(lower_tpr, "mov $0x80000080, %ecx; xor %eax, %eax", "mov %eax, (%rcx); nop");
VMX_GUEST(rdmsr_tpr, "mov $0x808, %ecx", "rdmsr");
VMX_GUEST(wrmsr_tpr, "mov $0x808, %ecx; mov $0x30, %eax; xor %edx, %edx", "wrmsr");
VMX_GUEST(wrmsr_tpr_high, "mov $0x808, %ecx; mov $0x130, %eax; xor %edx, %edx",
          "wrmsr");
VMX_GUEST(rdmsr_id, "mov $0x802, %ecx", "rdmsr");
VMX_GUEST(wrmsr_self, "mov $0x83f, %ecx; mov $0x61, %eax; xor %edx, %edx; sti; nop",
          "wrmsr; nop");
VMX_GUEST(wrmsr_eoi, "mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx", "wrmsr");

extern uint64_t nested_pd[];

static void prepare(void)
{
    static uint64_t page_table[512] __attribute__((aligned(4096)));

    page_table[0] = (uint64_t)vmx_pages.apic_access | 7;
    nested_pd[APIC >> 21] = (uint64_t)page_table | 7;
    for (unsigned i = 0; i < 4; i++) {
        vmx_write(VMCS_EOI_EXIT_BITMAP0 + 2 * i, 0);
    }
    vmx_pages_touch(false);
}

/* Of the virtual-APIC page. */
#define WORD_AT(offset)         (&vmx_pages.virtual_apic[(offset) / 8])
#define REGISTER(offset, value) VMX_POKE(WORD_AT(offset), value)
#define SEE_REGISTER_AT(offset, value)                                                 \
    {                                                                                  \
        VMX_WORD, UINT32_MAX, value, WORD_AT(offset)                                   \
    }
/* Vector @n in IRR, ISR: 32 to a register. */
#define BANK(first, n)       ((first) + (n) / 32 * 0x10)
#define REQUESTED(n)         REGISTER(BANK(IRR, n), BIT((n) % 32))
#define IN_SERVICE(n)        REGISTER(BANK(ISR, n), BIT((n) % 32))
#define SEE_IN_SERVICE(n)    SEE_REGISTER_AT(BANK(ISR, n), BIT((n) % 32))
#define STATUS(svi, rvi)     VMX_MAKE(VMCS_GUEST_INTERRUPT_STATUS, (svi) << 8 | (rvi))
#define SEE_STATUS(svi, rvi) VMX_SEE(VMCS_GUEST_INTERRUPT_STATUS, (svi) << 8 | (rvi))

#define SHADOWED  VMX_CPU(VMX_CPU_TPR_SHADOW)
#define ACCESSED  SHADOWED, VMX_CPU2(VMX_CPU2_APIC_ACCESSES)
#define REGISTERS SHADOWED, VMX_CPU2(VMX_CPU2_APIC_ACCESSES | VMX_CPU2_APIC_REGISTERS)
#define INTERRUPTS                                                                     \
    SHADOWED, VMX_PIN(VMX_PIN_EXTERNAL_INTERRUPT),                                     \
        VMX_CPU2(VMX_CPU2_APIC_ACCESSES | VMX_CPU2_APIC_REGISTERS |                    \
                 VMX_CPU2_INTERRUPTS)
#define X2_INTERRUPTS                                                                  \
    SHADOWED, VMX_PIN(VMX_PIN_EXTERNAL_INTERRUPT), VMX_CPU(VMX_CPU_MSR_BITMAPS),       \
        VMX_CPU2(VMX_CPU2_X2APIC | VMX_CPU2_APIC_REGISTERS | VMX_CPU2_INTERRUPTS)
#define X2          SHADOWED, VMX_CPU(VMX_CPU_MSR_BITMAPS), VMX_CPU2(VMX_CPU2_X2APIC)
#define AT_LEAST(n) VMX_MAKE(VMCS_TPR_THRESHOLD, n)
#define IF_SET      VMX_SET(VMCS_GUEST_RFLAGS, RFLAGS_IF)

/* Table 27-6: bits 15:12 are the kind of access. */
enum kind { READ, WRITE, FETCH, EVENT };
#define SEE_ACCESS(kind, offset)                                                       \
    VMX_SEE(VMCS_EXIT_QUALIFICATION, (kind) << 12 | (offset))

/* An access that exits with @controls; without them it is memory like any other. */
#define ACCESS_EXITS(name, place, claim, code, kind, offset, ...)                      \
    VMX_BEHAVIOUR("APIC." name, place, claim, .guest = VMX_CODE(code),                 \
                  .prepare = prepare, .with = VMX_LIST(__VA_ARGS__),                   \
                  .reason = VMX_REASON_APIC_ACCESS, .progress = VMX_AT_NO_LENGTH,      \
                  .sees = VMX_SIGHTS(SEE_ACCESS(kind, offset)))
/* One that is virtualized: the guest reads @value and does not exit.  The neighbour
 * lacks @controls but for the APIC-access page. */
#define READS_VIRTUAL(name, place, claim, code, offset, value, near_exits, ...)        \
    VMX_BEHAVIOUR("APIC." name, place, claim, .guest = VMX_CODE(code),                 \
                  .prepare = prepare,                                                  \
                  .with = VMX_LIST(__VA_ARGS__, REGISTER(offset, value)),              \
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,                  \
                  .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rbx, value)),                    \
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_APIC_ACCESSES)),               \
                  .neighbour_reason = near_exits)
/* A write after which it exits, since software has to act on it. */
#define WRITE_EXITS(name, claim, code, offset, value, ...)                             \
    VMX_BEHAVIOUR("APIC." name, WRITES ".3", claim, .guest = VMX_CODE(code),           \
                  .prepare = prepare, .with = VMX_LIST(__VA_ARGS__),                   \
                  .reason = VMX_REASON_APIC_WRITE, .progress = VMX_AFTER,              \
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, offset),         \
                                     SEE_REGISTER_AT(offset, value)),                  \
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_APIC_ACCESSES)),               \
                  .neighbour_reason = VMX_REASON_APIC_ACCESS)

static const struct nested_rule apic[] = {
    /* The TPR shadow. */
    VMX_BEHAVIOUR("APIC.CR8.READ", SHADOW, "MOV from CR8 reads bits 7:4 of VTPR",
                  .guest = VMX_CODE(get_cr8), .prepare = prepare,
                  .with = VMX_LIST(SHADOWED, REGISTER(TPR, 0x9f)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rbx, 9)),
                  .without = VMX_LIST(SHADOWED, REGISTER(TPR, 0x10)),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_REGISTER(rbx, 1))),
    VMX_BEHAVIOUR("APIC.CR8.WRITE", SHADOW,
                  "MOV to CR8 writes bits 7:4 of VTPR and clears the rest",
                  .guest = VMX_CODE(set_cr8_3), .prepare = prepare,
                  .with = VMX_LIST(SHADOWED, REGISTER(TPR, UINT64_C(0xffffff9f))),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(SEE_REGISTER_AT(TPR, 0x30)),
                  .without = VMX_LIST(REGISTER(TPR, 0x9f)),
                  .neighbour_sees = VMX_SIGHTS(SEE_REGISTER_AT(TPR, 0x9f))),
    VMX_BEHAVIOUR("APIC.THRESHOLD.CR8", THRESHOLD,
                  "MOV to CR8 exits after it if VTPR[7:4] is below the threshold",
                  .guest = VMX_CODE(set_cr8_3), .prepare = prepare,
                  .with = VMX_LIST(SHADOWED, AT_LEAST(4), REGISTER(TPR, 0x90)),
                  .reason = VMX_REASON_TPR_THRESHOLD, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .without = VMX_LIST(SHADOWED, AT_LEAST(3), REGISTER(TPR, 0x90))),
    VMX_BEHAVIOUR("APIC.THRESHOLD.ENTRY", "SDM3C 26.6.7",
                  "so does VM entry, before any instruction, with an APIC-access page",
                  .guest = VMX_CODE(rest), .prepare = prepare,
                  .with = VMX_LIST(ACCESSED, AT_LEAST(4), REGISTER(TPR, 0x3f)),
                  .reason = VMX_REASON_TPR_THRESHOLD, .progress = VMX_AT_NO_LENGTH,
                  .without = VMX_LIST(ACCESSED, AT_LEAST(4), REGISTER(TPR, 0x40))),
    VMX_BEHAVIOUR("APIC.THRESHOLD.PAGE", THRESHOLD,
                  "so does a write to the page, which is virtualized first",
                  .guest = VMX_CODE(write_tpr), .prepare = prepare,
                  .with = VMX_LIST(ACCESSED, AT_LEAST(4), REGISTER(TPR, 0x90)),
                  .reason = VMX_REASON_TPR_THRESHOLD, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(SEE_REGISTER_AT(TPR, 0x30)),
                  .without = VMX_LIST(ACCESSED, AT_LEAST(3), REGISTER(TPR, 0x90))),

    /* Accesses that exit. */
    ACCESS_EXITS("ACCESS.READ", ACCESSES, "a read exits; kind 0, and the offset",
                 read_id, READ, ID, ACCESSED),
    ACCESS_EXITS("ACCESS.WRITE", ACCESSES, "a write exits; kind 1, and the offset",
                 write_id, WRITE, ID, ACCESSED),
    VMX_BEHAVIOUR(
        "APIC.ACCESS.FETCH", ACCESSES, "a fetch exits; kind 2",
        .guest = VMX_CODE(fetch_apic), .prepare = prepare, .with = VMX_LIST(ACCESSED),
        .reason = VMX_REASON_APIC_ACCESS, .progress = VMX_ANYWHERE,
        .sees = VMX_SIGHTS(SEE_ACCESS(FETCH, ID), VMX_SEE(VMCS_GUEST_RIP, APIC + ID)),
        .without = VMX_LIST(ACCESSED), .neighbour = VMX_CODE(read_tpr)),
    VMX_BEHAVIOUR(
        "APIC.ACCESS.EVENT", ACCESSES ", 27.2.3",
        "a push by event delivery exits; kind 3, and the event is recorded",
        .guest = VMX_CODE(push_to_apic), .prepare = prepare, .with = VMX_LIST(ACCESSED),
        .reason = VMX_REASON_APIC_ACCESS, .progress = VMX_AT_INSTRUCTION,
        .sees = VMX_SIGHTS(
            VMX_SEE_BITS(VMCS_EXIT_QUALIFICATION, 0xf000, EVENT << 12),
            VMX_SEE(VMCS_IDT_VECTORING_INFO, VMX_EVENT(VMX_SOFTWARE_INTERRUPT, 0x40))),
        .without = VMX_LIST(ACCESSED), .neighbour = VMX_CODE(read_tpr)),
    ACCESS_EXITS("ACCESS.TPR_LONG", READS,
                 "8 bytes at the TPR exit, since they are more than its 4",
                 read_tpr_long, READ, TPR, ACCESSED),
    ACCESS_EXITS("ACCESS.NOT_TPR", READS,
                 "without APIC-register virtualization only the TPR is virtualized",
                 read_eoi, READ, EOI, ACCESSED),
    ACCESS_EXITS("ACCESS.PAST_REGISTER", READS, "offset 24H is no part of the ID's 4",
                 read_past_id, READ, ID + 4, REGISTERS),
    ACCESS_EXITS("ACCESS.ACROSS_REGISTER", READS,
                 "4 bytes at 22H are not within the ID's 4", read_across_id, READ,
                 ID + 2, REGISTERS),
    ACCESS_EXITS("ACCESS.LONG_REGISTER", READS, "8 bytes at the ID exit", read_long_id,
                 READ, ID, REGISTERS),
    ACCESS_EXITS("ACCESS.NO_REGISTER", READS, "offset 40H is not in the list", read_40,
                 READ, 0x40, REGISTERS),
    ACCESS_EXITS("ACCESS.CURRENT_COUNT", READS,
                 "the current count, 390H, is not in the list", read_count, READ,
                 CURRENT_COUNT, REGISTERS),
    ACCESS_EXITS("ACCESS.WRITE_VERSION", WRITES ".1",
                 "the version, 30H, is virtualized for reads alone", write_version,
                 WRITE, VERSION, REGISTERS),

    /* Reads and writes that are virtualized. */
    READS_VIRTUAL("READ.TPR", READS, "with a TPR shadow the TPR is VTPR", read_tpr, TPR,
                  0x50, VMX_REASON_APIC_ACCESS, ACCESSED),
    VMX_BEHAVIOUR("APIC.READ.TPR_BYTE", READS,
                  "offset 81H is virtualized with APIC-register virtualization only",
                  .guest = VMX_CODE(read_tpr_byte), .prepare = prepare,
                  .with = VMX_LIST(REGISTERS, REGISTER(TPR, 0x5566)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS({ VMX_WORD, 0xff, 0x55, &vmx_guest.rbx }),
                  .without = VMX_LIST(ACCESSED),
                  .neighbour_reason = VMX_REASON_APIC_ACCESS),
    READS_VIRTUAL("READ.ID", READS,
                  "with APIC-register virtualization the ID is the virtual page's",
                  read_id, ID, 0x7000000, VMX_REASON_APIC_ACCESS, REGISTERS),
    READS_VIRTUAL("READ.ISR", READS, "so is each of the ISR's registers", read_isr,
                  0x130, 0x11223344, VMX_REASON_APIC_ACCESS, REGISTERS),
    VMX_BEHAVIOUR("APIC.WRITE.TPR", WRITES ".2",
                  "bits 31:8 of a write to the TPR are cleared in VTPR",
                  .guest = VMX_CODE(write_tpr_high), .prepare = prepare,
                  .with = VMX_LIST(ACCESSED), .reason = VMX_REASON_VMCALL,
                  .progress = VMX_AFTER, .sees = VMX_SIGHTS(SEE_REGISTER_AT(TPR, 0x30)),
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_APIC_ACCESSES)),
                  .neighbour_reason = VMX_REASON_APIC_ACCESS),
    WRITE_EXITS("WRITE.ID", "a write of the ID exits after it; the offset says which",
                write_id, ID, 0x5000000, REGISTERS),
    WRITE_EXITS("WRITE.LDR", "so does one of the logical destination", write_ldr, LDR,
                0x7000000, REGISTERS),
    WRITE_EXITS("WRITE.TIMER", "so does one of the timer's entry", write_timer, TIMER,
                0x10020, REGISTERS),
    WRITE_EXITS("WRITE.ICR", "so does one of the command register, if not to itself",
                write_icr_other, ICR, 0x61, INTERRUPTS),
    VMX_BEHAVIOUR(
        "APIC.WRITE.ICR_HIGH", WRITES ".2",
        "one of its high half, 310H, keeps bits 31:24 alone and does not exit",
        .guest = VMX_CODE(write_icr_high), .prepare = prepare,
        .with = VMX_LIST(REGISTERS), .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(SEE_REGISTER_AT(0x310, 0x1000000)),
        .without = VMX_LIST(VMX_CPU2(VMX_CPU2_APIC_ACCESSES)),
        .neighbour_reason = VMX_REASON_APIC_ACCESS),
    WRITE_EXITS("WRITE.EOI", "without virtual-interrupt delivery a write of EOI exits",
                eoi_twice, EOI, 0, REGISTERS),

    /* Virtual interrupts. */
    VMX_BEHAVIOUR(
        "APIC.DELIVERY.ENTRY", DELIVERY ".1, 29.2.2, 26.3.2.5",
        "RVI above VPPR is delivered at entry, and becomes SVI",
        .guest = VMX_CODE(rest), .prepare = prepare,
        .with = VMX_LIST(INTERRUPTS, IF_SET, STATUS(0, VECTOR), REQUESTED(VECTOR)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
        .sees =
            VMX_SIGHTS(VMX_SEE_REGISTER(rax, VECTOR), SEE_STATUS(VECTOR, 0),
                       SEE_IN_SERVICE(VECTOR), SEE_REGISTER_AT(BANK(IRR, VECTOR), 0),
                       SEE_REGISTER_AT(PPR, VECTOR & 0xf0)),
        .without = VMX_LIST(INTERRUPTS, STATUS(0, VECTOR), REQUESTED(VECTOR)),
        .neighbour_sees = VMX_SIGHTS(SEE_STATUS(0, VECTOR))),
    VMX_BEHAVIOUR("APIC.DELIVERY.NEXT", DELIVERY ".2",
                  "RVI is then the highest vector that is left in VIRR",
                  .guest = VMX_CODE(rest), .prepare = prepare,
                  .with = VMX_LIST(INTERRUPTS, IF_SET, STATUS(0, VECTOR),
                                   REQUESTED(VECTOR), REQUESTED(LOWER)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
                  .sees = VMX_SIGHTS(SEE_STATUS(VECTOR, LOWER)),
                  .without = VMX_LIST(INTERRUPTS, STATUS(0, VECTOR), REQUESTED(VECTOR)),
                  .neighbour_sees = VMX_SIGHTS(SEE_STATUS(0, VECTOR))),
    VMX_BEHAVIOUR("APIC.DELIVERY.TPR", DELIVERY ".1, 29.1.3",
                  "VTPR of RVI's class holds it back", .guest = VMX_CODE(rest),
                  .prepare = prepare,
                  .with = VMX_LIST(INTERRUPTS, IF_SET, STATUS(0, VECTOR),
                                   REGISTER(TPR, 0x60), REQUESTED(VECTOR)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(SEE_STATUS(0, VECTOR), SEE_REGISTER_AT(PPR, 0x60)),
                  .without = VMX_LIST(INTERRUPTS, IF_SET, STATUS(0, VECTOR),
                                      REGISTER(TPR, 0x5f), REQUESTED(VECTOR)),
                  .neighbour_reason = VMX_REASON_VMCALL,
                  .neighbour_sees = VMX_SIGHTS(SEE_STATUS(VECTOR, 0))),
    VMX_BEHAVIOUR(
        "APIC.DELIVERY.IN_SERVICE", DELIVERY ".1, 29.1.3", "so does SVI of its class",
        .guest = VMX_CODE(rest), .prepare = prepare,
        .with = VMX_LIST(INTERRUPTS, IF_SET, STATUS(0x60, VECTOR), REQUESTED(VECTOR)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(SEE_STATUS(0x60, VECTOR), SEE_REGISTER_AT(PPR, 0x60)),
        .without =
            VMX_LIST(INTERRUPTS, IF_SET, STATUS(0x5f, VECTOR), REQUESTED(VECTOR)),
        .neighbour_reason = VMX_REASON_VMCALL,
        .neighbour_sees = VMX_SIGHTS(SEE_STATUS(VECTOR, 0))),
    VMX_BEHAVIOUR("APIC.DELIVERY.WINDOW", DELIVERY ".1, 25.2",
                  "with interrupt-window exiting it exits instead",
                  .guest = VMX_CODE(rest), .prepare = prepare,
                  .with = VMX_LIST(INTERRUPTS, VMX_CPU(VMX_CPU_INTERRUPT_WINDOW),
                                   IF_SET, STATUS(0, VECTOR), REQUESTED(VECTOR)),
                  .reason = VMX_REASON_INTERRUPT_WINDOW, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(SEE_STATUS(0, VECTOR)),
                  .without = VMX_LIST(INTERRUPTS, IF_SET)),
    VMX_BEHAVIOUR("APIC.DELIVERY.LOWERED_TPR", "SDM3C 29.1.2, 29.2.1",
                  "lowering the TPR lets it through after the write",
                  .guest = VMX_CODE(lower_tpr), .prepare = prepare,
                  .with = VMX_LIST(INTERRUPTS, IF_SET, STATUS(0, VECTOR),
                                   REGISTER(TPR, 0x60), REQUESTED(VECTOR)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
                  .sees =
                      VMX_SIGHTS(VMX_SEE_REGISTER(rax, VECTOR), SEE_STATUS(VECTOR, 0)),
                  .without = VMX_LIST(INTERRUPTS, STATUS(0, VECTOR),
                                      REGISTER(TPR, 0x60), REQUESTED(VECTOR)),
                  .neighbour_sees = VMX_SIGHTS(SEE_STATUS(0, VECTOR))),
    VMX_BEHAVIOUR(
        "APIC.EOI.VIRTUALIZED", "SDM3C 29.1.4",
        "a write of EOI clears SVI's bit in VISR, and SVI is what is left",
        .guest = VMX_CODE(eoi_twice), .prepare = prepare,
        .with = VMX_LIST(INTERRUPTS, STATUS(VECTOR, 0), IN_SERVICE(VECTOR),
                         IN_SERVICE(LOWER)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(SEE_STATUS(LOWER, 0), SEE_REGISTER_AT(BANK(ISR, VECTOR), 0),
                           SEE_IN_SERVICE(LOWER), SEE_REGISTER_AT(PPR, LOWER & 0xf0)),
        .without = VMX_LIST(VMX_CPU2(VMX_CPU2_APIC_ACCESSES)),
        .neighbour_reason = VMX_REASON_APIC_ACCESS),
    VMX_BEHAVIOUR(
        "APIC.EOI.EXITS", "SDM3C 29.1.4, 27.2.1",
        "if the vector's bit is in the EOI-exit bitmap, it exits after that",
        .guest = VMX_CODE(eoi_twice), .prepare = prepare,
        .with = VMX_LIST(
            INTERRUPTS, STATUS(VECTOR, 0),
            VMX_MAKE(VMCS_EOI_EXIT_BITMAP0 + 2 * (VECTOR / 64), BIT(VECTOR % 64)),
            IN_SERVICE(VECTOR)),
        .reason = VMX_REASON_VIRTUALIZED_EOI, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, VECTOR), SEE_STATUS(0, 0)),
        .without = VMX_LIST(
            INTERRUPTS, STATUS(VECTOR, 0),
            VMX_MAKE(VMCS_EOI_EXIT_BITMAP0 + 2 * (VECTOR / 64), BIT(VECTOR % 64 + 1)),
            IN_SERVICE(VECTOR))),
    VMX_BEHAVIOUR("APIC.EOI.LAST_BIT", "SDM3C 24.6.8, 29.1.4",
                  "vector 255 is the last bit of the fourth bitmap",
                  .guest = VMX_CODE(eoi_twice), .prepare = prepare,
                  .with = VMX_LIST(INTERRUPTS, STATUS(255, 0),
                                   VMX_MAKE(VMCS_EOI_EXIT_BITMAP0 + 6, BIT(63)),
                                   IN_SERVICE(255)),
                  .reason = VMX_REASON_VIRTUALIZED_EOI, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 255)),
                  .without = VMX_LIST(INTERRUPTS, STATUS(255, 0),
                                      VMX_MAKE(VMCS_EOI_EXIT_BITMAP0 + 6, BIT(62)),
                                      IN_SERVICE(255))),
    VMX_BEHAVIOUR(
        "APIC.SELF_IPI", "SDM3C 29.1.5, 29.4.3.2",
        "a fixed interrupt to itself by 300H is delivered without an exit",
        .guest = VMX_CODE(self_ipi), .prepare = prepare, .with = VMX_LIST(INTERRUPTS),
        .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,
        .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, VECTOR), SEE_STATUS(VECTOR, 0)),
        .without = VMX_LIST(REGISTERS), .neighbour_reason = VMX_REASON_APIC_WRITE),

    /* x2APIC mode's MSRs. */
    VMX_BEHAVIOUR("APIC.X2.READ_TPR", X2APIC,
                  "with x2APIC virtualization RDMSR of 808H reads VTPR",
                  .guest = VMX_CODE(rdmsr_tpr), .prepare = prepare,
                  .with = VMX_LIST(X2, REGISTER(TPR, 0x50)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees =
                      VMX_SIGHTS(VMX_SEE_REGISTER(rax, 0x50), VMX_SEE_REGISTER(rdx, 0)),
                  .without = VMX_LIST(SHADOWED), .neighbour_reason = VMX_REASON_RDMSR),
    VMX_BEHAVIOUR("APIC.X2.WRITE_TPR", X2APIC, "WRMSR of 808H writes VTPR",
                  .guest = VMX_CODE(wrmsr_tpr), .prepare = prepare,
                  .with = VMX_LIST(X2), .reason = VMX_REASON_VMCALL,
                  .progress = VMX_AFTER, .sees = VMX_SIGHTS(SEE_REGISTER_AT(TPR, 0x30)),
                  .without = VMX_LIST(SHADOWED), .neighbour_reason = VMX_REASON_WRMSR),
    VMX_BEHAVIOUR("APIC.X2.WRITE_TPR_HIGH", X2APIC,
                  "a value above FFH is #GP, and VTPR stays",
                  .guest = VMX_CODE(wrmsr_tpr_high), .prepare = prepare,
                  .with = VMX_LIST(X2, VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(13)),
                                   REGISTER(TPR, 0x50)),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(SEE_REGISTER_AT(TPR, 0x50)),
                  .without = VMX_LIST(X2, VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(13))),
                  .neighbour = VMX_CODE(wrmsr_tpr)),
    VMX_BEHAVIOUR("APIC.X2.THRESHOLD", X2APIC ", 29.1.2",
                  "WRMSR of 808H exits after it if it is below the threshold",
                  .guest = VMX_CODE(wrmsr_tpr), .prepare = prepare,
                  .with = VMX_LIST(X2, AT_LEAST(4), REGISTER(TPR, 0x90)),
                  .reason = VMX_REASON_TPR_THRESHOLD, .progress = VMX_AFTER,
                  .without = VMX_LIST(X2, AT_LEAST(3), REGISTER(TPR, 0x90))),
    VMX_BEHAVIOUR("APIC.X2.READ_ID", X2APIC,
                  "with APIC-register virtualization 802H reads the virtual page",
                  .guest = VMX_CODE(rdmsr_id), .prepare = prepare,
                  .with = VMX_LIST(SHADOWED, VMX_CPU(VMX_CPU_MSR_BITMAPS),
                                   VMX_CPU2(VMX_CPU2_X2APIC | VMX_CPU2_APIC_REGISTERS),
                                   REGISTER(ID, UINT64_C(0x1122334455667788))),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, 0x55667788),
                                     VMX_SEE_REGISTER(rdx, 0x11223344)),
                  .without = VMX_LIST(SHADOWED), .neighbour_reason = VMX_REASON_RDMSR),
    VMX_BEHAVIOUR("APIC.X2.SELF_IPI", X2APIC ", 29.1.5",
                  "WRMSR of 83FH is an interrupt to itself, without an exit",
                  .guest = VMX_CODE(wrmsr_self), .prepare = prepare,
                  .with = VMX_LIST(X2_INTERRUPTS), .reason = VMX_REASON_VMCALL,
                  .progress = VMX_ANYWHERE,
                  .sees =
                      VMX_SIGHTS(VMX_SEE_REGISTER(rax, VECTOR), SEE_STATUS(VECTOR, 0)),
                  .without = VMX_LIST(SHADOWED), .neighbour_reason = VMX_REASON_WRMSR),
    VMX_BEHAVIOUR(
        "APIC.X2.EOI", X2APIC ", 29.1.4", "WRMSR of 80BH is EOI virtualization",
        .guest = VMX_CODE(wrmsr_eoi), .prepare = prepare,
        .with = VMX_LIST(X2_INTERRUPTS, STATUS(VECTOR, 0), IN_SERVICE(VECTOR)),
        .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(SEE_STATUS(0, 0), SEE_REGISTER_AT(BANK(ISR, VECTOR), 0)),
        .without = VMX_LIST(SHADOWED), .neighbour_reason = VMX_REASON_WRMSR),
};
NESTED_RULES(apic);
