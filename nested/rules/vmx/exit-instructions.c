/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exit-instructions.c - which instructions leave the guest, and what they say of it */
#include "vmx/behaviour.h"

#define ALWAYS      "SDM3C 25.1.2, 27.2.4"
#define CONDITIONAL "SDM3C 25.1.3, 27.2.4"
#define INFORMED    "SDM3C 25.1.3, 27.2.1"

VMX_GUEST(nop, "", "nop");
VMX_GUEST(cpuid, "xor %eax, %eax", "cpuid");
VMX_GUEST(invd, "", "invd");
VMX_GUEST(xsetbv, "xor %ecx, %ecx; xgetbv", "xsetbv");
VMX_GUEST(vmcall, "", "vmcall");
VMX_GUEST(vmclear, "mov %rsp, %rax", "vmclear 0x10(%rax)");
VMX_GUEST(vmptrld, "mov %rsp, %rax", "vmptrld -8(%rax)");
VMX_GUEST(vmptrst, "mov %rsp, %rax", "vmptrst 0x100(%rax)");
VMX_GUEST(vmxon, "mov %rsp, %rcx", "vmxon (%rcx)");
VMX_GUEST(vmlaunch, "", "vmlaunch");
VMX_GUEST(vmresume, "", "vmresume");
VMX_GUEST(vmxoff, "", "vmxoff");
VMX_GUEST(vmread, "mov $0x681e, %edx", "vmread %rdx, %rbx");
VMX_GUEST(vmwrite, "mov $0x681e, %edx", "vmwrite %rbx, %rdx");
VMX_GUEST(invept, "mov $1, %ecx; mov %rsp, %rax", "invept -16(%rax), %rcx");
VMX_GUEST(invvpid, "mov $2, %ecx; mov %rsp, %rax", "invvpid -16(%rax), %rcx");
VMX_GUEST(vmclear_rip, "", "vmclear vmx_pages(%rip)");

VMX_GUEST(hlt, "", "hlt");
VMX_GUEST(invlpg, "mov $0x12345678, %eax", "invlpg 0x10(%rax)");
VMX_GUEST(rdpmc, "xor %ecx, %ecx", "rdpmc");
VMX_GUEST(rdtsc, "", "rdtsc");
VMX_GUEST(rdtscp, "", "rdtscp");
VMX_GUEST(mwait, "xor %eax, %eax; xor %ecx, %ecx", "mwait");
VMX_GUEST(monitor, "mov %rsp, %rax; xor %ecx, %ecx; xor %edx, %edx", "monitor");
VMX_GUEST(pause_, "", "pause");
VMX_GUEST(wbinvd, "", "wbinvd");
VMX_GUEST(rdrand, "", "rdrand %rbx");
VMX_GUEST(rdseed, "", "rdseed %ecx");
VMX_GUEST(invpcid,
          "mov $2, %edx; mov %rsp, %rax; movq $0, -16(%rax); movq $0, -8(%rax)",
          "invpcid -16(%rax), %rdx");
VMX_GUEST(sgdt, "mov %rsp, %rax", "sgdt -16(%rax)");
VMX_GUEST(sidt, "mov %rsp, %rax", "sidt -16(%rax)");
VMX_GUEST(lgdt, "lea nested_gdtr(%rip), %rax", "lgdt (%rax)");
/* Any table does: nothing is delivered before VMCALL. */
VMX_GUEST(lidt, "lea nested_gdtr(%rip), %rax", "lidt (%rax)");
VMX_GUEST(sldt, "", "sldt %ax");
VMX_GUEST(str_, "", "str %bx");
VMX_GUEST(lldt, "xor %eax, %eax", "lldt %ax");

/* Instruction information, table 27-13: address size 64 bits, DS, base RAX, no index;
 * the rest is undefined. */
#define INFO_MASK (7 << 7 | BIT(10) | 7 << 15 | BIT(22) | 0xf << 23 | BIT(27))
#define INFO_RAX  (2 << 7 | 3 << 15 | BIT(22))

#define UNCONDITIONAL(name, code, why)                                                 \
    VMX_BEHAVIOUR("EXIT." name, ALWAYS, name " causes a VM exit unconditionally",      \
                  .guest = VMX_CODE(code), .reason = why,                              \
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),             \
                  .neighbour = VMX_CODE(nop))
