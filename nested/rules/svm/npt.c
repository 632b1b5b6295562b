/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* npt.c - nested paging: what faults, what EXITINFO says, accessed and dirty, the TLB */
#include "svm/npt.h"

#include "lib/memory.h"
#include "svm/case.h"

#define WALK  "APM2 15.25.5"
#define FAULT "APM2 15.25.6"
#define CHECK "APM2 15.25.4"

SVM_GUEST(guest_read, "1: movq (%rcx), %rbx");
SVM_GUEST(guest_write, "1: movq %rax, (%rcx)");
SVM_GUEST(guest_add, "1: addq %rax, (%rcx)");
SVM_GUEST(guest_jump, "1: jmp *%rcx");
SVM_GUEST(guest_ud2, "1: ud2");
SVM_GUEST(guest_read_pat, "movl $0x277, %ecx\n1: rdmsr");

/* EXITINFO1. */
#define NOT_PRESENT 0
#define PRESENT     BIT(0)
#define WRITE       BIT(1)
#define USER        BIT(2)
#define RESERVED    BIT(3)
#define CODE        BIT(4)
#define FINAL       BIT(32)
#define TABLES      BIT(33)

#define GUEST_TABLE (SVM_WINDOW + 0x1000) /* the guest's PML4, if has_table */

struct row {
    struct svm_case one;
    uint64_t *entry; /* of the nested tables: broken so in the rule's run */
    uint64_t clear, set;
    bool has_table;
};

static void prepare(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour)
{
    static const uint8_t vmmcall[] = { 0x0f, 0x01, 0xd9 };
    const struct row *row = (const struct row *)one;

    svm_npt_use(vmcb);
    memcpy((void *)SVM_WINDOW, vmmcall, sizeof vmmcall);
    if (row->has_table) {
        memcpy((void *)GUEST_TABLE, (void *)vmcb->cr3, 4096);
        vmcb->cr3 = GUEST_TABLE;
    }
    if (!is_neighbour && row->entry) {
        *row->entry = (*row->entry & ~row->clear) | row->set;
    }
}

#define NPT_CASE(name, place, claim, guest, at, clears, sets, table, ...)              \
    {                                                                                  \
        .id = "SVM.NPT." name, .cites = place, .says = claim, .lacks = svm_lacks_case, \
        .check = svm_check_case, .data = &(const struct row)                           \
        {                                                                              \
            .one = { .code = guest,                                                    \
                     .needs = SVM_HAS_NPT,                                             \
                     .prepare = prepare,                                               \
                     __VA_ARGS__ },                                                    \
            .entry = at, .clear = clears, .set = sets, .has_table = table,             \
        }                                                                              \
    }

#define FAULTS_WITH(name, guest, address, entry, clear, set, info, ...)                \
    NPT_CASE("FAULT." name, FAULT, "a nested page fault, and EXITINFO tells of what",  \
             guest, entry, clear, set, false, .rcx = address,                          \
             .wants = { SVM_EXITS(SVM_EXIT_NPF), SVM_WANT(exitinfo1, FINAL | (info)),  \
                        SVM_WANT(exitinfo2, address), },                               \
             __VA_ARGS__)
#define SMALL(name, guest, offset, clear, set, info, ...)                              \
    FAULTS_WITH(name, guest, SVM_WINDOW + (offset), &svm_npt.pt[0], clear, set, info,  \
                __VA_ARGS__)
#define LARGE(name, guest, clear, set, info)                                           \
    FAULTS_WITH("LARGE." name, guest, SVM_LARGE_WINDOW + 0x54321, SVM_NPT_LARGE_ENTRY, \
                clear, set, info, .rax = 0)
/* The guest's own PML4 lies in the broken page; its address is exact to the page. */
#define TABLE(name, clear, set, info)                                                  \
    NPT_CASE("FAULT.TABLE." name, FAULT,                                               \
             "walking the guest's tables is a user write, marked by bit 33",           \
             svm_guest_vmmcall, &svm_npt.pt[1], clear, set, true,                      \
             .wants = { SVM_EXITS(SVM_EXIT_NPF), SVM_WANT(exitinfo1, TABLES | (info)), \
                        SVM_WANT_BITS(exitinfo2, ~UINT64_C(0xfff), GUEST_TABLE) })

