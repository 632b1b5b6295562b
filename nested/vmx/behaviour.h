/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * behaviour.h - rules about what a running guest does, a line or two each
 *
 * "With these changes this guest exits for this reason, at this instruction, with this
 * information; with those it does not, and ends by VMCALL."
 *
 *     VMX_GUEST(rdtsc, "", "rdtsc");
 *     VMX_BEHAVIOUR("EXIT.RDTSC", "SDM3C 25.1.3", "RDTSC exits with RDTSC exiting",
 *                   .guest = GUEST_AT(rdtsc), .reason = VMX_REASON_RDTSC,
 *                   .with = VMX_LIST(VMX_CPU(VMX_CPU_RDTSC))),
 */
#pragma once

#include "vmx/change.h"

struct vmx_guest_code {
    const uint8_t *start, *at, *end; /* @at..@end is the instruction in question */
};

/* A guest: @before, the instruction, VMCALL for ever. */
#define VMX_GUEST(name, before, instruction)                                           \
    extern const uint8_t name##_start[], name##_at[], name##_end[];                    \
    __asm__(".pushsection .text\n" #name "_start: " before "\n" #name                  \
            "_at: " instruction "\n" #name "_end: vmcall\n jmp " #name                 \
            "_end\n.popsection")
#define VMX_CODE(name)                                                                 \
    {                                                                                  \
        name##_start, name##_at, name##_end                                            \
    }

/* How far the guest must have come when it exits. */
enum vmx_progress {
    VMX_AT_INSTRUCTION, /* a fault: RIP names it, and the length field is its length */
    VMX_AT_NO_LENGTH,   /* RIP names it; the length is not defined for this reason */
    VMX_AFTER,          /* it was completed */
    VMX_ANYWHERE,
};

/* "Exception or NMI" for a neighbour, since 0 says something else there. */
#define VMX_FAULTS UINT32_MAX

struct vmx_behaviour {
    struct vmx_guest_code guest;
    const struct vmx_change *with, *without; /* NULL: none */
    uint32_t reason;                         /* the whole exit reason field */
    enum vmx_progress progress;
    const struct vmx_sight *sees; /* NULL: none */

    struct vmx_guest_code neighbour; /* no start: the same guest */
    uint32_t neighbour_reason; /* 0: VMCALL, after the instruction; or VMX_FAULTS */
    const struct vmx_sight *neighbour_sees;

    const char *(*lacks)(void); /* what controls alone do not tell; NULL: nothing */
    /* Of the good state, before @with or @without; and after the run, before it is looked
     * at.  NULL: nothing. */
    void (*prepare)(void), (*finish)(void);
};

#define VMX_BEHAVIOUR(name, place, claim, ...)                                         \
    VMX_BEHAVIOUR_READ(name, place, claim, false, __VA_ARGS__)
#define VMX_BEHAVIOUR_UNCONFIRMED(name, place, claim, ...)                             \
    VMX_BEHAVIOUR_READ(name, place, claim, true, __VA_ARGS__)
#define VMX_BEHAVIOUR_READ(name, place, claim, unconfirmed, ...)                       \
    {                                                                                  \
        .is_unconfirmed = unconfirmed, .id = "VMX." name, .cites = place,              \
        .says = claim, .lacks = vmx_lacks_behaviour, .check = vmx_check_behaviour,     \
        .data = &(const struct vmx_behaviour)                                          \
        {                                                                              \
            __VA_ARGS__                                                                \
        }                                                                              \
    }

const char *vmx_lacks_behaviour(const struct nested_rule *rule);
void vmx_check_behaviour(const struct nested_rule *rule);