#define WITH_OPERAND(name, code, why, displacement)                                    \
    VMX_BEHAVIOUR("EXIT." name, "SDM3C 25.1.2, 27.2.1, 27.2.4",                        \
                  name " causes a VM exit that tells its displacement and operand",    \
                  .guest = VMX_CODE(code), .reason = why,                              \
                  .sees = VMX_SIGHTS(                                                  \
                      VMX_SEE(VMCS_EXIT_QUALIFICATION, (uint64_t)(displacement)),      \
                      VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO, INFO_MASK, INFO_RAX)),  \
                  .neighbour = VMX_CODE(nop))
#define BY_CONTROL(name, code, control, why)                                           \
    VMX_BEHAVIOUR("EXIT." name, CONDITIONAL, name " exits if its control is 1",        \
                  .guest = VMX_CODE(code), .with = VMX_LIST(control), .reason = why,   \
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),             \
                  .without = VMX_LIST())
/* The neighbour lacks the instruction, not the control: without it the guest would
 * wait for ever, or depend on the machine. */
#define BY_CONTROL_OR_NOT_AT_ALL(name, code, control, why)                             \
    VMX_BEHAVIOUR("EXIT." name, CONDITIONAL, name " exits if its control is 1",        \
                  .guest = VMX_CODE(code), .with = VMX_LIST(control), .reason = why,   \
                  .without = VMX_LIST(control), .neighbour = VMX_CODE(nop))
#define TABLE_ACCESS(name, code, why, identity)                                        \
    VMX_BEHAVIOUR("EXIT." name, "SDM3C 25.1.3, 27.2.4 tables 27-10, 27-11",            \
                  name " exits with descriptor-table exiting and is told apart",       \
                  .guest = VMX_CODE(code),                                             \
                  .with = VMX_LIST(VMX_CPU2(VMX_CPU2_TABLES)), .reason = why,          \
                  .sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO, 3 << 28, \
                                                  identity << 28)),                    \
                  .without = VMX_LIST(VMX_CPU(VMX_CPU_SECONDARY)))

static const char *lacks_cpuid_1_ecx(unsigned bit, const char *what)
{
    return cpu_cpuid(1, 0).ecx & BIT(bit) ? NULL : what;
}

static const char *lacks_xsave(void)
{
    return lacks_cpuid_1_ecx(26, "no XSAVE");
}

static const char *lacks_monitor(void)
{
    return lacks_cpuid_1_ecx(3, "no MONITOR");
}

static const char *lacks_invept(void)
{
    return vmx_ept_capability() & BIT(20) ? NULL : "no INVEPT";
}

static const char *lacks_invvpid(void)
{
    return vmx_ept_capability() & BIT(32) ? NULL : "no INVVPID";
}

