/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* injection.c - EVENTINJ: each type delivered, not intercepted, and failing on the way */
#include "svm/case.h"

#define PLACE "APM2 15.20"

#define NOWHERE UINT64_C(0x7f0000000000) /* canonical and not mapped */

SVM_GUEST(guest_ud2, "1: ud2");

static uint64_t stack[64] __attribute__((aligned(16)));
#define STACK_TOP      ((uint64_t)(stack + 64))
#define PUSHED(n)      (stack + 64 - (n)) /* 1 SS, 2 RSP, 3 RFLAGS, 4 CS, 5 RIP, 6 code */
#define OWN_STACK      SVM_MAKE(rsp, STACK_TOP)
#define IDT_ENDS(last) SVM_MAKE(idtr.limit, ((last) + 1) * 16 - 1)

#define EVENT(type, vector)    (SVM_EVENT_VALID | SVM_EVENT_TYPE(type) | (vector))
#define WITH_CODE(event, code) ((event) | SVM_EVENT_ERROR_CODE | (uint64_t)(code) << 32)
#define INJECT(event)          SVM_MAKE(eventinj, event)

enum { INTR = 0, NMI = 2, EXCEPTION = 3, SOFTWARE = 4 };

/* Delivered before the first instruction, which would be a #UD. */
#define DELIVERED(name, event, vector, pushes)                                         \
    SVM_CASE("INJECT." name, PLACE,                                                    \
             "the event is taken before the first guest instruction", guest_ud2,       \
             .always = { OWN_STACK }, .breaks = { INJECT(event) },                     \
             .wants = { SVM_VECTOR(vector), SVM_WANT(rsp, STACK_TOP - 8 * (pushes)),   \
                        SVM_WANT_MEMORY("pushed RIP", UINT64_MAX,                      \
                                        (uint64_t)guest_ud2_at, PUSHED(5)) },          \
             .neighbour_wants = { SVM_VECTOR(6) })
/* No intercept sees an injected event; the guest's own #UD is seen. */
#define UNSEEN(name, event, vector, ...)                                               \
    SVM_CASE(                                                                          \
        "INJECT.NOT_INTERCEPTED." name, PLACE,                                         \
        "injected events are not subject to intercept checks", guest_ud2,              \
        .always = { SVM_ALL_EXCEPTIONS, __VA_ARGS__ }, .breaks = { INJECT(event) },    \
        .wants = { SVM_VECTOR(vector) },                                               \
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(6)), SVM_AT(guest_ud2) })
/* The IDT ends before the vector: #GP on the way, and EXITINTINFO has what it was. */
#define FAILS(name, event, recorded, last)                                             \
    SVM_CASE("INJECT.EXITINTINFO." name, PLACE,                                        \
             "an injected event is recorded in EXITINTINFO, its fault is intercepted", \
             guest_ud2, .always = { INJECT(event) },                                   \
             .breaks = { IDT_ENDS(last), SVM_MAKE(intercept_exceptions, BIT(13)) },    \
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)),                             \
                        SVM_WANT(exitintinfo, recorded), SVM_AT(guest_ud2) },          \
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),                         \
                                  SVM_WANT_BITS(exitintinfo, SVM_EVENT_VALID, 0) })

