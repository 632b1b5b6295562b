/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* instructions.c - SVM's instructions and MSRs on the host; VMLOAD's and VMSAVE's list */
#include "lib/memory.h"
#include "lib/trap.h"
#include "svm/case.h"

#define MSR_VM_HSAVE_PA 0xC0010117

#define CPUID_SKINIT BIT(12) /* Fn8000_0001 ECX */
#define CPUID_SVML   BIT(2)  /* Fn8000_000A EDX */

static struct vmcb page __attribute__((aligned(4096)));

/* Faults: an instruction under a condition, and without it. */
struct fault {
    void (*instruction)(void *);
    uint64_t operand, neighbour; /* what it is given */
    bool is_limit;               /* the operand is the end of physical memory */
    bool without_svme;
    int vector;
};

static void do_vmload(void *at)
{
    __asm__ volatile("vmload %0" : : "a"(at) : "memory");
}

static void do_vmsave(void *at)
{
    __asm__ volatile("vmsave %0" : : "a"(at) : "memory");
}

static void do_stgi(void *unused)
{
    __asm__ volatile("stgi");
}

static void do_clgi(void *unused)
{
    __asm__ volatile("clgi\nnop\nstgi");
}

static void do_invlpga(void *unused)
{
    __asm__ volatile("invlpga %0, %1" : : "a"(0), "c"(1));
}

static void do_vmrun(void *at)
{
    struct svm_registers registers;

    svm_prepare_run(&registers);
    svm_enter_guest(at, &registers);
}

static void do_write_hsave(void *value)
{
    cpu_wrmsr(MSR_VM_HSAVE_PA, (uint64_t)value);
}

static const char *lacks_fault(const struct nested_rule *rule)
{
    const struct fault *fault = rule->data;
    const char *lack = svm_lacks(rule);

    if (lack) {
        return lack;
    }
    /* 15.4, and 15.31 for SVM-Lock */
    bool has_stgi =
        cpu_cpuid(0x80000001, 0).ecx & CPUID_SKINIT || svm_features() & CPUID_SVML;
    return fault->instruction == do_stgi && has_stgi
               ? "SKINIT or SVM-Lock enables STGI as well"
               : NULL;
}

static int try_with(const struct fault *fault, bool is_broken)
{
    uint64_t operand = is_broken ? fault->operand : fault->neighbour;

    svm_enable();
    svm_good(&page, svm_guest_vmmcall);
    do_vmsave(&page);
    if (is_broken && fault->is_limit) {
        operand = BIT(cpu_physical_bits());
    }
    if (is_broken && fault->without_svme) {
        cpu_wrmsr(MSR_EFER, cpu_rdmsr(MSR_EFER) & ~EFER_SVME);
    }
    int vector = nested_try(fault->instruction, (void *)operand);
    svm_enable();
    __asm__ volatile("stgi"); /* a fault inside leaves GIF as it was */
    return vector;
}

static void check_fault(const struct nested_rule *rule)
{
    const struct fault *fault = rule->data;
    int vector = try_with(fault, nested_sets_up());

    nested_expect(vector == fault->vector, "vector", (uint64_t)vector);
    vector = try_with(fault, false);
    nested_expect(vector == TRAP_NONE, "neighbour's vector", (uint64_t)vector);
}

#define FAULT(name, place, claim, ...)                                                 \
    {                                                                                  \
        .id = "SVM.INSTRUCTION." name, .cites = place, .says = claim,                  \
        .lacks = lacks_fault, .check = check_fault,                                    \
        .data = &(const struct fault){ __VA_ARGS__ },                                  \
    }
#define UNDEFINED(name, function)                                                      \
    FAULT(name ".SVME_CLEAR", "APM2 15.4", "without EFER.SVME it is a #UD",            \
          .instruction = function, .operand = (uint64_t)&page,                         \
          .neighbour = (uint64_t)&page, .without_svme = true, .vector = TRAP_UD)
