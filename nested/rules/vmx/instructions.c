/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* instructions.c - VMX instructions in root operation: success, VMfail, exceptions */
#include "lib/memory.h"
#include "lib/trap.h"
#include "vmx/entry-rule.h"

#define REFERENCE "SDM3C 30.3, 30.4 table 30-1"

/*
 * Theory of operation
 *
 * A case runs one instruction after vmx_good() and says how it ended: by the flags
 * (30.2) and the VM-instruction error, or by an exception.  What changes the current
 * VMCS or leaves VMX operation puts things right again, since vmx_good() does only the
 * former.
 */

enum ending {
    SUCCEEDED,
    FAILED_INVALID, /* VMfailInvalid: CF */
    FAILED,         /* VMfailValid: ZF, with an error */
    FAULTED,        /* with a vector */
};

struct result {
    enum ending ending;
    uint64_t detail;
};

struct instruction {
    struct result (*broken)(void);
    struct result (*neighbour)(void);
    struct result wanted, neighbour_wanted;
};

/* RFLAGS right after @text, whose operand is @operand (and @second). */
#define FLAGS_AFTER(text, ...)                                                         \
    ({                                                                                 \
        uint64_t flags;                                                                \
        __asm__ volatile(text "\n pushfq\n pop %0"                                     \
                         : "=&r"(flags)                                                \
                         : __VA_ARGS__                                                 \
                         : "cc", "memory");                                            \
        result_of(flags);                                                              \
    })

#define RFLAGS_CF BIT(0)
#define RFLAGS_ZF BIT(6)

static struct result result_of(uint64_t flags)
{
    if (flags & RFLAGS_CF) {
        return (struct result){ FAILED_INVALID, 0 };
    }
    if (flags & RFLAGS_ZF) {
        return (struct result){ FAILED, vmx_read(VMCS_INSTRUCTION_ERROR) };
    }
    return (struct result){ SUCCEEDED, 0 };
}

static uint64_t beyond_memory(void)
{
    return BIT(cpu_physical_bits());
}

static struct result do_vmclear(uint64_t region)
{
    return FLAGS_AFTER("vmclear %1", "m"(region));
}

static struct result do_vmptrld(uint64_t region)
{
    return FLAGS_AFTER("vmptrld %1", "m"(region));
}

static struct result do_vmxon(uint64_t region)
{
    return FLAGS_AFTER("vmxon %1", "m"(region));
}

static struct result do_vmread(uint64_t field)
{
    uint64_t value = 0;
    struct result result = FLAGS_AFTER("vmread %1, %2", "r"(field), "r"(value));

    return result;
}

static struct result do_vmwrite(uint64_t field)
{
    return FLAGS_AFTER("vmwrite %1, %2", "r"(UINT64_C(0)), "r"(field));
}

/* A region of the right revision that is not the current VMCS. */
static uint64_t other_region(void)
{
    uint32_t revision = (uint32_t)cpu_rdmsr(0x480) & 0x7fffffff;

    vmx_pages_touch(false);
    memcpy(vmx_pages.data, &revision, sizeof revision);
    return (uint64_t)vmx_pages.data;
}

static struct result vmcall(void)
{
    return FLAGS_AFTER("vmcall", "m"(vmx_pages));
}

static struct result nothing(void)
{
    return (struct result){ SUCCEEDED, 0 };
}

static struct result vmclear_unaligned(void)
{
    return do_vmclear((uint64_t)vmx_pages.data | 1);
}

static struct result vmclear_beyond(void)
{
    return do_vmclear(beyond_memory());
}

static struct result vmclear_vmxon(void)
{
    return do_vmclear(vmx_vmxon_region());
}

static struct result vmclear_other(void)
{
    return do_vmclear(other_region());
}

static struct result vmclear_current(void)
{
    return do_vmclear(vmx_vmcs_region());
}

static struct result vmptrld_unaligned(void)
{
    return do_vmptrld((uint64_t)vmx_pages.data | BIT(11));
}

static struct result vmptrld_beyond(void)
{
    return do_vmptrld(beyond_memory());
}

static struct result vmptrld_vmxon(void)
{
    return do_vmptrld(vmx_vmxon_region());
}

