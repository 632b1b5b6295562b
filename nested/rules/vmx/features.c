/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * features.c - TSC offset and scaling, EPTP switching, #VE, the edges of the
 * page-modification log, XSAVES
 */
#include "lib/memory.h"
#include "vmx/behaviour.h"

#define TSC "SDM3C 25.3, 24.6.5"
#define VE  "SDM3C 25.5.6"
#define PML "SDM3C 28.2.5"

#define VE_VECTOR 20
#define UD        6

VMX_GUEST(get_tsc, "", "rdtsc");
VMX_GUEST(get_tsc_aux, "", "rdtscp");
VMX_GUEST(get_tsc_msr, "mov $0x10, %ecx", "rdmsr");

/* The time stamps around the guest, and whether the guest's is what it must be. */
static uint64_t before, is_offset, is_scaled;
#define OFFSET BIT(50)

static uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void start_clock(void)
{
    before = read_tsc();
}

static void stop_clock(void)
{
    uint64_t after = read_tsc();
    uint64_t seen = vmx_guest.rdx << 32 | (uint32_t)vmx_guest.rax;

    is_offset = seen >= before + OFFSET && seen <= after + OFFSET;
    is_scaled = seen >= before * 2 && seen <= after * 2;
}

#define OFFSETTING VMX_CPU(VMX_CPU_TSC_OFFSET), VMX_MAKE(VMCS_TSC_OFFSET, OFFSET)
#define SCALING                                                                        \
    VMX_CPU(VMX_CPU_TSC_OFFSET), VMX_CPU2(VMX_CPU2_TSC_SCALING | VMX_CPU2_RDTSCP)
/* 48 bits of it are behind the point. */
#define MULTIPLIER(n) VMX_MAKE(VMCS_TSC_MULTIPLIER, (uint64_t)(n) << 48)

#define TIME(name, claim, code, how, seen, without_it)                                 \
    VMX_BEHAVIOUR("TSC." name, TSC, claim, .guest = VMX_CODE(code),                    \
                  .prepare = start_clock, .finish = stop_clock, .with = VMX_LIST(how), \
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,                  \
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&seen, 1)),                            \
                  .without = VMX_LIST(without_it),                                     \
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(&seen, 0)))
#define MAPPED_MSRS VMX_CPU(VMX_CPU_MSR_BITMAPS)

/* A second set of tables, in which the window is another page. */

static uint64_t other_pml4[512] __attribute__((aligned(4096)));
static uint64_t other_pdpt[512] __attribute__((aligned(4096)));
static uint64_t other_pd[512] __attribute__((aligned(4096)));
static uint64_t other_pt[512] __attribute__((aligned(4096)));
static uint64_t other_data[512] __attribute__((aligned(4096)));
#define HERE       0x1111
#define THERE      0x2222
#define OTHER_EPTP ((uint64_t)other_pml4 + (EPTP_WALK_4 | 6))

VMX_GUEST(read_window, "mov $0xc0000000, %eax", "mov (%rax), %rbx");
VMX_GUEST(write_window, "mov $0xc0000000, %eax; mov $5, %ebx", "mov %rbx, (%rax)");
VMX_GUEST(switch_and_read, "xor %eax, %eax; mov $1, %ecx",
          ".byte 0x0f, 0x01, 0xd4; mov $0xc0000000, %eax; mov (%rax), %rbx");
VMX_GUEST(switch_last, "xor %eax, %eax; mov $511, %ecx",
          ".byte 0x0f, 0x01, 0xd4; mov $0xc0000000, %eax; mov (%rax), %rbx");

static void prepare_two(void)
{
    const unsigned gib = VMX_WINDOW >> 30;

    memcpy(other_pdpt, vmx_pages.ept_pdpt, sizeof other_pdpt);
    memcpy(other_pd, vmx_pages.ept_pd[gib], sizeof other_pd);
    other_pml4[0] = (uint64_t)other_pdpt | EPT_RWX;
    other_pdpt[gib] = (uint64_t)other_pd | EPT_RWX;
    other_pd[0] = (uint64_t)other_pt | EPT_RWX;
    other_pt[0] = (uint64_t)other_data | EPT_WB | EPT_RWX;
    vmx_pages_touch(true);
    vmx_pages.data[0] = HERE;
    other_data[0] = THERE;
}

static const char *lacks_eptp_switching(void)
{
    bool has_functions = vmx_allowed(VMCS_SECONDARY_CONTROLS) & VMX_CPU2_FUNCTIONS;

    return has_functions && cpu_rdmsr(0x491) & BIT(0) ? NULL : "no EPTP switching";
}

