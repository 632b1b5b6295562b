/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shadow.c - VMCS shadowing at work: VMREAD and VMWRITE of a guest, and their bitmaps
 *
 * prepare() makes a shadow VMCS and lets the link pointer name it; finish() reads it
 * back.  Both bitmaps are clear, so that nothing exits, until a rule sets a bit.
 */
#include "lib/memory.h"
#include "vmx/behaviour.h"

#define PLACE  "SDM3C 25.1.3, 24.6.15"
#define ACCESS "SDM3C 30.3, 24.10"

#define MSR_VMX_BASIC 0x480
#define MSR_VMX_MISC  0x485
#define WRITE_ANY     BIT(29) /* of the second */
#define SHADOW_VMCS   BIT(31) /* of the revision */
#define GP            13

#define FIELD     0x4800 /* ES limit */
#define OTHER     0x4802
#define READ_ONLY 0x4400 /* VM-instruction error */
#define IN_SHADOW 0x00abcdef
#define WRITTEN   0x00123456

/* Where flags are of interest, carry is in CL and zero in CH. */
VMX_GUEST(vmread_field, "mov $0x4800, %eax; mov $0, %ebx", "vmread %rax, %rbx");
VMX_GUEST(vmwrite_field, "mov $0x4800, %eax; mov $0x123456, %ebx",
          "vmwrite %rbx, %rax");
VMX_GUEST(vmread_last, "mov $0x7fff, %eax; xor %ebx, %ebx", "vmread %rax, %rbx");
VMX_GUEST(vmwrite_last, "mov $0x7fff, %eax; xor %ebx, %ebx", "vmwrite %rbx, %rax");
VMX_GUEST(vmread_bit15, "mov $0xc800, %eax; xor %ebx, %ebx", "vmread %rax, %rbx");
VMX_GUEST(vmread_bit63, "mov $0x8000000000004800, %rax; xor %ebx, %ebx",
          "vmread %rax, %rbx");
VMX_GUEST(vmwrite_bit15, "mov $0xc800, %eax; xor %ebx, %ebx", "vmwrite %rbx, %rax");
VMX_GUEST(vmread_flags, "mov $0x4800, %eax; xor %ecx, %ecx",
          "vmread %rax, %rbx; setc %cl; setz %ch");
VMX_GUEST(vmwrite_read_only, "mov $0x4400, %eax; mov $7, %ebx; xor %ecx, %ecx",
          "vmwrite %rbx, %rax; setc %cl; setz %ch");
VMX_GUEST(vmread_unsupported, "mov $0x48fe, %eax; xor %ecx, %ecx",
          "vmread %rax, %rbx; setc %cl; setz %ch");
VMX_GUEST(vmread_to_memory, "mov $0x4800, %eax; mov $0xc0000010, %edx",
          "vmread %rax, (%rdx)");

static uint8_t shadow[4096] __attribute__((aligned(4096)));
static uint64_t shadow_field, own_field;

static void load(const void *region)
{
    uint64_t address = (uint64_t)region;

    __asm__ volatile("vmptrld %0" : : "m"(address) : "cc", "memory");
}

static void clear(const void *region)
{
    uint64_t address = (uint64_t)region;

    __asm__ volatile("vmclear %0" : : "m"(address) : "cc", "memory");
}

static void prepare(void)
{
    uint32_t revision = (uint32_t)cpu_rdmsr(MSR_VMX_BASIC) & 0x7fffffff;

    revision |= (uint32_t)SHADOW_VMCS;
    memset(shadow, 0, sizeof shadow);
    memcpy(shadow, &revision, sizeof revision);
    clear(shadow);
    load(shadow);
    vmx_write(FIELD, IN_SHADOW);
    vmx_write(READ_ONLY, 0);
    clear(shadow);
    load((void *)vmx_vmcs_region());
    vmx_write(VMCS_LINK_POINTER, (uint64_t)shadow);
}

static void finish(void)
{
    own_field = vmx_read(FIELD);
    clear(shadow);
    load(shadow);
    shadow_field = vmx_read(FIELD);
    clear(shadow);
    load((void *)vmx_vmcs_region());
}

static const char *lacks_write_any(void)
{
    return cpu_rdmsr(MSR_VMX_MISC) & WRITE_ANY ? NULL
                                               : "no VMWRITE to read-only fields";
}

