/* SPDX-License-Identifier: GPL-2.0-or-later */
/* svm-entry-test.c - the model of VMRUN's checks, state by state */
#include "svm-entry.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

static const struct svm_processor processor = { .physical_bits = 40, .n_asids = 16 };

/* A 64-bit guest that nothing is wrong with. */
static struct vmcb good(void)
{
    return (struct vmcb){
        .intercept2 = SVM_INTERCEPT2_VMRUN,
        .guest_asid = 1,
        .efer = EFER_SVME | EFER_LME | EFER_LMA,
        .cr0 = CR0_PG | CR0_PE | CR0_ET,
        .cr4 = CR4_PAE,
        .cs = { .attributes = SVM_ATTRIBUTE_L },
        .dr6 = 0xffff0ff0,
        .dr7 = 0x400,
    };
}

static enum svm_entry_answer answer(const struct vmcb *vmcb)
{
    return svm_model_entry(vmcb, &processor, NULL);
}

static void a_good_state_is_accepted(void)
{
    struct vmcb vmcb = good();

    g_assert_cmpint(answer(&vmcb), ==, SVM_ENTRY_ACCEPTED);
}

/* A field of 64 bits, what it is made, and what VMRUN must do. */
struct row {
    size_t offset;
    uint64_t value;
    enum svm_entry_answer answer;
};

#define ROW(field, value, answer)                                                      \
    {                                                                                  \
        offsetof(struct vmcb, field), value, SVM_ENTRY_##answer                        \
    }
#define EVENT(type, vector) (SVM_EVENT_VALID | SVM_EVENT_TYPE(type) | (vector))

static const struct row rows[] = {
    ROW(efer, EFER_LME | EFER_LMA, REFUSED),
    ROW(efer, EFER_SVME | EFER_LME | EFER_LMA | BIT(1), REFUSED),
    ROW(efer, EFER_SVME | EFER_LME | EFER_LMA | BIT(63), REFUSED),
    ROW(efer, EFER_SVME | EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE, ACCEPTED),
    ROW(cr0, CR0_PG | CR0_PE | CR0_NW, REFUSED),
    ROW(cr0, CR0_PG | CR0_PE | CR0_NW | CR0_CD, ACCEPTED),
    ROW(cr0, CR0_PG | CR0_PE | BIT(32), REFUSED),
    ROW(cr0, CR0_PG | CR0_ET, REFUSED), /* PE clear, in long mode */
    ROW(cr3, BIT(39), ACCEPTED),
    ROW(cr3, BIT(40), REFUSED),
    ROW(cr3, BIT(63), REFUSED),
    ROW(cr4, 0, REFUSED), /* PAE clear, in long mode */
    ROW(cr4, CR4_PAE | BIT(32), REFUSED),
    ROW(dr6, BIT(32), REFUSED),
    ROW(dr6, 0xffffffff, ACCEPTED),
    ROW(dr7, BIT(63), REFUSED),
    ROW(iopm_base_pa, BIT(40) - 0x2000, REFUSED),
    ROW(iopm_base_pa, BIT(40) - 0x3000, ACCEPTED),
    ROW(iopm_base_pa, BIT(40) - 0x3000 + 0xfff, ACCEPTED), /* low bits are ignored */
    ROW(msrpm_base_pa, BIT(40) - 0x1000, REFUSED),
    ROW(msrpm_base_pa, BIT(40) - 0x2000, ACCEPTED),
    ROW(eventinj, EVENT(0, 0x40), ACCEPTED),
    ROW(eventinj, EVENT(1, 0x40), REFUSED),
    ROW(eventinj, EVENT(2, 0x40), ACCEPTED),
    ROW(eventinj, EVENT(3, 14), ACCEPTED),
    ROW(eventinj, EVENT(3, 2), REFUSED),
    ROW(eventinj, EVENT(3, 5), REFUSED), /* BOUND, in 64-bit mode */
    ROW(eventinj, EVENT(3, 31), REFUSED),
    ROW(eventinj, EVENT(3, 32), REFUSED),
    ROW(eventinj, EVENT(3, 3), OPEN),
    ROW(eventinj, EVENT(4, 3), ACCEPTED),
    ROW(eventinj, EVENT(5, 3) & ~SVM_EVENT_VALID, ACCEPTED),
    ROW(n_cr3, BIT(63), ACCEPTED), /* NP_ENABLE is clear */
    ROW(g_pat, 2, ACCEPTED),
};

static void one_field_decides(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct vmcb vmcb = good();
        memcpy((uint8_t *)&vmcb + rows[i].offset, &rows[i].value, sizeof rows[i].value);
        g_test_message("offset %zx, value %" PRIx64, rows[i].offset, rows[i].value);
        g_assert_cmpint(answer(&vmcb), ==, rows[i].answer);
    }
}

static void nested_paging_adds_checks(void)
{
    struct vmcb vmcb = good();

    vmcb.np_enable = 1;
    vmcb.g_pat = UINT64_C(0x0007040600070406);
    g_assert_cmpint(answer(&vmcb), ==, SVM_ENTRY_ACCEPTED);
    vmcb.g_pat |= UINT64_C(8) << 56;
    g_assert_cmpint(answer(&vmcb), ==, SVM_ENTRY_REFUSED);
    vmcb.g_pat = 0;
    vmcb.n_cr3 = BIT(40);
    g_assert_cmpint(answer(&vmcb), ==, SVM_ENTRY_REFUSED);
}

static void cs_l_and_d_matter_under_paging_only(void)
{
    struct vmcb vmcb = good();

    vmcb.cs.attributes |= SVM_ATTRIBUTE_D;
    g_assert_cmpint(answer(&vmcb), ==, SVM_ENTRY_REFUSED);
    vmcb.cr0 &= ~CR0_PG;
    g_assert_cmpint(answer(&vmcb), ==, SVM_ENTRY_ACCEPTED);
}

static void asid_zero_is_the_hosts(void)
{
    struct vmcb vmcb = good();

    vmcb.guest_asid = 0;
    g_assert_cmpint(answer(&vmcb), ==, SVM_ENTRY_REFUSED);
    vmcb.guest_asid = (uint32_t)processor.n_asids;
    g_assert_cmpint(answer(&vmcb), ==, SVM_ENTRY_OPEN);
}

static void refusal_wins_over_what_is_open(void)
{
    struct vmcb vmcb = good();
    const char *why;

    vmcb.eventinj = EVENT(3, 3);
    vmcb.intercept2 = 0;
    g_assert_cmpint(svm_model_entry(&vmcb, &processor, &why), ==, SVM_ENTRY_REFUSED);
    g_assert_cmpstr(why, ==, "VMRUN intercept");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/svm-model/a good state is accepted", a_good_state_is_accepted);
    g_test_add_func("/svm-model/one field decides", one_field_decides);
    g_test_add_func("/svm-model/nested paging adds checks", nested_paging_adds_checks);
    g_test_add_func("/svm-model/CS.L and CS.D matter under paging only",
                    cs_l_and_d_matter_under_paging_only);
    g_test_add_func("/svm-model/ASID zero is the host's", asid_zero_is_the_hosts);
    g_test_add_func("/svm-model/refusal wins over what is open",
                    refusal_wins_over_what_is_open);
    return g_test_run();
}
