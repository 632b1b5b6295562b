/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* intercepts.c - every intercept bit that one instruction of the guest can show */
#include "svm/intercept-rule.h"

#include "lib/memory.h"

/* Instructions, vector 3 (0Ch) of the intercepts. */
SVM_GUEST(guest_sidt, "subq $16, %rsp\n1: sidt (%rsp)");
SVM_GUEST(guest_sgdt, "subq $16, %rsp\n1: sgdt (%rsp)");
SVM_GUEST(guest_sldt, "1: sldt %eax");
SVM_GUEST(guest_str, "1: str %eax");
SVM_GUEST(guest_lidt, "subq $16, %rsp\nsidt (%rsp)\n1: lidt (%rsp)");
SVM_GUEST(guest_lgdt, "subq $16, %rsp\nsgdt (%rsp)\n1: lgdt (%rsp)");
SVM_GUEST(guest_lldt, "xorl %eax, %eax\n1: lldt %ax");
SVM_GUEST(guest_rdtsc, "1: rdtsc");
SVM_GUEST(guest_pushf, "1: pushfq");
SVM_GUEST(guest_popf, "pushq $2\n1: popfq");
SVM_GUEST(guest_cpuid, "xorl %eax, %eax\n1: cpuid");
SVM_GUEST(guest_int, "1: int $0x40");
SVM_GUEST(guest_invd, "1: invd");
SVM_GUEST(guest_pause, "1: pause");
SVM_GUEST(guest_invlpg, "1: invlpg (%rsp)");
SVM_GUEST(guest_invlpga, "movq %rsp, %rax\nxorl %ecx, %ecx\n1: invlpga %rax, %ecx");
SVM_GUEST(guest_in, "1: inb $0x80, %al");
SVM_GUEST(guest_rdmsr, "movl $0xC0000080, %ecx\n1: rdmsr");
SVM_GUEST(guest_iret, "movq %rsp, %rax\npushq $0x10\npushq %rax\npushq $2\npushq $8\n"
                      "leaq 2f(%rip), %rax\npushq %rax\n1: iretq\n2:");
/* Instructions, vector 4 (10h); RAX points at a page. */
SVM_GUEST(guest_vmload, "1: vmload %rax");
SVM_GUEST(guest_vmsave, "1: vmsave %rax");
SVM_GUEST(guest_stgi, "1: stgi");
SVM_GUEST(guest_clgi, "1: clgi");
SVM_GUEST(guest_rdtscp, "1: rdtscp");
SVM_GUEST(guest_wbinvd, "1: wbinvd");
/* Control and debug registers: what is written is what was read. */
SVM_GUEST(guest_read_cr0, "1: movq %cr0, %rbx");
SVM_GUEST(guest_read_cr2, "1: movq %cr2, %rbx");
SVM_GUEST(guest_read_cr3, "1: movq %cr3, %rbx");
SVM_GUEST(guest_read_cr4, "1: movq %cr4, %rbx");
SVM_GUEST(guest_read_cr8, "1: movq %cr8, %rbx");
SVM_GUEST(guest_smsw, "1: smsw %eax");
SVM_GUEST(guest_write_cr0, "movq %cr0, %rbx\n1: movq %rbx, %cr0");
SVM_GUEST(guest_write_cr2, "1: movq %rbx, %cr2");
SVM_GUEST(guest_write_cr3, "movq %cr3, %rbx\n1: movq %rbx, %cr3");
SVM_GUEST(guest_write_cr4, "movq %cr4, %rbx\n1: movq %rbx, %cr4");
SVM_GUEST(guest_write_cr8, "xorl %ebx, %ebx\n1: movq %rbx, %cr8");
SVM_GUEST(guest_lmsw, "smsw %eax\n1: lmsw %ax");
SVM_GUEST(guest_clts, "1: clts");
SVM_GUEST(guest_read_dr0, "1: movq %dr0, %rbx");
SVM_GUEST(guest_read_dr1, "1: movq %dr1, %rbx");
SVM_GUEST(guest_read_dr2, "1: movq %dr2, %rbx");
SVM_GUEST(guest_read_dr3, "1: movq %dr3, %rbx");
SVM_GUEST(guest_read_dr6, "1: movq %dr6, %rbx");
SVM_GUEST(guest_read_dr7, "1: movq %dr7, %rbx");
SVM_GUEST(guest_write_dr0, "xorl %ebx, %ebx\n1: movq %rbx, %dr0");
SVM_GUEST(guest_write_dr1, "xorl %ebx, %ebx\n1: movq %rbx, %dr1");
SVM_GUEST(guest_write_dr2, "xorl %ebx, %ebx\n1: movq %rbx, %dr2");
SVM_GUEST(guest_write_dr3, "xorl %ebx, %ebx\n1: movq %rbx, %dr3");
SVM_GUEST(guest_write_dr6, "movl $0xffff0ff0, %ebx\n1: movq %rbx, %dr6");
SVM_GUEST(guest_write_dr7, "movl $0x400, %ebx\n1: movq %rbx, %dr7");
/* Exceptions. */
SVM_GUEST(guest_de, "xorl %ecx, %ecx\n1: divl %ecx");
SVM_GUEST(guest_bp, "1: int3");
SVM_GUEST(guest_ud, "1: ud2");
SVM_GUEST(guest_nm, "1: fnop");
SVM_GUEST(guest_ss, "movl $0x18, %eax\n1: movw %ax, %ss");
SVM_GUEST(guest_ss_address, "movabsq $0x8000000000000000, %rbp\n1: movq (%rbp), %rbx");
SVM_GUEST(guest_gp, "movabsq $0x8000000000000000, %rbx\n1: movq (%rbx), %rbx");
SVM_GUEST(guest_pf, "movabsq $0x7f0000000000, %rbx\n1: movq (%rbx), %rbx");