static struct result vmptrld_revision(void)
{
    uint64_t region = other_region();

    *(uint32_t *)region ^= 1;
    return do_vmptrld(region);
}

/* Bit 31 makes it a shadow VMCS, which needs the control of that name (24.10). */
static struct result vmptrld_shadow(void)
{
    uint64_t region = other_region();

    *(uint32_t *)region |= 1u << 31;
    return do_vmptrld(region);
}

static struct result vmptrld_other(void)
{
    uint64_t region = other_region();

    do_vmclear(region);
    struct result result = do_vmptrld(region);
    do_vmclear(region);
    return result;
}

static struct result vmptrld_current(void)
{
    return do_vmptrld(vmx_vmcs_region());
}

static struct result vmxon_again(void)
{
    return do_vmxon(vmx_vmxon_region());
}

static struct result vmread_unsupported(void)
{
    return do_vmread(0x7ffe);
}

static struct result vmread_high_odd(void)
{
    return do_vmread(VMCS_GUEST_RIP | 1);
}

static struct result vmread_wide(void)
{
    return do_vmread((uint64_t)VMCS_GUEST_RIP | BIT(32));
}

static struct result vmread_rip(void)
{
    return do_vmread(VMCS_GUEST_RIP);
}

static struct result vmread_high(void)
{
    return do_vmread(VMCS_TSC_OFFSET | 1);
}

static struct result vmwrite_unsupported(void)
{
    return do_vmwrite(0x7ffe);
}

static struct result vmwrite_read_only(void)
{
    return do_vmwrite(VMCS_EXIT_REASON);
}

static struct result vmwrite_rip(void)
{
    return do_vmwrite(VMCS_GUEST_RIP);
}

static struct result entered(struct vmx_outcome outcome)
{
    switch (outcome.way) {
    case VMX_FAIL_INVALID:
        return (struct result){ FAILED_INVALID, 0 };
    case VMX_FAIL:
        return (struct result){ FAILED, outcome.detail };
    default:
        return (struct result){ SUCCEEDED, outcome.detail };
    }
}

static struct result vmlaunch(void)
{
    return entered(vmx_run());
}

static struct result vmlaunch_twice(void)
{
    vmx_run();
    return entered(vmx_run());
}

static struct result vmresume(void)
{
    return entered(vmx_resume());
}

static struct result vmresume_launched(void)
{
    vmx_run();
    return entered(vmx_resume());
}

