/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * change.h - what a rule changes of the good state, and what it must see after it
 *
 * Lists of lines, each about a field of the VMCS, a word of memory or a register of the
 * guest's.  Controls that are turned on must exist: vmx_lacks_control() says so before
 * the rule runs, from the capability MSRs.
 */
#pragma once

#include "lib/cpu.h"
#include "lib/rule.h"
#include "vmx/pages.h"
#include "vmx/vmx.h"

/* What is no field of the VMCS. */
enum {
    VMX_LAST = -1,
    VMX_WORD = -2,  /* 64 bits at .at */
    VMX_BYTE = -3,  /* 8 bits at .at */
    VMX_AREA = -4,  /* nothing is changed, but the CPU may: the pages are made anew */
    VMX_LENGTH = -5 /* sights only: see struct vmx_behaviour */
};

/* (what ~clear) | set; the list ends with VMX_LAST. */
struct vmx_change {
    int32_t field;
    uint8_t is_limit; /* the end of physical memory - set, instead */
    uint64_t clear, set;
    void *at;
};

#define VMX_CHANGE(field, clear, set)                                                  \
    {                                                                                  \
        (int32_t) field, 0, clear, set, 0                                              \
    }
#define VMX_SET(field, bits)   VMX_CHANGE(field, 0, bits)
#define VMX_CLEAR(field, bits) VMX_CHANGE(field, bits, 0)
#define VMX_MAKE(field, value) VMX_CHANGE(field, UINT64_MAX, value)
#define VMX_LIMIT(field, less)                                                         \
    {                                                                                  \
        (int32_t) field, 1, 0, less, 0                                                 \
    }
#define VMX_POKE(where, value)                                                         \
    {                                                                                  \
        VMX_WORD, 0, UINT64_MAX, value, (void *)(where)                                \
    }
/* In the word at @where. */
#define VMX_CLEAR_AT(where, bits)                                                      \
    {                                                                                  \
        VMX_WORD, 0, bits, 0, (void *)(where)                                          \
    }
#define VMX_SET_AT(where, bits)                                                        \
    {                                                                                  \
        VMX_WORD, 0, 0, bits, (void *)(where)                                          \
    }
#define VMX_POKE8(where, value)                                                        \
    {                                                                                  \
        VMX_BYTE, 0, UINT64_MAX, value, (void *)(where)                                \
    }
#define VMX_END                                                                        \
    {                                                                                  \
        VMX_LAST, 0, 0, 0, 0                                                           \
    }

/* In parentheses, so that a list stays one argument through layers of macros. */
#define VMX_LIST(...)                                                                  \
    ((const struct vmx_change[]){ __VA_ARGS__ __VA_OPT__(, ) VMX_END })

/* Controls, for lists. */
#define VMX_PIN(bits) VMX_SET(VMCS_PIN_CONTROLS, bits)
#define VMX_CPU(bits) VMX_SET(VMCS_PROCESSOR_CONTROLS, bits)
#define VMX_CPU2(bits)                                                                 \
    VMX_SET(VMCS_PROCESSOR_CONTROLS, VMX_CPU_SECONDARY),                               \
        VMX_SET(VMCS_SECONDARY_CONTROLS, bits)
#define VMX_EXITS(bits)  VMX_SET(VMCS_EXIT_CONTROLS, bits)
#define VMX_ENTERS(bits) VMX_SET(VMCS_ENTRY_CONTROLS, bits)

/* A guest of 32 bits with PAE paging, at ring 0. */
#define VMX_GUEST_32                                                                   \
    VMX_CLEAR(VMCS_ENTRY_CONTROLS, VMX_ENTRY_GUEST_64),                                \
        VMX_MAKE(VMCS_GUEST_CR3, (uint64_t)vmx_pages.pae_pdpt),                        \
        VMX_MAKE(VMCS_GUEST_CS_RIGHTS, 0xc09b)

/* What must be seen: (what & mask) == value; the list ends with VMX_LAST. */
struct vmx_sight {
    int32_t field;
    uint64_t mask, value;
    const void *at;
};

#define VMX_SEE_BITS(field, mask, value)                                               \
    {                                                                                  \
        (int32_t) field, mask, value, 0                                                \
    }
#define VMX_SEE(field, value) VMX_SEE_BITS(field, UINT64_MAX, value)
#define VMX_SEE_BITS_AT(where, mask, value)                                            \
    {                                                                                  \
        VMX_WORD, mask, value, where                                                   \
    }
#define VMX_SEE_AT(where, value)      VMX_SEE_BITS_AT(where, UINT64_MAX, value)
#define VMX_SEE_REGISTER(name, value) VMX_SEE_AT(&vmx_guest.name, value)
#define VMX_SIGHTS(...)                                                                \
    ((const struct vmx_sight[]){ __VA_ARGS__ __VA_OPT__(, ){ VMX_LAST, 0, 0, 0 } })

bool vmx_has_controls(const struct vmx_change *changes);
/* What @change makes of a field that holds @value. */
uint64_t vmx_changed(const struct vmx_change *change, uint64_t value);
void vmx_apply(const struct vmx_change *changes);
/* Expect each of @sights. */
void vmx_expect_sights(const struct vmx_sight *sights);
