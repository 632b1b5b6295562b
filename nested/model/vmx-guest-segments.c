/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmx-guest-segments.c - the guest's segment registers, 26.3.1.2 */
#include "vmx-check.h"

#define SEGMENTS "SDM3C 26.3.1.2"

/* The order of appendix B: the four fields of each are two apart. */
enum segment { ES, CS, SS, DS, FS, GS, LDTR, TR };

#define SELECTOR_TI BIT(2)

#define RPL(selector) ((selector)&3)
#define TYPE(rights)  ((rights)&15)
#define DPL(rights)   ((rights) >> 5 & 3)

/* Of a type of code or data: */
#define ACCESSED BIT(0)
#define READABLE BIT(1)
#define CODE     BIT(3)

static uint64_t field(const struct vmx_look *look, enum vmcs_field of_es,
                      enum segment segment)
{
    return vmx_get(look, (enum vmcs_field)(of_es + 2 * segment));
}

static uint64_t selector(const struct vmx_look *look, enum segment segment)
{
    return field(look, VMCS_GUEST_ES_SELECTOR, segment);
}

static uint64_t base(const struct vmx_look *look, enum segment segment)
{
    return field(look, VMCS_GUEST_ES_BASE, segment);
}

static uint64_t limit(const struct vmx_look *look, enum segment segment)
{
    return field(look, VMCS_GUEST_ES_LIMIT, segment);
}

static uint64_t rights(const struct vmx_look *look, enum segment segment)
{
    return field(look, VMCS_GUEST_ES_RIGHTS, segment);
}

static bool is_usable(const struct vmx_look *look, enum segment segment)
{
    return !(rights(look, segment) & VMX_RIGHTS_UNUSABLE);
}

/* CS is checked whether it is usable or not. */
static bool is_checked(const struct vmx_look *look, enum segment segment)
{
    return segment == CS || is_usable(look, segment);
}

typedef bool complaint(const struct vmx_look *look, enum segment segment);

/* Whether @complains of any of the six, under the mode that @in_virtual_8086 names. */
static enum vmx_opinion any_of_six(const struct vmx_look *look, bool in_virtual_8086,
                                   complaint *complains)
{
    for (unsigned i = ES; look->is_virtual_8086 == in_virtual_8086 && i <= GS; i++) {
        if (complains(look, (enum segment)i)) {
            return VMX_ILLEGAL;
        }
    }
    return VMX_LEGAL;
}

/* Selectors */

static enum vmx_opinion tr_ti(const struct vmx_look *look)
{
    return vmx_illegal_if(selector(look, TR) & SELECTOR_TI);
}

static enum vmx_opinion ldtr_ti(const struct vmx_look *look)
{
    return vmx_illegal_if(is_usable(look, LDTR) &&
                          (selector(look, LDTR) & SELECTOR_TI));
}

static enum vmx_opinion ss_rpl(const struct vmx_look *look)
{
    bool is_exempt = look->is_virtual_8086 || look->is_unrestricted;

    return vmx_illegal_if(!is_exempt &&
                          RPL(selector(look, SS)) != RPL(selector(look, CS)));
}

/* Bases and limits */

static bool has_other_base(const struct vmx_look *look, enum segment segment)
{
    return base(look, segment) != selector(look, segment) << 4;
}

static enum vmx_opinion v86_bases(const struct vmx_look *look)
{
    return any_of_six(look, true, has_other_base);
}

static enum vmx_opinion canonical_bases(const struct vmx_look *look)
{
    return vmx_illegal_if(!vmx_is_canonical(look, base(look, TR)) ||
                          !vmx_is_canonical(look, base(look, FS)) ||
                          !vmx_is_canonical(look, base(look, GS)));
}

static enum vmx_opinion ldtr_base(const struct vmx_look *look)
{
    return vmx_illegal_if(is_usable(look, LDTR) &&
                          !vmx_is_canonical(look, base(look, LDTR)));
}

static enum vmx_opinion cs_base(const struct vmx_look *look)
{
    return vmx_illegal_if(base(look, CS) >> 32);
}

static enum vmx_opinion data_bases(const struct vmx_look *look)
{
    static const enum segment segments[] = { SS, DS, ES };

