/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * entry-rule.h - rules about what VMRUN refuses, a line each
 *
 * "Break the good VMCB so, and VMRUN exits with VMEXIT_INVALID; make this neighbour of
 * it instead, and the guest runs and leaves by VMMCALL."
 *
 *     SVM_ENTRY_RULE("CR0.NW_WITHOUT_CD", "APM2 15.5.1", "CR0.CD is 0 and CR0.NW is 1",
 *                    SVM_SET(cr0, CR0_NW), SVM_SET(cr0, CR0_NW | CR0_CD)),
 */
#pragma once

#include "lib/cpu.h"
#include "lib/rule.h"
#include "svm/svm.h"

/* (field & ~clear) | set, or for is_limit: the end of physical memory - set. */
struct svm_change {
    uint16_t offset;
    uint8_t size; /* bytes; 0: no change */
    bool is_limit;
    uint64_t clear, set;
};

#define SVM_CHANGE(field, clear, set)                                                  \
    {                                                                                  \
        offsetof(struct vmcb, field), sizeof(((struct vmcb *)0)->field), false, clear, \
            set                                                                        \
    }
#define SVM_SET(field, bits)   SVM_CHANGE(field, 0, bits)
#define SVM_CLEAR(field, bits) SVM_CHANGE(field, bits, 0)
#define SVM_MAKE(field, value) SVM_CHANGE(field, UINT64_MAX, value)
#define SVM_BEFORE_LIMIT(field, bytes)                                                 \
    {                                                                                  \
        offsetof(struct vmcb, field), sizeof(((struct vmcb *)0)->field), true, 0,      \
            bytes                                                                      \
    }
#define SVM_NO_CHANGE                                                                  \
    {                                                                                  \
        0                                                                              \
    }

struct svm_entry {
    struct svm_change breaks, neighbour;
    uint64_t neighbour_exit; /* 0: VMMCALL */
};

#define SVM_ENTRY_RULE(name, place, claim, broken, allowed)                            \
    {                                                                                  \
        .id = "SVM.ENTRY." name, .cites = place, .says = claim, .lacks = svm_lacks,    \
        .check = svm_check_entry,                                                      \
        .data = &(const struct svm_entry){ .breaks = broken, .neighbour = allowed },   \
    }

const char *svm_lacks(const struct nested_rule *rule);
const char *svm_lacks_npt(const struct nested_rule *rule);
void svm_check_entry(const struct nested_rule *rule);
void svm_change_apply(struct vmcb *vmcb, const struct svm_change *change);
