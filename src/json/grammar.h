/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * grammar.h - is this text exactly one JSON value?
 *
 * json-c reads more than JSON: single-quoted keys, NaN, leading zeros, any letter case,
 * even with JSON_TOKENER_STRICT.  So json.c asks here first, and json-c then only turns
 * correct text into values.
 *
 * Sources:  RFC 8259.
 * Errors:   a sentence's end, and the byte where the text stops being JSON.
 */
#pragma once

#include <stddef.h>

/*
 * Returns: NULL if @text is one value with nothing but white space around it, or what
 * is wrong at byte *@out_offset (static text).
 */
const char *ostler_json_grammar_check(const char *text, size_t size, unsigned max_depth,
                                      size_t *out_offset);
