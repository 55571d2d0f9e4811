/* SPDX-License-Identifier: Apache-2.0 */
#include "core/clock.h"

#include "unit.h"

static void test_offset(void **state)
{
    gint64 before = ump_clock_now_us();

    ump_clock_set_offset(10 * CLOCK_DAY);
    assert_true(ump_clock_now_us() >= before + 10 * CLOCK_DAY);
    assert_true(ump_clock_now_us() < before + 10 * CLOCK_DAY + CLOCK_MINUTE);
    ump_clock_set_offset(0);
    gint64 mono = ump_clock_mono_us();
    assert_true(ump_clock_mono_us() >= mono);
}

static void test_format(void **state)
{
    char text[CLOCK_RFC3339_SIZE], mail[CLOCK_RFC5322_SIZE];

    assert_string_equal(ump_clock_rfc3339(0, text), "1970-01-01T00:00:00.000000Z");
    assert_string_equal(ump_clock_rfc3339(G_GINT64_CONSTANT(1795172805123456), text), "2026-11-20T11:06:45.123456Z");
    assert_string_equal(ump_clock_rfc3339(-1, text), "1969-12-31T23:59:59.999999Z");
    assert_string_equal(ump_clock_rfc5322(G_GINT64_CONSTANT(1795172805123456), mail), "Fri, 20 Nov 2026 11:06:45 +0000");
}

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        gint64 us;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-20T11:06:45.123456Z", G_GINT64_CONSTANT(1795172805123456)},
        {"2026-11-20t11:06:45.1234567890z", G_GINT64_CONSTANT(1795172805123456)},
        {"2026-11-20 13:06:45,5+02:00", G_GINT64_CONSTANT(1795172805500000)},
        {"2026-11-20T06:36:45-0430", G_GINT64_CONSTANT(1795172805000000)},
        {"2026-11-20T11:06:45", G_GINT64_CONSTANT(1795172805000000)},
        {"2024-02-29T00:00:00Z", G_GINT64_CONSTANT(1709164800000000)},
        {"1969-12-31T23:59:59Z", -1000000},
    };
    static const char *const bad[] = {
        "", "2026", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T11:06Z",
        "2026-11-20T11:06:45.Z", "2026-11-20T11:06:45+2", "2026-11-20T11:06:45Zx", "2026-11-20T11:06:45+25:00",
        "2026/11/20T11:06:45Z",
    };
    gint64 us;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        assert_true(ump_clock_parse_rfc3339(good[i].text, strlen(good[i].text), &us));
        assert_int_equal(us, good[i].us);
    }
    us = 42;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(ump_clock_parse_rfc3339(bad[i], strlen(bad[i]), &us));
    assert_int_equal(us, 42);
}

static void test_round_trip(void **state)
{
    for (gint64 us = -62135596800LL * CLOCK_SECOND; us < 253402300800LL * CLOCK_SECOND; us += 987654321 * 12345678LL) {
        char text[CLOCK_RFC3339_SIZE];
        gint64 back;
        ump_clock_rfc3339(us, text);
        assert_true(ump_clock_parse_rfc3339(text, strlen(text), &back));
        assert_int_equal(us, back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offset),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
