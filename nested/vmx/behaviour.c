/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

static const struct vmx_change no_changes[] = { VMX_END };
static const struct vmx_sight no_sights[] = { { VMX_LAST, 0, 0, 0 } };

static const struct vmx_change *changes_of(const struct vmx_change *changes)
{
    return changes ? changes : no_changes;
}

static const struct vmx_sight *sights_of(const struct vmx_sight *sights)
{
    return sights ? sights : no_sights;
}

const char *vmx_lacks_behaviour(const struct nested_rule *rule)
{
    const struct vmx_behaviour *behaviour = rule->data;

    if (!vmx_is_present()) {
        return "no VMX";
    }
    if (!vmx_has_controls(changes_of(behaviour->with)) ||
        !vmx_has_controls(changes_of(behaviour->without))) {
        return "a control that this CPU does not have";
    }
    return behaviour->lacks ? behaviour->lacks() : NULL;
}

static void run(const struct vmx_behaviour *behaviour,
                const struct vmx_guest_code *guest, const struct vmx_change *changes,
                uint32_t reason)
{
    vmx_good((void (*)(void))guest->start);
    if (behaviour->prepare) {
        behaviour->prepare();
    }
    vmx_apply(changes_of(changes));

    struct vmx_outcome outcome = vmx_run();
    if (behaviour->finish) {
        behaviour->finish();
    }
    nested_expect(outcome.way == VMX_EXIT && outcome.detail == reason,
                  "way (0 VMfailInvalid, 1 VMfailValid, 2 exit) and detail",
                  (uint64_t)outcome.way << 32 | outcome.detail);
}

static void expect_progress(const struct vmx_guest_code *guest,
                            enum vmx_progress progress)
{
    uint64_t rip = vmx_read(VMCS_GUEST_RIP);
    uint64_t length = vmx_read(VMCS_EXIT_INSTRUCTION_LENGTH);

    if (progress == VMX_ANYWHERE) {
        return;
    }
    const uint8_t *wanted = progress == VMX_AFTER ? guest->end : guest->at;
    nested_expect(rip == (uint64_t)wanted, "RIP, as an offset from where it should be",
                  rip - (uint64_t)wanted);
    if (progress == VMX_AT_INSTRUCTION) {
        nested_expect(length == (uint64_t)(guest->end - guest->at),
                      "instruction length", length);
    }
}

void vmx_check_behaviour(const struct nested_rule *rule)
{
    const struct vmx_behaviour *behaviour = rule->data;
    const struct vmx_guest_code *neighbour =
        behaviour->neighbour.start ? &behaviour->neighbour : &behaviour->guest;

    vmx_enable();
    run(behaviour, nested_sets_up() ? &behaviour->guest : neighbour,
        nested_sets_up() ? behaviour->with : behaviour->without, behaviour->reason);
    expect_progress(&behaviour->guest, behaviour->progress);
    vmx_expect_sights(sights_of(behaviour->sees));

    if (behaviour->neighbour_reason) {
        run(behaviour, neighbour, behaviour->without,
            behaviour->neighbour_reason == VMX_FAULTS ? VMX_REASON_EXCEPTION
                                                      : behaviour->neighbour_reason);
    } else {
        run(behaviour, neighbour, behaviour->without, VMX_REASON_VMCALL);
        expect_progress(neighbour, VMX_AFTER);
    }
    vmx_expect_sights(sights_of(behaviour->neighbour_sees));
}