#define READS_ENTRY(pointer, bits, reads)                                              \
    SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_MEMORY("nested entry", bits, reads, pointer)
#define ACCESSED(name, guest, claim, pointer, bits, neighbour_guest)                   \
    NPT_CASE("ACCESSED." name, WALK, claim, guest, NULL, 0, 0, false,                  \
             .rcx = SVM_WINDOW + 0x800,                                                \
             .wants = { READS_ENTRY(pointer, NPT_A | NPT_D, bits) },                   \
             .neighbour = { SVM_MAKE(rip, (uint64_t)(neighbour_guest)) },              \
             .neighbour_wants = {                                                      \
                 READS_ENTRY(pointer, NPT_A | NPT_D, (bits) == NPT_A ? 0 : NPT_A) })

#define INVALID SVM_WANT_BITS(exitcode, UINT32_MAX, UINT32_MAX)
/* Changes that come after prepare(): of what svm_npt_use() writes. */
struct edit {
    uint64_t set_n_cr3, g_pat;
};
#define GOOD_PAT UINT64_C(0x0007040600070406)

static void prepare_edited(const struct svm_case *one, struct vmcb *vmcb,
                           bool is_neighbour)
{
    const struct edit *edit = (const struct edit *)one->argument + is_neighbour;

    prepare(one, vmcb, is_neighbour);
    vmcb->n_cr3 |= edit->set_n_cr3;
    vmcb->g_pat = edit->g_pat;
}

#define ENTRY(name, claim, n_cr3_bits, pat)                                            \
    {                                                                                  \
        .id = "SVM.NPT.ENTRY." name, .cites = CHECK, .says = claim,                    \
        .lacks = svm_lacks_case, .check = svm_check_case, .data = &(const struct row)  \
        {                                                                              \
            .one = {                                                                   \
                .code = svm_guest_vmmcall,                                             \
                .needs = SVM_HAS_NPT,                                                  \
                .prepare = prepare_edited,                                             \
                .argument = (uint64_t)(const struct edit[2]){ { n_cr3_bits, pat },     \
                                                              { 0, GOOD_PAT } },       \
                .wants = { INVALID },                                                  \
            },                                                                         \
        }                                                                              \
    }
