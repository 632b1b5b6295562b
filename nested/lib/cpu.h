/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu.h - the instructions that C has no word for
 *
 * Sources:  AMD64 APM vol. 2 and 3, Intel SDM vol. 2 and 4.  Names of registers, bits
 *           and MSRs are the manuals'.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"

#define MSR_PAT  0x277
#define MSR_EFER 0xC0000080

static inline void cpu_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t cpu_in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

#if __STDC_HOSTED__

/* On the host a test answers in the processor's place. */
uint64_t cpu_rdmsr(uint32_t msr);
struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf);

#else

static inline uint64_t cpu_rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

#endif

static inline void cpu_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

#define CPU_READ_REGISTER(name)                                                        \
    static inline uint64_t cpu_read_##name(void)                                       \
    {                                                                                  \
        uint64_t value;                                                                \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value));                         \
        return value;                                                                  \
    }

CPU_READ_REGISTER(cr0)
CPU_READ_REGISTER(cr2)
CPU_READ_REGISTER(cr3)
CPU_READ_REGISTER(cr4)
CPU_READ_REGISTER(dr6)
CPU_READ_REGISTER(dr7)

/* What LGDT, LIDT, SGDT and SIDT speak of. */
struct __attribute__((packed)) cpu_table {
    uint16_t limit;
    uint64_t base;
};

/* Physical address bits, 36 where the CPU does not say (APM vol. 3, 8000_0008h). */
static inline unsigned cpu_physical_bits(void)
{
    if (cpu_cpuid(0x80000000, 0).eax < 0x80000008) {
        return 36;
    }
    return cpu_cpuid(0x80000008, 0).eax & 0xff;
}
