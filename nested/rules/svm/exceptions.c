/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exceptions.c - what an intercepted exception tells: code, EXITINFO, EXITINTINFO, RIP */
#include "svm/case.h"

#define PLACE    "APM2 15.12"
#define DELIVERY "APM2 15.7.2"

#define NOWHERE UINT64_C(0x7f0000000000) /* canonical and not mapped */

SVM_GUEST(guest_ud2, "1: ud2");
SVM_GUEST(guest_nop, "1: nop");
SVM_GUEST(guest_load_ds, "1: movw %ax, %ds");
SVM_GUEST(guest_load_ss, "1: movw %ax, %ss");
SVM_GUEST(guest_read, "1: movq (%rcx), %rbx");
SVM_GUEST(guest_write, "1: movq %rax, (%rcx)");
SVM_GUEST(guest_jump, "1: jmp *%rcx");
SVM_GUEST(guest_int_40, "1: int $0x40");
SVM_GUEST(guest_int3, "1: int3");
SVM_GUEST(guest_into, "1: .byte 0xce");
SVM_GUEST(guest_bound, "1: .byte 0x62, 0x01" /* BOUND EAX, [ECX] */);
SVM_GUEST(guest_divide, "1: divl %ecx");
SVM_GUEST(guest_x87, "fninit\nmovl $0x037b, (%rcx)\nfldcw (%rcx)\nfld1\nfldz\n"
                     "fdivrp\n1: fwait");
SVM_GUEST(guest_sse, "movl $0x1d00, (%rcx)\nldmxcsr (%rcx)\nmovl $0x3f800000, %eax\n"
                     "movd %eax, %xmm0\npxor %xmm1, %xmm1\n1: divss %xmm1, %xmm0");

static uint32_t bounds[2] __attribute__((aligned(8))) = { 1, 2 };
static uint64_t buffer[2];

#define EXCEPTION(vector) SVM_EXITS(SVM_EXIT_EXCEPTION(vector))
#define INTERCEPT(vector) SVM_MAKE(intercept_exceptions, BIT(vector))

/* Code of 32 bits under EFER.LMA. */
#define COMPATIBILITY                                                                  \
    SVM_CLEAR(cs.attributes, SVM_ATTRIBUTE_L), SVM_SET(cs.attributes, SVM_ATTRIBUTE_D)

/* An IDT whose last vector is @last: any above faults on delivery. */
#define IDT_ENDS_AT(last) SVM_MAKE(idtr.limit, ((last) + 1) * 16 - 1)

#define EVENT(type, vector)    (SVM_EVENT_VALID | SVM_EVENT_TYPE(type) | (vector))
#define WITH_CODE(event, code) ((event) | SVM_EVENT_ERROR_CODE | (uint64_t)(code) << 32)

#define ERROR_CODE(name, vector, claim, guest, code, ...)                              \
    SVM_CASE("EXCEPTION.INFO." name, PLACE, claim, guest,                              \
             .breaks = { INTERCEPT(vector) },                                          \
             .wants = { EXCEPTION(vector), SVM_WANT(exitinfo1, code), SVM_AT(guest),   \
                        SVM_WANT_BITS(exitintinfo, SVM_EVENT_VALID, 0) },              \
             .neighbour_wants = { SVM_VECTOR(vector) }, __VA_ARGS__)
#define PAGE_FAULT(name, guest, code, ...)                                             \
    SVM_CASE("EXCEPTION.PF." name, "APM2 15.12.15",                                    \
             "EXITINFO1 is the error code, EXITINFO2 the address", guest,              \
             .rcx = NOWHERE,                                                           \
             .wants = { EXCEPTION(14), SVM_WANT(exitinfo1, code),                      \
                        SVM_WANT(exitinfo2, NOWHERE) },                                \
             __VA_ARGS__)

/* An event that cannot be delivered, for this reason. */
#define VECTORING(name, guest, event, fault, ...)                                      \
    SVM_CASE(                                                                          \
        "EXITINTINFO." name, DELIVERY,                                                 \
        "EXITINTINFO is the event that was being delivered", guest,                    \
        .wants = { EXCEPTION(fault), SVM_WANT(exitintinfo, event), SVM_AT(guest) },    \
        __VA_ARGS__)

static void break_at_code(const struct svm_case *one, struct vmcb *vmcb,
                          bool is_neighbour)
{
    __asm__ volatile("movq %0, %%dr0" : : "r"(one->code));
    vmcb->dr7 |= BIT(0);
}

