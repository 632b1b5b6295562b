/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.c - the I/O permission map: a bit for each port, and three more; EXITINFO1 and 2 */
#include "svm/case.h"

#include "lib/memory.h"

#define PLACE "APM2 15.10.2"

SVM_GUEST(guest_inb, "1: inb %dx, %al");
SVM_GUEST(guest_inw, "1: inw %dx, %ax");
SVM_GUEST(guest_inl, "1: inl %dx, %eax");
SVM_GUEST(guest_outb, "1: outb %al, %dx");
SVM_GUEST(guest_outw, "1: outw %ax, %dx");
SVM_GUEST(guest_outl, "1: outl %eax, %dx");
SVM_GUEST(guest_inb_80, "1: inb $0x80, %al");
SVM_GUEST(guest_outb_80, "1: outb %al, $0x80");
SVM_GUEST(guest_insb, "movq %rcx, %rdi\n1: insb");
SVM_GUEST(guest_insw, "movq %rcx, %rdi\n1: insw");
SVM_GUEST(guest_insl, "movq %rcx, %rdi\n1: insl");
SVM_GUEST(guest_outsb, "movq %rcx, %rsi\n1: outsb");
SVM_GUEST(guest_outsw, "movq %rcx, %rsi\n1: outsw");
SVM_GUEST(guest_outsl, "movq %rcx, %rsi\n1: outsl");
SVM_GUEST(guest_rep_insb, "movq %rcx, %rdi\nmovl $1, %ecx\n1: rep insb");
SVM_GUEST(guest_rep_outsb, "movq %rcx, %rsi\nmovl $1, %ecx\n1: rep outsb");
SVM_GUEST(guest_insb_a32, "movq %rcx, %rdi\n1: .byte 0x67, 0x6c");
SVM_GUEST(guest_outsb_a32, "movq %rcx, %rsi\n1: .byte 0x67, 0x6e");
SVM_GUEST(guest_outsb_fs, "movq %rcx, %rsi\n1: .byte 0x64, 0x6e");

static uint8_t buffer[16];

/* EXITINFO1, figure 15-2. */
#define IN         BIT(0)
#define STRING     BIT(2)
#define REPEAT     BIT(3)
#define SIZE(n)    ((uint64_t)(n) << 4) /* bytes */
#define ADDRESS32  BIT(8)
#define ADDRESS64  BIT(9)
#define SEGMENT(n) ((uint64_t)(n) << 10)
#define PORT(n)    ((uint64_t)(n) << 16)
/* Address size and segment say something about INS and OUTS only. */
#define PLAIN_BITS   (PORT(0xffff) | 0x7f)
#define SEGMENT_BITS SEGMENT(7)

#define IOIO SVM_SET(intercept1, SVM_INTERCEPT1_IOIO)
#define FREE 0x80 /* the POST code's port: reading and writing it is harmless */

