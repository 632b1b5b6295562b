/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.c - what VMRUN loads, what #VMEXIT saves, and what the host gets back */
#include "lib/memory.h"
#include "svm/case.h"

#define LOADS    "APM2 15.5.1"
#define EXITS    "APM2 15.6"
#define SEGMENTS "APM2 15.5.1"

/* Guests that change one thing, to what RAX says where it matters. */
SVM_GUEST(guest_set_cr0, "1: movq %rax, %cr0");
SVM_GUEST(guest_set_cr2, "1: movq %rax, %cr2");
SVM_GUEST(guest_set_cr3, "movq %cr3, %rbx\norq %rax, %rbx\n1: movq %rbx, %cr3");
SVM_GUEST(guest_set_cr4, "1: movq %rax, %cr4");
SVM_GUEST(guest_set_efer, "movl $0xC0000080, %ecx\nxorl %edx, %edx\n1: wrmsr");
SVM_GUEST(guest_set_dr6, "1: movq %rax, %dr6");
SVM_GUEST(guest_set_dr7, "1: movq %rax, %dr7");
SVM_GUEST(guest_set_flags, "pushq %rax\n1: popfq");
SVM_GUEST(guest_set_rsp, "1: movq %rax, %rsp");
SVM_GUEST(guest_set_ds, "1: movw %ax, %ds");
SVM_GUEST(guest_set_es, "1: movw %ax, %es");
SVM_GUEST(guest_set_ss, "1: movw %ax, %ss");
SVM_GUEST(guest_set_gdtr, "1: lgdt (%rcx)");
SVM_GUEST(guest_set_idtr, "1: lidt (%rcx)");
SVM_GUEST(guest_to_ring_3,
          "movq %rsp, %rbx\npushq $0x2b\npushq %rbx\npushq $2\npushq $0x23\n"
          "leaq svm_guest_vmmcall(%rip), %rbx\npushq %rbx\n1: iretq");
/* Guests that look. */
SVM_GUEST(guest_get_cr2, "1: movq %cr2, %rbx");
SVM_GUEST(guest_get_dr6, "1: movq %dr6, %rbx");
SVM_GUEST(guest_get_dr7, "1: movq %dr7, %rbx");
SVM_GUEST(guest_get_flags, "1: pushfq\npopq %rbx");
SVM_GUEST(guest_get_msr, "1: rdmsr");
SVM_GUEST(guest_get_gdtr, "subq $16, %rsp\n1: sgdt (%rsp)\nmovq 2(%rsp), %rbx");
SVM_GUEST(guest_get_idtr, "subq $16, %rsp\n1: sidt (%rsp)\nmovq 2(%rsp), %rbx");
SVM_GUEST(guest_get_ds, "xorl %ebx, %ebx\n1: movw %ds, %bx");
SVM_GUEST(guest_get_es, "xorl %ebx, %ebx\n1: movw %es, %bx");
SVM_GUEST(guest_get_ss, "xorl %ebx, %ebx\n1: movw %ss, %bx");
SVM_GUEST(guest_read_ecx, "1: .byte 0x8b, 0x19" /* MOV EBX, [ECX] */);
SVM_GUEST(guest_write_ecx, "1: .byte 0x89, 0x19" /* MOV [ECX], EBX */);

#define GOOD_CR0  0x80010033
#define GOOD_CR4  0x620
#define GOOD_EFER (EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME)
#define GOOD_DR6  0xffff0ff0

/* A register that a guest writes is in the VMCB after the exit. */
#define SAVED(name, field, guest, value, other)                                        \
    SVM_CASE(                                                                          \
        "SAVED." name, EXITS, "#VMEXIT writes the guest's value back", guest,          \
        .breaks = { SVM_MAKE(rax, value) },                                            \
        .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(field, value) },              \
        .neighbour = { SVM_MAKE(rax, other) },                                         \
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(field, other) })
/* A field of the VMCB is what the guest reads. */
#define LOADED(name, guest, field, value, other)                                       \
    SVM_CASE("LOADED." name, LOADS, "VMRUN loads the field, and the guest reads it",   \
             guest, .breaks = { SVM_MAKE(field, value) },                              \
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_REGISTER(rbx, value) },  \
             .neighbour = { SVM_MAKE(field, other) },                                  \
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),                         \
                                  SVM_WANT_REGISTER(rbx, other) })