static const struct nested_rule exceptions[] = {
    ERROR_CODE("NP", 11, "EXITINFO1 is #NP's error code", guest_load_ds, 0x18,
               .rax = 0x18, .prepare = svm_lack_segment),
    ERROR_CODE("SS", 12, "EXITINFO1 is #SS's error code", guest_load_ss, 0x18,
               .rax = 0x18, .prepare = svm_lack_segment),
    ERROR_CODE("GP_SELECTOR", 13, "EXITINFO1 is #GP's error code", guest_load_ds,
               0x1230, .rax = 0x1230),
    ERROR_CODE("GP_ZERO", 13, "EXITINFO1 is #GP's error code, 0", guest_read, 0,
               .rcx = BIT(63)),
    SVM_CASE("EXCEPTION.INFO.AC", "APM2 15.12.17", "EXITINFO1 is #AC's error code",
             guest_read, .rcx = (uint64_t)buffer + 1,
             .always = { SVM_CPL3, SVM_ALL_EXCEPTIONS, SVM_SET(cr0, BIT(18)) },
             .breaks = { SVM_SET(rflags, BIT(18)) },
             .wants = { EXCEPTION(17), SVM_WANT(exitinfo1, 0), SVM_AT(guest_read) }),

    PAGE_FAULT("READ", guest_read, 0, .always = { SVM_ALL_EXCEPTIONS },
               .neighbour = { SVM_MAKE(intercept_exceptions, 0) },
               .neighbour_wants = { SVM_VECTOR(14) }),
    PAGE_FAULT("WRITE", guest_write, 2, .breaks = { SVM_ALL_EXCEPTIONS },
               .neighbour_wants = { SVM_VECTOR(14) }),
    PAGE_FAULT("FETCH", guest_jump, 0x10, .breaks = { SVM_ALL_EXCEPTIONS },
               .neighbour_wants = { SVM_VECTOR(14) }),
    PAGE_FAULT("USER_READ", guest_read, 4, .always = { SVM_ALL_EXCEPTIONS },
               .breaks = { SVM_CPL3 },
               .neighbour_wants = { EXCEPTION(14), SVM_WANT(exitinfo1, 0) }),
    SVM_CASE("EXCEPTION.PF.CR2_KEPT", "APM2 15.12.15",
             "the intercept is tested before CR2 is written", guest_read,
             .rcx = NOWHERE, .always = { SVM_MAKE(cr2, 0x1234) },
             .breaks = { SVM_ALL_EXCEPTIONS },
             .wants = { EXCEPTION(14), SVM_WANT(cr2, 0x1234) },
             .neighbour_wants = { SVM_VECTOR(14), SVM_WANT(cr2, NOWHERE) }),

    SVM_CASE("EXCEPTION.DB.SINGLE_STEP", "APM2 15.12.2",
             "TF traps after the first guest instruction, and DR6.BS is written",
             guest_nop, .always = { SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_SET(rflags, BIT(8)) },
             .wants = { EXCEPTION(1), SVM_WANT(rip, (uint64_t)(guest_nop_at + 1)),
                        SVM_WANT_BITS(dr6, BIT(14), BIT(14)) }),
    SVM_CASE("EXCEPTION.DB.BREAKPOINT", "APM2 15.12.2",
             "an instruction breakpoint is a fault: RIP is at it, DR6.B0 is written",
             guest_nop, .prepare = break_at_code, .always = { SVM_ALL_EXCEPTIONS },
             .wants = { EXCEPTION(1), SVM_AT(guest_nop), SVM_WANT_BITS(dr6, 0xf, 1) },
             .neighbour = { SVM_SET(rflags, BIT(16)) }),
    SVM_CASE("EXCEPTION.DB.RF", "APM2 15.5.1",
             "RF from the VMCB suppresses a breakpoint on the first instruction",
             guest_nop, .prepare = break_at_code, .always = { SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_SET(rflags, BIT(16)) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL) },
             .neighbour_wants = { EXCEPTION(1), SVM_AT(guest_nop) }),
    SVM_CASE("EXCEPTION.OF", "APM2 15.12, 15.12.5",
             "INTO is intercepted, and RIP is the instruction's own", guest_into,
             .always = { COMPATIBILITY, SVM_SET(rflags, BIT(11)) },
             .breaks = { INTERCEPT(4) }, .wants = { EXCEPTION(4), SVM_AT(guest_into) },
             .neighbour_wants = { SVM_VECTOR(4) }),
    SVM_CASE("EXCEPTION.BR", "APM2 15.12.6", "BOUND's fault is intercepted",
             guest_bound, .rcx = (uint64_t)bounds, .always = { COMPATIBILITY },
             .breaks = { INTERCEPT(5) }, .wants = { EXCEPTION(5), SVM_AT(guest_bound) },
             .neighbour_wants = { SVM_VECTOR(5) }),
    SVM_CASE("EXCEPTION.MF", "APM2 15.12.16", "#MF is intercepted", guest_x87,
             .rcx = (uint64_t)buffer, .breaks = { INTERCEPT(16) },
             .wants = { EXCEPTION(16), SVM_AT(guest_x87) },
             .neighbour_wants = { SVM_VECTOR(16) }),
    SVM_CASE("EXCEPTION.XF", "APM2 15.12.19", "#XF is intercepted", guest_sse,
             .rcx = (uint64_t)buffer, .breaks = { INTERCEPT(19) },
             .wants = { EXCEPTION(19), SVM_AT(guest_sse) },
             .neighbour_wants = { SVM_VECTOR(19) }),
    SVM_CASE("EXCEPTION.DF", "APM2 15.12.9",
             "a fault on delivering #GP is a #DF, and that is intercepted", guest_read,
             .rcx = BIT(63), .always = { IDT_ENDS_AT(7) }, .breaks = { INTERCEPT(8) },
             .wants = { EXCEPTION(8) }, .neighbour = { INTERCEPT(13) },
             .neighbour_wants = { EXCEPTION(13) }),
    SVM_CASE("EXCEPTION.BEFORE_COMBINING", "APM2 15.12",
             "the second fault is checked before it is made a #DF", guest_read,
             .rcx = BIT(63), .always = { IDT_ENDS_AT(7), SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_CLEAR(intercept_exceptions, BIT(11)),
                         SVM_MAKE(eventinj, WITH_CODE(EVENT(3, 11), 0x18)) },
             .wants = { EXCEPTION(13),
                        SVM_WANT(exitintinfo, WITH_CODE(EVENT(3, 11), 0x18)) },
             .neighbour = { SVM_MAKE(eventinj, WITH_CODE(EVENT(3, 11), 0x18)),
                            SVM_MAKE(idtr.limit, 0xfff) },
             .neighbour_wants = { SVM_VECTOR(11) }),
    SVM_CASE("EXCEPTION.SHUTDOWN", "APM2 15.14.3",
             "a fault that cannot be delivered at all is a shutdown, and intercepted",
             guest_ud2, .breaks = { IDT_ENDS_AT(1) },
             .wants = { SVM_EXITS(SVM_EXIT_SHUTDOWN) },
             .neighbour_wants = { SVM_VECTOR(6) }),
    SVM_CASE("EXCEPTION.SHUTDOWN.AFTER_DF", "APM2 15.7.3",
             "a fault on delivering #DF is a shutdown", guest_ud2,
             .always = { IDT_ENDS_AT(1) },
             .breaks = { SVM_MAKE(eventinj, WITH_CODE(EVENT(3, 8), 0)) },
             .wants = { SVM_EXITS(SVM_EXIT_SHUTDOWN) }, .neighbour = { INTERCEPT(6) },
             .neighbour_wants = { EXCEPTION(6) }),

    VECTORING("INT", guest_int_40, EVENT(4, 0x40), 13, .always = { SVM_ALL_EXCEPTIONS },
              .breaks = { IDT_ENDS_AT(0x3f) },
              .neighbour = { SVM_CLEAR(intercept_exceptions, BIT(13)) },
              .neighbour_wants = { SVM_VECTOR(0x40),
                                   SVM_WANT_BITS(exitintinfo, SVM_EVENT_VALID, 0) }),
    VECTORING("UD", guest_ud2, EVENT(3, 6), 13, .always = { INTERCEPT(13) },
              .breaks = { IDT_ENDS_AT(5) },
              .neighbour_wants = { SVM_VECTOR(6),
                                   SVM_WANT_BITS(exitintinfo, SVM_EVENT_VALID, 0) }),
    VECTORING("BP", guest_int3, EVENT(3, 3), 13, .always = { INTERCEPT(13) },
              .breaks = { IDT_ENDS_AT(2) }, .neighbour_wants = { SVM_VECTOR(3) }),
    VECTORING("DE", guest_divide, EVENT(3, 0), 14, .always = { INTERCEPT(14) },
              .rcx = 0, .breaks = { SVM_MAKE(rsp, NOWHERE) },
              .neighbour_wants = { SVM_VECTOR(0) }),
    VECTORING("GP_WITH_CODE", guest_load_ds, WITH_CODE(EVENT(3, 13), 0x1230), 14,
              .rax = 0x1230, .always = { INTERCEPT(14) },
              .breaks = { SVM_MAKE(rsp, NOWHERE) },
              .neighbour_wants = { SVM_VECTOR(13) }),
    SVM_CASE("EXITINTINFO.INFO_IS_OF_THE_LAST", DELIVERY,
             "EXITINFO1 and 2 are of the intercepted fault, not of what went before",
             guest_ud2, .always = { INTERCEPT(14) },
             .breaks = { SVM_MAKE(rsp, NOWHERE) },
             .wants = { EXCEPTION(14), SVM_WANT(exitinfo1, 2),
                        SVM_WANT(exitinfo2, NOWHERE - 8) },
             .neighbour_wants = { SVM_VECTOR(6) }),
    SVM_UNCONFIRMED("EXITINTINFO.ERROR_CODE_OF_A_GATE", "APM2 8.4.1",
                    "the error code for an IDT entry is its index, times 8, plus 2",
                    guest_int_40, .always = { INTERCEPT(13) },
                    .breaks = { IDT_ENDS_AT(0x3f) },
                    .wants = { EXCEPTION(13), SVM_WANT(exitinfo1, 0x202) },
                    .neighbour_wants = { SVM_VECTOR(0x40) }),
};
NESTED_RULES(exceptions);