#define INFO(name, guest, length, mask, reads)                                         \
    SVM_CASE("IOIO.INFO." name, PLACE,                                                 \
             "EXITINFO1 describes the access, EXITINFO2 is the next RIP", guest,       \
             .rdx = FREE, .rcx = (uint64_t)buffer, .prepare = svm_deny_ports,          \
             .breaks = { IOIO },                                                       \
             .wants = { SVM_EXITS(SVM_EXIT_IOIO),                                      \
                        SVM_WANT_BITS(exitinfo1, mask, PORT(FREE) | (reads)),          \
                        SVM_WANT(exitinfo2, (uint64_t)(guest##_at + (length))),        \
                        SVM_AT(guest) })
#define STRING_INFO(name, guest, length, reads)                                        \
    INFO(name, guest, length, ~SEGMENT_BITS, STRING | (reads))
#define SEGMENT_INFO(name, guest, n)                                                   \
    SVM_CASE("IOIO.SEGMENT." name, "APM2 15.10.3",                                     \
             "EXITINFO1[12:10] is the effective segment", guest, .rdx = FREE,          \
             .rcx = (uint64_t)buffer, .prepare = svm_deny_ports, .breaks = { IOIO },   \
             .wants = { SVM_EXITS(SVM_EXIT_IOIO),                                      \
                        SVM_WANT_BITS(exitinfo1, SEGMENT_BITS, SEGMENT(n)) })

/* The rule's map has one bit set; the neighbour's all but those of the access. */
static void edge(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour)
{
    uint8_t *map = (uint8_t *)vmcb->iopm_base_pa;
    uint64_t bit = one->argument & 0xffffffff, size = one->argument >> 32;

    memset(map, is_neighbour ? 0xff : 0, SVM_IOPM_BYTES);
    if (!is_neighbour) {
        map[bit / 8] |= (uint8_t)(1u << bit % 8);
        return;
    }
    for (uint64_t at = one->rdx; at < one->rdx + size; at++) {
        map[at / 8] &= (uint8_t) ~(1u << at % 8);
    }
}

#define EDGE(name, guest, port, size, bit, info)                                       \
    SVM_CASE("IOIO.MAP." name, PLACE,                                                  \
             "the bits of all bytes are checked, and no other", guest, .rdx = port,    \
             .rcx = (uint64_t)buffer, .argument = (bit) | (uint64_t)(size) << 32,      \
             .prepare = edge, .always = { IOIO },                                      \
             .wants = { SVM_EXITS(SVM_EXIT_IOIO),                                      \
                        SVM_WANT_BITS(exitinfo1, PLAIN_BITS, PORT(port) | (info)) })

static const struct nested_rule io[] = {
    INFO("INB", guest_inb, 1, PLAIN_BITS, IN | SIZE(1)),
    INFO("INW", guest_inw, 2, PLAIN_BITS, IN | SIZE(2)),
    INFO("INL", guest_inl, 1, PLAIN_BITS, IN | SIZE(4)),
    INFO("OUTB", guest_outb, 1, PLAIN_BITS, SIZE(1)),
    INFO("OUTW", guest_outw, 2, PLAIN_BITS, SIZE(2)),
    INFO("OUTL", guest_outl, 1, PLAIN_BITS, SIZE(4)),
    INFO("IN_IMMEDIATE", guest_inb_80, 2, PLAIN_BITS, IN | SIZE(1)),
    INFO("OUT_IMMEDIATE", guest_outb_80, 2, PLAIN_BITS, SIZE(1)),
    STRING_INFO("INSB", guest_insb, 1, IN | SIZE(1) | ADDRESS64),
    STRING_INFO("INSW", guest_insw, 2, IN | SIZE(2) | ADDRESS64),
    STRING_INFO("INSL", guest_insl, 1, IN | SIZE(4) | ADDRESS64),
    STRING_INFO("OUTSB", guest_outsb, 1, SIZE(1) | ADDRESS64),
    STRING_INFO("OUTSW", guest_outsw, 2, SIZE(2) | ADDRESS64),
    STRING_INFO("OUTSL", guest_outsl, 1, SIZE(4) | ADDRESS64),
    STRING_INFO("REP_INSB", guest_rep_insb, 2, IN | REPEAT | SIZE(1) | ADDRESS64),
    STRING_INFO("REP_OUTSB", guest_rep_outsb, 2, REPEAT | SIZE(1) | ADDRESS64),
    STRING_INFO("INSB_A32", guest_insb_a32, 2, IN | SIZE(1) | ADDRESS32),
    STRING_INFO("OUTSB_A32", guest_outsb_a32, 2, SIZE(1) | ADDRESS32),
    SEGMENT_INFO("OUTS", guest_outsb, 3),
    SEGMENT_INFO("OUTS_FS", guest_outsb_fs, 4),

    EDGE("BYTE", guest_inb, FREE, 1, FREE, IN | SIZE(1)),
    EDGE("WORD_FIRST", guest_inw, FREE, 2, FREE, IN | SIZE(2)),
    EDGE("WORD_LAST", guest_inw, FREE, 2, FREE + 1, IN | SIZE(2)),
    EDGE("DWORD_SECOND", guest_inl, FREE, 4, FREE + 1, IN | SIZE(4)),
    EDGE("DWORD_LAST", guest_inl, FREE, 4, FREE + 3, IN | SIZE(4)),
    EDGE("OUT_DWORD_LAST", guest_outl, FREE, 4, FREE + 3, SIZE(4)),
    EDGE("WORD_ACROSS_BYTES", guest_inw, 0xffc7, 2, 0xffc8, IN | SIZE(2)),
    EDGE("WORD_ACROSS_PAGES", guest_inw, 0x7fff, 2, 0x8000, IN | SIZE(2)),
    EDGE("DWORD_ACROSS_PAGES", guest_inl, 0x7ffd, 4, 0x8000, IN | SIZE(4)),
    EDGE("LAST_BYTE", guest_inb, 0xffff, 1, 0xffff, IN | SIZE(1)),
    EDGE("LAST_WORD", guest_inw, 0xffff, 2, 0x10000, IN | SIZE(2)),
    EDGE("LAST_DWORD_1", guest_inl, 0xffff, 4, 0x10000, IN | SIZE(4)),
    EDGE("LAST_DWORD_3", guest_inl, 0xffff, 4, 0x10002, IN | SIZE(4)),
    EDGE("LAST_DWORD_OUT", guest_outl, 0xffff, 4, 0x10002, SIZE(4)),
    EDGE("FIRST_BYTE", guest_inb, 0, 1, 0, IN | SIZE(1)),

    SVM_CASE("IOIO.MAP_LOW_BITS_IGNORED", "APM2 15.10.1",
             "VMRUN ignores the lower 12 bits of IOPM_BASE_PA", guest_inb, .rdx = FREE,
             .prepare = svm_deny_ports, .always = { SVM_SET(iopm_base_pa, 0xfff) },
             .breaks = { IOIO }, .wants = { SVM_EXITS(SVM_EXIT_IOIO) }),
};
NESTED_RULES(io);
