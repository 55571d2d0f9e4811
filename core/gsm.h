/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many SMS a text needs (3GPP TS 23.038 and 23.040): GSM 7-bit default alphabet with its extension table, else a
 * national language table where its use is allowed and saves segments, else UCS-2.  160 septets or 70 code units fit
 * into one message, 153 or 67 into each of several; naming a national table costs 3 octets more of each.  Neither an
 * escape pair nor a surrogate pair is ever split between two, which may cost a segment.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum gsm_encoding { GSM_7BIT, GSM_UCS2 };

/* National Language Identifiers (TS 23.038 section 6.2.1.2.4). */
enum gsm_language {
    GSM_DEFAULT = 0,
    GSM_TURKISH,
    GSM_SPANISH,
    GSM_PORTUGUESE,
    GSM_BENGALI,
    GSM_GUJARATI,
    GSM_HINDI,
    GSM_KANNADA,
    GSM_MALAYALAM,
    GSM_ORIYA,
    GSM_PUNJABI,
    GSM_TAMIL,
    GSM_TELUGU,
    GSM_URDU,
    GSM_LANGUAGES
};

/* By ISO 639-1 code in lower case ("tr"); GSM_DEFAULT: there are no tables for it. */
enum gsm_language gsm_language_find(const char *code);

struct gsm_count {
    enum gsm_encoding encoding;
    enum gsm_language locking, shift; /* tables of 7 bit; GSM_DEFAULT: the default ones, which cost nothing */
    guint units;      /* septets (shifted characters count 2) or UTF-16 code units */
    guint segments;   /* 0 for an empty text */
    guint left;       /* units that still fit into the last segment */
    gunichar culprit; /* the first character that is outside the GSM default alphabet; 0: none */
};

/*
 * national: the languages whose tables may be used, bits 1 << enum gsm_language; 0: none, as nearly all providers do.
 * They are used only where they make fewer segments, because old phones do not know them.  Invalid UTF-8 counts as
 * U+FFFD.  Returns out->segments.
 */
guint gsm_count(const char *text, size_t length, guint national, struct gsm_count *out);
/* The text as the segments would hold it: NULL-terminated, g_strfreev(); cut at grapheme
 * boundaries where that costs no more than 10 units. */
char **gsm_split(const char *text, size_t length, guint national);
/* Septets of a character: 1, 2 (extension table), 0 (not in the alphabet). */
int gsm_septets(gunichar c);

/* Typographic quotes, dashes, ellipsis, bullets, odd spaces, fullwidth forms and the like replaced by what GSM
 * 7-bit has; emoji and letters are never touched.  *changed (may be NULL): how many. */
char *gsm_transliterate(const char *text, size_t length, guint *changed);
/* Transliterated when that brings the whole text into GSM 7-bit, else a copy as it is. */
char *gsm_fit(const char *text, size_t length);
