/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * properties.h - what can be asked of an object or of the device, one by one
 *
 * Two tables, object properties and device properties; the lists, descriptions and
 * values that the initiator gets are all made from their rows.
 *
 * Sources:    MTP 1.1 appendices B (object properties) and C (device properties),
 *             5.1.2.1 and 5.3.2.3 for the description datasets.
 */
#pragma once

#include "mtp/store.h"

/* What the device says about itself; strings are UTF-8 and borrowed. */
typedef struct {
    const char *friendly_name;
    const char *manufacturer;
    const char *model;
    const char *version;
    const char *serial;
} OstlerMtpDeviceIdentity;

/* Append the codes of all object properties, as an array; @has_thumbs: and of a
 * thumbnail's. */
void ostler_mtp_put_object_property_codes(GByteArray *array, bool has_thumbs);
/* Append ObjectPropDesc; false: no such property. */
bool ostler_mtp_put_object_property_description(GByteArray *array, uint16_t code);
/* Append the value of one property; false: no such property. */
bool ostler_mtp_put_object_property(GByteArray *array, const OstlerMtpEntry *entry,
                                    uint16_t code);
/* The properties of a thumbnail, RepresentativeSample...: in no list of all properties,
 * since it has to be made first.  @thumb is NULL when the image has none. */
bool ostler_mtp_is_thumb_property(uint16_t code);
void ostler_mtp_put_thumb_property(GByteArray *array, uint16_t code, GBytes *thumb);
/*
 * Append elements of an ObjectPropList (handle, code, type, value) for @entry: the
 * property @code, or all when it is 0xffffffff; returns their number.
 */
unsigned ostler_mtp_put_object_property_elements(GByteArray *array,
                                                 const OstlerMtpEntry *entry,
                                                 uint32_t code);
/* Set a property to the value at @reader. */
OstlerMtpCode ostler_mtp_set_object_property(OstlerMtpStore *store, uint32_t handle,
                                             uint16_t code, OstlerReader *reader);

void ostler_mtp_put_device_property_codes(GByteArray *array);
bool ostler_mtp_put_device_property_description(GByteArray *array, uint16_t code,
                                                const OstlerMtpDeviceIdentity *device);
bool ostler_mtp_put_device_property(GByteArray *array, uint16_t code,
                                    const OstlerMtpDeviceIdentity *device);
