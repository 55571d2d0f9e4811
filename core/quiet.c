/* SPDX-License-Identifier: Apache-2.0 */
#include "core/quiet.h"

#include <string.h>

#include "core/clock.h"
#include "core/endpoint_settings.h"
#include "core/phone_zones.h"

#define DAY_MINUTES (24 * 60)
#define SHIFT_MINUTES (3 * 60) /* more than clocks are put forward or back at a time */

static bool read_minute(const char **text, guint *minute)
{
    const char *p = *text;

    if (!g_ascii_isdigit(p[0]) || !g_ascii_isdigit(p[1]) || p[2] != ':' || !g_ascii_isdigit(p[3]) || !g_ascii_isdigit(p[4]))
        return false;
    guint hours = (guint)(p[0] - '0') * 10 + (guint)(p[1] - '0'), minutes = (guint)(p[3] - '0') * 10 + (guint)(p[4] - '0');
    if (hours > 23 || minutes > 59)
        return false;
    *minute = hours * 60 + minutes;
    *text = p + 5;
    return true;
}

bool quiet_hours_parse(const char *text, struct quiet_hours *hours)
{
    struct quiet_hours read;

    if (!read_minute(&text, &read.from) || *text++ != '-' || !read_minute(&text, &read.to) || *text != '\0' ||
        read.from == read.to)
        return false;
    *hours = read;
    return true;
}

/* ---- One moment ---- */

/* Minutes by the clock there until the hours end; 0: it is not quiet. */
static guint minutes_left(const struct quiet_hours *hours, GTimeZone *zone, gint64 at)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at / CLOCK_SECOND);
    g_autoptr(GDateTime) there = g_date_time_to_timezone(utc, zone);
    guint minute = (guint)(g_date_time_get_hour(there) * 60 + g_date_time_get_minute(there));
    guint since = (minute + DAY_MINUTES - hours->from) % DAY_MINUTES;
    guint length = (hours->to + DAY_MINUTES - hours->from) % DAY_MINUTES;

    return since < length ? length - since : 0;
}

static guint most_left(const struct quiet_hours *hours, GTimeZone *const *zones, gint64 at)
{
    guint most = 0;

    for (; *zones; zones++)
        most = MAX(most, minutes_left(hours, *zones, at));
    return most;
}

/* By whole minutes, with a leap where the end is far: a clock that is put forward or back on the way needs no case of its
 * own. */
gint64 quiet_end(const struct quiet_hours *hours, GTimeZone *const *zones, gint64 at)
{
    gint64 t = at, limit = at + CLOCK_DAY;
    guint left;

    while ((left = most_left(hours, zones, t)) > 0) {
        t -= t % CLOCK_MINUTE;
        t += (left > SHIFT_MINUTES ? left - SHIFT_MINUTES : 1) * CLOCK_MINUTE;
        if (t > limit)
            return -1;
    }
    return t;
}

/* ---- An endpoint's ---- */

static void free_zone(gpointer zone)
{
    if (zone) /* not what ends the list */
        g_time_zone_unref(zone);
}

static GPtrArray *zones_new(void)
{
    return g_ptr_array_new_with_free_func(free_zone);
}

static void add_zone(GPtrArray *zones, const char *name)
{
    GTimeZone *zone = g_time_zone_new_identifier(name);

    if (zone) /* NULL: this machine's tz database has another version */
        g_ptr_array_add(zones, zone);
}

/* NULL-terminated; name: of the first. */
static GPtrArray *zones_of_number(const char *recipient, const char **name)
{
    GPtrArray *zones = zones_new();
    const char *const *names = phone_zones(recipient);

    *name = names ? *names : NULL;
    for (; names && *names; names++)
        add_zone(zones, *names);
    if (zones->len > 0)
        g_ptr_array_add(zones, NULL);
    return zones;
}

static GPtrArray *zone_of_account(const json_t *settings, const char **name)
{
    GPtrArray *zones = zones_new();

    *name = endpoint_setting_string(settings, "time_zone", NULL);
    if (*name)
        add_zone(zones, *name);
    if (zones->len == 0) {
        g_ptr_array_add(zones, g_time_zone_new_utc());
        *name = "UTC";
    }
    g_ptr_array_add(zones, NULL);
    return zones;
}

gint64 quiet_until(const json_t *endpoint, const json_t *account, const char *recipient, bool urgent, gint64 at,
                   char **why)
{
    const char *text = endpoint_setting_string(endpoint, "quiet_hours", NULL), *name;
    struct quiet_hours hours;
    gint64 until = -1;

    if (!text || !quiet_hours_parse(text, &hours) ||
        (urgent && endpoint_setting_bool(endpoint, "quiet_urgent", false)))
        return at;
    g_autoptr(GPtrArray) zones = zones_of_number(recipient, &name);
    if (zones->len > 0)
        until = quiet_end(&hours, (GTimeZone *const *)zones->pdata, at);
    if (until < 0) {
        g_ptr_array_unref(zones);
        zones = zone_of_account(account, &name);
        until = quiet_end(&hours, (GTimeZone *const *)zones->pdata, at);
    }
    if (until <= at)
        return at;
    *why = zones->len > 2 ? g_strdup_printf("quiet hours %s in %s and %u other time zones", text, name, zones->len - 2)
                          : g_strdup_printf("quiet hours %s in %s", text, name);
    return until;
}
