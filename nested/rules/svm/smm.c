/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* smm.c - SMI and RSM in a guest, with a handler of our own (lib/smm.h) */
#include "lib/smm.h"
#include "svm/case.h"

#define EXIT_CPUID 0x72

SVM_GUEST(guest_smi, "movl $0x77, %eax\n1: outb %al, $0xb2\n"
                     "movl $1000, %ecx\n2: loop 2b\nmovl $0x5a17, %ebx");
SVM_GUEST(guest_no_smi, "movl $0x77, %eax\n1: outb %al, $0x80\n"
                        "movl $1000, %ecx\n2: loop 2b\nmovl $0x5a17, %ebx");
SVM_GUEST(guest_cpuid, "xor %eax, %eax\n1: cpuid");
NESTED_SMM_ACTION(run_cpuid, "xorl %eax, %eax\n cpuid\n");

static const char *lacks(const struct nested_rule *rule)
{
    const char *lack = svm_lacks_case(rule);

    return lack ? lack : nested_smm_lack();
}

static void expect_nothing(const struct svm_case *one, struct vmcb *vmcb,
                           bool is_neighbour)
{
    nested_smm_expect(NULL);
    if (is_neighbour) {
        vmcb->rip = (uint64_t)guest_no_smi;
    }
}

static void expect_cpuid(const struct svm_case *one, struct vmcb *vmcb,
                         bool is_neighbour)
{
    nested_smm_expect(&run_cpuid);
    if (is_neighbour) {
        vmcb->rip = (uint64_t)guest_cpuid;
    }
}

#define SEE(field, value)                                                              \
    SVM_WANT_MEMORY(#field, UINT64_MAX, value, (const void *)&nested_smm.field)
#define RULE(name, claim, ...)                                                         \
    {                                                                                  \
        .id = "SVM.SMM." name, .cites = "APM2 15.22.3", .says = claim,                 \
        .boot = NESTED_ALONE, .lacks = lacks, .check = svm_check_case,                 \
        .data = &(const struct svm_case){ .code = guest_smi, __VA_ARGS__ },            \
    }

static const struct nested_rule smm[] = {
    RULE("TAKEN",
         "an SMI that is not intercepted runs its handler, and RSM comes back to the "
         "guest",
         .prepare = expect_nothing,
         .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SEE(n_taken, 1), SEE(n_done, 1),
                    SVM_WANT_REGISTER(rbx, 0x5a17) },
         .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SEE(n_taken, 0) }),
    RULE("INTERCEPTS", "the guest's intercepts are not SMM's: CPUID is executed there",
         .prepare = expect_cpuid,
         .always = { SVM_SET(intercept1, SVM_INTERCEPT1_CPUID) },
         .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SEE(n_done, 1) },
         .neighbour_wants = { SVM_EXITS(EXIT_CPUID), SEE(n_taken, 0) }),
};
NESTED_RULES(smm);
