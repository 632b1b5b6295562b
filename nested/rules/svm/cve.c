/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cve.c - rules with the shape of holes that hypervisors had
 *
 * What an engine cannot show of them, and why, is in docs/nested.md.
 */
#include "svm/case.h"
#include "svm/npt.h"

/* CVE-2021-3653: L1 turned AVIC on for L2, whose APIC page then was L0's memory.  On a
 * CPU without AVIC the bit must not lead the guest anywhere but to the APIC. */

#define HAS_AVIC     BIT(13) /* CPUID Fn8000_000A EDX */
#define AVIC_ENABLE  BIT(31) /* of v_intr */
#define APIC_PAGE    UINT64_C(0xfee00000)
#define APIC_VERSION 0x30
#define PATTERN      UINT64_C(0x5a5a5a5a)

/* Offsets in the VMCB, table B-1. */
#define BACKING_PAGE   0xe0
#define LOGICAL_TABLE  0xf0
#define PHYSICAL_TABLE 0xf8

static struct vmcb vmcb __attribute__((aligned(4096)));
static uint64_t backing[512] __attribute__((aligned(4096)));
static uint64_t tables[2][512] __attribute__((aligned(4096)));

SVM_GUEST(guest_read_apic, "movl $0xfee00030, %ecx\n1: movl (%rcx), %ebx");

static const char *lacks_no_avic(const struct nested_rule *rule)
{
    const char *lack = svm_lacks_npt(rule);

    return lack ? lack : svm_features() & HAS_AVIC ? "this CPU has AVIC" : NULL;
}

static void point(unsigned offset, const void *page)
{
    *(uint64_t *)((uint8_t *)&vmcb + offset) = (uint64_t)page;
}

/* What the guest reads of the APIC's version: the APIC's own, or with @is_mapped_away
 * that of other memory, by the nested page tables. */
static uint64_t read_by_guest(bool is_mapped_away)
{
    struct svm_registers registers;
    volatile uint32_t *other = (volatile uint32_t *)(SVM_LARGE_WINDOW + APIC_VERSION);

    svm_good(&vmcb, guest_read_apic);
    svm_npt_use(&vmcb);
    for (unsigned i = 0; i < 512; i++) {
        backing[i] = PATTERN << 32 | PATTERN;
    }
    vmcb.v_intr |= AVIC_ENABLE;
    vmcb.avic_apic_bar = APIC_PAGE;
    point(BACKING_PAGE, backing);
    point(LOGICAL_TABLE, tables[0]);
    point(PHYSICAL_TABLE, tables[1]);
    *other = (uint32_t)PATTERN;
    if (is_mapped_away) {
        svm_npt.pd[3][APIC_PAGE >> 21 & 511] =
            SVM_LARGE_WINDOW | NPT_P | NPT_W | NPT_U | NPT_L;
    }
    svm_run(&vmcb, &registers);
    nested_expect(vmcb.exitcode == SVM_EXIT_VMMCALL, "exit code", vmcb.exitcode);
    return (uint32_t)registers.rbx;
}

static void check_avic(const struct nested_rule *rule)
{
    uint32_t host = *(volatile uint32_t *)(APIC_PAGE + APIC_VERSION);

    svm_enable();
    uint64_t seen = read_by_guest(!nested_sets_up());
    nested_expect(seen == host, "version of the APIC in the guest", seen);
    seen = read_by_guest(true);
    nested_expect(seen == PATTERN, "what the nested page tables name", seen);
}

/* CVE-2021-3656: with virtual VMLOAD and VMSAVE on, L2's reached L0's memory. */

#define VIRTUAL_VMLOAD BIT(1) /* of B8h */

SVM_GUEST(guest_vmload_1, "1: vmload %rax");
SVM_GUEST(guest_vmsave_1, "1: vmsave %rax");

#define STILL_EXITS(name, guest, bit)                                                  \
    SVM_CASE("VIRTUAL." name, "APM2 15.9, 15.33.1",                                    \
             "with its intercept set it exits, also if the virtual form is enabled",   \
             guest,                                                                    \
             .always = { SVM_SET(lbr_virtualization_enable, VIRTUAL_VMLOAD),           \
                         SVM_MAKE(rax, 1), SVM_ALL_EXCEPTIONS },                       \
             .breaks = { SVM_SET(intercept2, BIT(bit)), SVM_MAKE(rax, 0x1000) },       \
             .wants = { SVM_EXITS(0x80 + (bit)), SVM_AT(guest) },                      \
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_AT(guest) })

static const struct nested_rule cve[] = {
    { .id = "SVM.AVIC.NOT_THERE",
      .cites = "APM2 15.29, B-1",
      .says = "without AVIC, its enable bit does not turn the APIC's page into memory",
      .is_unconfirmed = true,
      .lacks = lacks_no_avic,
      .check = check_avic },
    STILL_EXITS("VMLOAD", guest_vmload_1, 2),
    STILL_EXITS("VMSAVE", guest_vmsave_1, 3),
};
NESTED_RULES(cve);

const struct nested_cve nested_cves[] = {
    { "2021-3653", "SVM.AVIC.NOT_THERE" },
    { "2021-3656", "SVM.VIRTUAL.VMLOAD" },
    { "2021-3656", "SVM.VIRTUAL.VMSAVE" },
    { "2021-3656", "SVM.INTERCEPT.VMLOAD" },
    { "2021-3656", "SVM.INTERCEPT.VMSAVE" },
    { "2021-29657", "SVM.ENTRY.INTERCEPT.VMRUN_FLIPS" },
    { NULL, NULL },
};
