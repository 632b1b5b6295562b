/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * value.h - one value of a definition: is it what its key wants?
 *
 * definition.c checks every value here before it keeps it, so that whoever reads a
 * definition takes values apart without asking again.
 *
 * Units:      sizes are bytes.
 * Errors:     OSTLER_DEFINITION_ERROR_VALUE; the message says what the value should
 *             look like and does not name the file or key, which the caller knows.
 */
#pragma once

#include "guest/definition.h"

/*
 * Check @text against @row and return it as it is kept: paths absolute (@folder is
 * where relative ones start), MACs and UUIDs in lower case.  Caller frees.
 */
char *ostler_value_check(const OstlerKeyRow *row, const char *text, const char *folder,
                         GError **error);

/* Whether a value of @type may hold blanks; if not, a line may carry several. */
bool ostler_value_may_hold_blanks(OstlerValueType type);

/* "2G" as bytes; false if it is no size or does not fit into 63 bits. */
bool ostler_size_parse(const char *text, uint64_t *out_bytes);
/* The shortest exact way to write @bytes: "2G", "1536M", "1000". */
char *ostler_size_text(uint64_t bytes);

/* A port of the host that leads into the guest. */
typedef struct {
    bool is_udp;
    char address[64];   /* of the host, or "" for any; IPv6 without brackets */
    uint16_t host_port; /* 0: any free one */
    uint16_t guest_port;
} OstlerForward;

/* Take "tcp:2222:22", "udp:127.0.0.1:5353:53" or "tcp:[::1]:2222:22" apart. */
bool ostler_forward_parse(const char *text, OstlerForward *out_forward);

/* Take "0-3,8" apart: calls @each for every range, in order; false if it is none. */
typedef void OstlerRangeFunc(unsigned first, unsigned last, void *opaque);
bool ostler_ranges_parse(const char *text, OstlerRangeFunc *each, void *opaque);
