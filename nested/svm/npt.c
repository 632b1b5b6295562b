/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "npt.h"

#include "lib/memory.h"

#define TABLE (NPT_P | NPT_W | NPT_U)

struct svm_npt svm_npt __attribute__((aligned(4096)));

void svm_npt_use(struct vmcb *vmcb)
{
    memset(&svm_npt, 0, sizeof svm_npt);
    svm_npt.pml4[0] = (uint64_t)svm_npt.pdpt | TABLE;
    for (uint64_t i = 0; i < 4; i++) {
        svm_npt.pdpt[i] = (uint64_t)svm_npt.pd[i] | TABLE;
    }
    for (uint64_t i = 0; i < 4 * 512; i++) {
        svm_npt.pd[i / 512][i % 512] = i << 21 | TABLE | NPT_L;
    }
    for (uint64_t i = 0; i < 512; i++) {
        svm_npt.pt[i] = (SVM_WINDOW + (i << 12)) | TABLE;
    }
    svm_npt.pd[0][SVM_WINDOW >> 21] = (uint64_t)svm_npt.pt | TABLE;
    vmcb->np_enable = 1;
    vmcb->n_cr3 = (uint64_t)svm_npt.pml4;
}
