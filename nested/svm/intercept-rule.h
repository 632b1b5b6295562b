/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * intercept-rule.h - rules about what a set intercept bit does, a line each
 *
 * "With the bit set, this instruction of the guest exits with this code, and RIP is
 * still at it; with the bit clear, the guest goes on and leaves by VMMCALL."
 *
 * The guest's code is a SVM_GUEST of guest.h.
 */
#pragma once

#include "lib/cpu.h"
#include "lib/rule.h"
#include "svm/guest.h"
#include "svm/svm.h"

struct svm_intercept {
    uint16_t offset; /* of the intercept word in the VMCB */
    uint8_t bit;
    int8_t vector; /* of the exception it is about, or -1 */
    uint16_t exitcode;
    void (*code)(void);
    const uint8_t *at;                  /* where RIP must be */
    void (*prepare)(struct vmcb *vmcb); /* what the code needs; may be NULL */
};

#define SVM_INTERCEPT_RULE(name, ...) SVM_INTERCEPT_RULE_OF("15.9", name, __VA_ARGS__)
#define SVM_INTERCEPT_RULE_OF(section, name, claim, word, at_bit, exit, guest,         \
                              of_vector, setup)                                        \
    {                                                                                  \
        .id = "SVM.INTERCEPT." name, .cites = "APM2 " section ", B, C", .says = claim, \
        .lacks = svm_lacks_intercept, .check = svm_check_intercept,                    \
        .data = &(const struct svm_intercept)                                          \
        {                                                                              \
            .offset = offsetof(struct vmcb, word), .bit = at_bit, .vector = of_vector, \
            .exitcode = exit, .code = guest, .at = guest##_at, .prepare = setup,       \
        }                                                                              \
    }

const char *svm_lacks_intercept(const struct nested_rule *rule);
void svm_check_intercept(const struct nested_rule *rule);
