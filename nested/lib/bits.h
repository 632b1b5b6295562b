/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bits.h - names of bits, for flats and host alike; the manuals' own words */
#pragma once

#include <stdint.h>

#define BIT(n) (UINT64_C(1) << (n))

#define CR0_PE BIT(0)
#define CR0_ET BIT(4)
#define CR0_WP BIT(16)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_PAE BIT(5)

#define EFER_SCE  BIT(0)
#define EFER_LME  BIT(8)
#define EFER_LMA  BIT(10)
#define EFER_NXE  BIT(11)
#define EFER_SVME BIT(12)

#define RFLAGS_FIXED BIT(1) /* reads as one */