/* From volume 3, which was not at hand to check. */
#define MISALIGNED(name, function, bits)                                               \
    {                                                                                  \
        .id = "SVM.INSTRUCTION." name ".MISALIGNED", .cites = "APM3 " name,            \
        .says = "an address that is not a page's is a #GP", .lacks = lacks_fault,      \
        .check = check_fault, .is_unconfirmed = true,                                  \
        .data = &(const struct fault){ .instruction = function,                        \
                                       .operand = (uint64_t)&page + (bits),            \
                                       .neighbour = (uint64_t)&page,                   \
                                       .vector = TRAP_GP },                            \
    }
#define BEYOND(name, function)                                                         \
    {                                                                                  \
        .id = "SVM.INSTRUCTION." name ".BEYOND_MEMORY", .cites = "APM3 " name,         \
        .says = "an address beyond the physical address space is a #GP",               \
        .lacks = lacks_fault, .check = check_fault, .is_unconfirmed = true,            \
        .data = &(const struct fault){ .instruction = function,                        \
                                       .is_limit = true,                               \
                                       .neighbour = (uint64_t)&page,                   \
                                       .vector = TRAP_GP },                            \
    }
#define HSAVE(name, ...)                                                               \
    FAULT("VM_HSAVE_PA." name, "APM2 15.30.4", "writing such an address is a #GP",     \
          .instruction = do_write_hsave, .neighbour = (uint64_t)&page,                 \
          .vector = TRAP_GP, __VA_ARGS__)

static const struct nested_rule instructions[] = {
    UNDEFINED("VMRUN", do_vmrun),
    UNDEFINED("VMLOAD", do_vmload),
    UNDEFINED("VMSAVE", do_vmsave),
    UNDEFINED("STGI", do_stgi),
    UNDEFINED("CLGI", do_clgi),
    UNDEFINED("INVLPGA", do_invlpga),
    MISALIGNED("VMRUN", do_vmrun, 1),
    MISALIGNED("VMLOAD", do_vmload, 0x10),
    MISALIGNED("VMSAVE", do_vmsave, 0x10),
    BEYOND("VMRUN", do_vmrun),
    BEYOND("VMLOAD", do_vmload),
    BEYOND("VMSAVE", do_vmsave),
    HSAVE("BIT0", .operand = 1),
    HSAVE("BIT11", .operand = 0x800),
    HSAVE("BEYOND_MEMORY", .is_limit = true),
};
NESTED_RULES(instructions);

/* VMSAVE writes what the MSR has; VMLOAD makes the MSR what the page has. */
struct carried {
    uint32_t msr;
    uint16_t offset;
    uint64_t value;
};

static uint64_t *in_page(const struct carried *carried)
{
    return (uint64_t *)((uint8_t *)&page + carried->offset);
}

static void check_vmsave(const struct nested_rule *rule)
{
    const struct carried *carried = rule->data;
    uint64_t before = cpu_rdmsr(carried->msr);

    svm_enable();
    if (nested_sets_up()) {
        cpu_wrmsr(carried->msr, carried->value);
    }
    do_vmsave(&page);
    cpu_wrmsr(carried->msr, before);
    nested_expect(*in_page(carried) == carried->value, "saved", *in_page(carried));
    do_vmsave(&page);
    nested_expect(*in_page(carried) == before, "neighbour saved", *in_page(carried));
}

static void check_vmload(const struct nested_rule *rule)
{
    const struct carried *carried = rule->data;
    uint64_t before = cpu_rdmsr(carried->msr);

    svm_enable();
    do_vmsave(&page);
    if (nested_sets_up()) {
        *in_page(carried) = carried->value;
    }
    do_vmload(&page);
    uint64_t loaded = cpu_rdmsr(carried->msr);
    cpu_wrmsr(carried->msr, before);
    nested_expect(loaded == carried->value, "loaded", loaded);
    do_vmsave(&page);
    do_vmload(&page);
    loaded = cpu_rdmsr(carried->msr);
    nested_expect(loaded == before, "neighbour loaded", loaded);
}