#define FUNCTIONS                                                                      \
    VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_FUNCTIONS), VMX_MAKE(VMCS_FUNCTION_CONTROLS, 1)
#define EPT             VMX_CPU2(VMX_CPU2_EPT)
#define LISTED(i, eptp) VMX_POKE(&vmx_pages.eptp_list[i], eptp)

#define SWITCHED(name, claim, code, i)                                                 \
    VMX_BEHAVIOUR("VMFUNC." name, "SDM3C 25.5.5.3", claim, .guest = VMX_CODE(code),    \
                  .prepare = prepare_two,                                              \
                  .with = VMX_LIST(FUNCTIONS, LISTED(i, OTHER_EPTP)),                  \
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,                  \
                  .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rbx, THERE),                     \
                                     VMX_SEE(VMCS_EPTP, OTHER_EPTP)),                  \
                  .without = VMX_LIST(FUNCTIONS, LISTED(i, VMX_GOOD_EPTP)),            \
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_REGISTER(rbx, HERE),            \
                                               VMX_SEE(VMCS_EPTP, VMX_GOOD_EPTP)),     \
                  .lacks = lacks_eptp_switching)

/* #VE: an EPT violation that is the guest's own exception. */

#define CONVERTING  VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_VE)
#define NOT_THERE   VMX_POKE(&vmx_pages.ept_pt[0], 0)
#define SUPPRESSED  VMX_POKE(&vmx_pages.ept_pt[0], BIT(63))
#define AREA        vmx_pages.exception_info
#define BUSY(value) VMX_POKE(&AREA[0], (uint64_t)(value) << 32)

#define CONVERTED(name, claim, code, change, ...)                                      \
    VMX_BEHAVIOUR("VE." name, VE, claim, .guest = VMX_CODE(code),                      \
                  .with = VMX_LIST(CONVERTING, change, NOT_THERE),                     \
                  .reason = VMX_REASON_VMCALL, .progress = VMX_ANYWHERE,               \
                  .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, VE_VECTOR), __VA_ARGS__),   \
                  .without = VMX_LIST(EPT, NOT_THERE),                                 \
                  .neighbour_reason = VMX_REASON_EPT_VIOLATION)
#define NOT_CONVERTED(name, claim, ...)                                                \
    VMX_BEHAVIOUR("VE." name, VE ".1", claim, .guest = VMX_CODE(read_window),          \
                  .with = VMX_LIST(CONVERTING, __VA_ARGS__),                           \
                  .reason = VMX_REASON_EPT_VIOLATION, .progress = VMX_AT_NO_LENGTH,    \
                  .without = VMX_LIST(CONVERTING, NOT_THERE),                          \
                  .neighbour_reason = VMX_REASON_VMCALL,                               \
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_REGISTER(rax, VE_VECTOR)))

/* The log.  The guest's paging structures, all on one large page, are logged first. */

#define WITH_AD                                                                        \
    VMX_MAKE(VMCS_EPTP, (uint64_t)vmx_pages.ept_pml4 + (EPTP_WALK_4 + 6 + EPTP_AD))
#define LOGGING      VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_PML), WITH_AD
#define INDEX(n)     VMX_MAKE(VMCS_GUEST_PML_INDEX, n)
#define DIRTY_WINDOW VMX_SET_AT(&vmx_pages.ept_pt[0], EPT_A | EPT_D)

static const char *lacks_ad(void)
{
    return vmx_ept_capability() & BIT(21) ? NULL : "no accessed and dirty flags";
}

/* XSAVES. */

#define MSR_XSS   0xda0
#define OSXSAVE   VMX_SET(VMCS_GUEST_CR4, BIT(18))
#define XSS_CET_U BIT(11)
static uint8_t area[4096] __attribute__((aligned(64)));
VMX_GUEST(xsaves, "mov $area, %edi; mov $0x801, %eax; xor %edx, %edx", "xsaves (%rdi)");
VMX_GUEST(xrstors, "mov $area, %edi; mov $0x801, %eax; xor %edx, %edx",
          "xrstors (%rdi)");
VMX_GUEST(xsaves_none, "mov $area, %edi; mov $1, %eax; xor %edx, %edx",
          "xsaves (%rdi)");

static const char *lacks_supervisor_state(void)
{
    return cpu_cpuid(13, 1).ecx & XSS_CET_U ? NULL : "no supervisor state to save";
}

