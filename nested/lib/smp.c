/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "smp.h"

#include "apic.h"
#include "cpu.h"
#include "memory.h"
#include "trap.h"

/* Below what BIOS, GRUB and QEMU's loader use; a start-up IPI's vector is its number. */
#define START_PAGE 0x6

/* Turns of a loop around a port access, which every engine gives about a microsecond. */
#define PATIENCE   1000000
#define DELAY_PORT 0x80

extern const uint8_t nested_smp_page[], nested_smp_page_end[];
extern volatile uint32_t smp_is_taken;
void nested_smp_main(void) __attribute__((noreturn));

static struct {
    volatile uint32_t is_up, has_work, is_done;
    uint32_t apic_id;
    void (*function)(void *);
    void *opaque;
} second;

bool nested_smp_wait_for(const volatile uint32_t *flag)
{
    for (unsigned i = 0; i < PATIENCE && !*flag; i++) {
        (void)cpu_in8(DELAY_PORT);
    }
    return *flag;
}

static void delay(unsigned turns)
{
    while (turns-- > 0) {
        (void)cpu_in8(DELAY_PORT);
    }
}

void nested_smp_pause(void)
{
    delay(3000);
}

/* All but this one: whoever comes first is the second. */
static bool start(void)
{
    memcpy((void *)(START_PAGE << 12), nested_smp_page,
           (size_t)(nested_smp_page_end - nested_smp_page));
    smp_is_taken = 0;
    second.is_up = 0;
    nested_apic_enable();
    nested_apic_send_others(NESTED_APIC_INIT, 0);
    delay(10000);
    for (unsigned i = 0; i < 2 && !second.is_up; i++) {
        nested_apic_send_others(NESTED_APIC_SIPI, START_PAGE);
        delay(200);
    }
    return nested_smp_wait_for(&second.is_up);
}

bool nested_smp_is_present(void)
{
    static bool is_tried, is_there;

    if (!is_tried) {
        is_tried = true;
        is_there = start();
    }
    return is_there;
}

void nested_smp_main(void)
{
    nested_trap_init_second();
    nested_apic_enable();
    second.apic_id = nested_apic_id();
    second.has_work = 0;
    second.is_up = 1;
    for (;;) {
        while (!second.has_work) {
            __asm__ volatile("pause");
        }
        second.has_work = 0;
        second.function(second.opaque);
        second.is_done = 1;
    }
}

void nested_smp_begin(void (*function)(void *), void *opaque)
{
    second.function = function;
    second.opaque = opaque;
    second.is_done = 0;
    second.has_work = 1;
}

bool nested_smp_end(void)
{
    bool is_done = nested_smp_wait_for(&second.is_done);

    if (!is_done) {
        start();
    }
    return is_done;
}

bool nested_smp_end_or_start(void)
{
    smp_is_taken = 0;
    second.is_up = 0;
    for (unsigned i = 0; i < PATIENCE / 3000 && !second.is_done && !second.is_up; i++) {
        nested_smp_pause();
        if (!second.is_done) {
            nested_smp_send_sipi(START_PAGE);
        }
    }
    return second.is_done;
}

void nested_smp_send_init(void)
{
    nested_apic_send_to(second.apic_id, NESTED_APIC_INIT, 0);
}

void nested_smp_send_sipi(uint8_t vector)
{
    nested_apic_send_to(second.apic_id, NESTED_APIC_SIPI, vector);
}

void nested_smp_send_nmi(void)
{
    nested_apic_send_to(second.apic_id, NESTED_APIC_NMI, 0);
}
