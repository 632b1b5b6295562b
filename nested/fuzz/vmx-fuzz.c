/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The VMCS is kept on paper as well, as the model's state: a change is made there, the
 * model says what must come of it, and what differs from the fields' present values is
 * written into the VMCS.  The launch state is kept too: VMRESUME as soon as it is
 * "launched".
 *
 * Accepted states must leave the guest at once, whatever is in its registers: the
 * VMX-preemption timer is on with a value of 0, every exception exits, and the IDT is
 * empty, so that an injected event ends in an exit as well (26.6.4, 25.5.1).  What is
 * left are states that would not come back: wait-for-SIPI, and host fields that are
 * legal but lead nowhere.  Those are not run unless the model says that they are refused
 * before the host's state could be loaded.
 */
#include "fuzz/fuzz.h"
#include "fuzz/vmx-menu.h"
#include "lib/console.h"
#include "lib/memory.h"
#include "model/vmx-entry.h"
#include "vmx/fields.h"
#include "vmx/processor.h"

#define PAT_MSR 0x277

static struct vmx_processor processor;
static struct vmx_state good, state;
static struct vmx_verdict verdict;
/* What the VMCS holds now; after a VM exit it is no longer known of the guest's area. */
static uint64_t held[VMX_N_SLOTS];
static bool is_held[VMX_N_SLOTS];
static bool is_poked;
static uint64_t good_pat, good_efer;
static uint8_t empty_idt[16] __attribute__((aligned(16)));

/* Memory that GRUB and QEMU give us all of: engine.c asks for 256 MBytes. */
#define MEMORY_BYTES UINT64_C(0x10000000)

static bool read_memory(const struct vmx_state *of, uint64_t address, uint64_t *out)
{
    if (address >= MEMORY_BYTES) {
        return false;
    }
    *out = *(const volatile uint64_t *)address;
    return true;
}

/* Written by vmx_enter() itself. */
static bool is_ours(enum vmcs_field field)
{
    return field == VMCS_HOST_RIP || field == VMCS_HOST_RSP;
}

/* Set up */

static void fill_msr_areas(void)
{
    struct vmx_msr entry = { .index = PAT_MSR, .value = good_pat };

    for (unsigned i = 0; i < sizeof vmx_pages.entry_load / sizeof entry; i++) {
        vmx_pages.entry_load[i] = vmx_pages.exit_store[i] = vmx_pages.exit_load[i] =
            entry;
    }
}

static void allow(enum vmcs_field controls, uint32_t wanted)
{
    vmx_write(controls, vmx_read(controls) | (wanted & vmx_allowed(controls)));
}

static void make_good(void)
{
    vmx_good(vmx_guest_vmcall);
    fill_msr_areas();
    allow(VMCS_PIN_CONTROLS, VMX_PIN_PREEMPTION_TIMER);
    allow(VMCS_EXIT_CONTROLS, VMX_EXIT_LOAD_PAT | VMX_EXIT_LOAD_EFER);
    vmx_write(VMCS_PREEMPTION_TIMER, 0);
    vmx_write(VMCS_EXCEPTION_BITMAP, UINT32_MAX);
    vmx_write(VMCS_GUEST_IDTR_BASE, (uint64_t)empty_idt);
    vmx_write(VMCS_GUEST_IDTR_LIMIT, 0);
    vmx_write(VMCS_HOST_RIP, (uint64_t)vmx_guest_vmcall);
    if (vmx_has_field(VMCS_GUEST_PDPTE0)) {
        for (unsigned i = 0; i < 4; i++) {
            vmx_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i),
                      vmx_pages.pae_pdpt[i]);
        }
    }
}

static void put_on_paper(void)
{
    good.read = read_memory;
    good.vmcs_pointer = vmx_vmcs_region();
    for (unsigned i = 0; i < vmx_n_fields; i++) {
        enum vmcs_field field = vmx_fields[i].field;
        unsigned slot = vmx_slot(field);
        if (vmx_has_field(field)) {
            good.fields[slot] = held[slot] = vmx_read(field);
            is_held[slot] = true;
        }
    }
}

static void start(void)
{
    vmx_enable();
    good_pat = cpu_rdmsr(MSR_PAT);
    good_efer = cpu_rdmsr(MSR_EFER);
    processor = vmx_this_processor();
    make_good();
    put_on_paper();
}

static void stop(void)
{
}

/* A state */

static void flip(const struct vmx_flip *change)
{
    uint64_t value = vmx_state_get(&state, change->field);

    vmx_state_set(&state, change->field, value ^ BIT(change->bit));
}

static void make_change(const struct vmx_change *change)
{
    if (change->field >= 0) {
        enum vmcs_field field = (enum vmcs_field)change->field;
        vmx_state_set(&state, field, vmx_changed(change, vmx_state_get(&state, field)));
    } else {
        vmx_pages_poke(change->at, 8, change->clear, change->set);
        is_poked = true;
    }
}