static const struct nested_rule injection[] = {
    DELIVERED("INTR", EVENT(INTR, 0x40), 0x40, 5),
    DELIVERED("NMI", EVENT(NMI, 2), 2, 5),
    DELIVERED("NMI_VECTOR_IGNORED", EVENT(NMI, 0x40), 2, 5),
    DELIVERED("DE", EVENT(EXCEPTION, 0), 0, 5),
    DELIVERED("GP", WITH_CODE(EVENT(EXCEPTION, 13), 0x1230), 13, 6),
    DELIVERED("PF", WITH_CODE(EVENT(EXCEPTION, 14), 6), 14, 6),
    DELIVERED("DF", WITH_CODE(EVENT(EXCEPTION, 8), 0), 8, 6),
    SVM_CASE(
        "INJECT.ERROR_CODE", PLACE, "the error code is pushed", guest_ud2,
        .always = { OWN_STACK },
        .breaks = { INJECT(WITH_CODE(EVENT(EXCEPTION, 13), 0x1230)) },
        .wants = { SVM_VECTOR(13),
                   SVM_WANT_MEMORY("pushed code", UINT32_MAX, 0x1230, PUSHED(6)) },
        .neighbour = { INJECT(WITH_CODE(EVENT(EXCEPTION, 13), 0x18)) },
        .neighbour_wants = { SVM_VECTOR(13), SVM_WANT_MEMORY("pushed code", UINT32_MAX,
                                                             0x18, PUSHED(6)) }),
    SVM_CASE("INJECT.ERROR_CODE.IGNORED", PLACE, "without EV no error code is pushed",
             guest_ud2, .always = { OWN_STACK },
             .breaks = { INJECT(EVENT(EXCEPTION, 6) | UINT64_C(0x1230) << 32) },
             .wants = { SVM_VECTOR(6), SVM_WANT(rsp, STACK_TOP - 40) },
             .neighbour = { INJECT(WITH_CODE(EVENT(EXCEPTION, 13), 0)) },
             .neighbour_wants = { SVM_VECTOR(13), SVM_WANT(rsp, STACK_TOP - 48) }),
    /* That VMRUN loads CR2 is said, and nothing of what injection does to it. */
    SVM_UNCONFIRMED("INJECT.PF.CR2", "APM2 15.5.1",
                    "an injected #PF leaves the CR2 that VMRUN loaded", guest_ud2,
                    .always = { SVM_MAKE(cr2, 0x1234) },
                    .breaks = { INJECT(WITH_CODE(EVENT(EXCEPTION, 14), 6)) },
                    .wants = { SVM_VECTOR(14), SVM_WANT(cr2, 0x1234) },
                    .neighbour_wants = { SVM_VECTOR(6) }),
    SVM_CASE("INJECT.IN_A_SHADOW", PLACE,
             "an interrupt shadow and a clear IF do not hold the event back", guest_ud2,
             .always = { SVM_MAKE(interrupt_shadow, 1) },
             .breaks = { INJECT(EVENT(INTR, 0x40)) }, .wants = { SVM_VECTOR(0x40) },
             .neighbour_wants = { SVM_VECTOR(6) }),
    SVM_CASE("INJECT.NOT_VALID", PLACE, "without V nothing is injected", guest_ud2,
             .breaks = { INJECT(EVENT(INTR, 0x40) & ~SVM_EVENT_VALID) },
             .wants = { SVM_VECTOR(6) }, .neighbour = { INJECT(EVENT(INTR, 0x40)) },
             .neighbour_wants = { SVM_VECTOR(0x40) }),
    /* "Reserved, SBZ": 15.20 lists what is refused, and they are not among it. */
    SVM_UNCONFIRMED("INJECT.RESERVED_BITS", PLACE, "bits 30:12 are not looked at",
                    guest_ud2, .breaks = { INJECT(EVENT(INTR, 0x40) | 0x7ffff000) },
                    .wants = { SVM_VECTOR(0x40) },
                    .neighbour_wants = { SVM_VECTOR(6) }),
    SVM_CASE("INJECT.BP.DPL", PLACE, "vector 3 checks the gate's DPL as INT3 does",
             guest_ud2, .always = { SVM_CPL3, SVM_ALL_EXCEPTIONS },
             .breaks = { INJECT(EVENT(EXCEPTION, 3)) },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)),
                        SVM_WANT(exitintinfo, EVENT(EXCEPTION, 3)) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(6)) }),
    SVM_CASE("INJECT.OTHERS.NO_DPL", PLACE,
             "another exception does not check the gate's DPL", guest_ud2,
             .always = { SVM_CPL3, SVM_ALL_EXCEPTIONS },
             .breaks = { INJECT(EVENT(EXCEPTION, 0)) },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(14)), /* on to ring 0's stack */
                        SVM_WANT(exitintinfo, EVENT(EXCEPTION, 0)) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(6)) }),

    UNSEEN("EXCEPTION", WITH_CODE(EVENT(EXCEPTION, 13), 0), 13, SVM_NO_CHANGE),
    UNSEEN("INTR", EVENT(INTR, 0x40), 0x40,
           SVM_SET(intercept1, SVM_INTERCEPT1_INTR | SVM_INTERCEPT1_VINTR)),
    UNSEEN("NMI", EVENT(NMI, 2), 2, SVM_SET(intercept1, SVM_INTERCEPT1_NMI)),
    UNSEEN("SOFTWARE", EVENT(SOFTWARE, 0x40), 0x40,
           SVM_SET(intercept1, SVM_INTERCEPT1_SWINT)),

    FAILS("INTR", EVENT(INTR, 0x40), EVENT(INTR, 0x40), 0x3f),
    FAILS("NMI", EVENT(NMI, 2), EVENT(NMI, 2), 1),
    FAILS("EXCEPTION", EVENT(EXCEPTION, 16), EVENT(EXCEPTION, 16), 15),
    FAILS("EXCEPTION_CODE", WITH_CODE(EVENT(EXCEPTION, 17), 0),
          WITH_CODE(EVENT(EXCEPTION, 17), 0), 16),
    FAILS("SOFTWARE", EVENT(SOFTWARE, 0x40), EVENT(SOFTWARE, 0x40), 0x3f),
    SVM_CASE("INJECT.EXITINTINFO.STACK", PLACE,
             "a #PF on the way is intercepted, and EXITINTINFO has the event",
             guest_ud2, .always = { SVM_ALL_EXCEPTIONS, SVM_MAKE(rsp, NOWHERE) },
             .breaks = { INJECT(EVENT(INTR, 0x40)) },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(14)),
                        SVM_WANT(exitintinfo, EVENT(INTR, 0x40)),
                        SVM_WANT(exitinfo2, NOWHERE - 8) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(6)),
                                  SVM_WANT_BITS(exitintinfo, SVM_EVENT_VALID, 0) }),
    SVM_CASE("INJECT.WITH_ILLEGAL_STATE", "APM2 15.5.1",
             "an illegal state exits before its event is delivered", guest_ud2,
             .always = { INJECT(EVENT(INTR, 0x40)) },
             .breaks = { SVM_SET(cr0, BIT(32)) },
             .wants = { SVM_WANT_BITS(exitcode, UINT32_MAX, UINT32_MAX),
                        SVM_WANT_BITS(exitintinfo, SVM_EVENT_VALID, 0) },
             .neighbour_wants = { SVM_VECTOR(0x40) }),
};
NESTED_RULES(injection);
