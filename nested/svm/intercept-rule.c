/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "intercept-rule.h"

#include "lib/memory.h"

static struct vmcb vmcb __attribute__((aligned(4096)));
static uint8_t scratch[4096] __attribute__((aligned(4096)));

const char *svm_lacks_intercept(const struct nested_rule *rule)
{
    return svm_is_present() ? NULL : "no SVM";
}

static void set_intercept(const struct svm_intercept *intercept, bool is_set)
{
    uint8_t *word = (uint8_t *)&vmcb + intercept->offset;
    uint32_t bits;

    memcpy(&bits, word, sizeof bits);
    bits = is_set ? bits | 1u << intercept->bit : bits & ~(1u << intercept->bit);
    memcpy(word, &bits, sizeof bits);
}

static void run(const struct svm_intercept *intercept, bool is_set)
{
    struct svm_registers registers;

    svm_good(&vmcb, intercept->code);
    set_intercept(intercept, is_set);
    if (intercept->prepare) {
        intercept->prepare(&vmcb);
    }
    svm_prepare_run(&registers);
    /* What VMLOAD takes must be a state to go on with. */
    __asm__ volatile("vmsave %0" : : "a"(scratch) : "memory");
    vmcb.rax = (uint64_t)scratch;
    nested_expect(svm_enter_guest(&vmcb, &registers), "lost a host register's canary",
                  0);
}

void svm_check_intercept(const struct nested_rule *rule)
{
    const struct svm_intercept *intercept = rule->data;

    svm_enable();
    run(intercept, nested_sets_up());
    nested_expect(vmcb.exitcode == intercept->exitcode, "exit code", vmcb.exitcode);
    nested_expect(vmcb.rip == (uint64_t)intercept->at, "RIP", vmcb.rip);

    run(intercept, false);
    nested_expect(vmcb.exitcode == SVM_EXIT_VMMCALL, "exit code with the bit clear",
                  vmcb.exitcode);
    if (intercept->vector >= 0) {
        nested_expect((uint32_t)vmcb.rax == (uint32_t)intercept->vector,
                      "vector in the guest with the bit clear", vmcb.rax);
    }
}
