/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entry-rule.h"

#include "lib/memory.h"

static struct vmcb vmcb __attribute__((aligned(4096)));

const char *svm_lacks(const struct nested_rule *rule)
{
    return svm_is_present() ? NULL : "no SVM";
}

const char *svm_lacks_npt(const struct nested_rule *rule)
{
    const char *lack = svm_lacks(rule);

    return lack ? lack : svm_features() & SVM_HAS_NPT ? NULL : "no nested paging";
}

void svm_change_apply(struct vmcb *to, const struct svm_change *change)
{
    uint8_t *field = (uint8_t *)to + change->offset;
    uint64_t value = 0;

    memcpy(&value, field, change->size);
    value = change->is_limit ? BIT(cpu_physical_bits()) - change->set
                             : (value & ~change->clear) | change->set;
    memcpy(field, &value, change->size);
}

static uint64_t exit_after(const struct svm_change *change)
{
    struct svm_registers registers;

    svm_good(&vmcb, svm_guest_vmmcall);
    svm_change_apply(&vmcb, change);
    nested_expect(svm_run(&vmcb, &registers), "a host register lost its canary", 0);
    return vmcb.exitcode;
}

void svm_check_entry(const struct nested_rule *rule)
{
    const struct svm_entry *entry = rule->data;
    uint64_t wanted = entry->neighbour_exit ? entry->neighbour_exit : SVM_EXIT_VMMCALL;

    svm_enable();
    uint64_t seen = exit_after(nested_sets_up() ? &entry->breaks : &entry->neighbour);
    /* The low half: that the code is 64 bits wide is a rule of its own. */
    nested_expect((uint32_t)seen == (uint32_t)SVM_EXIT_INVALID,
                  "exit code, not VMEXIT_INVALID", seen);
    seen = exit_after(&entry->neighbour);
    nested_expect(seen == wanted, "exit code from the neighbour", seen);
}
