/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * npt.h - nested page tables that a rule can break in one place
 *
 * The low 4 GiB one to one by pages of 2 MiB, but for SVM_WINDOW, which pages of 4 KiB
 * map one to one as well.  Accessed and dirty bits start clear.  Nested walks are user
 * accesses (APM vol. 2, 15.25.5), so every entry allows user and write.
 */
#pragma once

#include "vmcb.h"

#define SVM_WINDOW       UINT64_C(0x4000000) /* memory that nothing else uses */
#define SVM_LARGE_WINDOW UINT64_C(0x4200000) /* the next 2 MiB, one page */

#define NPT_P BIT(0)
#define NPT_W BIT(1)
#define NPT_U BIT(2)
#define NPT_A BIT(5)
#define NPT_D BIT(6)
#define NPT_L BIT(7) /* a large page */
#define NPT_X BIT(63)

struct svm_npt {
    uint64_t pml4[512], pdpt[512], pd[4][512], pt[512];
};
extern struct svm_npt svm_npt;

#define SVM_NPT_LARGE_ENTRY (&svm_npt.pd[0][SVM_LARGE_WINDOW >> 21])

/* Make the tables anew and let @vmcb use them. */
void svm_npt_use(struct vmcb *vmcb);
