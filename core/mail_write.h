/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one writer of header fields.  Every field of every mail that we make goes through here, so that nothing that
 * comes from a network can become a header of its own (FAILURES T29) or pretend to be somebody else (T30).
 * Output is CRLF, folded at 76 columns where possible, RFC 2047/2231 for what is not ASCII.  All input is UTF-8
 * (invalid bytes become U+FFFD).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/mail_clean.h"

/* Free text (Subject, Thread-Topic, Comments). */
void mail_write_text(GString *out, const char *name, const char *text);
/* Already structured printable ASCII (ids, dates, our own dictionaries); what is not printable is left out. Folded
 * at blanks only. */
void mail_write_structured(GString *out, const char *name, const char *value);
/* "name" <address>; the display name passes through mail_clean_line; an address that is not a plain addr-spec in
 * printable ASCII (or UTF-8 without controls) is written as invalid@invalid. */
void mail_write_address(GString *out, const char *header, const char *display, const char *address);
/* Several: arrays of n; displays may hold NULL. */
void mail_write_addresses(GString *out, const char *header, const char *const *displays, const char *const *addresses,
              gsize n);
/* Message ids with or without brackets; everything outside of RFC 5322 msg-id characters is left out. */
void mail_write_message_id(GString *out, const char *header, const char *id);
void mail_write_message_ids(GString *out, const char *header, const char *const *ids);
/* Date: RFC 5322, UTC ("+0000"), from µs since 1970. */
void mail_write_date(GString *out, const char *header, gint64 us);
/* Content-Type or Content-Disposition with one optional text parameter (RFC 2231 when it needs to be):
 * mail_write_param(out, "Content-Disposition", "attachment", "filename", name).  value is trusted ASCII. */
void mail_write_param(GString *out, const char *header, const char *value, const char *param, const char *text);

/* Body encoders; `out` gets CRLF lines. */
bool mail_text_is_7bit(const char *text); /* ASCII, lines ≤ 998: no transfer encoding needed */
void mail_write_quoted_printable(GString *out, const char *text, gsize len); /* text lines; LF or CRLF in, CRLF out */
void mail_write_base64(GString *out, const void *data, gsize len);      /* 76 columns */