/* Eight bytes at a time, in one instruction: engines that interpret count them. */
static void copy_fields(uint64_t *to, const uint64_t *from)
{
    size_t n = VMX_N_SLOTS;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void make_state(const struct nested_changes *set)
{
    if (is_poked) {
        vmx_pages_touch(false);
        vmx_pages_reset();
        fill_msr_areas();
        is_poked = false;
    }
    copy_fields(state.fields, good.fields);
    state.read = good.read;
    state.vmcs_pointer = good.vmcs_pointer;
    for (unsigned i = 0; i < set->n_changes; i++) {
        struct vmx_flip one;
        const struct vmx_change *list = vmx_menu_list(set->changes[i], &one);
        if (!list) {
            flip(&one);
            continue;
        }
        for (; list->field != VMX_LAST; list++) {
            make_change(list);
        }
    }
}

/* Fields that are loaded when the guest is left, and then must be as they were. */
static bool is_vital(enum vmcs_field field)
{
    switch (field) {
    case VMCS_HOST_SYSENTER_CS:
    case VMCS_HOST_SYSENTER_ESP:
    case VMCS_HOST_SYSENTER_EIP:
    case VMCS_HOST_FS_BASE:
    case VMCS_HOST_GS_BASE:
        return false;
    default:
        return (field >> 10 & 3) == 3;
    }
}

static bool has_lost_its_way(void)
{
    for (unsigned i = 0; i < vmx_n_fields; i++) {
        enum vmcs_field field = vmx_fields[i].field;
        if (is_vital(field) && !is_ours(field) &&
            vmx_state_get(&state, field) != vmx_state_get(&good, field)) {
            return true;
        }
    }
    return false;
}

static bool has_timer(void)
{
    uint64_t changed = vmx_state_get(&state, VMCS_PIN_CONTROLS) ^
                       vmx_state_get(&good, VMCS_PIN_CONTROLS);

    return !(changed & VMX_PIN_PREEMPTION_TIMER);
}

/* Only a start-up IPI ends wait-for-SIPI, and nobody sends one: an engine that misjudges
 * anything else would enter for ever. */
static bool waits(void)
{
    return vmx_state_get(&state, VMCS_GUEST_ACTIVITY) == VMX_WAIT_FOR_SIPI &&
           !strstr(verdict.why, "ACTIVITY");
}

/* A host that is lost must be the one thing that is wrong: an engine that misjudges
 * another would load it.  Bochs does misjudge IA32_PERF_GLOBAL_CTRL. */
static bool is_refused_for_its_host(void)
{
    return verdict.allowed == VMX_FAILS_HOST && !strstr(verdict.why, "PERF");
}

static bool comes_back(void)
{
    if (has_lost_its_way()) {
        return is_refused_for_its_host();
    }
    return (has_timer() || !(verdict.allowed & VMX_ENTERS)) && !waits();
}

static void write_state(void)
{
    for (unsigned i = 0; i < vmx_n_fields; i++) {
        enum vmcs_field field = vmx_fields[i].field;
        unsigned slot = vmx_slot(field);
        if (!is_ours(field) && (!is_held[slot] || held[slot] != state.fields[slot])) {
            vmx_write(field, state.fields[slot]);
            held[slot] = state.fields[slot];
            is_held[slot] = true;
        }
    }
}

/* A VM exit saves the guest's state and clears the valid bit of the injected event. */
static void forget_guest(void)
{
    for (unsigned i = 0; i < vmx_n_fields; i++) {
        if ((vmx_fields[i].field >> 10 & 3) == 2) {
            is_held[vmx_slot(vmx_fields[i].field)] = false;
        }
    }
    is_held[vmx_slot(VMCS_ENTRY_INTERRUPTION_INFO)] = false;
    is_held[vmx_slot(VMCS_ENTRY_CONTROLS)] = false; /* 27.2: "IA-32e mode guest" */
}

/* Without the load controls a guest's values stay. */
static void restore_msrs(void)
{
    if (cpu_rdmsr(MSR_PAT) != good_pat) {
        cpu_wrmsr(MSR_PAT, good_pat);
    }
    if (cpu_rdmsr(MSR_EFER) != good_efer) {
        cpu_wrmsr(MSR_EFER, good_efer);
    }
}

static bool is_allowed(enum vmx_answer answer, const struct vmx_outcome *outcome)
{
    if (!(verdict.allowed & answer)) {
        return false;
    }
    return answer != VMX_FAILS_MSR ||
           (outcome->qualification >= verdict.msr_first &&
            (!verdict.msr_last || outcome->qualification <= verdict.msr_last));
}

static const char *engine_words(enum vmx_answer answer,
                                const struct vmx_outcome *outcome)
{
    if (outcome->way == VMX_BROKEN) {
        return "the host's stack did not come back";
    }
    return vmx_answer_name(answer);
}

static bool judge(const struct nested_changes *set, struct fuzz_difference *out)
{
    make_state(set);
    state.is_resume = state.is_launched;
    verdict = vmx_model_entry(&state, &processor);
    *out = (struct fuzz_difference){
        .check = verdict.why,
        .cites = verdict.cites,
        .is_accepted = verdict.allowed & VMX_ENTERS,
    };
    return verdict.allowed != VMX_DOES_ANYTHING && comes_back();
}

static bool run(struct fuzz_difference *out)
{
    write_state();
    struct vmx_outcome outcome = state.is_launched ? vmx_resume() : vmx_run();
    enum vmx_answer answer =
        vmx_answer_of(outcome.way, outcome.detail, outcome.qualification);
    if (answer == VMX_ENTERS) {
        state.is_launched = true;
        forget_guest();
        restore_msrs();
    }
    out->engine = engine_words(answer, &outcome);
    return outcome.way != VMX_BROKEN && is_allowed(answer, &outcome);
}

/* Words */

static const char *name_of(enum vmcs_field field)
{
    for (unsigned i = 0; i < vmx_n_fields; i++) {
        if (vmx_fields[i].field == field) {
            return vmx_fields[i].name;
        }
    }
    return "?";
}

static void print_one(const struct vmx_change *change)
{
    if (change->field < 0) {
        nested_print("VMX_POKE((uint8_t *)&vmx_pages + 0x%lx, 0x%lx)",
                     (uint64_t)change->at - (uint64_t)&vmx_pages, change->set);
        return;
    }
    const char *name = name_of((enum vmcs_field)change->field);
    if (change->is_limit) {
        nested_print("VMX_LIMIT(%s, 0x%lx)", name, change->set);
    } else if (change->clear == UINT64_MAX) {
        nested_print("VMX_MAKE(%s, 0x%lx)", name, change->set);
    } else if (!change->clear) {
        nested_print("VMX_SET(%s, 0x%lx)", name, change->set);
    } else if (!change->set) {
        nested_print("VMX_CLEAR(%s, 0x%lx)", name, change->clear);
    } else {
        nested_print("VMX_CHANGE(%s, 0x%lx, 0x%lx)", name, change->clear, change->set);
    }
}

static void print_change(uint32_t change)
{
    struct vmx_flip one;
    const struct vmx_change *list = vmx_menu_list(change, &one);

    if (!list) {
        bool was_set = vmx_state_get(&good, one.field) & BIT(one.bit);
        nested_print("VMX_%s(%s, BIT(%u))", was_set ? "CLEAR" : "SET",
                     name_of(one.field), one.bit);
        return;
    }
    for (unsigned i = 0; list[i].field != VMX_LAST; i++) {
        nested_print("%s", i ? ", " : "");
        print_one(&list[i]);
    }
}

static void print_model(void)
{
    const char *separator = "";

    for (uint32_t answer = 1; answer <= VMX_FAILS_MSR; answer <<= 1) {
        if (verdict.allowed & answer) {
            nested_print("%s%s", separator, vmx_answer_name((enum vmx_answer)answer));
            separator = " or ";
        }
    }
}

/* What a rule expects of an entry that is refused. */
static const struct {
    uint32_t answers;
    const char *way, *detail;
    unsigned qualification;
} expected[] = {
    { VMX_FAILS_CONTROLS, "VMX_FAIL", "VMX_ERROR_CONTROLS", 0 },
    { VMX_FAILS_HOST, "VMX_FAIL", "VMX_ERROR_HOST_STATE", 0 },
    { VMX_FAILS_GUEST, "VMX_EXIT", "VMX_INVALID_GUEST", 0 },
    { VMX_FAILS_PDPTE, "VMX_EXIT", "VMX_INVALID_GUEST", 2 },
    { VMX_FAILS_LINK, "VMX_EXIT", "VMX_INVALID_GUEST", 4 },
};

static void print_rule(const struct nested_changes *set)
{
    if (verdict.allowed & VMX_ENTERS) {
        nested_print("the neighbour of a rule: VMX_LIST(");
        fuzz_print_changes(set);
        nested_print(")");
        return;
    }
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (!(verdict.allowed & expected[i].answers)) {
            continue;
        }
        nested_print("VMX_ENTRY_FULL(\"%s\", \"%s\", \"\", .way = %s, .detail = %s, "
                     ".qualification = %u, .breaks = VMX_LIST(",
                     verdict.why, verdict.cites, expected[i].way, expected[i].detail,
                     expected[i].qualification);
        fuzz_print_changes(set);
        nested_print("), .neighbour = VMX_LIST())");
        return;
    }
    nested_print("a rule as in msr-lists.c");
}

const struct fuzz_target fuzz_target = {
    .start = start,
    .stop = stop,
    .pick = vmx_menu_pick,
    .judge = judge,
    .run = run,
    .print_change = print_change,
    .print_model = print_model,
    .print_rule = print_rule,
};