#define SHADOWING         VMX_CPU2(VMX_CPU2_SHADOW)
#define BIT_AT(map, n)    VMX_SET_AT(&vmx_pages.map[(n) / 64], BIT((n) % 64))
#define NEVER             VMX_SET(VMCS_GUEST_RFLAGS, 0)
#define NO_LINK           VMX_MAKE(VMCS_LINK_POINTER, UINT64_MAX)
#define SEE_CF_ZF(cf, zf) VMX_SEE_REGISTER(rcx, (cf) | (zf) << 8)

/* One change makes it exit; another leaves it in the guest. */
#define EXITS(name, place, claim, code, reasons, change, near_code, near)              \
    VMX_BEHAVIOUR(                                                                     \
        "SHADOW." name, place, claim, .guest = VMX_CODE(code), .prepare = prepare,     \
        .finish = finish, .with = VMX_LIST(SHADOWING, change), .reason = reasons,      \
        .neighbour = VMX_CODE(near_code), .without = VMX_LIST(SHADOWING, near))

/* A guest in ring 3; its exceptions exit. */
#define RING_3                                                                         \
    VMX_MAKE(VMCS_GUEST_CS_SELECTOR, 0x23), VMX_MAKE(VMCS_GUEST_SS_SELECTOR, 0x2b),    \
        VMX_SET(VMCS_GUEST_CS_RIGHTS, VMX_RIGHTS_DPL(3)),                              \
        VMX_SET(VMCS_GUEST_SS_RIGHTS, VMX_RIGHTS_DPL(3)),                              \
        VMX_MAKE(VMCS_EXCEPTION_BITMAP, UINT32_MAX)

