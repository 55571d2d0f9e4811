/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which time zones a phone number may be: by its country and area, as libphonenumber knows them.  A mobile phone
 * travels, and a number may be taken along to another area; nothing better is to be had.
 */
#pragma once

#include <stddef.h>

/* Names of the tz database ("America/New_York"), NULL-terminated, static; NULL: not known. */
const char *const *phone_zones(const char *e164);

/* The table, which phone_zones.py makes: sorted by prefix (digits behind the +). */
struct phone_zone_row {
    const char *prefix;
    const char *const *zones;
};
extern const struct phone_zone_row phone_zone_rows[];
extern const size_t phone_zone_count;