static void set_ts(struct vmcb *vmcb)
{
    vmcb->cr0 |= BIT(3);
}

/* The host's first three descriptors and data that is not present. */
static void lack_segment(struct vmcb *vmcb)
{
    static uint64_t gdt[4] = { [3] = UINT64_C(0x00CF13000000FFFF) };

    memcpy(gdt, (void *)vmcb->gdtr.base, 3 * sizeof *gdt);
    vmcb->gdtr.base = (uint64_t)gdt;
    vmcb->gdtr.limit = sizeof gdt - 1;
}

/* I/O and MSR permissions of the good state are all clear: an intercept needs a bit. */
static void deny_all_io(struct vmcb *vmcb)
{
    memset((void *)vmcb->iopm_base_pa, 0xff, 3 * 4096);
}

static void deny_all_msrs(struct vmcb *vmcb)
{
    memset((void *)vmcb->msrpm_base_pa, 0xff, 2 * 4096);
}

#define ONE(name, claim, at_bit, exit, guest)                                          \
    SVM_INTERCEPT_RULE(name, claim, intercept1, at_bit, exit, guest, -1, NULL)
#define TWO(name, claim, at_bit, exit, guest)                                          \
    SVM_INTERCEPT_RULE(name, claim, intercept2, at_bit, exit, guest, -1, NULL)
