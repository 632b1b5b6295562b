/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ept.c - extended page tables, VPIDs, page-modification log, VM functions */
#include "vmx/behaviour.h"

#define VIOLATIONS "SDM3C 28.2.3.2, 27.2.1 table 27-7"
#define MISCONFIGS "SDM3C 28.2.3.1"

#define WINDOW_ASM "mov $0xc0000000, %eax"
VMX_GUEST(ept_read, WINDOW_ASM, "mov 0x18(%rax), %rbx");
VMX_GUEST(ept_write, WINDOW_ASM, "mov %rbx, 0x20(%rax)");
VMX_GUEST(ept_fetch, WINDOW_ASM "; movw $0x9090, (%rax); movb $0xc3, 2(%rax)",
          "call *%rax");
VMX_GUEST(ept_nothing, "", "nop");
VMX_GUEST(vmfunc_0, "xor %eax, %eax; xor %ecx, %ecx", ".byte 0x0f, 0x01, 0xd4");
VMX_GUEST(vmfunc_1, "mov $1, %eax; xor %ecx, %ecx", ".byte 0x0f, 0x01, 0xd4");
VMX_GUEST(vmfunc_512, "xor %eax, %eax; mov $512, %ecx", ".byte 0x0f, 0x01, 0xd4");

#define EPT           VMX_CPU2(VMX_CPU2_EPT)
#define LEAF          (&vmx_pages.ept_pt[0])
#define TABLE         (&vmx_pages.ept_pd[VMX_WINDOW >> 30][0])
#define GOOD_LEAF     ((uint64_t)vmx_pages.data + EPT_WB + EPT_RWX)
#define LEAF_WITH(r)  VMX_POKE(LEAF, (uint64_t)vmx_pages.data + (EPT_WB + (r)))
#define GOOD_TABLE(r) VMX_POKE(TABLE, (uint64_t)vmx_pages.ept_pt + (r))
#define WITH_AD                                                                        \
    VMX_MAKE(VMCS_EPTP, (uint64_t)vmx_pages.ept_pml4 + (EPTP_WALK_4 + 6 + EPTP_AD))

/* Table 27-7: the access, what the entries allowed, and that a linear address led to
 * it.  A write may set the read bit as well (27.2.1), so that is not looked at there. */
#define READS        BIT(0)
#define WRITES       BIT(1)
#define FETCHES      BIT(2)
#define ALLOWED(rwx) ((uint64_t)(rwx) << 3)
#define LINEAR       BIT(7)
#define TRANSLATED   BIT(8)

#define VIOLATION(name, claim, code, at_offset, change, mask, access, rights)          \
    VMX_BEHAVIOUR("EPT." name, VIOLATIONS, claim, .guest = VMX_CODE(code),             \
                  .with = VMX_LIST(EPT, change), .reason = VMX_REASON_EPT_VIOLATION,   \
                  .progress = VMX_AT_NO_LENGTH,                                        \
                  .sees = VMX_SIGHTS(                                                  \
                      VMX_SEE_BITS(VMCS_EXIT_QUALIFICATION, mask,                      \
                                   access | ALLOWED(rights) | LINEAR | TRANSLATED),    \
                      VMX_SEE(VMCS_GUEST_PHYSICAL_ADDRESS, VMX_WINDOW + at_offset),    \
                      VMX_SEE(VMCS_GUEST_LINEAR_ADDRESS, VMX_WINDOW + at_offset)),     \
                  .without = VMX_LIST(EPT))
#define WHOLE    0x1bf
#define NOT_READ 0x1be

#define MISCONFIG(name, claim, change, near, lack)                                     \
    VMX_BEHAVIOUR(                                                                     \
        "EPT." name, MISCONFIGS, claim, .guest = VMX_CODE(ept_read),                   \
        .with = VMX_LIST(EPT, change), .reason = VMX_REASON_EPT_MISCONFIGURATION,      \
        .progress = VMX_AT_NO_LENGTH,                                                  \
        .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_PHYSICAL_ADDRESS, VMX_WINDOW + 0x18)),   \
        .without = VMX_LIST(EPT, near), .lacks = lack)

static const char *lacks_execute_only(void)
{
    return vmx_ept_capability() & BIT(0) ? NULL : "no execute-only pages";
}

