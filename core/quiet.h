/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quiet hours: what machines send waits while it is night where the recipient is (endpoint setting quiet_hours).  By the
 * clock on the wall there, so also across a change to or from daylight saving time.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* From the minute from up to the minute to of the day, over midnight where to is the smaller one. */
struct quiet_hours {
    guint from, to;
};

/* "21:00-08:00".  False: it is nothing like that, or no time at all. */
bool quiet_hours_parse(const char *text, struct quiet_hours *hours);

/*
 * When it is quiet in none of these zones (NULL-terminated): at itself, or the first full minute after it (µs).  -1: for
 * a day there is no such moment.
 */
gint64 quiet_end(const struct quiet_hours *hours, GTimeZone *const *zones, gint64 at);

/*
 * A machine's message to this recipient (E.164 or any other id) that could leave at that time: when it may.  By the zones
 * of the number; of one whose zones are not known, or so many that it is always quiet in one, by the account's time_zone,
 * else UTC.  endpoint, account: their settings.  *why, g_free, is set when that is later than at: what says so in a phrase.
 */
gint64 quiet_until(const json_t *endpoint, const json_t *account, const char *recipient, bool urgent, gint64 at,
                   char **why);
