/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exit-io-msr.c - ports and MSRs: what exits, and the edges of the bitmaps */
#include "vmx/behaviour.h"

#define IO  "SDM3C 25.1.3, 27.2.1 table 27-5"
#define MSR "SDM3C 25.1.3, 24.6.9"

/* Ports at which nothing is, or nothing that minds. */
VMX_GUEST(in_80, "", "in $0x80, %al");
VMX_GUEST(out_80, "xor %eax, %eax", "out %al, $0x80");
VMX_GUEST(in_dx_16, "mov $0x84, %edx", "in %dx, %ax");
VMX_GUEST(out_dx_32, "mov $0x84, %edx; xor %eax, %eax", "out %eax, %dx");
VMX_GUEST(insb, "mov $0x84, %edx; lea -64(%rsp), %rdi", "insb");
VMX_GUEST(rep_outsw, "mov $0x84, %edx; mov $2, %ecx; lea -64(%rsp), %rsi", "rep outsw");
VMX_GUEST(in_7fff, "mov $0x7fff, %edx", "in %dx, %al");
VMX_GUEST(in_8000, "mov $0x8000, %edx", "in %dx, %al");
VMX_GUEST(in_ffff, "mov $0xffff, %edx", "in %dx, %al");
VMX_GUEST(in_ffff_16, "mov $0xffff, %edx", "in %dx, %ax");
VMX_GUEST(in_7ffd_32, "mov $0x7ffd, %edx", "in %dx, %eax");
VMX_GUEST(in_8000_32, "mov $0x7ffe, %edx", "in %dx, %eax");

enum { OUT, IN };
enum { BYTE, WORD, LONG = 3 };
#define STRING    (1 << 4)
#define REP       (1 << 5)
#define IMMEDIATE (1 << 6)
#define IO_ACCESS(size, direction, rest, port)                                         \
    VMX_SEE(VMCS_EXIT_QUALIFICATION,                                                   \
            size | direction << 3 | rest | (uint64_t)(port) << 16)

#define UNCONDITIONAL(name, code, ...)                                                 \
    VMX_BEHAVIOUR("EXIT.IO." name, IO, "with unconditional I/O exiting, it exits",     \
                  .guest = VMX_CODE(code), .with = VMX_LIST(VMX_CPU(VMX_CPU_IO)),      \
                  .reason = VMX_REASON_IO, .sees = VMX_SIGHTS(__VA_ARGS__))

/* The bit of @port in its bitmap. */
#define PORT(bitmap, port, is_set)                                                     \
    VMX_POKE8((uint8_t *)vmx_pages.bitmap + (port) / 8, is_set ? 1 << ((port) % 8) : 0)
#define BITMAPS VMX_CPU(VMX_CPU_IO_BITMAPS)
#define IO_BITMAP(name, claim, code, bit, near, ...)                                   \
    VMX_BEHAVIOUR("EXIT.IO." name, IO, claim, .guest = VMX_CODE(code),                 \
                  .with = VMX_LIST(BITMAPS, bit), .reason = VMX_REASON_IO,             \
                  .sees = VMX_SIGHTS(__VA_ARGS__), .without = VMX_LIST(BITMAPS, near))

VMX_GUEST(rdmsr_pat, "mov $0x277, %ecx", "rdmsr");
VMX_GUEST(wrmsr_pat, "mov $0x277, %ecx; rdmsr", "wrmsr");
VMX_GUEST(rdmsr_efer, "mov $0xc0000080, %ecx", "rdmsr");
VMX_GUEST(wrmsr_efer, "mov $0xc0000080, %ecx; rdmsr", "wrmsr");
VMX_GUEST(rdmsr_1fff, "mov $0x1fff, %ecx", "rdmsr");
VMX_GUEST(rdmsr_c0001fff, "mov $0xc0001fff, %ecx", "rdmsr");
VMX_GUEST(rdmsr_2000, "mov $0x2000, %ecx", "rdmsr");
VMX_GUEST(wrmsr_c0002000, "mov $0xc0002000, %ecx", "wrmsr");
VMX_GUEST(rdmsr_bfffffff, "mov $0xbfffffff, %ecx", "rdmsr");

