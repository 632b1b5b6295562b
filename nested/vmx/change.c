/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "change.h"

bool vmx_has_controls(const struct vmx_change *changes)
{
    for (; changes->field != VMX_LAST; changes++) {
        if (changes->field < 0 || changes->is_limit) {
            continue;
        }
        uint32_t allowed = vmx_allowed((enum vmcs_field)changes->field);
        uint32_t required = vmx_required((enum vmcs_field)changes->field);
        if ((uint32_t)changes->set & ~allowed || (uint32_t)changes->clear & required) {
            return false;
        }
    }
    return true;
}

uint64_t vmx_changed(const struct vmx_change *change, uint64_t value)
{
    return change->is_limit ? BIT(cpu_physical_bits()) - change->set
                            : (value & ~change->clear) | change->set;
}

static void write_field(const struct vmx_change *change)
{
    enum vmcs_field field = (enum vmcs_field)change->field;

    vmx_write(field, vmx_changed(change, vmx_read(field)));
}

void vmx_apply(const struct vmx_change *changes)
{
    for (; changes->field != VMX_LAST; changes++) {
        if (changes->field < 0 || changes->field == VMCS_SECONDARY_CONTROLS) {
            vmx_pages_touch(changes->field == VMCS_SECONDARY_CONTROLS &&
                            changes->set & VMX_CPU2_EPT);
        }
        if (changes->field >= 0) {
            write_field(changes);
        } else if (changes->field != VMX_AREA) {
            vmx_pages_poke(changes->at, changes->field == VMX_BYTE ? 1 : 8,
                           changes->clear, changes->set);
        }
    }
}

static uint64_t look(const struct vmx_sight *sight)
{
    return sight->field == VMX_WORD ? *(const uint64_t *)sight->at
                                    : vmx_read((enum vmcs_field)sight->field);
}

static const struct {
    int32_t field;
    const char *name;
} names[] = {
    { VMX_WORD, "memory or register" },
    { VMCS_EXIT_QUALIFICATION, "exit qualification" },
    { VMCS_EXIT_INSTRUCTION_LENGTH, "instruction length" },
    { VMCS_EXIT_INSTRUCTION_INFO, "instruction information" },
    { VMCS_EXIT_INTERRUPTION_INFO, "interruption information" },
    { VMCS_EXIT_ERROR_CODE, "interruption error code" },
    { VMCS_IDT_VECTORING_INFO, "IDT-vectoring information" },
    { VMCS_IDT_VECTORING_CODE, "IDT-vectoring error code" },
    { VMCS_GUEST_LINEAR_ADDRESS, "guest-linear address" },
    { VMCS_GUEST_PHYSICAL_ADDRESS, "guest-physical address" },
    { VMCS_GUEST_RIP, "RIP" },
    { VMCS_GUEST_RSP, "RSP" },
};

static const char *name_of(int32_t field)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].field == field) {
            return names[i].name;
        }
    }
    return "a field of the VMCS";
}

void vmx_expect_sights(const struct vmx_sight *sights)
{
    for (; sights->field != VMX_LAST; sights++) {
        uint64_t seen = look(sights) & sights->mask;
        nested_expect(seen == sights->value, name_of(sights->field), seen);
    }
}