/* State of VMLOAD: VMRUN does not touch it, whatever the VMCB says. */
#define NOT_LOADED(name, field, msr)                                                   \
    SVM_CASE("NOT_LOADED." name, "APM2 15.5.2", "what VMLOAD loads, VMRUN does not",   \
             guest_get_msr, .rcx = msr, .breaks = { SVM_MAKE(field, 0x12345000) },     \
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL),                                   \
                        SVM_WANT_BITS(rax, UINT32_MAX, 0),                             \
                        SVM_WANT(field, 0x12345000) },                                 \
             .neighbour = { SVM_MAKE(field, 0) },                                      \
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(field, 0) })

static const struct cpu_table short_table = { 0x7f, 0x5000 };
static uint32_t buffer[4];

/* 32-bit code, where segments still have limits. */
#define COMPATIBILITY                                                                  \
    SVM_CLEAR(cs.attributes, SVM_ATTRIBUTE_L),                                         \
        SVM_SET(cs.attributes, SVM_ATTRIBUTE_D), SVM_ALL_EXCEPTIONS
#define SEGMENT(name, claim, guest, vector, ...)                                       \
    SVM_CASE("SEGMENT." name, SEGMENTS, claim, guest, .rcx = (uint64_t)buffer,         \
             .always = { COMPATIBILITY }, .breaks = { __VA_ARGS__ },                   \
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(vector)), SVM_AT(guest) })

#define INVALID SVM_WANT_BITS(exitcode, UINT32_MAX, UINT32_MAX)
#define BOTH_ILLEGAL(name, one, other)                                                 \
    SVM_CASE("ORDER." name, LOADS, "two illegal things are no more than one",          \
             svm_guest_vmmcall, .breaks = { one, other }, .wants = { INVALID })
#define EVENT(type, vector) (SVM_EVENT_VALID | SVM_EVENT_TYPE(type) | (vector))

/* Guests outside of long mode, on tables of their own that map the low memory. */
static uint64_t pdpt[4] __attribute__((aligned(32)));
static uint32_t directory[1024] __attribute__((aligned(4096)));
extern uint64_t nested_pd[];

static void pae_paging(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour)
{
    for (unsigned i = 0; i < 4; i++) {
        pdpt[i] = ((uint64_t)nested_pd + 0x1000 * i) | BIT(0);
    }
    pdpt[3] |= is_neighbour ? 0 : one->argument;
    vmcb->cr3 = (uint64_t)pdpt;
    vmcb->cr4 = CR4_PAE;
    vmcb->efer = EFER_SVME | EFER_NXE;
    vmcb->cs.attributes =
        (uint16_t)((vmcb->cs.attributes & ~SVM_ATTRIBUTE_L) | SVM_ATTRIBUTE_D);
}

static void large_paging(const struct svm_case *one, struct vmcb *vmcb,
                         bool is_neighbour)
{
    for (uint32_t i = 0; i < 1024; i++) {
        directory[i] = i << 22 | 0x87;
    }
    vmcb->cr3 = (uint64_t)directory;
    vmcb->cr4 = BIT(4); /* PSE */
    vmcb->efer = EFER_SVME;
    vmcb->cs.attributes = 0x9b;
}

#define PDPTE(name, bit)                                                               \
    SVM_CASE("ENTRY.PDPTE." name, LOADS, "a reserved bit of a PDPTE is set",           \
             svm_guest_vmmcall, .argument = BIT(bit), .prepare = pae_paging,           \
             .wants = { INVALID })

