/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time is an input.  Wall time carries an offset in tests ([gateway] clock_offset); nothing else
 * in the programs asks the system for the wall time.  Intervals are measured on the monotonic
 * clock.  All values are microseconds.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define CLOCK_SECOND G_GINT64_CONSTANT(1000000)
#define CLOCK_MINUTE (60 * CLOCK_SECOND)
#define CLOCK_HOUR (60 * CLOCK_MINUTE)
#define CLOCK_DAY (24 * CLOCK_HOUR)

gint64 ump_clock_now_us(void);  /* since 1970, UTC, with the offset */
gint64 ump_clock_mono_us(void); /* CLOCK_MONOTONIC, no offset */
void ump_clock_set_offset(gint64 offset_us);
gint64 ump_clock_offset(void);

#define CLOCK_RFC3339_SIZE 80 /* 28 are used; the compiler counts what int could hold */
#define CLOCK_RFC5322_SIZE 80
/* "2026-11-20T11:06:45.123456Z" into buffer; returns buffer. */
const char *ump_clock_rfc3339(gint64 us, char buffer[static CLOCK_RFC3339_SIZE]);
/* "Fri, 20 Nov 2026 11:06:45 +0000" into buffer; returns buffer. */
const char *ump_clock_rfc5322(gint64 us, char buffer[static CLOCK_RFC5322_SIZE]);
/* RFC 3339 / ISO 8601 extended: fraction of any length, Z, ±hh:mm, ±hhmm, or no zone (UTC); 'T',
 * 't' or one space between.  False: not such a time; *out_us unchanged. */
bool ump_clock_parse_rfc3339(const char *text, size_t length, gint64 *out_us);
