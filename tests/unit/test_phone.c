/* SPDX-License-Identifier: Apache-2.0 */
#include "core/phone.h"

#include "unit.h"

static enum phone_result parse(const char *text, struct phone *out)
{
    return phone_parse(text, strlen(text), "US", out);
}

static void test_as_people_write(void **state)
{
    static const char *const cases[][2] = {
        {"+12125550123", "+12125550123"},
        {"+1-212-555-0123", "+12125550123"},
        {"+1 (212) 555.0123", "+12125550123"},
        {"(212) 555-0123", "+12125550123"},
        {"2125550123", "+12125550123"},
        {"12125550123", "+12125550123"},
        {"0012125550123", "+12125550123"},
        {"01112125550123", "+12125550123"},
        {"00442079460958", "+442079460958"},
        {"442079460958", "+442079460958"},
        {"011442079460958", "+442079460958"},
        {"+39 06 1234567", "+39061234567"},
        {"+49\xc2\xa0" "171\xe2\x80\x91" "1234567", "+491711234567"},
        {"\xef\xbc\x8b" "12125550123", "+12125550123"}, /* fullwidth plus */
        {"+15551234567", "+15551234567"},
        {"001555-123-4567", "+15551234567"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct phone phone;
        if (parse(cases[i][0], &phone) != PHONE_OK)
            fail_msg("%s: %d", cases[i][0], phone.result);
        assert_string_equal(phone.e164, cases[i][1]);
        assert_true(phone.valid);
    }
}

static void test_wrong(void **state)
{
    static const struct {
        const char *text;
        enum phone_result result;
        const char *says;
    } cases[] = {
        {"+1555", PHONE_TOO_SHORT, "+1555 is not a complete phone number; write it as +<country><number>"},
        {"", PHONE_NOT_A_NUMBER, " is not a phone number; write it as +<country><number>"},
        {"+", PHONE_NOT_A_NUMBER, "+ is not a phone number; write it as +<country><number>"},
        {"bob", PHONE_NOT_A_NUMBER, "bob is not a phone number; write it as +<country><number>"},
        {"+1555abc4567", PHONE_NOT_A_NUMBER, "+1555abc4567 is not a phone number; write it as +<country><number>"},
        {"1+2125550123", PHONE_NOT_A_NUMBER, "1+2125550123 is not a phone number; write it as +<country><number>"},
        {"+999123456", PHONE_BAD_COUNTRY, "+999123456 does not begin with a country code; write it as +<country><number>"},
        {"5550123", PHONE_LOCAL_ONLY, "5550123 is not a complete phone number; write it as +<country><number>"},
        {"+121255501234", PHONE_TOO_LONG, "+121255501234 has too many digits for a phone number; write it as +<country><number>"},
        {"911", PHONE_SHORT_NUMBER, "911 is an emergency number; messages cannot reach it, call it"},
        {"112", PHONE_SHORT_NUMBER, "112 is an emergency number; messages cannot reach it, call it"},
        {"+1911", PHONE_SHORT_NUMBER, "+1911 is an emergency number; messages cannot reach it, call it"},
        {"+44999", PHONE_SHORT_NUMBER, "+44999 is an emergency number; messages cannot reach it, call it"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct phone phone;
        if (parse(cases[i].text, &phone) != cases[i].result)
            fail_msg("%s: %d", cases[i].text, phone.result);
        assert_string_equal(phone.e164, "");
        g_autofree char *text = phone_explain(&phone, cases[i].text);
        assert_string_equal(text, cases[i].says);
    }
}

static void test_kinds(void **state)
{
    static const struct {
        const char *text, *region;
        bool premium, satellite, caribbean;
    } cases[] = {
        {"+12125550123", "US", false, false, false}, {"+14165550123", "CA", false, false, false},
        {"+17875550123", "PR", false, false, false}, {"+18095551234", "DO", false, false, true},
        {"+18765551234", "JM", false, false, true},  {"+19005551234", "US", true, false, false},
        {"+881631234567", "001", false, true, false}, {"+33612345678", "FR", false, false, false},
        {"+15551234567", "US", false, false, false}, {"+447700900123", "GB", false, false, false},
        {"+979123456789", "001", true, false, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct phone phone;
        if (parse(cases[i].text, &phone) != PHONE_OK || strcmp(phone.region, cases[i].region) != 0 ||
            phone.premium != cases[i].premium || phone.satellite != cases[i].satellite ||
            phone.caribbean != cases[i].caribbean)
            fail_msg("%s: %s %d %d %d", cases[i].text, phone.region, phone.premium, phone.satellite, phone.caribbean);
    }
    struct phone phone;
    parse("+33612345678", &phone);
    assert_int_equal(phone.type, PHONE_TYPE_MOBILE);
    assert_string_equal(phone_type_text(phone.type), "mobile");
    assert_int_equal(phone.country_code, 33);
}

static void test_without_region(void **state)
{
    struct phone phone;

    assert_int_equal(phone_parse("+12125550123", 12, NULL, &phone), PHONE_OK);
    assert_int_equal(phone_parse("2125550123", 10, NULL, &phone), PHONE_BAD_COUNTRY);
    assert_int_equal(phone_parse("442079460958", 12, NULL, &phone), PHONE_OK);
    assert_int_equal(phone_parse("020 7946 0958", 13, "GB", &phone), PHONE_OK);
    assert_string_equal(phone.e164, "+442079460958");
}

static void test_hostile(void **state)
{
    struct phone phone;
    char text[4096];

    memset(text, '1', sizeof text);
    assert_int_equal(phone_parse(text, sizeof text, "US", &phone), PHONE_NOT_A_NUMBER);
    assert_int_equal(phone_parse("+1212\0" "5550123", 13, "US", &phone), PHONE_NOT_A_NUMBER);
    assert_int_equal(phone_parse("\xff\xfe", 2, "US", &phone), PHONE_NOT_A_NUMBER);
    g_autofree char *says = phone_explain(&phone, "<\r\n\xff>");
    assert_null(strpbrk(says, "\r\n"));
}

static void test_helpers(void **state)
{
    assert_true(phone_is_e164("+15551234567", 12));
    assert_false(phone_is_e164("15551234567", 11));
    assert_false(phone_is_e164("+05551234567", 12));
    assert_false(phone_is_e164("+123456", 7));
    assert_false(phone_is_e164("+1234567890123456", 17));
    assert_true(phone_region_known("DE"));
    assert_false(phone_region_known("XX"));
    assert_false(phone_region_known("de"));
    assert_int_equal(phone_region_code("DE"), 49);
    g_autofree char *shown = phone_display("+12125550123");
    assert_string_equal(shown, "+1 212-555-0123");
    g_autofree char *odd = phone_display("amazon");
    assert_string_equal(odd, "amazon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_people_write), cmocka_unit_test(test_wrong),   cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_without_region),  cmocka_unit_test(test_hostile), cmocka_unit_test(test_helpers),
    };

    return cmocka_run_group_tests_name("phone", tests, NULL, NULL);
}