/* An entry that fails on the guest's state does not launch. */
static struct result vmresume_after_failure(void)
{
    vmx_write(VMCS_GUEST_RFLAGS, 0);
    vmx_run();
    vmx_write(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
    return entered(vmx_resume());
}

static struct result after_vmclear(struct result (*act)(void))
{
    do_vmclear(vmx_vmcs_region());
    return act();
}

static struct result vmlaunch_without_vmcs(void)
{
    return after_vmclear(vmlaunch);
}

static struct result vmread_without_vmcs(void)
{
    return after_vmclear(vmread_rip);
}

static struct result vmwrite_without_vmcs(void)
{
    return after_vmclear(vmwrite_rip);
}

static struct result vmcall_without_vmcs(void)
{
    return after_vmclear(vmcall);
}

static struct result vmxon_without_vmcs(void)
{
    return after_vmclear(vmxon_again);
}

/* The one instruction after MOV to SS is where events are blocked. */
static struct result vmlaunch_after_mov_ss(void)
{
    return FLAGS_AFTER("mov %%ss, %%eax\n mov %%eax, %%ss\n vmlaunch", "m"(vmx_pages));
}

/* Orders of three: the basic checks of 26.1, and what 26.2 would say. */
static void break_control_and_host(void)
{
    vmx_write(VMCS_CR3_TARGET_COUNT, 5);
    vmx_write(VMCS_HOST_CS_SELECTOR, 1);
}

static struct result vmlaunch_launched_and_broken(void)
{
    vmx_run();
    break_control_and_host();
    return entered(vmx_run());
}

static struct result vmresume_clear_and_broken(void)
{
    break_control_and_host();
    return entered(vmx_resume());
}

static struct result vmlaunch_mov_ss_and_broken(void)
{
    break_control_and_host();
    return vmlaunch_after_mov_ss();
}

static struct result vmlaunch_mov_ss_and_launched(void)
{
    vmx_run();
    break_control_and_host();
    return vmlaunch_after_mov_ss();
}

static struct result vmlaunch_mov_ss_without_vmcs(void)
{
    return after_vmclear(vmlaunch_after_mov_ss);
}

struct descriptor {
    uint64_t words[2];
};

static struct result do_invept(uint64_t type, struct descriptor operand)
{
    return FLAGS_AFTER("invept %1, %2", "m"(operand), "r"(type));
}

static struct result do_invvpid(uint64_t type, struct descriptor operand)
{
    return FLAGS_AFTER("invvpid %1, %2", "m"(operand), "r"(type));
}

#define GOOD_CONTEXT ((struct descriptor){ { VMX_GOOD_EPTP, 0 } })
#define INVALIDATE(name, instruction, type, ...)                                       \
    static struct result name(void)                                                    \
    {                                                                                  \
        return do_##instruction(type, (struct descriptor){ { __VA_ARGS__ } });         \
    }
INVALIDATE(invept_type_0, invept, 0, VMX_GOOD_EPTP)
INVALIDATE(invept_type_3, invept, 3, VMX_GOOD_EPTP)
INVALIDATE(invept_single, invept, 1, VMX_GOOD_EPTP)
INVALIDATE(invept_bad_eptp, invept, 1, VMX_GOOD_EPTP | BIT(11))
INVALIDATE(invept_all, invept, 2, 0)
INVALIDATE(invvpid_type_4, invvpid, 4, 1)
INVALIDATE(invvpid_address, invvpid, 0, 1, 0x1000)
INVALIDATE(invvpid_vpid_0, invvpid, 1, 0)
INVALIDATE(invvpid_single, invvpid, 1, 1)
INVALIDATE(invvpid_reserved, invvpid, 1, BIT(16) | 1)
INVALIDATE(invvpid_not_canonical, invvpid, 0, 1, BIT(47))
INVALIDATE(invvpid_all, invvpid, 2, 0)

/* Exceptions: what a function under nested_try() ended with. */
static struct result tried(void (*function)(void *), void *opaque)
{
    int vector = nested_try(function, opaque);

    return vector == TRAP_NONE ? (struct result){ SUCCEEDED, 0 }
                               : (struct result){ FAULTED, (uint64_t)vector };
}

static void bare_vmread(void *opaque)
{
    vmx_read(VMCS_GUEST_RIP);
}

static void bare_vmxon(void *opaque)
{
    do_vmxon(vmx_vmxon_region());
}

static void bare_vmclear(void *opaque)
{
    do_vmclear(vmx_vmcs_region());
}

static void bare_invept(void *opaque)
{
    do_invept(2, GOOD_CONTEXT);
}

static void bare_vmlaunch(void *opaque)
{
    __asm__ volatile("vmlaunch" : : : "cc");
}

static void bare_vmcall(void *opaque)
{
    vmcall();
}

static void bare_vmxoff(void *opaque)
{
    __asm__ volatile("vmxoff" : : : "cc");
}

static struct result outside(void (*function)(void *))
{
    __asm__ volatile("vmxoff" : : : "cc");
    struct result result = tried(function, NULL);
    do_vmxon(vmx_vmxon_region());
    return result;
}

#define OUTSIDE(name)                                                                  \
    static struct result name##_outside(void)                                          \
    {                                                                                  \
        return outside(bare_##name);                                                   \
    }                                                                                  \
    static struct result name##_inside(void)                                           \
    {                                                                                  \
        return tried(bare_##name, NULL);                                               \
    }
OUTSIDE(vmread)
OUTSIDE(vmclear)
OUTSIDE(invept)

static struct result vmcall_outside(void)
{
    return outside(bare_vmcall);
}

static struct result vmlaunch_outside(void)
{
    return outside(bare_vmlaunch);
}

static struct result vmxoff_outside(void)
{
    return outside(bare_vmxoff);
}

/* VMXON outside of VMX operation, with something not as it must be. */
static void write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static struct result vmxon_without_vmxe(void)
{
    __asm__ volatile("vmxoff" : : : "cc");
    write_cr4(cpu_read_cr4() & ~BIT(13));
    struct result result = tried(bare_vmxon, NULL);
    write_cr4(cpu_read_cr4() | BIT(13));
    do_vmxon(vmx_vmxon_region());
    return result;
}

static struct result vmxon_of(uint64_t region)
{
    __asm__ volatile("vmxoff" : : : "cc");
    struct result result = do_vmxon(region);
    if (result.ending == SUCCEEDED) {
        __asm__ volatile("vmxoff" : : : "cc");
    }
    do_vmxon(vmx_vmxon_region());
    return result;
}

static struct result vmxon_good(void)
{
    return vmxon_of(vmx_vmxon_region());
}

static struct result vmxon_unaligned(void)
{
    return vmxon_of(vmx_vmxon_region() | 8);
}

static struct result vmxon_beyond(void)
{
    return vmxon_of(beyond_memory());
}

static struct result vmxon_revision(void)
{
    uint64_t region = other_region();

