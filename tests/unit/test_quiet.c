/* SPDX-License-Identifier: Apache-2.0 */
/* Quiet hours: by the clock where the recipient is, over midnight and changes of the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/phone_zones.h"
#include "core/quiet.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        guint from, to; /* both 0: refused */
    } cases[] = {
        {"21:00-08:00", 1260, 480}, {"00:00-23:59", 0, 1439}, {"13:30-15:05", 810, 905}, {"00:01-00:00", 1, 0},
        {"", 0, 0}, {"21:00", 0, 0}, {"21:00-", 0, 0}, {"21-08", 0, 0}, {"9:00-10:00", 0, 0}, {"24:00-08:00", 0, 0}, {"21:60-08:00", 0, 0},
        {"21:00-08:00 ", 0, 0}, {" 21:00-08:00", 0, 0}, {"21:00-21:00", 0, 0}, {"21:00–08:00", 0, 0}, {"21:00-8:00", 0, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct quiet_hours hours = {77, 78};
        bool good = cases[i].from + cases[i].to > 0;
        if (quiet_hours_parse(cases[i].text, &hours) != good)
            fail_msg("%s", cases[i].text);
        assert_int_equal(hours.from, good ? cases[i].from : 77);
        assert_int_equal(hours.to, good ? cases[i].to : 78);
    }
}

static gint64 time_of(const char *text)
{
    gint64 at;

    assert_true(ump_clock_parse_rfc3339(text, strlen(text), &at));
    return at;
}

static void check(const char *what, gint64 found, const char *wanted)
{
    char text[CLOCK_RFC3339_SIZE];

    if (found != time_of(wanted))
        fail_msg("%s: %s, not %s", what, ump_clock_rfc3339(found, text), wanted);
}