/* 24.6.9: read low, read high, write low, write high, 1 KiB each. */
enum { READ_LOW = 0, READ_HIGH = 1024, WRITE_LOW = 2048, WRITE_HIGH = 3072 };
#define MSR_BIT(part, msr)                                                             \
    VMX_POKE8((uint8_t *)vmx_pages.msr_bitmap + part + ((msr)&0x1fff) / 8,             \
              1 << ((msr) % 8))
#define MSR_BITMAPS VMX_CPU(VMX_CPU_MSR_BITMAPS)
#define MSR_BITMAP(name, claim, code, why, bit, near)                                  \
    VMX_BEHAVIOUR("EXIT.MSR." name, MSR, claim, .guest = VMX_CODE(code),               \
                  .with = VMX_LIST(MSR_BITMAPS, bit), .reason = why,                   \
                  .without = VMX_LIST(MSR_BITMAPS, near))
/* No such MSR: with the bit clear the access is #GP in the guest, which its IDT ends by
 * VMCALL, or it reads as zero on engines that let it; so there is no progress to see. */
#define MSR_EDGE(name, claim, code, why, bit, near)                                    \
    VMX_BEHAVIOUR("EXIT.MSR." name, MSR, claim, .guest = VMX_CODE(code),               \
                  .with = VMX_LIST(MSR_BITMAPS, bit), .reason = why,                   \
                  .without = VMX_LIST(MSR_BITMAPS, near),                              \
                  .neighbour_reason = VMX_REASON_VMCALL)
#define MSR_OUTSIDE(name, code, why)                                                   \
    VMX_BEHAVIOUR("EXIT.MSR." name, MSR,                                               \
                  "an MSR in neither range exits, whatever the bitmaps say",           \
                  .guest = VMX_CODE(code), .with = VMX_LIST(MSR_BITMAPS),              \
                  .reason = why, .without = VMX_LIST(MSR_BITMAPS),                     \
                  .neighbour = VMX_CODE(rdmsr_pat))

