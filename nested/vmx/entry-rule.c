/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entry-rule.h"

/* The controls that @changes turn on must exist; a control that is *meant* to be
 * reserved is set by rules of their own kind, not by this table. */
static bool has_controls(const struct vmx_change *changes)
{
    for (; changes->field >= 0; changes++) {
        uint32_t allowed = vmx_allowed((enum vmcs_field)changes->field);
        if ((uint32_t)changes->set & ~allowed) {
            return false;
        }
    }
    return true;
}

const char *vmx_lacks(const struct nested_rule *rule)
{
    const struct vmx_entry *entry = rule->data;

    if (!vmx_is_present()) {
        return "no VMX";
    }
    if (!has_controls(entry->breaks) || !has_controls(entry->neighbour)) {
        return "a control that this CPU does not have";
    }
    return NULL;
}

static void apply(const struct vmx_change *changes)
{
    for (; changes->field >= 0; changes++) {
        enum vmcs_field field = (enum vmcs_field)changes->field;
        uint64_t value = (vmx_read(field) & ~changes->clear) | changes->set;
        if (changes->is_limit) {
            value = BIT(cpu_physical_bits()) - changes->set;
        }
        vmx_write(field, value);
    }
}

static struct vmx_outcome outcome_of(const struct vmx_change *changes)
{
    vmx_good(vmx_guest_vmcall);
    apply(changes);
    return vmx_run();
}

static uint64_t seen(const struct vmx_outcome *outcome)
{
    return (uint64_t)outcome->way << 32 | outcome->detail;
}

void vmx_check_entry(const struct nested_rule *rule)
{
    const struct vmx_entry *entry = rule->data;

    vmx_enable();
    struct vmx_outcome broken =
        outcome_of(nested_sets_up() ? entry->breaks : entry->neighbour);
    nested_expect(broken.way == entry->way && broken.detail == entry->detail,
                  "way (0 VMfailInvalid, 1 VMfailValid, 2 exit) and detail",
                  seen(&broken));
    struct vmx_outcome neighbour = outcome_of(entry->neighbour);
    nested_expect(neighbour.way == VMX_EXIT && neighbour.detail == VMX_REASON_VMCALL,
                  "way and detail from the neighbour", seen(&neighbour));
}