    for (unsigned i = 0; i < sizeof segments / sizeof *segments; i++) {
        if (is_usable(look, segments[i]) && base(look, segments[i]) >> 32) {
            return VMX_ILLEGAL;
        }
    }
    return VMX_LEGAL;
}

static bool has_other_limit(const struct vmx_look *look, enum segment segment)
{
    return limit(look, segment) != 0xffff;
}

static enum vmx_opinion v86_limits(const struct vmx_look *look)
{
    return any_of_six(look, true, has_other_limit);
}

/* Access rights of CS, SS, DS, ES, FS, GS */

static bool has_other_rights(const struct vmx_look *look, enum segment segment)
{
    return rights(look, segment) != 0xf3;
}

static enum vmx_opinion v86_rights(const struct vmx_look *look)
{
    return any_of_six(look, true, has_other_rights);
}

static bool has_bad_type(const struct vmx_look *look, enum segment segment)
{
    uint64_t type = TYPE(rights(look, segment));
    bool is_accessed_code = (type & (CODE | ACCESSED)) == (CODE | ACCESSED);

    switch (segment) {
    case CS:
        return !is_accessed_code && !(type == 3 && look->is_unrestricted);
    case SS:
        return is_usable(look, SS) && type != 3 && type != 7;
    default:
        return is_usable(look, segment) &&
               (!(type & ACCESSED) || ((type & CODE) && !(type & READABLE)));
    }
}

static enum vmx_opinion types(const struct vmx_look *look)
{
    return any_of_six(look, false, has_bad_type);
}

static bool is_system(const struct vmx_look *look, enum segment segment)
{
    return is_checked(look, segment) && !(rights(look, segment) & VMX_RIGHTS_S);
}

static enum vmx_opinion s_bits(const struct vmx_look *look)
{
    return any_of_six(look, false, is_system);
}

/* Types 12 to 15 are conforming. */
static enum vmx_opinion cs_dpl(const struct vmx_look *look)
{
    uint64_t type = TYPE(rights(look, CS));
    uint64_t dpl = DPL(rights(look, CS));
    uint64_t of_ss = DPL(rights(look, SS));

    if (look->is_virtual_8086) {
        return VMX_LEGAL;
    }
    if (type == 3) {
        return vmx_illegal_if(dpl != 0);
    }
    return vmx_illegal_if(((type == 9 || type == 11) && dpl != of_ss) ||
                          ((type == 13 || type == 15) && dpl > of_ss));
}

static enum vmx_opinion ss_dpl(const struct vmx_look *look)
{
    uint64_t dpl = DPL(rights(look, SS));
    bool must_be_0 =
        TYPE(rights(look, CS)) == 3 || !(vmx_get(look, VMCS_GUEST_CR0) & CR0_PE);

    if (look->is_virtual_8086) {
        return VMX_LEGAL;
    }
    return vmx_illegal_if((!look->is_unrestricted && dpl != RPL(selector(look, SS))) ||
                          (must_be_0 && dpl != 0));
}

static bool has_low_dpl(const struct vmx_look *look, enum segment segment)
{
    uint64_t access = rights(look, segment);

    return segment != CS && segment != SS && !look->is_unrestricted &&
           is_usable(look, segment) && TYPE(access) <= 11 &&
           DPL(access) < RPL(selector(look, segment));
}

static enum vmx_opinion data_dpls(const struct vmx_look *look)
{
    return any_of_six(look, false, has_low_dpl);
}

static bool is_absent(const struct vmx_look *look, enum segment segment)
{
    return is_checked(look, segment) && !(rights(look, segment) & VMX_RIGHTS_P);
}

static enum vmx_opinion p_bits(const struct vmx_look *look)
{
    return any_of_six(look, false, is_absent);
}

#define RESERVED_LOW  UINT64_C(0xf00)
#define RESERVED_HIGH UINT64_C(0xfffe0000)

static bool has_reserved(const struct vmx_look *look, enum segment segment)
{
    return is_checked(look, segment) &&
           (rights(look, segment) & (RESERVED_LOW | RESERVED_HIGH));
}

static enum vmx_opinion reserved(const struct vmx_look *look)
{
    return any_of_six(look, false, has_reserved);
}

static enum vmx_opinion cs_l_and_d(const struct vmx_look *look)
{
    uint64_t both = VMX_RIGHTS_L | VMX_RIGHTS_D;