static const struct nested_rule exit_instructions[] = {
    UNCONDITIONAL("CPUID", cpuid, VMX_REASON_CPUID),
    UNCONDITIONAL("INVD", invd, VMX_REASON_INVD),
    UNCONDITIONAL("VMLAUNCH", vmlaunch, VMX_REASON_VMLAUNCH),
    UNCONDITIONAL("VMRESUME", vmresume, VMX_REASON_VMRESUME),
    UNCONDITIONAL("VMXOFF", vmxoff, VMX_REASON_VMXOFF),
    VMX_BEHAVIOUR("EXIT.VMCALL", ALWAYS, "VMCALL causes a VM exit, as a fault does",
                  .guest = VMX_CODE(vmcall), .reason = VMX_REASON_VMCALL,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .neighbour = VMX_CODE(nop)),
    VMX_BEHAVIOUR("EXIT.XSETBV", ALWAYS, "XSETBV causes a VM exit unconditionally",
                  .guest = VMX_CODE(xsetbv), .reason = VMX_REASON_XSETBV,
                  .with = VMX_LIST(VMX_SET(VMCS_GUEST_CR4, BIT(18))),
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .neighbour = VMX_CODE(nop), .lacks = lacks_xsave),
    WITH_OPERAND("VMCLEAR", vmclear, VMX_REASON_VMCLEAR, 0x10),
    WITH_OPERAND("VMPTRLD", vmptrld, VMX_REASON_VMPTRLD, -8),
    WITH_OPERAND("VMPTRST", vmptrst, VMX_REASON_VMPTRST, 0x100),
    VMX_BEHAVIOUR("EXIT.VMXON", "SDM3C 25.1.2, 27.2.4",
                  "VMXON causes a VM exit that names its base register",
                  .guest = VMX_CODE(vmxon), .reason = VMX_REASON_VMXON,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0),
                                     VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO, INFO_MASK,
                                                  INFO_RAX | 1 << 23)),
                  .neighbour = VMX_CODE(nop)),
    VMX_BEHAVIOUR(
        "EXIT.VMCLEAR_RIP_RELATIVE", "SDM3C 27.2.1",
        "the qualification of a RIP-relative operand is its address",
        .guest = VMX_CODE(vmclear_rip), .reason = VMX_REASON_VMCLEAR,
        .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, (uint64_t)&vmx_pages)),
        .neighbour = VMX_CODE(nop)),
    VMX_BEHAVIOUR("EXIT.VMREAD", "SDM3C 25.1.3, 27.2.4 table 27-14",
                  "VMREAD exits and names its registers", .guest = VMX_CODE(vmread),
                  .reason = VMX_REASON_VMREAD,
                  .sees =
                      VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0),
                                 VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO,
                                              0xf << 3 | BIT(10) | UINT64_C(0xf) << 28,
                                              3 << 3 | BIT(10) | UINT64_C(2) << 28)),
                  .neighbour = VMX_CODE(nop)),
    VMX_BEHAVIOUR("EXIT.VMWRITE", "SDM3C 25.1.3, 27.2.4 table 27-14",
                  "VMWRITE exits and names its registers", .guest = VMX_CODE(vmwrite),
                  .reason = VMX_REASON_VMWRITE,
                  .sees =
                      VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0),
                                 VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO,
                                              0xf << 3 | BIT(10) | UINT64_C(0xf) << 28,
                                              3 << 3 | BIT(10) | UINT64_C(2) << 28)),
                  .neighbour = VMX_CODE(nop)),
    VMX_BEHAVIOUR("EXIT.INVEPT", "SDM3C 25.1.2, 27.2.4 table 27-9",
                  "INVEPT exits and names its register", .guest = VMX_CODE(invept),
                  .reason = VMX_REASON_INVEPT,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, (uint64_t)-16),
                                     VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO,
                                                  INFO_MASK | UINT64_C(0xf) << 28,
                                                  INFO_RAX | UINT64_C(1) << 28)),
                  .neighbour = VMX_CODE(nop), .lacks = lacks_invept),
    VMX_BEHAVIOUR("EXIT.INVVPID", "SDM3C 25.1.2, 27.2.4 table 27-9",
                  "INVVPID exits and names its register", .guest = VMX_CODE(invvpid),
                  .reason = VMX_REASON_INVVPID,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, (uint64_t)-16),
                                     VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO,
                                                  INFO_MASK | UINT64_C(0xf) << 28,
                                                  INFO_RAX | UINT64_C(1) << 28)),
                  .neighbour = VMX_CODE(nop), .lacks = lacks_invvpid),

    VMX_BEHAVIOUR("EXIT.HLT", CONDITIONAL, "HLT exits with HLT exiting",
                  .guest = VMX_CODE(hlt), .with = VMX_LIST(VMX_CPU(VMX_CPU_HLT)),
                  .reason = VMX_REASON_HLT,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .neighbour = VMX_CODE(nop)),
    VMX_BEHAVIOUR("EXIT.INVLPG", INFORMED,
                  "INVLPG exits with INVLPG exiting; the qualification is its operand",
                  .guest = VMX_CODE(invlpg), .with = VMX_LIST(VMX_CPU(VMX_CPU_INVLPG)),
                  .reason = VMX_REASON_INVLPG,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0x12345688))),
    BY_CONTROL_OR_NOT_AT_ALL("RDPMC", rdpmc, VMX_CPU(VMX_CPU_RDPMC), VMX_REASON_RDPMC),
    BY_CONTROL("RDTSC", rdtsc, VMX_CPU(VMX_CPU_RDTSC), VMX_REASON_RDTSC),
    VMX_BEHAVIOUR("EXIT.RDTSCP", CONDITIONAL,
                  "RDTSCP exits if enable RDTSCP and RDTSC exiting are both 1",
                  .guest = VMX_CODE(rdtscp),
                  .with = VMX_LIST(VMX_CPU(VMX_CPU_RDTSC), VMX_CPU2(VMX_CPU2_RDTSCP)),
                  .reason = VMX_REASON_RDTSCP,
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_RDTSCP))),
    VMX_BEHAVIOUR("EXIT.RDTSCP_NOT_ENABLED", "SDM3C 25.3",
                  "without enable RDTSCP, RDTSCP is #UD, even with RDTSC exiting",
                  .guest = VMX_CODE(rdtscp),
                  .with = VMX_LIST(VMX_CPU(VMX_CPU_RDTSC | VMX_CPU_SECONDARY),
                                   VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(6))),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_INTERRUPTION_INFO,
                                             VMX_EVENT(VMX_HARDWARE_EXCEPTION, 6))),
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_RDTSCP),
                                      VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(6)))),
    VMX_BEHAVIOUR("EXIT.MWAIT", INFORMED,
                  "MWAIT exits with MWAIT exiting; the qualification is 0, as nothing "
                  "is armed",
                  .guest = VMX_CODE(mwait), .with = VMX_LIST(VMX_CPU(VMX_CPU_MWAIT)),
                  .reason = VMX_REASON_MWAIT,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, 0)),
                  .neighbour = VMX_CODE(nop), .lacks = lacks_monitor),
    VMX_BEHAVIOUR("EXIT.MONITOR", CONDITIONAL, "MONITOR exits with MONITOR exiting",
                  .guest = VMX_CODE(monitor),
                  .with = VMX_LIST(VMX_CPU(VMX_CPU_MONITOR)),
                  .reason = VMX_REASON_MONITOR, .lacks = lacks_monitor),
    BY_CONTROL("PAUSE", pause_, VMX_CPU(VMX_CPU_PAUSE), VMX_REASON_PAUSE),
    BY_CONTROL("WBINVD", wbinvd, VMX_CPU2(VMX_CPU2_WBINVD), VMX_REASON_WBINVD),
    VMX_BEHAVIOUR(
        "EXIT.RDRAND", "SDM3C 25.1.3, 27.2.4 table 27-12",
        "RDRAND exits with RDRAND exiting and names its register",
        .guest = VMX_CODE(rdrand), .with = VMX_LIST(VMX_CPU2(VMX_CPU2_RDRAND)),
        .reason = VMX_REASON_RDRAND,
        .sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO, 0xf << 3 | 3 << 11,
                                        3 << 3 | 2 << 11))),
    VMX_BEHAVIOUR(
        "EXIT.RDSEED", "SDM3C 25.1.3, 27.2.4 table 27-12",
        "RDSEED exits with RDSEED exiting and names its register",
        .guest = VMX_CODE(rdseed), .with = VMX_LIST(VMX_CPU2(VMX_CPU2_RDSEED)),
        .reason = VMX_REASON_RDSEED,
        .sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO, 0xf << 3 | 3 << 11,
                                        1 << 3 | 1 << 11))),
    VMX_BEHAVIOUR("EXIT.INVPCID", "SDM3C 25.1.3, 27.2.4 table 27-9",
                  "INVPCID exits if enable INVPCID and INVLPG exiting are both 1",
                  .guest = VMX_CODE(invpcid),
                  .with = VMX_LIST(VMX_CPU(VMX_CPU_INVLPG), VMX_CPU2(VMX_CPU2_INVPCID)),
                  .reason = VMX_REASON_INVPCID,
                  .sees = VMX_SIGHTS(VMX_SEE(VMCS_EXIT_QUALIFICATION, (uint64_t)-16),
                                     VMX_SEE_BITS(VMCS_EXIT_INSTRUCTION_INFO,
                                                  INFO_MASK | UINT64_C(0xf) << 28,
                                                  INFO_RAX | UINT64_C(2) << 28)),
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_INVPCID))),
    VMX_BEHAVIOUR("EXIT.INVPCID_NOT_ENABLED", "SDM3C 25.3",
                  "without enable INVPCID, INVPCID is #UD, even with INVLPG exiting",
                  .guest = VMX_CODE(invpcid),
                  .with = VMX_LIST(VMX_CPU(VMX_CPU_INVLPG | VMX_CPU_SECONDARY),
                                   VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(6))),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_INVPCID),
                                      VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(6)))),
    TABLE_ACCESS("SGDT", sgdt, VMX_REASON_GDTR_IDTR, 0),
    TABLE_ACCESS("SIDT", sidt, VMX_REASON_GDTR_IDTR, 1),
    TABLE_ACCESS("LGDT", lgdt, VMX_REASON_GDTR_IDTR, 2),
    TABLE_ACCESS("LIDT", lidt, VMX_REASON_GDTR_IDTR, 3),
    TABLE_ACCESS("SLDT", sldt, VMX_REASON_LDTR_TR, 0),
    TABLE_ACCESS("STR", str_, VMX_REASON_LDTR_TR, 1),
    TABLE_ACCESS("LLDT", lldt, VMX_REASON_LDTR_TR, 2),
};
NESTED_RULES(exit_instructions);
