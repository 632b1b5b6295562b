/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry-registers.c - control and debug registers that VMRUN must refuse */
#include "svm/entry-rule.h"

#define ILLEGAL_STATE "APM2 15.5.1"

#define CR0_HIGH(bit)                                                                  \
    SVM_ENTRY_RULE("CR0.BIT" #bit, ILLEGAL_STATE, "CR0[63:32] are not zero",           \
                   SVM_SET(cr0, BIT(bit)), SVM_NO_CHANGE)
#define CR3_MBZ(bit)                                                                   \
    SVM_ENTRY_RULE("CR3.BIT" #bit, ILLEGAL_STATE, "an MBZ bit of CR3 is set",          \
                   SVM_SET(cr3, BIT(bit)), SVM_NO_CHANGE)
#define CR4_MBZ(bit)                                                                   \
    SVM_ENTRY_RULE("CR4.BIT" #bit, ILLEGAL_STATE, "an MBZ bit of CR4 is set",          \
                   SVM_SET(cr4, BIT(bit)), SVM_NO_CHANGE)
#define DR6_HIGH(bit)                                                                  \
    SVM_ENTRY_RULE("DR6.BIT" #bit, ILLEGAL_STATE, "DR6[63:32] are not zero",           \
                   SVM_SET(dr6, BIT(bit)), SVM_NO_CHANGE)
#define DR7_HIGH(bit)                                                                  \
    SVM_ENTRY_RULE("DR7.BIT" #bit, ILLEGAL_STATE, "DR7[63:32] are not zero",           \
                   SVM_SET(dr7, BIT(bit)), SVM_NO_CHANGE)
#define EFER_MBZ(bit)                                                                  \
    SVM_ENTRY_RULE("EFER.BIT" #bit, ILLEGAL_STATE, "an MBZ bit of EFER is set",        \
                   SVM_SET(efer, BIT(bit)), SVM_NO_CHANGE)

static const struct nested_rule entry_registers[] = {
    SVM_ENTRY_RULE("CR0.NW_WITHOUT_CD", ILLEGAL_STATE,
                   "CR0.CD is zero and CR0.NW is set", SVM_CHANGE(cr0, CR0_CD, CR0_NW),
                   SVM_SET(cr0, CR0_CD | CR0_NW)),
    CR0_HIGH(32),
    CR0_HIGH(33),
    CR0_HIGH(47),
    CR0_HIGH(48),
    CR0_HIGH(62),
    CR0_HIGH(63),
    CR3_MBZ(51), /* beyond the physical address space of every engine here */
    CR3_MBZ(52),
    CR3_MBZ(57),
    CR3_MBZ(62),
    CR3_MBZ(63),
    CR4_MBZ(15),
    CR4_MBZ(19),
    CR4_MBZ(31),
    CR4_MBZ(32),
    CR4_MBZ(48),
    CR4_MBZ(63),
    DR6_HIGH(32),
    DR6_HIGH(47),
    DR6_HIGH(63),
    DR7_HIGH(32),
    DR7_HIGH(47),
    DR7_HIGH(63),
    EFER_MBZ(1),
    EFER_MBZ(7),
    EFER_MBZ(9),
    EFER_MBZ(16),
    EFER_MBZ(32),
    EFER_MBZ(63),
    SVM_ENTRY_RULE("EFER.SVME", ILLEGAL_STATE, "EFER.SVME is zero",
                   SVM_CLEAR(efer, EFER_SVME), SVM_NO_CHANGE),
    SVM_ENTRY_RULE("EFER.LME_PG_WITHOUT_PAE", ILLEGAL_STATE,
                   "EFER.LME and CR0.PG are both set and CR4.PAE is zero",
                   SVM_CLEAR(cr4, CR4_PAE), SVM_NO_CHANGE),
    SVM_ENTRY_RULE("EFER.LME_PG_WITHOUT_PE", ILLEGAL_STATE,
                   "EFER.LME and CR0.PG are both set and CR0.PE is zero",
                   SVM_CLEAR(cr0, CR0_PE), SVM_NO_CHANGE),
    SVM_ENTRY_RULE("CS.L_AND_D", ILLEGAL_STATE,
                   "EFER.LME, CR0.PG, CR4.PAE, CS.L and CS.D are all set",
                   SVM_SET(cs.attributes, SVM_ATTRIBUTE_D), SVM_NO_CHANGE),
};
NESTED_RULES(entry_registers);