static const struct nested_rule state[] = {
    SAVED("RAX", rax, svm_guest_vmmcall, UINT64_C(0x123456789abcdef0), 0),
    SAVED("CR0", cr0, guest_set_cr0, GOOD_CR0 | 8, GOOD_CR0),
    SAVED("CR2", cr2, guest_set_cr2, UINT64_C(0x123456789abc), 0),
    SAVED("CR4", cr4, guest_set_cr4, GOOD_CR4 | 8, GOOD_CR4),
    SAVED("EFER", efer, guest_set_efer, GOOD_EFER | EFER_SCE, GOOD_EFER),
    SAVED("DR6", dr6, guest_set_dr6, GOOD_DR6 | 1, GOOD_DR6),
    SAVED("DR7", dr7, guest_set_dr7, 0x401, 0x400),
    SAVED("RFLAGS", rflags, guest_set_flags, 0x4d7, 2),
    SAVED("RSP", rsp, guest_set_rsp, UINT64_C(0x123456789abc), 0x1000),
    SAVED("DS", ds.selector, guest_set_ds, 0x2b, 0x10),
    SAVED("ES", es.selector, guest_set_es, 0x2b, 0x10),
    SAVED("SS", ss.selector, guest_set_ss, 0, 0x10),
    SVM_CASE("SAVED.CR3", EXITS, "#VMEXIT writes the guest's value back", guest_set_cr3,
             .breaks = { SVM_MAKE(rax, 8) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(cr3, 0xfff, 8) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                                  SVM_WANT_BITS(cr3, 0xfff, 0) }),
    SVM_CASE("SAVED.GDTR", EXITS, "#VMEXIT writes the guest's GDTR back",
             guest_set_gdtr, .rcx = (uint64_t)&short_table,
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(gdtr.base, 0x5000),
                        SVM_WANT(gdtr.limit, 0x7f) },
             .neighbour = { SVM_MAKE(rip, (uint64_t)svm_guest_vmmcall) }),
    SVM_CASE("SAVED.IDTR", EXITS, "#VMEXIT writes the guest's IDTR back",
             guest_set_idtr, .rcx = (uint64_t)&short_table,
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(idtr.base, 0x5000),
                        SVM_WANT(idtr.limit, 0x7f) },
             .neighbour = { SVM_MAKE(rip, (uint64_t)svm_guest_vmmcall) }),
    SVM_CASE("SAVED.CPL", EXITS, "the CPL field is the guest's privilege at the exit",
             guest_to_ring_3,
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(cpl, 3),
                        SVM_WANT(cs.selector, 0x23), SVM_WANT(ss.selector, 0x2b),
                        SVM_WANT_BITS(cs.attributes, 0x60, 0x60) },
             .neighbour = { SVM_MAKE(rip, (uint64_t)svm_guest_vmmcall) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(cpl, 0) }),
    SVM_CASE("SAVED.CPL.REAL_MODE", LOADS, "in real mode the CPL is forced to 0",
             svm_guest_vmmcall, .always = { SVM_MAKE(cpl, 3) },
             .breaks = { SVM_MAKE(cr0, CR0_ET), SVM_MAKE(efer, EFER_SVME),
                         SVM_MAKE(cr4, 0), SVM_MAKE(cs.attributes, 0x9b) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(cpl, 0) },
             .neighbour = { SVM_CPL3 },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(cpl, 3) }),

    LOADED("CR2", guest_get_cr2, cr2, UINT64_C(0x123456789abc), 0),
    LOADED("DR6", guest_get_dr6, dr6, GOOD_DR6 | 5, GOOD_DR6),
    LOADED("DR7", guest_get_dr7, dr7, 0x500, 0x400),
    LOADED("RFLAGS", guest_get_flags, rflags, 0xcd7, 2),
    LOADED("GDTR", guest_get_gdtr, gdtr.base, 0x5000, 0x6000),
    LOADED("IDTR", guest_get_idtr, idtr.base, 0x5000, 0x6000),
    LOADED("DS", guest_get_ds, ds.selector, 0x2b, 0x10),
    LOADED("ES", guest_get_es, es.selector, 0x2b, 0x10),
    LOADED("SS", guest_get_ss, ss.selector, 0x18, 0x10),
    NOT_LOADED("FS_BASE", fs.base, 0xC0000100),
    NOT_LOADED("GS_BASE", gs.base, 0xC0000101),
    NOT_LOADED("KERNEL_GS_BASE", kernel_gs_base, 0xC0000102),
    NOT_LOADED("STAR", star, 0xC0000081),
    NOT_LOADED("LSTAR", lstar, 0xC0000082),
    NOT_LOADED("CSTAR", cstar, 0xC0000083),
    NOT_LOADED("SYSENTER_CS", sysenter_cs, 0x174),
    NOT_LOADED("SYSENTER_EIP", sysenter_eip, 0x176),

    SEGMENT("DS.NOT_PRESENT", "a segment whose P is clear is a NULL one",
            guest_read_ecx, 13, SVM_MAKE(ds.attributes, 0)),
    SEGMENT("DS.LIMIT", "the limit of the VMCB is the segment's", guest_read_ecx, 13,
            SVM_MAKE(ds.limit, 0xffff)),
    SEGMENT("DS.READ_ONLY", "the W bit of the VMCB is the segment's", guest_write_ecx,
            13, SVM_CLEAR(ds.attributes, BIT(1))),
    SEGMENT("DS.EXPAND_DOWN", "the E bit of the VMCB is the segment's", guest_read_ecx,
            13, SVM_SET(ds.attributes, BIT(2))),
    SVM_CASE(
        "SEGMENT.CS.LIMIT", SEGMENTS,
        "a RIP outside of the code segment is a #GP in the guest", guest_read_ecx,
        .rcx = (uint64_t)buffer, .always = { COMPATIBILITY },
        .breaks = { SVM_MAKE(cs.limit, 0xffff), SVM_CLEAR(cs.attributes, BIT(11)) },
        .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_AT(guest_read_ecx) }),
    SVM_CASE("RIP.NOT_CANONICAL", LOADS, "it is legal, and a #GP in the guest",
             svm_guest_vmmcall, .always = { SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_MAKE(rip, BIT(63)) },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_WANT(rip, BIT(63)) }),

    SVM_CASE("EXIT.INVALID.IS_64_BITS", "APM2 B, C",
             "EXITCODE has 64 bits, and -1 has too", svm_guest_vmmcall,
             .breaks = { SVM_SET(cr0, BIT(32)) },
             .wants = { SVM_EXITS(SVM_EXIT_INVALID) }),
    SVM_CASE("EXIT.INVALID.KEEPS_THE_GUEST", EXITS,
             "what an illegal state's exit writes back is the guest's",
             svm_guest_vmmcall, .always = { SVM_MAKE(rsp, 0x1000) },
             .breaks = { SVM_SET(cr0, BIT(32)) },
             .wants = { INVALID, SVM_WANT(rip, (uint64_t)svm_guest_vmmcall),
                        SVM_WANT(rsp, 0x1000) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(rsp, 0x1000) }),
    SVM_CASE(
        "ENTRY.PAGED_REAL_MODE", "APM2 15.19",
        "CR0.PG without CR0.PE is legal outside of long mode", svm_guest_vmmcall,
        .prepare = large_paging, .breaks = { SVM_MAKE(cr0, CR0_PG | CR0_ET) },
        .wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                   SVM_WANT_BITS(cr0, CR0_PG | CR0_PE, CR0_PG) },
        .neighbour = { SVM_MAKE(cr0, CR0_PG | CR0_PE | CR0_ET) },
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                             SVM_WANT_BITS(cr0, CR0_PG | CR0_PE, CR0_PG | CR0_PE) }),
    SVM_CASE("ENTRY.CS.L_AND_D.WITHOUT_PAGING", LOADS,
             "CS.L and CS.D may both be set while CR0.PG is clear", svm_guest_vmmcall,
             .always = { SVM_SET(cs.attributes, SVM_ATTRIBUTE_D) },
             .breaks = { SVM_CLEAR(cr0, CR0_PG) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(cr0, CR0_PG, 0) },
             .neighbour_wants = { INVALID }),
    PDPTE("BIT1", 1),
    PDPTE("BIT8", 8),
    PDPTE("BIT63", 63),
    BOTH_ILLEGAL("CR0_AND_CR4", SVM_SET(cr0, BIT(32)), SVM_SET(cr4, BIT(63))),
    BOTH_ILLEGAL("SVME_AND_ASID", SVM_CLEAR(efer, EFER_SVME), SVM_MAKE(guest_asid, 0)),
    BOTH_ILLEGAL("INTERCEPT_AND_DR7", SVM_CLEAR(intercept2, SVM_INTERCEPT2_VMRUN),
                 SVM_SET(dr7, BIT(32))),
    BOTH_ILLEGAL("EVENT_AND_DR6", SVM_MAKE(eventinj, EVENT(1, 3)),
                 SVM_SET(dr6, BIT(32))),
    BOTH_ILLEGAL("ASID_AND_EVENT", SVM_MAKE(guest_asid, 0),
                 SVM_MAKE(eventinj, EVENT(3, 2))),
    BOTH_ILLEGAL("CR0_AND_RIP", SVM_SET(cr0, BIT(63)), SVM_MAKE(rip, BIT(63))),
};
NESTED_RULES(state);

