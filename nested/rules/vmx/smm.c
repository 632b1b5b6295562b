/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * smm.c - SMI and RSM under the default treatment (SDM3C 34.14)
 *
 * The handler is our own (lib/smm.h), so it can be asked whether it ran, and what VMX
 * still is where it runs.
 */
#include "lib/smm.h"
#include "vmx/behaviour.h"

#define CR4_VMXE BIT(13)

/* The SMI comes within the loop. */
#define OUT_AND_WAIT(port)                                                             \
    "outb %al, $" #port "\n movl $1000, %ecx\n 1: loop 1b\n movl $0x5a17, %ebx"
VMX_GUEST(smi, "movl $0x77, %eax", OUT_AND_WAIT(0xb2));
VMX_GUEST(no_smi, "movl $0x77, %eax", OUT_AND_WAIT(0x80));
VMX_GUEST(cpuid, "xor %eax, %eax", "cpuid");
VMX_GUEST(rsm, "", "rsm");
VMX_GUEST(no_rsm, "", "nop");

NESTED_SMM_ACTION(run_cpuid, "xorl %eax, %eax\n cpuid\n");

static void expect_cpuid(void)
{
    nested_smm_expect(&run_cpuid);
}

static void expect_nothing(void)
{
    nested_smm_expect(NULL);
}

#define SEE(field, value) VMX_SEE_AT((const void *)&nested_smm.field, value)
#define SEE_BITS(field, mask, value)                                                   \
    VMX_SEE_BITS_AT((const void *)&nested_smm.field, mask, value)

/* The guest runs on behind its OUT; the neighbour's is to another port. */
#define NON_ROOT(name, place, claim, action, ...)                                      \
    {                                                                                  \
        .id = "VMX.SMM." name, .cites = place, .says = claim, .boot = NESTED_ALONE,    \
        .lacks = vmx_lacks_behaviour, .check = vmx_check_behaviour,                    \
        .data = &(const struct vmx_behaviour)                                          \
        {                                                                              \
            .guest = VMX_CODE(smi), .reason = VMX_REASON_VMCALL,                       \
            .progress = VMX_AFTER, .lacks = nested_smm_lack,                           \
            .prepare = expect_##action, __VA_ARGS__                                    \
        }                                                                              \
    }

static const char *lacks_root(const struct nested_rule *rule)
{
    return vmx_is_present() ? nested_smm_lack() : "no VMX";
}

static uint64_t current_vmcs(void)
{
    uint64_t region = 0;

    __asm__ volatile("vmptrst %0" : "=m"(region) : : "cc");
    return region;
}

/* The same VMCS is current, and takes a VM entry. */
static void expect_root(void)
{
    nested_expect(cpu_read_cr4() & CR4_VMXE, "CR4", cpu_read_cr4());
    nested_expect(current_vmcs() == vmx_vmcs_region(), "the current VMCS",
                  current_vmcs());

    struct vmx_outcome outcome = vmx_run();
    nested_expect(outcome.way == VMX_EXIT && outcome.detail == VMX_REASON_VMCALL,
                  "way and detail of a VM entry after it",
                  (uint64_t)outcome.way << 32 | outcome.detail);
}

static void check_root(const struct nested_rule *rule)
{
    vmx_enable();
    vmx_good(vmx_guest_vmcall);
    nested_smm_expect(NULL);
    if (nested_sets_up()) {
        nested_smm_send();
    }
    nested_expect(nested_smm.n_done == 1, "handlers that ran", nested_smm.n_done);
    nested_expect(!(nested_smm.cr4 & CR4_VMXE), "CR4 in SMM", nested_smm.cr4);
    expect_root();

    vmx_good(vmx_guest_vmcall);
    nested_smm_expect(NULL);
    expect_root();
    nested_expect(nested_smm.n_taken == 0, "neighbour's handlers", nested_smm.n_taken);
}

static const struct nested_rule smm[] = {
    { .id = "VMX.SMM.ROOT",
      .cites = "SDM3C 34.14.1, 34.14.2",
      .says =
          "an SMI in VMX root operation leaves it for SMM, and RSM comes back to it "
          "and to the current VMCS",
      .boot = NESTED_ALONE,
      .lacks = lacks_root,
      .check = check_root },
    NON_ROOT(
        "NON_ROOT", "SDM3C 34.14.1, 34.14.2",
        "an SMI in VMX non-root operation is no VM exit: its handler runs, and RSM "
        "comes back to the guest",
        nothing, .neighbour = VMX_CODE(no_smi),
        .sees =
            VMX_SIGHTS(SEE(n_taken, 1), SEE(n_done, 1), VMX_SEE_REGISTER(rbx, 0x5a17)),
        .neighbour_sees = VMX_SIGHTS(SEE(n_taken, 0), VMX_SEE_REGISTER(rbx, 0x5a17))),
    NON_ROOT("NON_ROOT.VMXE", "SDM3C 34.14.1",
             "SMI delivery in VMX non-root operation clears CR4.VMXE", nothing,
             .neighbour = VMX_CODE(no_smi),
             .sees = VMX_SIGHTS(SEE(n_taken, 1), SEE_BITS(cr4, CR4_VMXE, 0)),
             .neighbour_sees = VMX_SIGHTS(SEE(n_taken, 0))),
    NON_ROOT("NON_ROOT.CONTROLS", "SDM3C 34.14.1, 25.1.2",
             "nothing in SMM causes a VM exit: CPUID, which does in the guest, is "
             "executed",
             cpuid, .sees = VMX_SIGHTS(SEE(n_done, 1)), .neighbour = VMX_CODE(cpuid),
             .neighbour_reason = VMX_REASON_CPUID,
             .neighbour_sees = VMX_SIGHTS(SEE(n_taken, 0))),
    VMX_BEHAVIOUR("SMM.RSM_OUTSIDE", "SDM2B RSM, SDM3C 25.1.1, 25.1.3",
                  "RSM outside of SMM is #UD and no VM exit of its own",
                  .guest = VMX_CODE(rsm), .reason = VMX_REASON_EXCEPTION,
                  .progress = VMX_AT_NO_LENGTH,
                  .with = VMX_LIST(VMX_SET(VMCS_EXCEPTION_BITMAP, BIT(6))),
                  .without = VMX_LIST(VMX_SET(VMCS_EXCEPTION_BITMAP, BIT(6))),
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_INTERRUPTION_INFO, 0x80000306)),
                  .neighbour = VMX_CODE(no_rsm)),
};
NESTED_RULES(smm);