static const struct nested_rule exit_io_msr[] = {
    UNCONDITIONAL("IN_IMMEDIATE", in_80, IO_ACCESS(BYTE, IN, IMMEDIATE, 0x80)),
    UNCONDITIONAL("OUT_IMMEDIATE", out_80, IO_ACCESS(BYTE, OUT, IMMEDIATE, 0x80)),
    UNCONDITIONAL("IN_WORD", in_dx_16, IO_ACCESS(WORD, IN, 0, 0x84)),
    UNCONDITIONAL("OUT_LONG", out_dx_32, IO_ACCESS(LONG, OUT, 0, 0x84)),
    UNCONDITIONAL("INS", insb, IO_ACCESS(BYTE, IN, STRING, 0x84),
                  VMX_SEE(VMCS_GUEST_LINEAR_ADDRESS, (uint64_t)VMX_STACK_TOP - 64)),
    UNCONDITIONAL("REP_OUTS", rep_outsw, IO_ACCESS(WORD, OUT, STRING | REP, 0x84),
                  VMX_SEE(VMCS_GUEST_LINEAR_ADDRESS, (uint64_t)VMX_STACK_TOP - 64)),
    VMX_BEHAVIOUR("EXIT.IO.BITMAPS_WIN", IO,
                  "with use I/O bitmaps, unconditional I/O exiting is ignored",
                  .guest = VMX_CODE(in_80), .with = VMX_LIST(VMX_CPU(VMX_CPU_IO)),
                  .reason = VMX_REASON_IO,
                  .without = VMX_LIST(VMX_CPU(VMX_CPU_IO | VMX_CPU_IO_BITMAPS))),
    IO_BITMAP("BITMAP", "a port whose bit is 1 exits", in_80,
              PORT(io_bitmap_a, 0x80, 1), PORT(io_bitmap_a, 0x81, 1),
              IO_ACCESS(BYTE, IN, IMMEDIATE, 0x80)),
    IO_BITMAP("A_LAST", "port 7FFFH is the last bit of bitmap A", in_7fff,
              PORT(io_bitmap_a, 0x7fff, 1), PORT(io_bitmap_b, 0, 1),
              IO_ACCESS(BYTE, IN, 0, 0x7fff)),
    IO_BITMAP("B_FIRST", "port 8000H is the first bit of bitmap B", in_8000,
              PORT(io_bitmap_b, 0, 1), PORT(io_bitmap_a, 0x7fff, 1),
              IO_ACCESS(BYTE, IN, 0, 0x8000)),
    IO_BITMAP("B_LAST", "port FFFFH is the last bit of bitmap B", in_ffff,
              PORT(io_bitmap_b, 0x7fff, 1), PORT(io_bitmap_b, 0x7ffe, 1),
              IO_ACCESS(BYTE, IN, 0, 0xffff)),
    IO_BITMAP("LAST_BYTE", "an access exits if only its last byte's bit is 1",
              in_7ffd_32, PORT(io_bitmap_b, 0, 1), PORT(io_bitmap_b, 1, 1),
              IO_ACCESS(LONG, IN, 0, 0x7ffd)),
    IO_BITMAP("ACROSS", "an access over both bitmaps looks into both", in_8000_32,
              PORT(io_bitmap_b, 1, 1), PORT(io_bitmap_b, 2, 1),
              IO_ACCESS(LONG, IN, 0, 0x7ffe)),
    VMX_BEHAVIOUR("EXIT.IO.WRAP", IO,
                  "an access that wraps around the port space exits, without any bit",
                  .guest = VMX_CODE(in_ffff_16), .with = VMX_LIST(BITMAPS),
                  .reason = VMX_REASON_IO,
                  .sees = VMX_SIGHTS(IO_ACCESS(WORD, IN, 0, 0xffff)),
                  .without = VMX_LIST(BITMAPS), .neighbour = VMX_CODE(in_ffff)),

    VMX_BEHAVIOUR("EXIT.MSR.RDMSR", MSR, "without MSR bitmaps, RDMSR always exits",
                  .guest = VMX_CODE(rdmsr_pat), .reason = VMX_REASON_RDMSR,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .without = VMX_LIST(MSR_BITMAPS)),
    VMX_BEHAVIOUR("EXIT.MSR.WRMSR", MSR, "without MSR bitmaps, WRMSR always exits",
                  .guest = VMX_CODE(wrmsr_pat),
                  .with = VMX_LIST(MSR_BITMAPS, MSR_BIT(WRITE_LOW, 0x277)),
                  .reason = VMX_REASON_WRMSR,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .without = VMX_LIST(MSR_BITMAPS)),
    MSR_BITMAP("READ_LOW", "RDMSR of a low MSR looks into the first part", rdmsr_pat,
               VMX_REASON_RDMSR, MSR_BIT(READ_LOW, 0x277), MSR_BIT(WRITE_LOW, 0x277)),
    MSR_BITMAP("READ_HIGH", "RDMSR of a high MSR looks into the second part",
               rdmsr_efer, VMX_REASON_RDMSR, MSR_BIT(READ_HIGH, 0x80),
               MSR_BIT(READ_LOW, 0x80)),
    MSR_BITMAP("WRITE_LOW", "WRMSR of a low MSR looks into the third part", wrmsr_pat,
               VMX_REASON_WRMSR, MSR_BIT(WRITE_LOW, 0x277), MSR_BIT(WRITE_LOW, 0x276)),
    MSR_BITMAP("WRITE_HIGH", "WRMSR of a high MSR looks into the fourth part",
               wrmsr_efer, VMX_REASON_WRMSR, MSR_BIT(WRITE_HIGH, 0x80),
               MSR_BIT(WRITE_HIGH, 0x81)),
    MSR_EDGE("LOW_LAST", "1FFFH is the last bit of the low part", rdmsr_1fff,
             VMX_REASON_RDMSR, MSR_BIT(READ_LOW, 0x1fff), MSR_BIT(READ_LOW, 0x1ffe)),
    MSR_EDGE("HIGH_LAST", "C0001FFFH is the last bit of the high part", rdmsr_c0001fff,
             VMX_REASON_RDMSR, MSR_BIT(READ_HIGH, 0x1fff), MSR_BIT(READ_HIGH, 0x1ffe)),
    MSR_OUTSIDE("ABOVE_LOW", rdmsr_2000, VMX_REASON_RDMSR),
    MSR_OUTSIDE("BELOW_HIGH", rdmsr_bfffffff, VMX_REASON_RDMSR),
    MSR_OUTSIDE("ABOVE_HIGH", wrmsr_c0002000, VMX_REASON_WRMSR),
};
NESTED_RULES(exit_io_msr);
