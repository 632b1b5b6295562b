/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trap.h"

#include "console.h"
#include "cpu.h"
#include "rule.h"

#define ENTRY_SIZE     16
#define CODE_SELECTOR  0x08
#define TSS_SELECTOR   0x30
#define TSS_DESCRIPTOR 6 /* its index in the GDT */

#define GATE_INTERRUPT 0x8E00
#define TSS_AVAILABLE  UINT64_C(0x0000890000000000)

struct gate {
    uint16_t offset_low, selector;
    uint16_t type_and_ist;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

/* APM vol. 2, 12.2.5. */
struct __attribute__((packed)) tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
};

extern uint8_t nested_trap_entries[], nested_guest_trap_entries[];
extern uint64_t nested_gdt[];
extern const struct cpu_table nested_gdtr;
extern uint64_t nested_try_rsp;
void nested_try_leave(int vector) __attribute__((noreturn));
void nested_trap(const struct trap_frame *frame);

static struct gate host_idt[256] __attribute__((aligned(16)));
static struct gate guest_idt[256] __attribute__((aligned(16)));
static struct tss tss = { .io_map = sizeof tss };
static uint8_t ist_stacks[2][8192] __attribute__((aligned(16)));
static uint64_t caught_error_code;
static void (*interrupt_handler)(unsigned vector);

static void fill_idt(struct gate *idt, const uint8_t *entries)
{
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t at = (uint64_t)(entries + vector * ENTRY_SIZE);
        idt[vector] = (struct gate){
            .offset_low = (uint16_t)at,
            .selector = CODE_SELECTOR,
            .type_and_ist = GATE_INTERRUPT,
            .offset_middle = (uint16_t)(at >> 16),
            .offset_high = (uint32_t)(at >> 32),
        };
    }
}

static void load_tss(void)
{
    uint64_t base = (uint64_t)&tss;

    tss.ist[0] = (uint64_t)(ist_stacks + 1);
    tss.ist[1] = (uint64_t)(ist_stacks + 2);
    nested_gdt[TSS_DESCRIPTOR] = TSS_AVAILABLE | (sizeof tss - 1) |
                                 (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    nested_gdt[TSS_DESCRIPTOR + 1] = base >> 32;
    __asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}

void nested_trap_init(void)
{
    struct cpu_table idtr = { sizeof host_idt - 1, (uint64_t)host_idt };

    fill_idt(host_idt, nested_trap_entries);
    fill_idt(guest_idt, nested_guest_trap_entries);
    host_idt[TRAP_DF].type_and_ist |= 1;
    host_idt[TRAP_NMI].type_and_ist |= 2;
    load_tss();
    __asm__ volatile("lidt %0" : : "m"(idtr));
}

/* The TSS is the first processor's too: its stacks serve whoever has an NMI. */
void nested_trap_init_second(void)
{
    struct cpu_table idtr = { sizeof host_idt - 1, (uint64_t)host_idt };

    load_tss();
    __asm__ volatile("lidt %0" : : "m"(idtr));
}

void nested_guest_idt(struct cpu_table *out)
{
    *out = (struct cpu_table){ sizeof guest_idt - 1, (uint64_t)guest_idt };
}

uint64_t nested_try_error_code(void)
{
    return caught_error_code;
}

void nested_on_interrupt(void (*handler)(unsigned vector))
{
    interrupt_handler = handler;
}

void nested_trap(const struct trap_frame *frame)
{
    if (interrupt_handler && (frame->vector >= 32 || frame->vector == TRAP_NMI)) {
        interrupt_handler((unsigned)frame->vector);
        return;
    }
    if (nested_try_rsp) {
        caught_error_code = frame->error_code;
        nested_try_leave((int)frame->vector);
    }
    nested_print("unexpected exception %lu, error code %lx, rip %lx, cr2 %lx\n",
                 frame->vector, frame->error_code, frame->rip, cpu_read_cr2());
    nested_rule_abort("an exception that nobody expected");
}

uint64_t nested_tss_base(void)
{
    return (uint64_t)&tss;
}
