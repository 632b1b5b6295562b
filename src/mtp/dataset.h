/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dataset.h - the structures that travel in a data phase
 *
 * Sources:    MTP 1.1 chapter 3 (simple types) and 5 (datasets); the tables are named
 *             beside each function.
 * Units:      sizes are bytes; times are seconds since the Unix epoch, UTC, and
 *             become MTP date strings in the host's zone here only.
 * Ownership:  decoded names belong to the caller.
 * Errors:     a decoder that meets less than a whole dataset is false.
 */
#pragma once

#include "mtp/codes.h"
#include "mtp/names.h"
#include "wire/reader.h"

#include <glib.h>
#include <stdbool.h>

/* A string of the guest's own, before it is known to be a name. */
typedef struct {
    uint16_t units[OSTLER_MTP_MAX_STRING + 1];
    unsigned n_units; /* without the NUL */
} OstlerMtpString;

/* 5.3.1 table 18, what of it has a meaning for files. */
typedef struct {
    uint32_t storage;
    uint16_t format;
    uint16_t protection; /* 0 or 1: read-only */
    uint64_t size;
    uint16_t thumb_format; /* 0: there is no thumbnail */
    uint32_t thumb_size;
    uint16_t association; /* 1: generic folder */
    uint32_t parent;
    int64_t created;
    int64_t modified;
    const char *name; /* host bytes, borrowed */
} OstlerMtpObjectInfo;

/* An object of 4 GiB or more whose size the initiator did not say. */
#define OSTLER_MTP_UNKNOWN_SIZE G_MAXUINT64

/* The same from the initiator: SendObjectInfo, SendObjectPropList. */
typedef struct {
    uint16_t format;
    uint64_t size; /* OSTLER_MTP_UNKNOWN_SIZE: 4 GiB or more */
    OstlerMtpString name;
    int64_t modified; /* 0: not said */
} OstlerMtpSentInfo;

/* 5.2.2 table 14. */
typedef struct {
    uint64_t capacity;
    uint64_t free_bytes;
    uint32_t free_objects;
    bool is_read_only;
    const char *label; /* UTF-8 */
    const char *volume;
} OstlerMtpStorageInfo;

/* Read the host's time zone; call it before the process is confined. */
void ostler_mtp_dates_prepare(void);

/* Simple types. */
void ostler_mtp_put_units(GByteArray *array, const uint16_t *units, unsigned n);
void ostler_mtp_put_string(GByteArray *array, const char *utf8);
void ostler_mtp_put_name(GByteArray *array, const char *name);
void ostler_mtp_put_date(GByteArray *array, int64_t when);
void ostler_mtp_put_codes(GByteArray *array, const uint16_t *codes, unsigned n);
void ostler_mtp_get_string(OstlerReader *reader, OstlerMtpString *out_string);
/* 0 for an empty string or one that is no date. */
int64_t ostler_mtp_parse_date(const OstlerMtpString *string);
/* An array of @n_handles. */
void ostler_mtp_put_handles(GByteArray *array, const uint32_t *handles, unsigned n);

/* Datasets. */
void ostler_mtp_put_storage_info(GByteArray *array, const OstlerMtpStorageInfo *info);
void ostler_mtp_put_object_info(GByteArray *array, const OstlerMtpObjectInfo *info);
bool ostler_mtp_get_object_info(OstlerReader *reader, OstlerMtpSentInfo *out_info);
/* Take name and date from a list of properties (appendix E.4); the rest stays. */
bool ostler_mtp_get_new_object_properties(OstlerReader *reader,
                                          OstlerMtpSentInfo *info);
/* Skip a value of @type; false (and failed) for a type that is not known. */
bool ostler_mtp_skip_value(OstlerReader *reader, uint16_t type);

/* What a file of this name most likely is: appendix A by the extension. */
uint16_t ostler_mtp_format_of_name(const char *name);
/* Whether there may be a thumbnail of an object of @format. */
bool ostler_mtp_format_is_image(uint16_t format);
/* Every format that ostler_mtp_format_of_name() can answer, and folders. */
const uint16_t *ostler_mtp_formats(unsigned *out_n);
