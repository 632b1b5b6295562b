/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "case.h"

#include "lib/memory.h"

static struct vmcb vmcb __attribute__((aligned(4096)));
static struct svm_registers registers;

const char *svm_lacks_case(const struct nested_rule *rule)
{
    const struct svm_case *one = rule->data;
    const char *lack = svm_lacks(rule);

    if (lack) {
        return lack;
    }
    return one->needs & ~svm_features() ? "a feature in CPUID Fn8000_000A EDX" : NULL;
}

static void apply(const struct svm_change *changes)
{
    for (unsigned i = 0; i < SVM_MAX_CHANGES; i++) {
        svm_change_apply(&vmcb, &changes[i]);
    }
}

static void run(const struct svm_case *one, bool is_neighbour)
{
    svm_good(&vmcb, one->code);
    vmcb.rax = one->rax;
    apply(one->always);
    apply(is_neighbour ? one->neighbour : one->breaks);
    if (one->prepare) {
        one->prepare(one, &vmcb, is_neighbour);
    }
    svm_prepare_run(&registers);
    registers.rcx = one->rcx;
    registers.rdx = one->rdx;
    nested_expect(svm_enter_guest(&vmcb, &registers), "a host register lost its canary",
                  0);
}

static uint64_t read_want(const struct svm_want *want)
{
    const uint8_t *from = want->is_register ? (uint8_t *)&registers : (uint8_t *)&vmcb;
    uint64_t value = 0;

    if (want->memory) {
        return *(const volatile uint64_t *)want->memory;
    }
    memcpy(&value, from + want->offset, want->size);
    return value;
}

static void compare(const struct svm_want *wants, bool is_neighbour)
{
    for (unsigned i = 0; i < SVM_MAX_WANTS && wants[i].size; i++) {
        uint64_t seen = read_want(&wants[i]);
        nested_expect((seen & wants[i].mask) == wants[i].value,
                      is_neighbour ? wants[i].neighbours : wants[i].what, seen);
    }
}

void svm_check_case(const struct nested_rule *rule)
{
    static const struct svm_want leaves[SVM_MAX_WANTS] = { SVM_EXITS(
        SVM_EXIT_VMMCALL) };
    const struct svm_case *one = rule->data;

    svm_enable();
    run(one, !nested_sets_up());
    compare(one->wants, false);
    run(one, true);
    compare(one->neighbour_wants[0].size ? one->neighbour_wants : leaves, true);
}

/* VMRUN ignores the low twelve bits of both maps' addresses. */
static void *page(uint64_t address)
{
    return (void *)(address & ~UINT64_C(0xfff));
}

void svm_deny_ports(const struct svm_case *one, struct vmcb *of, bool is_neighbour)
{
    memset(page(of->iopm_base_pa), 0xff, SVM_IOPM_BYTES);
}

void svm_deny_msrs(const struct svm_case *one, struct vmcb *of, bool is_neighbour)
{
    memset(page(of->msrpm_base_pa), 0xff, SVM_MSRPM_BYTES);
}

void svm_lack_segment(const struct svm_case *one, struct vmcb *of, bool is_neighbour)
{
    static uint64_t gdt[4] = { [3] = UINT64_C(0x00CF13000000FFFF) };

    memcpy(gdt, (void *)of->gdtr.base, 3 * sizeof *gdt);
    of->gdtr.base = (uint64_t)gdt;
    of->gdtr.limit = sizeof gdt - 1;
}