#define READ_CR(n)                                                                     \
    SVM_INTERCEPT_RULE("CR" #n ".READ", "reading CR" #n " is intercepted",             \
                       intercept_cr_read, n, n, guest_read_cr##n, -1, NULL)
#define WRITE_CR(n)                                                                    \
    SVM_INTERCEPT_RULE("CR" #n ".WRITE", "writing CR" #n " is intercepted",            \
                       intercept_cr_write, n, 0x10 + n, guest_write_cr##n, -1, NULL)
#define READ_DR(n)                                                                     \
    SVM_INTERCEPT_RULE("DR" #n ".READ", "reading DR" #n " is intercepted",             \
                       intercept_dr_read, n, 0x20 + n, guest_read_dr##n, -1, NULL)
#define WRITE_DR(n)                                                                    \
    SVM_INTERCEPT_RULE("DR" #n ".WRITE", "writing DR" #n " is intercepted",            \
                       intercept_dr_write, n, 0x30 + n, guest_write_dr##n, -1, NULL)
#define EXCEPTION(name, n, guest, setup)                                               \
    SVM_INTERCEPT_RULE_OF("15.12", "EXCEPTION." name, "the exception is intercepted",  \
                          intercept_exceptions, n, 0x40 + n, guest, n, setup)

static const struct nested_rule intercepts[] = {
    SVM_INTERCEPT_RULE("CR0.SELECTIVE_LMSW_READ", "SMSW is a read of CR0",
                       intercept_cr_read, 0, 0x00, guest_smsw, -1, NULL),
    READ_CR(0),
    READ_CR(2),
    READ_CR(3),
    READ_CR(4),
    READ_CR(8),
    WRITE_CR(0),
    WRITE_CR(2),
    WRITE_CR(3),
    WRITE_CR(4),
    WRITE_CR(8),
    SVM_INTERCEPT_RULE("CR0.WRITE_LMSW", "LMSW is a write of CR0", intercept_cr_write,
                       0, 0x10, guest_lmsw, -1, NULL),
    SVM_INTERCEPT_RULE("CR0.WRITE_CLTS", "CLTS is a write of CR0", intercept_cr_write,
                       0, 0x10, guest_clts, -1, NULL),
    READ_DR(0),
    READ_DR(1),
    READ_DR(2),
    READ_DR(3),
    READ_DR(6),
    READ_DR(7),
    WRITE_DR(0),
    WRITE_DR(1),
    WRITE_DR(2),
    WRITE_DR(3),
    WRITE_DR(6),
    WRITE_DR(7),
    EXCEPTION("DE", 0, guest_de, NULL),
    EXCEPTION("BP", 3, guest_bp, NULL),
    EXCEPTION("UD", 6, guest_ud, NULL),
    EXCEPTION("NM", 7, guest_nm, set_ts),
    EXCEPTION("SS", 12, guest_ss, lack_segment),
    EXCEPTION("SS_ADDRESS", 12, guest_ss_address, NULL),
    EXCEPTION("GP", 13, guest_gp, NULL),
    EXCEPTION("PF", 14, guest_pf, NULL),
    ONE("IDTR.READ", "SIDT is intercepted", 6, 0x66, guest_sidt),
    ONE("GDTR.READ", "SGDT is intercepted", 7, 0x67, guest_sgdt),
    ONE("LDTR.READ", "SLDT is intercepted", 8, 0x68, guest_sldt),
    ONE("TR.READ", "STR is intercepted", 9, 0x69, guest_str),
    ONE("IDTR.WRITE", "LIDT is intercepted", 10, 0x6a, guest_lidt),
    ONE("GDTR.WRITE", "LGDT is intercepted", 11, 0x6b, guest_lgdt),
    ONE("LDTR.WRITE", "LLDT is intercepted", 12, 0x6c, guest_lldt),
    ONE("RDTSC", "RDTSC is intercepted", 14, 0x6e, guest_rdtsc),
    ONE("PUSHF", "PUSHF is intercepted", 16, 0x70, guest_pushf),
    ONE("POPF", "POPF is intercepted", 17, 0x71, guest_popf),
    ONE("CPUID", "CPUID is intercepted", 18, 0x72, guest_cpuid),
    ONE("IRET", "IRET is intercepted", 20, 0x74, guest_iret),
    ONE("INT", "INT n is intercepted", 21, 0x75, guest_int),
    ONE("INVD", "INVD is intercepted", 22, 0x76, guest_invd),
    ONE("PAUSE", "PAUSE is intercepted", 23, 0x77, guest_pause),
    ONE("INVLPG", "INVLPG is intercepted", 25, 0x79, guest_invlpg),
    ONE("INVLPGA", "INVLPGA is intercepted", 26, 0x7a, guest_invlpga),
    SVM_INTERCEPT_RULE_OF("15.10.2", "IOIO",
                          "IN from a port whose bit is set is intercepted", intercept1,
                          27, 0x7b, guest_in, -1, deny_all_io),
    SVM_INTERCEPT_RULE_OF("15.11", "MSR",
                          "RDMSR of an MSR whose bit is set is intercepted", intercept1,
                          28, 0x7c, guest_rdmsr, -1, deny_all_msrs),
    TWO("VMLOAD", "VMLOAD is intercepted", 2, 0x82, guest_vmload),
    TWO("VMSAVE", "VMSAVE is intercepted", 3, 0x83, guest_vmsave),
    TWO("STGI", "STGI is intercepted", 4, 0x84, guest_stgi),
    TWO("CLGI", "CLGI is intercepted", 5, 0x85, guest_clgi),
    TWO("RDTSCP", "RDTSCP is intercepted", 7, 0x87, guest_rdtscp),
    TWO("WBINVD", "WBINVD is intercepted", 9, 0x89, guest_wbinvd),
};
NESTED_RULES(intercepts);
