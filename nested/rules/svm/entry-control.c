/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry-control.c - fields of the control area that VMRUN must refuse */
#include "svm/entry-rule.h"

#define ILLEGAL_STATE "APM2 15.5.1"
#define INJECTION     "APM2 15.20"

#define EVENT(type, vector)           (SVM_EVENT_VALID | SVM_EVENT_TYPE(type) | (vector))
#define EVENT_WITH_CODE(type, vector) (EVENT(type, vector) | SVM_EVENT_ERROR_CODE)

/* The guest's IDT answers any vector with VMMCALL, so an accepted event ends as the
 * good state does. */
#define RESERVED_TYPE(type)                                                            \
    SVM_ENTRY_RULE("EVENTINJ.TYPE" #type, INJECTION, "EVENTINJ.TYPE is reserved",      \
                   SVM_MAKE(eventinj, EVENT(type, 3)),                                 \
                   SVM_MAKE(eventinj, EVENT(4, 3)))
#define NO_EXCEPTION(vector)                                                           \
    SVM_ENTRY_RULE("EVENTINJ.EXCEPTION" #vector, INJECTION,                            \
                   "TYPE is 3 and the vector is no exception's",                       \
                   SVM_MAKE(eventinj, EVENT(3, vector)),                               \
                   SVM_MAKE(eventinj, EVENT(4, vector)))

static const struct nested_rule entry_control[] = {
    SVM_ENTRY_RULE("INTERCEPT.VMRUN", ILLEGAL_STATE, "the VMRUN intercept bit is clear",
                   SVM_CLEAR(intercept2, SVM_INTERCEPT2_VMRUN), SVM_NO_CHANGE),
    SVM_ENTRY_RULE("ASID.ZERO", ILLEGAL_STATE, "ASID is equal to zero",
                   SVM_MAKE(guest_asid, 0), SVM_MAKE(guest_asid, 1)),
    SVM_ENTRY_RULE("IOPM.BEYOND_MEMORY", ILLEGAL_STATE,
                   "the I/O permission map ends beyond the physical address space",
                   SVM_BEFORE_LIMIT(iopm_base_pa, 0x2000),
                   SVM_BEFORE_LIMIT(iopm_base_pa, 0x3000)),
    SVM_ENTRY_RULE("MSRPM.BEYOND_MEMORY", ILLEGAL_STATE,
                   "the MSR permission map ends beyond the physical address space",
                   SVM_BEFORE_LIMIT(msrpm_base_pa, 0x1000),
                   SVM_BEFORE_LIMIT(msrpm_base_pa, 0x2000)),
    RESERVED_TYPE(1),
    RESERVED_TYPE(5),
    RESERVED_TYPE(6),
    RESERVED_TYPE(7),
    NO_EXCEPTION(2),
    NO_EXCEPTION(15),
    NO_EXCEPTION(22),
    NO_EXCEPTION(27),
    NO_EXCEPTION(31),
    NO_EXCEPTION(32),
    NO_EXCEPTION(255),
    SVM_ENTRY_RULE("EVENTINJ.BR_IN_64_BITS", INJECTION,
                   "the event is impossible for the guest's mode",
                   SVM_MAKE(eventinj, EVENT(3, 5)), SVM_MAKE(eventinj, EVENT(3, 6))),
};
NESTED_RULES(entry_control);