static const char *has_execute_only(void)
{
    return vmx_ept_capability() & BIT(0) ? "execute-only pages are allowed" : NULL;
}

static const char *has_52_bits(void)
{
    return cpu_physical_bits() > 51 ? "bit 51 is an address bit" : NULL;
}

static const char *lacks_ad(void)
{
    return vmx_ept_capability() & BIT(21) ? NULL : "no accessed and dirty flags";
}

static const char *lacks_eptp_switching(void)
{
    bool has_functions = vmx_allowed(VMCS_SECONDARY_CONTROLS) & VMX_CPU2_FUNCTIONS;

    return has_functions && cpu_rdmsr(0x491) & BIT(0) ? NULL : "no EPTP switching";
}

#define PML          VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_PML), WITH_AD
#define PML_INDEX(n) VMX_MAKE(VMCS_GUEST_PML_INDEX, n)
#define FUNCTIONS(bits)                                                                \
    VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_FUNCTIONS), VMX_MAKE(VMCS_FUNCTION_CONTROLS, bits)
#define LIST_GOOD_EPTP(i) VMX_POKE(&vmx_pages.eptp_list[i], VMX_GOOD_EPTP)

static const struct nested_rule ept[] = {
    VIOLATION("READ", "a read needs R", ept_read, 0x18, LEAF_WITH(EPT_X), WHOLE, READS,
              EPT_X),
    VIOLATION("READ_ABSENT", "an entry with R, W and X clear is not present", ept_read,
              0x18, LEAF_WITH(0), WHOLE, READS, 0),
    VIOLATION("WRITE", "a write needs W", ept_write, 0x20, LEAF_WITH(EPT_R | EPT_X),
              NOT_READ, WRITES, EPT_X | EPT_R),
    VIOLATION("WRITE_TABLE", "the rights of all levels are taken together", ept_write,
              0x20, GOOD_TABLE(EPT_R | EPT_X), NOT_READ, WRITES, EPT_R | EPT_X),
    VMX_BEHAVIOUR("EPT.FETCH", VIOLATIONS, "a fetch needs X",
                  .guest = VMX_CODE(ept_fetch),
                  .with = VMX_LIST(EPT, LEAF_WITH(EPT_R | EPT_W)),
                  .reason = VMX_REASON_EPT_VIOLATION, .progress = VMX_ANYWHERE,
                  .sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_QUALIFICATION, WHOLE,
                                                  FETCHES | ALLOWED(EPT_R | EPT_W) |
                                                      LINEAR | TRANSLATED),
                                     VMX_SEE(VMCS_GUEST_PHYSICAL_ADDRESS, VMX_WINDOW),
                                     VMX_SEE(VMCS_GUEST_RIP, VMX_WINDOW)),
                  .without = VMX_LIST(EPT)),
    VMX_BEHAVIOUR("EPT.FETCH_EXECUTE_ONLY", "SDM3C 28.2.2, A.10",
                  "a page with X alone can be run but not read",
                  .guest = VMX_CODE(ept_read), .with = VMX_LIST(EPT, LEAF_WITH(EPT_X)),
                  .reason = VMX_REASON_EPT_VIOLATION, .progress = VMX_AT_NO_LENGTH,
                  .without = VMX_LIST(EPT, LEAF_WITH(EPT_R | EPT_X)),
                  .lacks = lacks_execute_only),
    VMX_BEHAVIOUR("EPT.PAGE_WALK", VIOLATIONS,
                  "a violation on the guest's paging structures says so by bit 8",
                  .guest = VMX_CODE(ept_nothing),
                  .with =
                      VMX_LIST(EPT, VMX_MAKE(VMCS_GUEST_CR3, VMX_WINDOW), LEAF_WITH(0)),
                  .reason = VMX_REASON_EPT_VIOLATION, .progress = VMX_ANYWHERE,
                  .sees = VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_QUALIFICATION,
                                                  LINEAR | TRANSLATED, LINEAR),
                                     VMX_SEE(VMCS_GUEST_PHYSICAL_ADDRESS, VMX_WINDOW)),
                  .without = VMX_LIST(EPT)),
    MISCONFIG("WRITE_ONLY", "W without R is a misconfiguration", LEAF_WITH(EPT_W),
              LEAF_WITH(EPT_R | EPT_W), NULL),
    MISCONFIG("WRITE_EXECUTE", "W and X without R is a misconfiguration",
              LEAF_WITH(EPT_W | EPT_X), LEAF_WITH(EPT_RWX), NULL),
    MISCONFIG("EXECUTE_ONLY", "X alone is one where that is not supported",
              LEAF_WITH(EPT_X), LEAF_WITH(EPT_R | EPT_X), has_execute_only),
    MISCONFIG("TABLE_WRITE_ONLY", "so it is in an entry that names a table",
              GOOD_TABLE(EPT_W), GOOD_TABLE(EPT_R | EPT_W), NULL),
    MISCONFIG("TABLE_BIT3", "bits 6:3 of an entry that names a table are reserved",
              GOOD_TABLE(EPT_RWX + BIT(3)), GOOD_TABLE(EPT_RWX), NULL),
    MISCONFIG("TYPE2", "memory type 2 is reserved",
              VMX_POKE(LEAF, (uint64_t)vmx_pages.data + (EPT_RWX + (2 << 3))),
              VMX_POKE(LEAF, (uint64_t)vmx_pages.data + (EPT_RWX + (4 << 3))), NULL),
    MISCONFIG("TYPE3", "memory type 3 is reserved",
              VMX_POKE(LEAF, (uint64_t)vmx_pages.data + (EPT_RWX + (3 << 3))),
              VMX_POKE(LEAF, (uint64_t)vmx_pages.data + (EPT_RWX + (5 << 3))), NULL),
    MISCONFIG("TYPE7", "memory type 7 is reserved",
              VMX_POKE(LEAF, (uint64_t)vmx_pages.data + (EPT_RWX + (7 << 3))),
              VMX_POKE(LEAF, (uint64_t)vmx_pages.data + EPT_RWX), NULL),
    MISCONFIG("ADDRESS_BIT51", "address bits beyond the physical width are reserved",
              VMX_POKE(LEAF, (uint64_t)vmx_pages.data + (EPT_WB + EPT_RWX + BIT(51))),
              VMX_POKE(LEAF, GOOD_LEAF), has_52_bits),
    MISCONFIG("LARGE_BIT12", "bits 20:12 of a 2-MByte page's entry are reserved",
              VMX_POKE(TABLE, 0x200000 | EPT_LARGE | EPT_WB | EPT_RWX | BIT(12)),
              VMX_POKE(TABLE, 0x200000 | EPT_LARGE | EPT_WB | EPT_RWX), NULL),
    VMX_BEHAVIOUR("EPT.PML4_BIT7", MISCONFIGS, "bit 7 of a PML4 entry is reserved",
                  .guest = VMX_CODE(ept_nothing),
                  .with = VMX_LIST(
                      EPT, VMX_POKE(&vmx_pages.ept_pml4[0],
                                    (uint64_t)vmx_pages.ept_pdpt + (EPT_RWX + BIT(7)))),
                  .reason = VMX_REASON_EPT_MISCONFIGURATION, .progress = VMX_ANYWHERE,
                  .without = VMX_LIST(EPT)),

    VMX_BEHAVIOUR("EPT.DIRTY", "SDM3C 28.2.4",
                  "with the EPTP's bit 6, a write sets accessed and dirty",
                  .guest = VMX_CODE(ept_write), .with = VMX_LIST(EPT, WITH_AD),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(LEAF, GOOD_LEAF + (EPT_A + EPT_D))),
                  .without = VMX_LIST(EPT),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(LEAF, GOOD_LEAF)),
                  .lacks = lacks_ad),
    VMX_BEHAVIOUR("EPT.ACCESSED", "SDM3C 28.2.4",
                  "with the EPTP's bit 6, a read sets accessed alone",
                  .guest = VMX_CODE(ept_read), .with = VMX_LIST(EPT, WITH_AD),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(LEAF, GOOD_LEAF + EPT_A)),
                  .without = VMX_LIST(EPT),
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(LEAF, GOOD_LEAF)),
                  .lacks = lacks_ad),
    /* The guest's page tables, all in one large page, are written first (28.2.4). */
    VMX_BEHAVIOUR("PML.LOG", "SDM3C 28.2.5",
                  "a write that sets dirty is logged and counts the index down",
                  .guest = VMX_CODE(ept_write), .with = VMX_LIST(PML, PML_INDEX(511)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(
                      { VMX_WORD, ~UINT64_C(0xfff), VMX_WINDOW, &vmx_pages.pml[510] },
                      VMX_SEE(VMCS_GUEST_PML_INDEX, 509)),
                  .without = VMX_LIST(EPT), .lacks = lacks_ad),
    VMX_BEHAVIOUR("PML.ALIGNED", "SDM3C 28.2.5",
                  "bits 11:0 of what is logged are always 0",
                  .guest = VMX_CODE(ept_write), .with = VMX_LIST(PML, PML_INDEX(511)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&vmx_pages.pml[510], VMX_WINDOW)),
                  .without = VMX_LIST(EPT), .lacks = lacks_ad),
    VMX_BEHAVIOUR("PML.FULL", "SDM3C 28.2.5, 27.2.1",
                  "with an index that is not 0 to 511, it exits before the write",
                  .guest = VMX_CODE(ept_write), .with = VMX_LIST(PML, PML_INDEX(512)),
                  .reason = VMX_REASON_PML_FULL, .progress = VMX_ANYWHERE,
                  .without = VMX_LIST(PML, PML_INDEX(511)), .lacks = lacks_ad),

    VMX_BEHAVIOUR("VMFUNC.NOT_ENABLED", "SDM3C 25.5.5.2",
                  "VMFUNC is #UD if VM functions are not enabled",
                  .guest = VMX_CODE(vmfunc_0),
                  .with = VMX_LIST(EPT, VMX_MAKE(VMCS_EXCEPTION_BITMAP, BIT(6))),
                  .reason = VMX_REASON_EXCEPTION, .progress = VMX_AT_NO_LENGTH,
                  .without = VMX_LIST(FUNCTIONS(1), LIST_GOOD_EPTP(0)),
                  .lacks = lacks_eptp_switching),
    VMX_BEHAVIOUR("VMFUNC.CLEAR", "SDM3C 25.5.5.2",
                  "a function whose control is 0 exits", .guest = VMX_CODE(vmfunc_0),
                  .with = VMX_LIST(FUNCTIONS(0), LIST_GOOD_EPTP(0)),
                  .reason = VMX_REASON_VMFUNC,
                  .without = VMX_LIST(FUNCTIONS(1), LIST_GOOD_EPTP(0)),
                  .lacks = lacks_eptp_switching),
    VMX_BEHAVIOUR("VMFUNC.UNKNOWN", "SDM3C 25.5.5.2",
                  "a function that does not exist exits", .guest = VMX_CODE(vmfunc_1),
                  .with = VMX_LIST(FUNCTIONS(1), LIST_GOOD_EPTP(0)),
                  .reason = VMX_REASON_VMFUNC,
                  .without = VMX_LIST(FUNCTIONS(1), LIST_GOOD_EPTP(0)),
                  .neighbour = VMX_CODE(vmfunc_0), .lacks = lacks_eptp_switching),
    VMX_BEHAVIOUR(
        "VMFUNC.EPTP_INDEX", "SDM3C 25.5.5.3",
        "EPTP switching exits if ECX is 512 or more", .guest = VMX_CODE(vmfunc_512),
        .with = VMX_LIST(FUNCTIONS(1), LIST_GOOD_EPTP(0)), .reason = VMX_REASON_VMFUNC,
        .without = VMX_LIST(FUNCTIONS(1), LIST_GOOD_EPTP(0)),
        .neighbour = VMX_CODE(vmfunc_0), .lacks = lacks_eptp_switching),
    VMX_BEHAVIOUR("VMFUNC.EPTP_VALUE", "SDM3C 25.5.5.3",
                  "EPTP switching exits if the EPTP would fail a VM entry",
                  .guest = VMX_CODE(vmfunc_0),
                  .with = VMX_LIST(FUNCTIONS(1), VMX_POKE(&vmx_pages.eptp_list[0], 0)),
                  .reason = VMX_REASON_VMFUNC,
                  .without = VMX_LIST(FUNCTIONS(1), LIST_GOOD_EPTP(0)),
                  .lacks = lacks_eptp_switching),
};
NESTED_RULES(ept);