    *(uint32_t *)region ^= 2;
    return vmxon_of(region);
}

/* Fixed bits of CR0 and CR4 in VMX operation (23.8). */
static void clear_ne(void *opaque)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(cpu_read_cr0() & ~BIT(5)));
}

static void clear_vmxe(void *opaque)
{
    write_cr4(cpu_read_cr4() & ~BIT(13));
}

static void keep_cr4(void *opaque)
{
    write_cr4(cpu_read_cr4());
}

static struct result mov_cr0_ne(void)
{
    return tried(clear_ne, NULL);
}

static struct result mov_cr4_vmxe(void)
{
    return tried(clear_vmxe, NULL);
}

static struct result mov_cr4_same(void)
{
    return tried(keep_cr4, NULL);
}

static const char *lacks_vmx(const struct nested_rule *rule)
{
    return vmx_is_present() ? NULL : "no VMX";
}

/* IA32_VMX_MISC[29]: every field can be written (A.6). */
static const char *lacks_read_only(const struct nested_rule *rule)
{
    const char *lack = lacks_vmx(rule);

    return lack ? lack : cpu_rdmsr(0x485) & BIT(29) ? "no field is read-only" : NULL;
}

static const char *lacks_shadow(const struct nested_rule *rule)
{
    const char *lack = lacks_vmx(rule);
    bool has_shadow = !lack && vmx_allowed(VMCS_SECONDARY_CONTROLS) & VMX_CPU2_SHADOW;

    return lack ? lack : has_shadow ? "there is VMCS shadowing" : NULL;
}

static const char *lacks_invept(const struct nested_rule *rule)
{
    uint64_t wanted = BIT(20) | BIT(25) | BIT(26);

    return vmx_is_present() && (vmx_ept_capability() & wanted) == wanted
               ? NULL
               : "no INVEPT of both types";
}

static const char *lacks_invvpid(const struct nested_rule *rule)
{
    uint64_t wanted = BIT(32) | BIT(40) | BIT(41) | BIT(42);

    return vmx_is_present() && (vmx_ept_capability() & wanted) == wanted
               ? NULL
               : "no INVVPID of three types";
}

static bool is_same(struct result a, struct result b)
{
    return a.ending == b.ending && a.detail == b.detail;
}

static void check_instruction(const struct nested_rule *rule)
{
    const struct instruction *instruction = rule->data;

    vmx_enable();
    vmx_good(vmx_guest_vmcall);
    struct result broken =
        nested_sets_up() ? instruction->broken() : instruction->neighbour();
    nested_expect(is_same(broken, instruction->wanted),
                  "ending (0 success, 1 VMfailInvalid, 2 VMfailValid, 3 fault), detail",
                  (uint64_t)broken.ending << 32 | broken.detail);
    vmx_good(vmx_guest_vmcall);
    struct result neighbour = instruction->neighbour();
    nested_expect(is_same(neighbour, instruction->neighbour_wanted),
                  "ending and detail of the neighbour",
                  (uint64_t)neighbour.ending << 32 | neighbour.detail);
}

#define INSTRUCTION(lack, name, place, claim, act, how, what, near, near_how,          \
                    near_what)                                                         \
    {                                                                                  \
        .id = "VMX.INSTRUCTION." name, .cites = place, .says = claim, .lacks = lack,   \
        .check = check_instruction, .data = &(const struct instruction)                \
        {                                                                              \
            act, near, { how, what },                                                  \
            {                                                                          \
                near_how, near_what                                                    \
            }                                                                          \
        }                                                                              \
    }
