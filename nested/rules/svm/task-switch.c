/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* task-switch.c - the task switch intercept, in a guest of 32 bits */
#include "lib/memory.h"
#include "svm/case.h"

#define PLACE "APM2 15.14.1"

#define TSS_SELECTOR       0x18
#define TSS_32             UINT64_C(0x0000890000000067) /* available, limit 67h */
#define VMEXIT_TASK_SWITCH 0x7d
#define TASK_SWITCHES      BIT(29)

/* EXITINFO2. */
#define BY_IRET  BIT(36)
#define BY_JUMP  BIT(38)
#define HAS_CODE BIT(44)

SVM_GUEST(guest_jump, "1: .byte 0xea, 0, 0, 0, 0, 0x18, 0" /* JMP 18h:0 */);
SVM_GUEST(guest_call, "1: .byte 0x9a, 0, 0, 0, 0, 0x18, 0" /* CALL 18h:0 */);

extern uint64_t nested_pd[];

/* Legacy PAE paging, 32-bit code, and a TSS to switch to - present or not. */
static void prepare(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour)
{
    static uint64_t pdpt[4] __attribute__((aligned(32)));
    static uint64_t gdt[4];
    static uint8_t tss[0x68] __attribute__((aligned(128)));
    uint64_t base = (uint64_t)tss;

    for (unsigned i = 0; i < 4; i++) {
        pdpt[i] = ((uint64_t)nested_pd + 0x1000 * i) | BIT(0);
    }
    memcpy(gdt, (void *)vmcb->gdtr.base, 3 * sizeof *gdt);
    gdt[3] = TSS_32 | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    gdt[3] &= is_neighbour ? ~BIT(47) : UINT64_MAX; /* P */
    vmcb->gdtr.base = (uint64_t)gdt;
    vmcb->gdtr.limit = sizeof gdt - 1;
    vmcb->cr3 = (uint64_t)pdpt;
    vmcb->cr4 = CR4_PAE;
    vmcb->efer = EFER_SVME | EFER_NXE;
    vmcb->cs.attributes =
        (uint16_t)((vmcb->cs.attributes & ~SVM_ATTRIBUTE_L) | SVM_ATTRIBUTE_D);
}

#define SWITCH(name, guest, bits)                                                      \
    SVM_CASE(                                                                          \
        "TASK_SWITCH." name, PLACE,                                                    \
        "checked after the incoming TSS, before the switch takes place", guest,        \
        .prepare = prepare,                                                            \
        .always = { SVM_ALL_EXCEPTIONS, SVM_SET(intercept1, TASK_SWITCHES) },          \
        .wants = { SVM_EXITS(VMEXIT_TASK_SWITCH), SVM_AT(guest),                       \
                   SVM_WANT_BITS(exitinfo1, 0xffff, TSS_SELECTOR),                     \
                   SVM_WANT_BITS(exitinfo2, BY_IRET | BY_JUMP | HAS_CODE, bits) },     \
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(11)),                        \
                             SVM_WANT(exitinfo1, TSS_SELECTOR) })

static const struct nested_rule task_switch[] = {
    SWITCH("JMP", guest_jump, BY_JUMP),
    SWITCH("CALL", guest_call, 0),
};
NESTED_RULES(task_switch);
