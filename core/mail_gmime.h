/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edge to GMime: the one place (with mail_body.c) where its types appear.  Initialises it once, decodes header
 * words, addresses and dates, converts charsets.
 */
#pragma once

#include <gmime/gmime.h>

/* Before any other use; any thread, any number of times. */
void mail_gmime_init(void);
GMimeParserOptions *mail_gmime_options(void);

/* RFC 2047 text or phrase, 8-bit guessed; valid UTF-8, not yet cleaned. */
char *mail_gmime_decode_text(const char *value);
char *mail_gmime_decode_phrase(const char *value);

/* Adds struct mail_address * (names cleaned) of an address list value, groups flattened, at most max in the array. */
void mail_gmime_addresses(const char *value, GPtrArray *out, guint max);

/* µs since 1970; 0 when it is no date. */
gint64 mail_gmime_date(const char *value);

/* Bytes in a charset → valid UTF-8 with LF line ends and no NUL. charset NULL: UTF-8 if valid, else windows-1252. */
char *mail_gmime_to_utf8(const char *data, gsize len, const char *charset);
