/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* without-summary.c - the same lines, and no SUMMARY: kvm-unit-tests' realmode has none */
#define WITHOUT_SUMMARY
#include "conventions.c"