static const struct nested_rule shadow_rules[] = {
    VMX_BEHAVIOUR("SHADOW.READ", ACCESS,
                  "VMREAD of a guest reads the VMCS that the link pointer names",
                  .guest = VMX_CODE(vmread_field), .prepare = prepare, .finish = finish,
                  .with = VMX_LIST(SHADOWING), .reason = VMX_REASON_VMCALL,
                  .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_REGISTER(rbx, IN_SHADOW)),
                  .without = VMX_LIST(NO_LINK), .neighbour_reason = VMX_REASON_VMREAD),
    VMX_BEHAVIOUR("SHADOW.WRITE", ACCESS,
                  "VMWRITE of a guest writes that one, and not the current VMCS",
                  .guest = VMX_CODE(vmwrite_field), .prepare = prepare,
                  .finish = finish, .with = VMX_LIST(SHADOWING),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&shadow_field, WRITTEN),
                                     VMX_SEE_AT(&own_field, UINT32_MAX)),
                  .without = VMX_LIST(SHADOWING, BIT_AT(vmwrite_bitmap, FIELD)),
                  .neighbour_reason = VMX_REASON_VMWRITE,
                  .neighbour_sees = VMX_SIGHTS(VMX_SEE_AT(&shadow_field, IN_SHADOW))),
    EXITS("READ_BIT", PLACE, "a set bit of the VMREAD bitmap exits", vmread_field,
          VMX_REASON_VMREAD, BIT_AT(vmread_bitmap, FIELD), vmread_field,
          BIT_AT(vmread_bitmap, OTHER)),
    EXITS("WRITE_BIT", PLACE, "a set bit of the VMWRITE bitmap exits", vmwrite_field,
          VMX_REASON_VMWRITE, BIT_AT(vmwrite_bitmap, FIELD), vmwrite_field,
          BIT_AT(vmwrite_bitmap, OTHER)),
    EXITS("READ_NOT_BY_WRITE", PLACE, "VMREAD does not look into the other bitmap",
          vmread_field, VMX_REASON_VMREAD, BIT_AT(vmread_bitmap, FIELD), vmread_field,
          BIT_AT(vmwrite_bitmap, FIELD)),
    EXITS("READ_LAST_BIT", PLACE, "7FFFH is the last bit of the VMREAD bitmap",
          vmread_last, VMX_REASON_VMREAD, BIT_AT(vmread_bitmap, 0x7fff), vmread_last,
          BIT_AT(vmread_bitmap, 0x7ffe)),
    EXITS("WRITE_LAST_BIT", PLACE, "7FFFH is the last bit of the VMWRITE bitmap",
          vmwrite_last, VMX_REASON_VMWRITE, BIT_AT(vmwrite_bitmap, 0x7fff),
          vmwrite_last, BIT_AT(vmwrite_bitmap, 0x7ffe)),
    EXITS("READ_BEYOND", PLACE, "VMREAD with any of bits 63:15 set always exits",
          vmread_bit15, VMX_REASON_VMREAD, NEVER, vmread_field, NEVER),
    EXITS("READ_BEYOND_63", PLACE, "so it does with bit 63", vmread_bit63,
          VMX_REASON_VMREAD, NEVER, vmread_field, NEVER),
    EXITS("WRITE_BEYOND", PLACE, "VMWRITE with any of bits 63:15 set always exits",
          vmwrite_bit15, VMX_REASON_VMWRITE, NEVER, vmwrite_field, NEVER),
    VMX_BEHAVIOUR("SHADOW.NO_LINK", ACCESS,
                  "without a VMCS at the link pointer, VMREAD is VMfailInvalid",
                  .guest = VMX_CODE(vmread_flags), .prepare = prepare, .finish = finish,
                  .with = VMX_LIST(SHADOWING, NO_LINK), .reason = VMX_REASON_VMCALL,
                  .progress = VMX_AFTER, .sees = VMX_SIGHTS(SEE_CF_ZF(1, 0)),
                  .without = VMX_LIST(SHADOWING),
                  .neighbour_sees = VMX_SIGHTS(SEE_CF_ZF(0, 0))),
    VMX_BEHAVIOUR(
        "SHADOW.UNSUPPORTED", ACCESS,
        "a field that does not exist is VMfailValid, without an exit",
        .guest = VMX_CODE(vmread_unsupported), .prepare = prepare, .finish = finish,
        .with = VMX_LIST(SHADOWING), .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(SEE_CF_ZF(0, 1)), .neighbour = VMX_CODE(vmread_flags),
        .without = VMX_LIST(SHADOWING), .neighbour_sees = VMX_SIGHTS(SEE_CF_ZF(0, 0))),
    VMX_BEHAVIOUR(
        "SHADOW.READ_ONLY", ACCESS ", A.6",
        "VMWRITE writes read-only fields as well where IA32_VMX_MISC says so",
        .guest = VMX_CODE(vmwrite_read_only), .prepare = prepare, .finish = finish,
        .with = VMX_LIST(SHADOWING), .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
        .sees = VMX_SIGHTS(SEE_CF_ZF(0, 0)), .without = VMX_LIST(SHADOWING, NO_LINK),
        .neighbour_sees = VMX_SIGHTS(SEE_CF_ZF(1, 0)), .lacks = lacks_write_any),
    VMX_BEHAVIOUR("SHADOW.RING_3", "SDM3C 30.3", "what does not exit is #GP in ring 3",
                  .guest = VMX_CODE(vmread_field), .prepare = prepare, .finish = finish,
                  .with = VMX_LIST(SHADOWING, RING_3), .reason = VMX_REASON_EXCEPTION,
                  .progress = VMX_AT_NO_LENGTH,
                  .sees =
                      VMX_SIGHTS(VMX_SEE_BITS(VMCS_EXIT_INTERRUPTION_INFO, 0xff, GP),
                                 VMX_SEE(VMCS_EXIT_ERROR_CODE, 0)),
                  .without = VMX_LIST(SHADOWING)),
    VMX_BEHAVIOUR("SHADOW.EXIT_BEFORE_RING_3", "SDM3C 30.3",
                  "what exits does so before the ring is looked at",
                  .guest = VMX_CODE(vmread_field), .prepare = prepare, .finish = finish,
                  .with = VMX_LIST(SHADOWING, RING_3, BIT_AT(vmread_bitmap, FIELD)),
                  .reason = VMX_REASON_VMREAD, .without = VMX_LIST(SHADOWING, RING_3),
                  .neighbour_reason = VMX_FAULTS),
    VMX_BEHAVIOUR("SHADOW.TO_MEMORY", ACCESS, "VMREAD to memory stores there",
                  .guest = VMX_CODE(vmread_to_memory), .prepare = prepare,
                  .finish = finish,
                  .with = VMX_LIST(VMX_CPU2(VMX_CPU2_SHADOW | VMX_CPU2_EPT)),
                  .reason = VMX_REASON_VMCALL, .progress = VMX_AFTER,
                  .sees = VMX_SIGHTS(VMX_SEE_AT(&vmx_pages.data[2], IN_SHADOW)),
                  .without = VMX_LIST(VMX_CPU2(VMX_CPU2_SHADOW | VMX_CPU2_EPT),
                                      VMX_POKE(&vmx_pages.ept_pt[0], 0)),
                  .neighbour_reason = VMX_REASON_EPT_VIOLATION),
};
NESTED_RULES(shadow_rules);
