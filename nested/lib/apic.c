/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "apic.h"

#include "cpu.h"

#define MSR_APIC_BASE 0x1b
#define BASE_ADDRESS  UINT64_C(0xfffffff000)

/* Offsets of registers. */
#define ID               0x020
#define END_OF_INTERRUPT 0x0b0
#define SPURIOUS         0x0f0
#define REQUESTED        0x200
#define COMMAND_LOW      0x300
#define COMMAND_HIGH     0x310
#define TIMER_VECTOR     0x320
#define TIMER_COUNT      0x380
#define TIMER_DIVIDE     0x3e0

#define SOFTWARE_ENABLE BIT(8)
#define TO_SELF         BIT(18)
#define TO_OTHERS       (BIT(18) | BIT(19))
#define ASSERT          BIT(14)
#define AS_NMI          (BIT(10) | ASSERT)
#define PERIODIC        BIT(17)
#define MASKED          BIT(16)
#define DIVIDE_BY_1     0xb
#define SPURIOUS_VECTOR 0xff

static volatile uint32_t *at(unsigned offset)
{
    uint64_t base = cpu_rdmsr(MSR_APIC_BASE) & BASE_ADDRESS;

    return (volatile uint32_t *)(base + offset);
}

void nested_apic_enable(void)
{
    *at(SPURIOUS) = SOFTWARE_ENABLE | SPURIOUS_VECTOR;
}

void nested_apic_send(uint8_t vector)
{
    *at(COMMAND_LOW) = TO_SELF | vector;
}

/* Self is no legal destination shorthand for an NMI, "all including self" is. */
void nested_apic_send_nmi(void)
{
    *at(COMMAND_LOW) = BIT(19) | AS_NMI;
}

static uint32_t command(enum nested_apic_delivery how, uint8_t vector)
{
    return (uint32_t)(ASSERT | (uint32_t)how << 8 | vector);
}

void nested_apic_send_to(uint32_t id, enum nested_apic_delivery how, uint8_t vector)
{
    *at(COMMAND_HIGH) = id << 24;
    *at(COMMAND_LOW) = command(how, vector);
}

void nested_apic_send_others(enum nested_apic_delivery how, uint8_t vector)
{
    *at(COMMAND_LOW) = TO_OTHERS | command(how, vector);
}

uint32_t nested_apic_id(void)
{
    return *at(ID) >> 24;
}

void nested_apic_timer(uint8_t vector, uint32_t ticks)
{
    *at(TIMER_DIVIDE) = DIVIDE_BY_1;
    *at(TIMER_VECTOR) = (ticks ? PERIODIC : MASKED) | vector;
    *at(TIMER_COUNT) = ticks;
}

bool nested_apic_is_pending(uint8_t vector)
{
    return *at(REQUESTED + vector / 32u * 0x10) & BIT(vector % 32);
}

void nested_apic_end(void)
{
    *at(END_OF_INTERRUPT) = 0;
}
