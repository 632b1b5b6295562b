/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * smp.h - a second processor
 *
 * For rules about what one processor does to another: INIT, start-up IPIs, a VMCB that
 * changes while it is read.  The rule's guest runs on the second processor and the first
 * is the one that disturbs it, so that an INIT which should have been blocked costs a
 * verdict and not the machine.  While the second processor works the first must not use
 * what has one copy only: the console, nested_try(), and the VMCS of vmx.h.
 *
 * Source:   SDM vol. 3A, "MP Initialization"; APM vol. 2, 14.1 and 16.5.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Has it been started?  Starts it when asked for the first time. */
bool nested_smp_is_present(void);

/* Let it run @function(@opaque), and come back at once. */
void nested_smp_begin(void (*function)(void *), void *opaque);
/* Wait for the end of that.  False if it does not come in time: something has stopped
 * the processor, and it was started anew. */
bool nested_smp_end(void);
/* The same for work that an INIT may end: sends start-up IPIs meanwhile, which only a
 * processor that was reset takes.  False if that was needed. */
bool nested_smp_end_or_start(void);
/* Wait until *@flag is not 0; false if it stays so for a second or two. */
bool nested_smp_wait_for(const volatile uint32_t *flag);

/* A few milliseconds. */
void nested_smp_pause(void);

/* To the second processor. */
void nested_smp_send_init(void);
void nested_smp_send_sipi(uint8_t vector);
void nested_smp_send_nmi(void);
