/* SPDX-License-Identifier: Apache-2.0 */
/* Wall time with an offset for tests, monotonic time, and the two written forms of time. */
#include "core/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static _Atomic gint64 clock_offset;

gint64 ump_clock_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (gint64)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000 +
           atomic_load_explicit(&clock_offset, memory_order_relaxed);
}

gint64 ump_clock_mono_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000;
}

void ump_clock_set_offset(gint64 offset_us)
{
    atomic_store(&clock_offset, offset_us);
}

gint64 ump_clock_offset(void)
{
    return atomic_load(&clock_offset);
}

/* Rounds towards the past, also before 1970. */
static struct tm broken_down(gint64 us, int *fraction)
{
    gint64 seconds = us / CLOCK_SECOND;
    gint64 rest = us % CLOCK_SECOND;
    struct tm tm = {0};

    if (rest < 0) {
        rest += CLOCK_SECOND;
        seconds--;
    }
    time_t t = (time_t)seconds;
    gmtime_r(&t, &tm);
    *fraction = (int)rest;
    return tm;
}

const char *ump_clock_rfc3339(gint64 us, char buffer[static CLOCK_RFC3339_SIZE])
{
    int fraction;
    struct tm tm = broken_down(us, &fraction);

    snprintf(buffer, CLOCK_RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction);
    return buffer;
}

const char *ump_clock_rfc5322(gint64 us, char buffer[static CLOCK_RFC5322_SIZE])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int fraction;
    struct tm tm = broken_down(us, &fraction);

    /* Not strftime's names: they follow the locale. */
    snprintf(buffer, CLOCK_RFC5322_SIZE, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday % 7],
             tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return buffer;
}

/* --- Parsing --- */

struct scan {
    const char *p, *end;
};

static bool take_number(struct scan *s, int digits, int *out)
{
    int value = 0;

    if (s->end - s->p < digits)
        return false;
    for (int i = 0; i < digits; i++) {
        if (!g_ascii_isdigit(s->p[i]))
            return false;
        value = value * 10 + (s->p[i] - '0');
    }
    s->p += digits;
    *out = value;
    return true;
}

static bool take(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
static gint64 days_from_civil(int y, int m, int d)
{
    y -= m <= 2;
    gint64 era = (y >= 0 ? y : y - 399) / 400;
    int yoe = (int)(y - era * 400);
    int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static bool take_date(struct scan *s, gint64 *days)
{
    static const int lengths[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y, m, d;

    if (!take_number(s, 4, &y) || !take(s, '-') || !take_number(s, 2, &m) || !take(s, '-') ||
        !take_number(s, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1 || d > lengths[m - 1])
        return false;
    if (m == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)))
        return false;
    *days = days_from_civil(y, m, d);
    return true;
}

static bool take_fraction(struct scan *s, gint64 *us)
{
    gint64 scale = CLOCK_SECOND / 10;

    *us = 0;
    if (!take(s, '.') && !take(s, ','))
        return true;
    if (s->p == s->end || !g_ascii_isdigit(*s->p))
        return false;
    for (; s->p < s->end && g_ascii_isdigit(*s->p); s->p++, scale /= 10)
        *us += (*s->p - '0') * scale;
    return true;
}

static bool take_zone(struct scan *s, gint64 *seconds)
{
    int sign, hours, minutes;

    *seconds = 0;
    if (s->p == s->end || take(s, 'Z') || take(s, 'z'))
        return true;
    if (take(s, '+'))
        sign = 1;
    else if (take(s, '-'))
        sign = -1;
    else
        return false;
    if (!take_number(s, 2, &hours))
        return false;
    take(s, ':');
    if (!take_number(s, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool ump_clock_parse_rfc3339(const char *text, size_t length, gint64 *out_us)
{
    struct scan s = {text, text + length};
    int hour, minute, second;
    gint64 days, fraction, zone;

    if (!take_date(&s, &days) || !(take(&s, 'T') || take(&s, 't') || take(&s, ' ')))
        return false;
    if (!take_number(&s, 2, &hour) || !take(&s, ':') || !take_number(&s, 2, &minute) || !take(&s, ':') ||
        !take_number(&s, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (!take_fraction(&s, &fraction) || !take_zone(&s, &zone) || s.p != s.end)
        return false;
    *out_us = (days * 86400 + hour * 3600 + minute * 60 + second - zone) * CLOCK_SECOND + fraction;
    return true;
}
