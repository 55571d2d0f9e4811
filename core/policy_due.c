/* SPDX-License-Identifier: Apache-2.0 */
/* When a message is to go out: the address's option +at, or the mail's Deferred-Delivery (RFC 2156). */
#include "core/policy_internal.h"

#include <string.h>
#include <time.h>

#include "core/address.h"
#include "core/clock.h"

/* "20261201T0900" in the machine's zone, with a Z behind it UTC; false: no such day or time. */
static bool parse_at(const char *text, gint64 *us)
{
    struct tm tm = {.tm_isdst = -1}, asked;
    const char *rest = strptime(text, "%Y%m%dT%H%M", &tm);
    bool utc;
    time_t at;

    if (!rest)
        return false;
    if (g_ascii_isdigit(rest[0]) && g_ascii_isdigit(rest[1])) {
        tm.tm_sec = (rest[0] - '0') * 10 + (rest[1] - '0');
        rest += 2;
    }
    utc = *rest == 'Z' || *rest == 'z';
    if (rest[utc ? 1 : 0] != '\0' || tm.tm_sec > 60)
        return false;
    asked = tm;
    at = utc ? timegm(&tm) : mktime(&tm);
    if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon) /* the 31st of a month that has 30 */
        return false;
    *us = (gint64)at * CLOCK_SECOND;
    return true;
}

enum policy_reason policy_due(const struct address *address, gint64 deferred_until, gint64 *due)
{
    gint64 now = ump_clock_now_us(), at = deferred_until;

    if (address && address->at && !parse_at(address->at, &at))
        return POLICY_DUE_FORMAT;
    if (at < 0)
        return POLICY_DUE_FORMAT;
    if (at > now + POLICY_DUE_DAYS * CLOCK_DAY)
        return POLICY_DUE_FAR;
    *due = at > now ? at : 0;
    return POLICY_OK;
}
