/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ump_header.h"

#include "unit.h"

static const char SAMPLE[] =
    "v=1, id=\"0192f0c0-0000-7000-8000-000000000001\", channel=sms, provider=telnyx, endpoint=\"+15550100001\", "
    "direction=inbound, type=text, external-id=\"40385f64-5717\"";

static void test_round_trip(void **state)
{
    g_auto(ump_header_t) header = {0};

    assert_true(ump_header_parse(SAMPLE, strlen(SAMPLE), &header));
    assert_string_equal(header.channel, "sms");
    assert_string_equal(header.endpoint, "+15550100001");
    assert_string_equal(header.external_id, "40385f64-5717");
    assert_null(header.contact);
    g_autofree char *again = ump_header_format(&header);
    assert_string_equal(again, SAMPLE);
}

static void test_folding(void **state)
{
    g_autofree char *folded = ump_header_fold(SAMPLE, strlen("UMP-Header: "));
    g_auto(ump_header_t) header = {0};
    g_auto(GStrv) lines = g_strsplit(folded, "\n", -1);

    for (size_t i = 0; lines[i] != NULL; i++) {
        assert_true(strlen(lines[i]) + (i == 0 ? strlen("UMP-Header: ") : 0) <= 77);
        assert_true(i == 0 || lines[i][0] == ' ');
    }
    g_autofree char *unfolded = ump_header_unfold(folded, strlen(folded));
    assert_string_equal(unfolded, SAMPLE);
    assert_true(ump_header_parse(folded, strlen(folded), &header));
}

static void test_folding_keeps_strings(void **state)
{
    const char *value = "a=\"one two three four five six seven eight nine ten eleven twelve thirteen fourteen \\\" "
                        "fifteen\", b=1";
    g_autofree char *folded = ump_header_fold(value, 0);

    assert_non_null(strstr(folded, "fifteen\",\n b=1"));
}

static void test_unknown_and_bad(void **state)
{
    static const char *const good[] = {
        "v=1", "v=1, later=(a b);x=1, id=\"x\"", "v=1, id=tok, channel=\"sms\"", "v=1, contact=new, time=@17",
        "v=1, edited=?1",
    };
    static const char *const bad[] = {"", "v=2", "v=\"1\"", "id=\"x\"", "v=1, id=0192f0c0-0000", "v=1,", "nonsense text"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_auto(ump_header_t) header = {0};
        assert_true(ump_header_parse(good[i], strlen(good[i]), &header));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct ump_header header = {0};
        assert_false(ump_header_parse(bad[i], strlen(bad[i]), &header));
    }
}

static void test_nul(void **state)
{
    struct ump_header header = {0};

    assert_false(ump_header_parse("v=1\0, id=\"x\"", 12, &header));
}

static void test_unicode(void **state)
{
    struct ump_header header = {.id = (char *)(uintptr_t)"x", .from = (char *)(uintptr_t)"J\xc3\xb6rg", .time = 17};
    g_auto(ump_header_t) back = {0};
    g_autofree char *text = ump_header_format(&header);

    assert_string_equal(text, "v=1, id=\"x\", from=%\"J%c3%b6rg\", time=17");
    assert_true(ump_header_parse(text, strlen(text), &back));
    assert_string_equal(back.from, "J\xc3\xb6rg");
    assert_int_equal(back.time, 17);
}

static void test_preference(void **state)
{
    g_auto(GStrv) channels = ump_preference_parse("whatsapp, SMS;q=1, \"signal\"", 27);

    assert_int_equal(g_strv_length(channels), 3);
    assert_string_equal(channels[1], "sms");
    g_autofree char *text = ump_preference_format((const char *const *)channels);
    assert_string_equal(text, "whatsapp, sms, signal");
    assert_null(ump_preference_parse("", 0));
    assert_null(ump_preference_parse("1", 1));
    assert_null(ump_preference_parse("a,,b", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_folding),
        cmocka_unit_test(test_folding_keeps_strings),
        cmocka_unit_test(test_unknown_and_bad),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_unicode),
        cmocka_unit_test(test_preference),
    };

    return cmocka_run_group_tests_name("ump_header", tests, NULL, NULL);
}