static void test_end(void **state)
{
    static const struct {
        const char *hours, *zones, *at, *end; /* NULL: never */
    } cases[] = {
        {"21:00-08:00", "Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z"},
        {"21:00-08:00", "Europe/Berlin", "2026-07-01T18:59:59Z", "2026-07-01T18:59:59Z"},
        {"21:00-08:00", "Europe/Berlin", "2026-07-01T19:00:00Z", "2026-07-02T06:00:00Z"},
        {"21:00-08:00", "Europe/Berlin", "2026-07-01T19:00:12.5Z", "2026-07-02T06:00:00Z"}, /* a full minute */
        {"21:00-08:00", "Europe/Berlin", "2026-07-02T02:00:00Z", "2026-07-02T06:00:00Z"},   /* past midnight */
        {"21:00-08:00", "Europe/Berlin", "2026-07-02T05:59:59Z", "2026-07-02T06:00:00Z"},
        {"21:00-08:00", "Europe/Berlin", "2026-07-02T06:00:00Z", "2026-07-02T06:00:00Z"},
        {"12:00-14:00", "UTC", "2026-07-02T13:00:00Z", "2026-07-02T14:00:00Z"},              /* not over midnight */
        {"12:00-14:00", "UTC", "2026-07-02T14:00:00Z", "2026-07-02T14:00:00Z"},
        {"12:00-00:00", "UTC", "2026-07-02T23:59:00Z", "2026-07-03T00:00:00Z"},
        {"00:00-23:59", "UTC", "2026-07-02T00:00:00Z", "2026-07-02T23:59:00Z"},
        {"22:15-06:45", "Asia/Kathmandu", "2026-07-02T17:00:00Z", "2026-07-03T01:00:00Z"},   /* UTC+5:45 */
        /* the clock is put forward: 02:00 becomes 03:00 in the night to 29 March 2026, which is an hour shorter */
        {"21:00-08:00", "Europe/Berlin", "2026-03-28T20:00:00Z", "2026-03-29T06:00:00Z"},
        {"21:00-02:30", "Europe/Berlin", "2026-03-28T22:00:00Z", "2026-03-29T01:00:00Z"},    /* the end is in the gap */
        {"02:10-02:50", "Europe/Berlin", "2026-03-29T00:59:00Z", "2026-03-29T00:59:00Z"},    /* all of it is */
        {"02:10-02:50", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
        {"02:10-05:00", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z"},    /* the beginning is */
        /* and back: 03:00 becomes 02:00 in the night to 25 October 2026, which is an hour longer */
        {"21:00-08:00", "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T07:00:00Z"},
        {"21:00-02:30", "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z"},    /* the first time */
        {"21:00-02:30", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"},    /* it is 02:10 again */
        {"21:00-08:00", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T21:00:00Z"}, /* half an hour */
        {"21:00-08:00", "America/New_York", "2026-03-08T03:00:00Z", "2026-03-08T12:00:00Z"},
        /* several zones: while it is quiet in any of them */
        {"21:00-08:00", "America/New_York America/Los_Angeles", "2026-07-02T00:30:00Z", "2026-07-02T00:30:00Z"},
        {"21:00-08:00", "America/New_York America/Los_Angeles", "2026-07-02T01:30:00Z", "2026-07-02T15:00:00Z"},
        {"21:00-08:00", "America/New_York America/Los_Angeles", "2026-07-02T13:00:00Z", "2026-07-02T15:00:00Z"},
        {"21:00-08:00", "America/Los_Angeles America/New_York", "2026-07-02T01:30:00Z", "2026-07-02T15:00:00Z"},
        {"21:00-08:00", "Pacific/Pago_Pago America/New_York Europe/Berlin Pacific/Saipan", "2026-07-02T01:30:00Z", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GTimeZone *zones[8] = {NULL};
        g_auto(GStrv) names = g_strsplit(cases[i].zones, " ", -1);
        g_autofree char *what = g_strdup_printf("%s %s %s", cases[i].hours, cases[i].zones, cases[i].at);
        struct quiet_hours hours;
        for (guint n = 0; names[n]; n++) {
            zones[n] = g_time_zone_new_identifier(names[n]);
            assert_non_null(zones[n]);
        }
        assert_true(quiet_hours_parse(cases[i].hours, &hours));
        gint64 end = quiet_end(&hours, zones, time_of(cases[i].at));
        for (guint n = 0; zones[n]; n++)
            g_time_zone_unref(zones[n]);
        if (cases[i].end)
            check(what, end, cases[i].end);
        else
            assert_true(end == -1);
    }
}

static void test_zones_of_numbers(void **state)
{
    static const struct {
        const char *number, *first;
        guint count;
    } cases[] = {
        {"+12125550123", "America/New_York", 1}, {"+14155550123", "America/Los_Angeles", 1}, {"+16045550100", "America/Vancouver", 1},
        {"+493055501000", "Europe/Berlin", 1},   {"+4915112345678", "Europe/Berlin", 1},     {"+447911123456", "Europe/Guernsey", 3},
        {"+881612345678", NULL, 0},              {"+99912345678", NULL, 0},                  {"+0", NULL, 0},
        {"12125550123", NULL, 0},                {"+", NULL, 0},                             {"", NULL, 0},
        {"72345", NULL, 0},                      {"5c1f0f4a-group", NULL, 0},                {"+1212555012345678901234567890", "America/New_York", 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const *zones = phone_zones(cases[i].number);
        if (g_strcmp0(zones ? *zones : NULL, cases[i].first) != 0 || (zones ? g_strv_length((char **)zones) : 0) != cases[i].count)
            fail_msg("%s: %s", cases[i].number, zones ? *zones : "none");
    }
}

static void test_the_table_is_sorted_and_known_here(void **state)
{
    assert_true(phone_zone_count > 3000);
    for (size_t i = 0; i < phone_zone_count; i++) {
        assert_true(i == 0 || strcmp(phone_zone_rows[i - 1].prefix, phone_zone_rows[i].prefix) < 0);
        for (const char *const *zone = phone_zone_rows[i].zones; *zone; zone++) {
            g_autoptr(GTimeZone) known = g_time_zone_new_identifier(*zone);
            if (!known)
                fail_msg("%s", *zone);
        }
    }
}

static void test_of_an_endpoint(void **state)
{
    static const struct {
        const char *settings, *account, *recipient;
        bool urgent;
        const char *until, *why;
    } cases[] = {
        {"{}", "{}", "+493055501000", false, "2026-07-02T01:00:00Z", NULL},
        {"{\"quiet_hours\": \"nonsense\"}", "{}", "+493055501000", false, "2026-07-02T01:00:00Z", NULL},
        {"{\"quiet_hours\": \"21:00-08:00\"}", "{}", "+493055501000", false, "2026-07-02T06:00:00Z",
         "quiet hours 21:00-08:00 in Europe/Berlin"},
        {"{\"quiet_hours\": \"21:00-08:00\"}", "{}", "+493055501000", true, "2026-07-02T06:00:00Z",
         "quiet hours 21:00-08:00 in Europe/Berlin"},
        {"{\"quiet_hours\": \"21:00-08:00\", \"quiet_urgent\": true}", "{}", "+493055501000", true, "2026-07-02T01:00:00Z", NULL},
        {"{\"quiet_hours\": \"21:00-08:00\", \"quiet_urgent\": true}", "{}", "+493055501000", false, "2026-07-02T06:00:00Z",
         "quiet hours 21:00-08:00 in Europe/Berlin"},
        {"{\"quiet_hours\": \"21:00-08:00\"}", "{}", "+819012345678", false, "2026-07-02T01:00:00Z", NULL}, /* 10:00 in Tokyo */
        {"{\"quiet_hours\": \"21:00-08:00\"}", "{}", "+447911123456", false, "2026-07-02T07:00:00Z",
         "quiet hours 21:00-08:00 in Europe/Guernsey and 2 other time zones"},
        /* no zone is known, or too many are: the account's, else UTC */
        {"{\"quiet_hours\": \"21:00-08:00\"}", "{}", "u-opaque", false, "2026-07-02T08:00:00Z", "quiet hours 21:00-08:00 in UTC"},
        {"{\"quiet_hours\": \"21:00-08:00\"}", "{\"time_zone\": \"Europe/Berlin\"}", "u-opaque", false, "2026-07-02T06:00:00Z",
         "quiet hours 21:00-08:00 in Europe/Berlin"},
        {"{\"quiet_hours\": \"21:00-08:00\"}", "{\"time_zone\": \"Asia/Tokyo\"}", "+18005550100", false, "2026-07-02T22:00:00Z",
         "quiet hours 21:00-08:00 in America/Adak and 41 other time zones"}, /* toll-free: from Samoa to Saipan */
        {"{\"quiet_hours\": \"18:00-08:00\"}", "{\"time_zone\": \"Asia/Tokyo\"}", "+18005550100", false, "2026-07-02T01:00:00Z", NULL},
        {"{\"quiet_hours\": \"18:00-08:00\"}", "{\"time_zone\": \"America/Denver\"}", "+18005550100", false, "2026-07-02T14:00:00Z",
         "quiet hours 18:00-08:00 in America/Denver"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) settings = json_loads(cases[i].settings, 0, NULL), account = json_loads(cases[i].account, 0, NULL);
        g_autofree char *why = NULL;
        gint64 at = time_of("2026-07-02T01:00:00Z");
        gint64 until = quiet_until(settings, account, cases[i].recipient, cases[i].urgent, at, &why);
        check(cases[i].recipient, until, cases[i].until);
        if (g_strcmp0(why, cases[i].why) != 0)
            fail_msg("%zu: %s", i, why ? why : "no reason");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_zones_of_numbers),
        cmocka_unit_test(test_the_table_is_sorted_and_known_here),
        cmocka_unit_test(test_of_an_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
