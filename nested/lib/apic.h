/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * apic.h - interrupts on demand, from the local APIC to itself
 *
 * Source:   APM vol. 2, chapter 16; SDM vol. 3A, "Advanced Programmable Interrupt
 *           Controller".  The APIC is left where and as the firmware has it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void nested_apic_enable(void);
/* To this processor; pending until it is taken. */
void nested_apic_send(uint8_t vector);
void nested_apic_send_nmi(void);
/* To another processor, or to all others. */
enum nested_apic_delivery {
    NESTED_APIC_SMI = 2,
    NESTED_APIC_NMI = 4,
    NESTED_APIC_INIT = 5,
    NESTED_APIC_SIPI = 6,
};
void nested_apic_send_to(uint32_t id, enum nested_apic_delivery how, uint8_t vector);
void nested_apic_send_others(enum nested_apic_delivery how, uint8_t vector);
uint32_t nested_apic_id(void);
/* From now on, every @ticks of the APIC's clock; 0 ends it. */
void nested_apic_timer(uint8_t vector, uint32_t ticks);
bool nested_apic_is_pending(uint8_t vector);
/* The end of the interrupt that is in service. */
void nested_apic_end(void);