static void set_xss(void)
{
    memset(area, 0, sizeof area);
    area[527] = 0x80; /* XCOMP_BV bit 63: compacted, as XRSTORS wants it */
    __asm__ volatile("mov %0, %%cr4" : : "r"(cpu_read_cr4() | BIT(18)));
    if (!lacks_supervisor_state()) {
        cpu_wrmsr(MSR_XSS, XSS_CET_U);
    }
}

static void clear_xss(void)
{
    if (!lacks_supervisor_state()) {
        cpu_wrmsr(MSR_XSS, 0);
    }
    __asm__ volatile("mov %0, %%cr4" : : "r"(cpu_read_cr4() & ~BIT(18)));
}

#define ENABLED VMX_CPU2(VMX_CPU2_XSAVES), OSXSAVE
#define SAVE_EXITS(name, claim, code, why, ...)                                        \
    VMX_BEHAVIOUR("XSAVES." name, "SDM3C 25.1.3, 24.6.19", claim,                      \
                  .guest = VMX_CODE(code), .prepare = set_xss, .finish = clear_xss,    \
                  .with = VMX_LIST(ENABLED, VMX_MAKE(VMCS_XSS_BITMAP, XSS_CET_U)),     \
                  .reason = why, __VA_ARGS__, .lacks = lacks_supervisor_state)