#define FAILS(name, claim, act, error, near)                                           \
    INSTRUCTION(lacks_vmx, name, REFERENCE, claim, act, FAILED, error, near,           \
                SUCCEEDED, 0)
#define ENTRY_FAILS(name, claim, act, error, near)                                     \
    INSTRUCTION(lacks_vmx, name, REFERENCE, claim, act, FAILED, error, near,           \
                SUCCEEDED, VMX_REASON_VMCALL)
#define FAILS_INVALID(name, claim, act, near, near_how, near_what)                     \
    INSTRUCTION(lacks_vmx, name, "SDM3C 30.2, 30.3", claim, act, FAILED_INVALID, 0,    \
                near, near_how, near_what)
#define FAULTS(name, claim, act, vector, near, near_how, near_what)                    \
    INSTRUCTION(lacks_vmx, name, "SDM3C 30.3", claim, act, FAULTED, vector, near,      \
                near_how, near_what)
#define INVEPT_FAILS(name, claim, act, near)                                           \
    INSTRUCTION(lacks_invept, "INVEPT." name, REFERENCE, claim, act, FAILED,           \
                VMX_ERROR_INVALIDATE_OPERAND, near, SUCCEEDED, 0)
#define INVVPID_FAILS(name, claim, act, near)                                          \
    INSTRUCTION(lacks_invvpid, "INVVPID." name, REFERENCE, claim, act, FAILED,         \
                VMX_ERROR_INVALIDATE_OPERAND, near, SUCCEEDED, 0)