#define CARRIED(way, function, name, where, number, number_value)                      \
    {                                                                                  \
        .id = "SVM." way "." name, .cites = "APM2 15.5.2",                             \
        .says = "the register is among those it carries", .lacks = svm_lacks,          \
        .check = function, .data = &(const struct carried)                             \
        {                                                                              \
            number, offsetof(struct vmcb, where), number_value                         \
        }                                                                              \
    }
#define BOTH_WAYS(name, where, msr, value)                                             \
    CARRIED("VMSAVE", check_vmsave, name, where, msr, value),                          \
        CARRIED("VMLOAD", check_vmload, name, where, msr, value)

static const struct nested_rule carried[] = {
    BOTH_WAYS("FS_BASE", fs.base, 0xC0000100, UINT64_C(0x7fff12345678)),
    BOTH_WAYS("GS_BASE", gs.base, 0xC0000101, UINT64_C(0x7fff12345678)),
    BOTH_WAYS("KERNEL_GS_BASE", kernel_gs_base, 0xC0000102, UINT64_C(0x7fff12345678)),
    BOTH_WAYS("STAR", star, 0xC0000081, UINT64_C(0x0023001012345678)),
    BOTH_WAYS("LSTAR", lstar, 0xC0000082, UINT64_C(0x7fff12345678)),
    BOTH_WAYS("CSTAR", cstar, 0xC0000083, UINT64_C(0x7fff12345678)),
    BOTH_WAYS("SFMASK", sfmask, 0xC0000084, 0x47700),
    BOTH_WAYS("SYSENTER_CS", sysenter_cs, 0x174, 0x1238),
    BOTH_WAYS("SYSENTER_ESP", sysenter_esp, 0x175, UINT64_C(0x7fff12345678)),
    BOTH_WAYS("SYSENTER_EIP", sysenter_eip, 0x176, UINT64_C(0x7fff12345678)),
};
NESTED_RULES(carried);

/* TSC_OFFSET: what a guest reads lies between two readings of the host, and the offset. */
SVM_GUEST(guest_rdtsc, "1: rdtsc");
SVM_GUEST(guest_rdtscp, "1: rdtscp");
SVM_GUEST(guest_read_tsc_msr, "movl $0x10, %ecx\n1: rdmsr");

#define OFFSET BIT(50)

static uint64_t host_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static bool is_read_between(void (*const *guest)(void), uint64_t offset,
                            uint64_t *out_seen)
{
    struct svm_registers registers;
    uint64_t before = host_tsc();

    svm_good(&page, *guest);
    page.tsc_offset = offset;
    svm_run(&page, &registers);
    *out_seen = registers.rdx << 32 | (uint32_t)page.rax;
    /* And the host's own has none: "clears TSC_OFFSET inside the processor". */
    uint64_t after = host_tsc();
    nested_expect(page.exitcode == SVM_EXIT_VMMCALL, "exit code", page.exitcode);
    return before + offset <= *out_seen && *out_seen <= after + offset;
}

static void check_tsc(const struct nested_rule *rule)
{
    void (*const *guest)(void) = rule->data;
    uint64_t seen;

    svm_enable();
    bool holds = is_read_between(guest, nested_sets_up() ? OFFSET : 0, &seen);
    nested_expect(holds && seen >= OFFSET, "the guest's TSC", seen);
    holds = is_read_between(guest, 0, &seen);
    nested_expect(holds, "the guest's TSC without an offset", seen);
}

#define TSC(name, guest)                                                               \
    {                                                                                  \
        .id = "SVM.TSC_OFFSET." name, .cites = "APM2 15.5.1, B",                       \
        .says = "TSC_OFFSET is added to what the guest reads, and to nothing else",    \
        .lacks = svm_lacks, .check = check_tsc,                                        \
        .data = (void (*const[])(void)){ guest },                                      \
    }

static const struct nested_rule tsc[] = {
    TSC("RDTSC", guest_rdtsc),
    TSC("RDTSCP", guest_rdtscp),
    TSC("RDMSR", guest_read_tsc_msr),
};
NESTED_RULES(tsc);