#define N_CR3(bit)                                                                     \
    ENTRY("N_CR3.BIT" #bit, "an MBZ bit of nCR3 is set", BIT(bit), GOOD_PAT)
#define G_PAT(name, value)                                                             \
    ENTRY("G_PAT." name, "a G_PAT field has an unsupported type or a reserved bit", 0, \
          value)

static const struct nested_rule npt[] = {
    SMALL("READ", guest_read, 0x128, NPT_P, 0, NOT_PRESENT | USER),
    SMALL("WRITE", guest_write, 0x128, NPT_P, 0, NOT_PRESENT | WRITE | USER),
    SMALL("FETCH", guest_jump, 0, NPT_P, 0, NOT_PRESENT | USER | CODE),
    SMALL("WRITE_PROTECTED", guest_write, 0x128, NPT_W, 0, PRESENT | WRITE | USER),
    SMALL("READ_MODIFY_WRITE", guest_add, 0x128, NPT_W, 0, PRESENT | WRITE | USER),
    SMALL("SUPERVISOR", guest_read, 0x128, NPT_U, 0, PRESENT | USER),
    SMALL("NO_EXECUTE", guest_jump, 0, 0, NPT_X, PRESENT | USER | CODE),
    SMALL("NO_EXECUTE.GUEST_NXE_CLEAR", guest_jump, 0, 0, NPT_X, PRESENT | USER | CODE,
          .always = { SVM_CLEAR(efer, EFER_NXE) }),
    SMALL("WRITE_PROTECTED.GUEST_WP_CLEAR", guest_write, 0x128, NPT_W, 0,
          PRESENT | WRITE | USER, .always = { SVM_CLEAR(cr0, CR0_WP) }),
    SMALL("RESERVED", guest_read, 0x128, 0, BIT(51), PRESENT | USER | RESERVED),
    LARGE("READ", guest_read, NPT_P, 0, NOT_PRESENT | USER),
    LARGE("WRITE", guest_write, NPT_W, 0, PRESENT | WRITE | USER),
    LARGE("RESERVED", guest_read, 0, BIT(13), PRESENT | USER | RESERVED),
    FAULTS_WITH("DIRECTORY", guest_read, SVM_WINDOW + 0x128,
                &svm_npt.pd[0][SVM_WINDOW >> 21], NPT_P, 0, NOT_PRESENT | USER),
    FAULTS_WITH("DIRECTORY.WRITE_PROTECTED", guest_write, SVM_WINDOW + 0x128,
                &svm_npt.pd[0][SVM_WINDOW >> 21], NPT_W, 0, PRESENT | WRITE | USER),
    FAULTS_WITH("DIRECTORY.RESERVED", guest_read, SVM_WINDOW + 0x128,
                &svm_npt.pd[0][SVM_WINDOW >> 21], 0, BIT(51),
                PRESENT | USER | RESERVED),
    TABLE("NOT_PRESENT", NPT_P, 0, NOT_PRESENT | WRITE | USER),
    TABLE("WRITE_PROTECTED", NPT_W, 0, PRESENT | WRITE | USER),
    TABLE("SUPERVISOR", NPT_U, 0, PRESENT | WRITE | USER),
    TABLE("RESERVED", 0, BIT(51), PRESENT | WRITE | USER | RESERVED),
    NPT_CASE(
        "FAULT.DELIVERY", "APM2 15.7.2",
        "a nested fault on pushing a frame has the event in EXITINTINFO", guest_ud2,
        &svm_npt.pt[0], NPT_P, 0, false,
        .always = { SVM_MAKE(rsp, SVM_WINDOW + 0x800) },
        .wants = { SVM_EXITS(SVM_EXIT_NPF), SVM_AT(guest_ud2),
                   SVM_WANT(exitinfo1, FINAL | NOT_PRESENT | WRITE | USER),
                   SVM_WANT(exitinfo2, SVM_WINDOW + 0x800 - 8),
                   SVM_WANT(exitintinfo, SVM_EVENT_VALID | SVM_EVENT_TYPE(3) | 6) },
        .neighbour_wants = { SVM_VECTOR(6) }),
    NPT_CASE("FAULT.GUEST_FIRST", FAULT,
             "a fault in the guest's own tables is its #PF, not a nested one",
             guest_read, &svm_npt.pt[0], NPT_P, 0, false,
             .rcx = UINT64_C(0x7f0000000000) | SVM_WINDOW,
             .breaks = { SVM_ALL_EXCEPTIONS },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(14)) },
             .neighbour_wants = { SVM_VECTOR(14) }),

    ACCESSED("READ", guest_read, "a read sets accessed", &svm_npt.pt[0], NPT_A,
             svm_guest_vmmcall),
    ACCESSED("WRITE", guest_write, "a write sets accessed and dirty", &svm_npt.pt[0],
             NPT_A | NPT_D, guest_read),
    NPT_CASE("ACCESSED.TABLE", WALK,
             "a page with guest tables is always marked accessed and dirty",
             svm_guest_vmmcall, NULL, 0, 0, true,
             .wants = { READS_ENTRY(&svm_npt.pt[1], NPT_A | NPT_D, NPT_A | NPT_D) },
             .neighbour = { SVM_MAKE(cr0, 0x11), SVM_CLEAR(efer, EFER_LME | EFER_LMA) },
             .neighbour_wants = { READS_ENTRY(&svm_npt.pt[1], NPT_A | NPT_D, 0) }),

    N_CR3(52),
    N_CR3(57),
    N_CR3(62),
    N_CR3(63),
    G_PAT("TYPE_2", (GOOD_PAT & ~UINT64_C(0xff)) | 2),
    G_PAT("TYPE_3", (GOOD_PAT & ~UINT64_C(0xff)) | 3),
    G_PAT("BIT_3", GOOD_PAT | 8),
    G_PAT("BIT_7", GOOD_PAT | 0x80),
    G_PAT("LAST_FIELD", GOOD_PAT | UINT64_C(2) << 56),
    SVM_CASE("NPT.ENTRY.OFF", CHECK,
             "without NP_ENABLE, nCR3 and G_PAT are not checked", svm_guest_vmmcall,
             .needs = SVM_HAS_NPT, .rax = 1,
             .breaks = { SVM_MAKE(n_cr3, UINT64_MAX), SVM_MAKE(g_pat, UINT64_MAX),
                         SVM_MAKE(rax, 2) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(rax, 2) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(rax, 1) }),
    NPT_CASE("G_PAT.READ", CHECK, "the guest's PAT register is G_PAT", guest_read_pat,
             NULL, 0, 0, false, .breaks = { SVM_MAKE(g_pat, 0x06060606) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                        SVM_WANT_BITS(rax, UINT32_MAX, 0x06060606) },
             .neighbour = { SVM_MAKE(g_pat, 0x04040404) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                                  SVM_WANT_BITS(rax, UINT32_MAX, 0x04040404) }),
};
NESTED_RULES(npt);

