/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telephone numbers, over libphonenumber (phone_shim.cc).  Numbers are taken as people write them
 * and kept as E.164.
 *
 * How digits alone are read: as a national number of the default region if that is valid, else
 * with a '+' in front if that is valid, else as national.  "00…" and the region's own exit code
 * work, so does "+1-555-123-4567".  Thread safe.  10–50 µs.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum phone_result {
    PHONE_OK = 0,            /* possible by length; see .valid */
    PHONE_NOT_A_NUMBER = 1,  /* letters, nothing, two numbers */
    PHONE_BAD_COUNTRY = 2,   /* no such country code, or none and no region */
    PHONE_TOO_SHORT = 3,
    PHONE_TOO_LONG = 4,
    PHONE_BAD_LENGTH = 5,    /* a length that this country does not use */
    PHONE_LOCAL_ONLY = 6,    /* without its area code */
    PHONE_SHORT_NUMBER = 7   /* an emergency or other short number of the region: see .emergency */
};

enum phone_type {
    PHONE_TYPE_UNKNOWN,
    PHONE_TYPE_FIXED,
    PHONE_TYPE_MOBILE,
    PHONE_TYPE_FIXED_OR_MOBILE,
    PHONE_TYPE_TOLL_FREE,
    PHONE_TYPE_PREMIUM,
    PHONE_TYPE_SHARED_COST,
    PHONE_TYPE_VOIP,
    PHONE_TYPE_PERSONAL,
    PHONE_TYPE_PAGER,
    PHONE_TYPE_UAN,
    PHONE_TYPE_VOICEMAIL
};

struct phone {
    enum phone_result result;
    char e164[24];        /* "+15551234567"; "" unless PHONE_OK */
    char region[4];       /* "US", "001" for networks without a country; "" unknown.  Set by area
                           * code where several countries share a calling code, else its main one */
    int country_code;     /* 1, 44, 881 … */
    enum phone_type type;
    bool valid;           /* in a range that is assigned (the library's data may lag behind) */
    bool emergency;       /* 911, 112 … also when written with a country code */
    bool premium;         /* type PREMIUM, or +1-900, or +979 */
    bool satellite;       /* +870, +881, +882, +883 */
    bool caribbean;       /* +1, but neither US nor Canada nor their territories */
};

/* text need not end in 0.  region: "US" …, NULL: only international forms.  Returns out->result;
 * out is always set whole. */
enum phone_result phone_parse(const char *text, size_t length, const char *region, struct phone *out);

/* True for '+', a digit 1–9, and 6 to 14 more digits: the form in which numbers are kept. */
bool phone_is_e164(const char *text, size_t length);

/* A sentence for a person, without a full stop, e.g. "+1555 is not a complete phone number; write
 * it as +<country><number>".  written is what was typed (non-printing characters are dropped). */
char *phone_explain(const struct phone *phone, const char *written);
const char *phone_type_text(enum phone_type type); /* "mobile", … */

/* "+1 555-123-4567" for display; the input itself when it is no E.164. */
char *phone_display(const char *e164);
/* "US" is a region that is known. */
bool phone_region_known(const char *region);
/* The country code of a region, 0 when unknown. */
int phone_region_code(const char *region);

#ifdef __cplusplus
}
#endif