static const struct nested_rule features[] = {
    TIME("OFFSET", "RDTSC adds the offset", get_tsc, OFFSETTING, is_offset,
         VMX_CPU(VMX_CPU_TSC_OFFSET)),
    TIME("OFFSET_OFF", "without the control the offset is not added", get_tsc,
         OFFSETTING, is_offset, VMX_MAKE(VMCS_TSC_OFFSET, OFFSET)),
    VMX_BEHAVIOUR("TSC.OFFSET_RDTSCP", TSC, "so does RDTSCP",
                  .guest = VMX_CODE(get_tsc_aux), .prepare = start_clock,
                  .finish = stop_clock,
                  .with = VMX_LIST(OFFSETTING, VMX_CPU2(VMX_CPU2_RDTSCP)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&is_offset, 1)),
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_RDTSCP)),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(&is_offset, 0))),
    VMX_BEHAVIOUR("TSC.OFFSET_RDMSR", TSC, "so does RDMSR of IA32_TIME_STAMP_COUNTER",
                  .guest = VMX_CODE(get_tsc_msr), .prepare = start_clock,
                  .finish = stop_clock, .with = VMX_LIST(OFFSETTING, MAPPED_MSRS),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&is_offset, 1)),
                  .without = VMX_LIST(MAPPED_MSRS),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(&is_offset, 0))),
    VMX_BEHAVIOUR("TSC.SCALED", TSC, "with scaling RDTSC multiplies first",
                  .guest = VMX_CODE(get_tsc), .prepare = start_clock,
                  .finish = stop_clock, .with = VMX_LIST(SCALING, MULTIPLIER(2)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&is_scaled, 1)),
                  .without = VMX_LIST(SCALING, MULTIPLIER(1)),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(&is_scaled, 0))),
    VMX_BEHAVIOUR("TSC.SCALED_RDTSCP", TSC, "so does RDTSCP",
                  .guest = VMX_CODE(get_tsc_aux), .prepare = start_clock,
                  .finish = stop_clock, .with = VMX_LIST(SCALING, MULTIPLIER(2)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&is_scaled, 1)),
                  .without = VMX_LIST(SCALING, MULTIPLIER(1)),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(&is_scaled, 0))),
    VMX_BEHAVIOUR("TSC.SCALED_RDMSR", TSC, "so does RDMSR of 10H",
                  .guest = VMX_CODE(get_tsc_msr), .prepare = start_clock,
                  .finish = stop_clock,
                  .with = VMX_LIST(SCALING, MULTIPLIER(2), MAPPED_MSRS),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&is_scaled, 1)),
                  .without = VMX_LIST(SCALING, MULTIPLIER(1), MAPPED_MSRS),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(&is_scaled, 0))),

    SWITCHED("SWITCHES", "EPTP switching makes the listed EPTP the current one",
             switch_and_read, 1),
    SWITCHED("SWITCHES_TO_LAST", "511 is the last of the list", switch_last, 511),

    CONVERTED(
        "READ", "with the control and bit 63 clear, a violation is #VE", read_window,
        VMX_SET(VMCS_GUEST_RFLAGS, 0),
        VMX_SEE_AT(&AREA[0], VMX_REASON_EPT_VIOLATION | UINT64_C(0xffffffff00000000)),
        VMX_SEE_BITS_AT(&AREA[1], 0x1ff, 0x181), VMX_SEE_AT(&AREA[2], VMX_WINDOW),
        VMX_SEE_AT(&AREA[3], VMX_WINDOW)),
    CONVERTED("WRITE", "so is one of a write", write_window,
              VMX_SET(VMCS_GUEST_RFLAGS, 0), VMX_SEE_BITS_AT(&AREA[1], 0x1fe, 0x182)),
    CONVERTED("INDEX", "the EPTP index is in the area, 16 bits wide", read_window,
              VMX_MAKE(VMCS_EPTP_INDEX, 0x1234),
              VMX_SEE_BITS_AT(&AREA[4], 0xffff, 0x1234)),
    NOT_CONVERTED("SUPPRESSED", "bit 63 of the entry keeps it an exit", SUPPRESSED),
    NOT_CONVERTED("BUSY", "so do bytes 7:4 of the area if they are not 0", NOT_THERE,
                  BUSY(1)),
    NOT_CONVERTED("BUSY_HIGH", "any of their bits", NOT_THERE, BUSY(BIT(31))),

    VMX_BEHAVIOUR("PML.NOT_DIRTIED", PML,
                  "a write to a page that is dirty is not logged",
                  .guest = VMX_CODE(write_window),
                  .with = VMX_LIST(LOGGING, INDEX(511), DIRTY_WINDOW),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_PML_INDEX, 510)),
                  .without = VMX_LIST(LOGGING, INDEX(511)),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_PML_INDEX, 509)),
                  .lacks = lacks_ad),
    VMX_BEHAVIOUR(
        "PML.NOT_READ", PML, "a read is not logged", .guest = VMX_CODE(read_window),
        .with = VMX_LIST(LOGGING, INDEX(511)), .reason = VMX_REASON_VMCALL,
        .progress = VMX_AFTER, .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_PML_INDEX, 510)),
        .without = VMX_LIST(LOGGING, INDEX(511)), .neighbour = VMX_CODE(write_window),
        .neighbour_sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_PML_INDEX, 509)),
        .lacks = lacks_ad),
    VMX_BEHAVIOUR("PML.LAST_INDEX", PML, "after entry 0 the index is FFFFH",
                  .guest = VMX_CODE(write_window), .with = VMX_LIST(LOGGING, INDEX(1)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(
                      { VMX_WORD, ~UINT64_C(0xfff), VMX_WINDOW, &vmx_pages.pml[0] },
                      VMX_SEE(VMCS_GUEST_PML_INDEX, 0xffff)),
                  .without = VMX_LIST(LOGGING, INDEX(2)),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_PML_INDEX, 0)),
                  .lacks = lacks_ad),
    VMX_BEHAVIOUR("PML.FULL_FOR_ACCESSED", PML,
                  "a full log exits also where the accessed flag alone must be set",
                  .guest = VMX_CODE(write_window), .with = VMX_LIST(LOGGING, INDEX(0)),
                  .reason = VMX_REASON_PML_FULL, .progress = VMX_ANYWHERE,
                  .sees =
                      VMX_SIGHTS(VMX_SEE(VMCS_GUEST_RIP, (uint64_t)write_window_start),
                                 VMX_SEE(VMCS_GUEST_PML_INDEX, 0xffff)),
                  .without = VMX_LIST(LOGGING, INDEX(1)), .lacks = lacks_ad),

    SAVE_EXITS("EXITS", "XSAVES exits for a state in all three masks", xsaves,
               VMX_REASON_XSAVES, .without = VMX_LIST(ENABLED)),
    SAVE_EXITS("XRSTORS_EXITS", "so does XRSTORS", xrstors, VMX_REASON_XRSTORS,
               .without = VMX_LIST(ENABLED)),
    SAVE_EXITS("NOT_REQUESTED", "a state that EDX:EAX does not name does not count",
               xsaves, VMX_REASON_XSAVES, .neighbour = VMX_CODE(xsaves_none),
               .without = VMX_LIST(ENABLED, VMX_MAKE(VMCS_XSS_BITMAP, XSS_CET_U))),
    VMX_BEHAVIOUR("XSAVES.NOT_ENABLED", "SDM3C 25.3",
                  "without the control XSAVES is #UD", .guest = VMX_CODE(xsaves_none),
                  .prepare = set_xss, .finish = clear_xss,
                  .with = VMX_LIST(OSXSAVE, VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(UD))),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .without = VMX_LIST(ENABLED)),
};
NESTED_RULES(features);