/* What the TLB may and may not keep between two runs: the window's first page is mapped
 * to one of two pages that hold different numbers. */
static struct vmcb vmcb __attribute__((aligned(4096)));

enum { BEFORE = 0x1111, AFTER = 0x2222 };

static uint64_t read_window(uint32_t asid, uint8_t tlb_control)
{
    struct svm_registers registers;

    vmcb.guest_asid = asid;
    vmcb.tlb_control = tlb_control;
    vmcb.rip = (uint64_t)guest_read;
    svm_prepare_run(&registers);
    registers.rcx = SVM_WINDOW + 0x800;
    svm_enter_guest(&vmcb, &registers);
    return registers.rbx;
}

static void point_window_at(uint64_t page)
{
    svm_npt.pt[0] = (page & ~UINT64_C(0xfff)) | NPT_P | NPT_W | NPT_U;
}

/* data: the ASID of the second run, and TLB_CONTROL with it. */
struct flush {
    uint32_t asid;
    uint8_t tlb_control;
    uint32_t needs;
};

static const char *lacks_flush(const struct nested_rule *rule)
{
    const struct flush *flush = rule->data;
    const char *lack = svm_lacks_npt(rule);

    if (lack) {
        return lack;
    }
    return flush->needs & ~svm_features() ? "no flush by ASID" : NULL;
}

static void check_flush(const struct nested_rule *rule)
{
    const struct flush *flush = rule->data;
    uint64_t pages[2] = { SVM_WINDOW + 0x2000, SVM_WINDOW + 0x3000 };

    svm_enable();
    svm_good(&vmcb, guest_read);
    svm_npt_use(&vmcb);
    *(uint64_t *)(pages[0] + 0x800) = BEFORE;
    *(uint64_t *)(pages[1] + 0x800) = AFTER;
    point_window_at(pages[0]);
    uint64_t seen = read_window(1, 1);
    nested_expect(seen == BEFORE, "the first mapping", seen);
    if (nested_sets_up()) {
        point_window_at(pages[1]);
    }
    seen = read_window(flush->asid, flush->tlb_control);
    nested_expect(seen == AFTER, "the second mapping", seen);
}

#define FLUSH(name, place, claim, ...)                                                 \
    {                                                                                  \
        .id = "SVM.TLB." name, .cites = place, .says = claim, .lacks = lacks_flush,    \
        .check = check_flush, .data = &(const struct flush){ __VA_ARGS__ },            \
    }

static const struct nested_rule tlb[] = {
    FLUSH("ALL", "APM2 15.16.1", "TLB_CONTROL 1 flushes everything", 1, 1, 0),
    FLUSH("THIS_GUEST", "APM2 15.16.1", "TLB_CONTROL 3 flushes this guest's entries", 1,
          3, SVM_HAS_FLUSH_BY_ASID),
    FLUSH("OTHER_ASID", "APM2 15.16", "entries belong to their ASID", 2, 0, 0),
};
NESTED_RULES(tlb);