static const struct nested_rule instructions[] = {
    FAILS("VMCALL.IN_ROOT", "VMCALL in root operation is error 1", vmcall,
          VMX_ERROR_VMCALL_IN_ROOT, nothing),
    FAILS("VMCLEAR.UNALIGNED", "VMCLEAR of an address with bits 11:0 is error 2",
          vmclear_unaligned, VMX_ERROR_VMCLEAR_ADDRESS, vmclear_other),
    FAILS("VMCLEAR.BEYOND_MEMORY", "VMCLEAR beyond the physical width is error 2",
          vmclear_beyond, VMX_ERROR_VMCLEAR_ADDRESS, vmclear_other),
    FAILS("VMCLEAR.VMXON", "VMCLEAR of the VMXON pointer is error 3", vmclear_vmxon,
          VMX_ERROR_VMCLEAR_VMXON, vmclear_current),
    FAILS("VMPTRLD.UNALIGNED", "VMPTRLD of an address with bits 11:0 is error 9",
          vmptrld_unaligned, VMX_ERROR_VMPTRLD_ADDRESS, vmptrld_other),
    FAILS("VMPTRLD.BEYOND_MEMORY", "VMPTRLD beyond the physical width is error 9",
          vmptrld_beyond, VMX_ERROR_VMPTRLD_ADDRESS, vmptrld_other),
    FAILS("VMPTRLD.VMXON", "VMPTRLD of the VMXON pointer is error 10", vmptrld_vmxon,
          VMX_ERROR_VMPTRLD_VMXON, vmptrld_current),
    FAILS("VMPTRLD.REVISION", "VMPTRLD of another revision is error 11",
          vmptrld_revision, VMX_ERROR_VMPTRLD_REVISION, vmptrld_other),
    ENTRY_FAILS("VMLAUNCH.NOT_CLEAR", "VMLAUNCH of a launched VMCS is error 4",
                vmlaunch_twice, VMX_ERROR_VMLAUNCH_NOT_CLEAR, vmlaunch),
    ENTRY_FAILS("VMRESUME.NOT_LAUNCHED", "VMRESUME of a clear VMCS is error 5",
                vmresume, VMX_ERROR_VMRESUME_NOT_LAUNCHED, vmresume_launched),
    ENTRY_FAILS("VMRESUME.AFTER_FAILURE", "a failed VMLAUNCH leaves the VMCS clear",
                vmresume_after_failure, VMX_ERROR_VMRESUME_NOT_LAUNCHED,
                vmresume_launched),
    ENTRY_FAILS("VMLAUNCH.MOV_SS", "VM entry with events blocked by MOV SS is error 26",
                vmlaunch_after_mov_ss, VMX_ERROR_MOV_SS, vmlaunch),
    ENTRY_FAILS("ORDER.LAUNCHED_CONTROL_HOST",
                "the launch state is checked before controls and host",
                vmlaunch_launched_and_broken, VMX_ERROR_VMLAUNCH_NOT_CLEAR, vmlaunch),
    ENTRY_FAILS("ORDER.CLEAR_CONTROL_HOST", "so it is by VMRESUME",
                vmresume_clear_and_broken, VMX_ERROR_VMRESUME_NOT_LAUNCHED,
                vmresume_launched),
    ENTRY_FAILS("ORDER.MOV_SS_CONTROL_HOST",
                "blocking by MOV SS is checked before controls and host",
                vmlaunch_mov_ss_and_broken, VMX_ERROR_MOV_SS, vmlaunch),
    ENTRY_FAILS("ORDER.MOV_SS_LAUNCHED_CONTROL", "and before the launch state",
                vmlaunch_mov_ss_and_launched, VMX_ERROR_MOV_SS, vmlaunch),
    FAILS("VMREAD.UNSUPPORTED", "VMREAD of no field is error 12", vmread_unsupported,
          VMX_ERROR_FIELD, vmread_rip),
    FAILS("VMREAD.HIGH_OF_NATURAL", "only 64-bit fields have a high half",
          vmread_high_odd, VMX_ERROR_FIELD, vmread_high),
    FAILS("VMREAD.BIT32", "bits 63:32 of the encoding must be 0", vmread_wide,
          VMX_ERROR_FIELD, vmread_rip),
    FAILS("VMWRITE.UNSUPPORTED", "VMWRITE of no field is error 12", vmwrite_unsupported,
          VMX_ERROR_FIELD, vmwrite_rip),
    INSTRUCTION(lacks_read_only, "VMWRITE.READ_ONLY", REFERENCE,
                "VMWRITE of a read-only field is error 13", vmwrite_read_only, FAILED,
                VMX_ERROR_READ_ONLY, vmwrite_rip, SUCCEEDED, 0),
    FAILS("VMXON.IN_ROOT", "VMXON in root operation is error 15", vmxon_again,
          VMX_ERROR_VMXON_IN_ROOT, vmxon_good),
    INSTRUCTION(lacks_shadow, "VMPTRLD.SHADOW_NOT_SUPPORTED", REFERENCE,
                "without VMCS shadowing, bit 31 of the revision is error 11",
                vmptrld_shadow, FAILED, VMX_ERROR_VMPTRLD_REVISION, vmptrld_other,
                SUCCEEDED, 0),

    FAILS_INVALID("VMLAUNCH.NO_VMCS", "without a current VMCS, VMLAUNCH fails invalid",
                  vmlaunch_without_vmcs, vmlaunch, SUCCEEDED, VMX_REASON_VMCALL),
    FAILS_INVALID("ORDER.NO_VMCS_MOV_SS",
                  "that there is a current VMCS is checked before blocking by MOV SS",
                  vmlaunch_mov_ss_without_vmcs, vmlaunch, SUCCEEDED, VMX_REASON_VMCALL),
    FAILS_INVALID("VMREAD.NO_VMCS", "without a current VMCS, VMREAD fails invalid",
                  vmread_without_vmcs, vmread_rip, SUCCEEDED, 0),
    FAILS_INVALID("VMWRITE.NO_VMCS", "without a current VMCS, VMWRITE fails invalid",
                  vmwrite_without_vmcs, vmwrite_rip, SUCCEEDED, 0),
    FAILS_INVALID("VMCALL.NO_VMCS", "without a current VMCS, VMCALL fails invalid",
                  vmcall_without_vmcs, vmcall, FAILED, VMX_ERROR_VMCALL_IN_ROOT),
    FAILS_INVALID("VMXON.NO_VMCS", "without a current VMCS, VMXON fails invalid",
                  vmxon_without_vmcs, vmxon_again, FAILED, VMX_ERROR_VMXON_IN_ROOT),
    FAILS_INVALID("VMXON.UNALIGNED", "VMXON of an address with bits 11:0 fails invalid",
                  vmxon_unaligned, vmxon_good, SUCCEEDED, 0),
    FAILS_INVALID("VMXON.BEYOND_MEMORY",
                  "VMXON beyond the physical width fails invalid", vmxon_beyond,
                  vmxon_good, SUCCEEDED, 0),
    FAILS_INVALID("VMXON.REVISION", "VMXON of another revision fails invalid",
                  vmxon_revision, vmxon_good, SUCCEEDED, 0),

    FAULTS("VMREAD.OUTSIDE", "VMREAD is #UD outside of VMX operation", vmread_outside,
           TRAP_UD, vmread_inside, SUCCEEDED, 0),
    FAULTS("VMCLEAR.OUTSIDE", "VMCLEAR is #UD outside of VMX operation",
           vmclear_outside, TRAP_UD, vmclear_inside, SUCCEEDED, 0),
    FAULTS("VMCALL.OUTSIDE", "VMCALL is #UD outside of VMX operation", vmcall_outside,
           TRAP_UD, nothing, SUCCEEDED, 0),
    FAULTS("VMLAUNCH.OUTSIDE", "VMLAUNCH is #UD outside of VMX operation",
           vmlaunch_outside, TRAP_UD, vmlaunch, SUCCEEDED, VMX_REASON_VMCALL),
    FAULTS("VMXOFF.OUTSIDE", "VMXOFF is #UD outside of VMX operation", vmxoff_outside,
           TRAP_UD, vmxon_good, SUCCEEDED, 0),
    INSTRUCTION(lacks_invept, "INVEPT.OUTSIDE", "SDM3C 30.3",
                "INVEPT is #UD outside of VMX operation", invept_outside, FAULTED,
                TRAP_UD, invept_inside, SUCCEEDED, 0),
    FAULTS("VMXON.WITHOUT_VMXE", "VMXON is #UD with CR4.VMXE clear", vmxon_without_vmxe,
           TRAP_UD, vmxon_good, SUCCEEDED, 0),
    INSTRUCTION(lacks_vmx, "CR0.NE_FIXED", "SDM3C 23.8",
                "in VMX operation, clearing CR0.NE is #GP", mov_cr0_ne, FAULTED,
                TRAP_GP, mov_cr4_same, SUCCEEDED, 0),
    INSTRUCTION(lacks_vmx, "CR4.VMXE_FIXED", "SDM3C 23.7",
                "in VMX operation, clearing CR4.VMXE is #GP", mov_cr4_vmxe, FAULTED,
                TRAP_GP, mov_cr4_same, SUCCEEDED, 0),

    INVEPT_FAILS("TYPE0", "INVEPT of type 0 is error 28", invept_type_0, invept_single),
    INVEPT_FAILS("TYPE3", "INVEPT of type 3 is error 28", invept_type_3, invept_all),
    INVEPT_FAILS("EPTP", "single-context INVEPT of an EPTP that entry refuses is 28",
                 invept_bad_eptp, invept_single),
    INVVPID_FAILS("TYPE4", "INVVPID of type 4 is error 28", invvpid_type_4,
                  invvpid_all),
    INVVPID_FAILS("VPID0", "single-context INVVPID of VPID 0 is error 28",
                  invvpid_vpid_0, invvpid_single),
    INVVPID_FAILS("BIT16", "bits 63:16 of the descriptor must be 0", invvpid_reserved,
                  invvpid_single),
    INVVPID_FAILS("CANONICAL", "the linear address must be canonical",
                  invvpid_not_canonical, invvpid_address),
};
NESTED_RULES(instructions);