    return vmx_illegal_if(!look->is_virtual_8086 && look->is_ia32e &&
                          (rights(look, CS) & both) == both);
}

static bool is_limit_wrong(const struct vmx_look *look, enum segment segment)
{
    bool is_in_pages = rights(look, segment) & VMX_RIGHTS_G;
    uint64_t bytes = limit(look, segment);

    return ((bytes & 0xfff) != 0xfff && is_in_pages) || (bytes >> 20 && !is_in_pages);
}

static bool has_wrong_limit(const struct vmx_look *look, enum segment segment)
{
    return is_checked(look, segment) && is_limit_wrong(look, segment);
}

static enum vmx_opinion granularity(const struct vmx_look *look)
{
    return any_of_six(look, false, has_wrong_limit);
}

/* TR */

static enum vmx_opinion tr_type(const struct vmx_look *look)
{
    uint64_t type = TYPE(rights(look, TR));

    return vmx_illegal_if(type != 11 && (look->is_ia32e || type != 3));
}

static enum vmx_opinion tr_bits(const struct vmx_look *look)
{
    uint64_t access = rights(look, TR);

    return vmx_illegal_if((access & VMX_RIGHTS_S) || !(access & VMX_RIGHTS_P) ||
                          (access & (RESERVED_LOW | RESERVED_HIGH)));
}

static enum vmx_opinion tr_granularity(const struct vmx_look *look)
{
    return vmx_illegal_if(is_limit_wrong(look, TR));
}

static enum vmx_opinion tr_unusable(const struct vmx_look *look)
{
    return vmx_illegal_if(!is_usable(look, TR));
}

/* LDTR */

static enum vmx_opinion ldtr_bits(const struct vmx_look *look)
{
    uint64_t access = rights(look, LDTR);

    return vmx_illegal_if(is_usable(look, LDTR) &&
                          (TYPE(access) != 2 || (access & VMX_RIGHTS_S) ||
                           !(access & VMX_RIGHTS_P) ||
                           (access & (RESERVED_LOW | RESERVED_HIGH))));
}

static enum vmx_opinion ldtr_granularity(const struct vmx_look *look)
{
    return vmx_illegal_if(is_usable(look, LDTR) && is_limit_wrong(look, LDTR));
}

static const struct vmx_check checks[] = {
#define SEGMENT(run, name)                                                             \
    {                                                                                  \
        run, VMX_FAILS_GUEST, "GUEST." name, SEGMENTS                                  \
    }
    SEGMENT(tr_ti, "TR.TI"),
    SEGMENT(ldtr_ti, "LDTR.TI"),
    SEGMENT(ss_rpl, "SS.RPL"),
    SEGMENT(v86_bases, "V86.BASE"),
    SEGMENT(canonical_bases, "BASE.CANONICAL"),
    SEGMENT(ldtr_base, "LDTR.BASE"),
    SEGMENT(cs_base, "CS.BASE"),
    SEGMENT(data_bases, "DATA.BASE"),
    SEGMENT(v86_limits, "V86.LIMIT"),
    SEGMENT(v86_rights, "V86.RIGHTS"),
    SEGMENT(types, "SEGMENT.TYPE"),
    SEGMENT(s_bits, "SEGMENT.S"),
    SEGMENT(cs_dpl, "CS.DPL"),
    SEGMENT(ss_dpl, "SS.DPL"),
    SEGMENT(data_dpls, "DATA.DPL"),
    SEGMENT(p_bits, "SEGMENT.P"),
    SEGMENT(reserved, "SEGMENT.RESERVED"),
    SEGMENT(cs_l_and_d, "CS.L_AND_D"),
    SEGMENT(granularity, "SEGMENT.G"),
    SEGMENT(tr_type, "TR.TYPE"),
    SEGMENT(tr_bits, "TR.BITS"),
    SEGMENT(tr_granularity, "TR.G"),
    SEGMENT(tr_unusable, "TR.UNUSABLE"),
    SEGMENT(ldtr_bits, "LDTR.BITS"),
    SEGMENT(ldtr_granularity, "LDTR.G"),
};
const struct vmx_check_list vmx_guest_segment_checks = VMX_CHECK_LIST(checks);