/* The host's own, over a guest that changes it. */
static struct vmcb vmcb __attribute__((aligned(4096)));

struct host {
    void (*guest)(void);
    uint64_t rax, rcx;
    uint16_t offset; /* of the VMCB's field that shows that the guest did change it */
    uint64_t (*read)(void);
};

static uint64_t read_flags(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq\npopq %0" : "=r"(flags));
    return flags &
           (BIT(10) | BIT(9) | BIT(18)); /* DF, IF, AC: C does not change them */
}

#define READ_SELECTOR(name)                                                            \
    static uint64_t read_##name(void)                                                  \
    {                                                                                  \
        uint16_t value;                                                                \
        __asm__ volatile("movw %%" #name ", %0" : "=r"(value));                        \
        return value;                                                                  \
    }
READ_SELECTOR(ds)
READ_SELECTOR(es)
READ_SELECTOR(ss)

#define READ_TABLE(name, instruction)                                                  \
    static uint64_t read_##name(void)                                                  \
    {                                                                                  \
        struct cpu_table table;                                                        \
        __asm__ volatile(instruction " %0" : "=m"(table));                             \
        return table.base + table.limit;                                               \
    }
READ_TABLE(gdtr, "sgdt")
READ_TABLE(idtr, "sidt")

static uint64_t read_efer(void)
{
    return cpu_rdmsr(MSR_EFER);
}

static uint64_t field(uint16_t offset)
{
    uint64_t value;

    memcpy(&value, (uint8_t *)&vmcb + offset, sizeof value);
    return value;
}

static void check_host(const struct nested_rule *rule)
{
    const struct host *host = rule->data;
    struct svm_registers registers;

    svm_enable();
    svm_good(&vmcb, nested_sets_up() ? host->guest : svm_guest_vmmcall);
    svm_prepare_run(&registers);
    vmcb.rax = host->rax;
    registers.rcx = host->rcx;
    uint64_t guest_before = field(host->offset), before = host->read();
    nested_expect(svm_enter_guest(&vmcb, &registers), "a host register lost its canary",
                  0);
    uint64_t after = host->read();
    nested_expect(vmcb.exitcode == SVM_EXIT_VMMCALL, "exit code", vmcb.exitcode);
    nested_expect(field(host->offset) != guest_before, "the guest's did not change",
                  guest_before);
    nested_expect(before == after, "the host's changed to", after);
}

#define HOST(name, where, program, value, pointer, reads)                              \
    {                                                                                  \
        .id = "SVM.HOST." name, .cites = EXITS,                                        \
        .says = "#VMEXIT reloads the host's, whatever the guest made of its own",      \
        .lacks = svm_lacks, .check = check_host, .data = &(const struct host)          \
        {                                                                              \
            .guest = program, .rax = value, .rcx = pointer,                            \
            .offset = offsetof(struct vmcb, where), .read = reads,                     \
        }                                                                              \
    }

static const struct nested_rule host[] = {
    HOST("CR0", cr0, guest_set_cr0, GOOD_CR0 | 8, 0, cpu_read_cr0),
    HOST("CR3", cr3, guest_set_cr3, 8, 0, cpu_read_cr3),
    HOST("CR4", cr4, guest_set_cr4, GOOD_CR4 | 8, 0, cpu_read_cr4),
    HOST("EFER", efer, guest_set_efer, GOOD_EFER | EFER_SCE, 0, read_efer),
    HOST("RFLAGS", rflags, guest_set_flags, 0x40602, 0, read_flags),
    HOST("DS", ds, guest_set_ds, 0x2b, 0, read_ds),
    HOST("ES", es, guest_set_es, 0x2b, 0, read_es),
    HOST("SS", ss, guest_set_ss, 0, 0, read_ss),
    HOST("GDTR", gdtr.base, guest_set_gdtr, 0, (uint64_t)&short_table, read_gdtr),
    HOST("IDTR", idtr.base, guest_set_idtr, 0, (uint64_t)&short_table, read_idtr),
    HOST("CPL", cs, guest_to_ring_3, 0, 0, cpu_read_cr0 /* faults outside of ring 0 */),
};
NESTED_RULES(host);
