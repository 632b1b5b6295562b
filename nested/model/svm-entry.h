/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * svm-entry.h - what VMRUN must do with a VMCB, as the manual alone has it
 *
 * Written from AMD64 APM vol. 2 (24593), 15.5.1 (consistency checks), 15.20 (event
 * injection) and 15.25.3 (nested paging), and never from an emulator's source: it is
 * the third voice in the fuzzer's vote.  Plain C without a library, so that the same
 * file runs inside the flats and on the host.
 *
 * Where the manual leaves a choice the answer is SVM_ENTRY_OPEN, and no engine can be
 * wrong about it.
 */
#pragma once

#include "svm/vmcb.h"

enum svm_entry_answer {
    SVM_ENTRY_ACCEPTED,
    SVM_ENTRY_REFUSED, /* VMEXIT_INVALID */
    SVM_ENTRY_OPEN,
};

/* What the manual makes depend on the processor. */
struct svm_processor {
    unsigned physical_bits;
    uint64_t n_asids;
};

/* @out_why names the first check, in the manual's order, that decided; may be NULL. */
enum svm_entry_answer svm_model_entry(const struct vmcb *vmcb,
                                      const struct svm_processor *processor,
                                      const char **out_why);
