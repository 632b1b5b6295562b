/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entry-rule.h"

const char *vmx_lacks(const struct nested_rule *rule)
{
    const struct vmx_entry *entry = rule->data;

    if (!vmx_is_present()) {
        return "no VMX";
    }
    if (!vmx_has_controls(entry->breaks) || !vmx_has_controls(entry->neighbour)) {
        return "a control that this CPU does not have";
    }
    return entry->lacks ? entry->lacks() : NULL;
}

static struct vmx_outcome outcome_of(const struct vmx_change *changes)
{
    vmx_good(vmx_guest_vmcall);
    vmx_apply(changes);
    return vmx_run();
}

static uint64_t seen(const struct vmx_outcome *outcome)
{
    return (uint64_t)outcome->way << 32 | outcome->detail;
}

static bool is_wanted(const struct vmx_entry *entry, const struct vmx_outcome *outcome)
{
    return outcome->way == entry->way &&
           (outcome->detail == entry->detail ||
            (entry->allowed_detail && outcome->detail == entry->allowed_detail));
}

void vmx_check_entry(const struct nested_rule *rule)
{
    const struct vmx_entry *entry = rule->data;
    uint32_t reason =
        entry->neighbour_reason ? entry->neighbour_reason : VMX_REASON_VMCALL;

    vmx_enable();
    struct vmx_outcome broken =
        outcome_of(nested_sets_up() ? entry->breaks : entry->neighbour);
    nested_expect(is_wanted(entry, &broken),
                  "way (0 VMfailInvalid, 1 VMfailValid, 2 exit) and detail",
                  seen(&broken));
    if (entry->way == VMX_EXIT) {
        nested_expect(broken.qualification == entry->qualification ||
                          (entry->allowed_qualification &&
                           broken.qualification == entry->allowed_qualification),
                      "exit qualification", broken.qualification);
    }
    struct vmx_outcome neighbour = outcome_of(entry->neighbour);
    nested_expect(neighbour.way == VMX_EXIT && neighbour.detail == reason,
                  "way and detail from the neighbour", seen(&neighbour));
}
