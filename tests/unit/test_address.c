/* SPDX-License-Identifier: Apache-2.0 */
#include "core/address.h"

#include "unit.h"

static const char *const DOMAINS[] = {"example.org", "msgs.test", "sms.msgs.test", NULL};
static const struct address_space SPACE = {.domains = DOMAINS, .region = "US"};

static void test_good(void **state)
{
    static const struct {
        const char *text;
        enum address_kind kind;
        const char *id, *channel, *domain, *template, *at;
    } cases[] = {
        {"+15551234567@sms.example.org", ADDRESS_NUMBER, "+15551234567", "sms", "example.org", NULL, NULL},
        {"+15551234567@SMS.Example.ORG", ADDRESS_NUMBER, "+15551234567", "sms", "example.org", NULL, NULL},
        {"0015551234567@any.msgs.test", ADDRESS_NUMBER, "+15551234567", "any", "msgs.test", NULL, NULL},
        {"+1-555-123-4567@whatsapp.example.org", ADDRESS_NUMBER, "+15551234567", "whatsapp", "example.org", NULL, NULL},
        {"2125550123@sms.example.org", ADDRESS_NUMBER, "+12125550123", "sms", "example.org", NULL, NULL},
        {"s.12345@sms.example.org", ADDRESS_SHORT_CODE, "12345", "sms", "example.org", NULL, NULL},
        {"G.4f2A91@whatsapp.example.org", ADDRESS_GROUP, "4f2a91", "whatsapp", "example.org", NULL, NULL},
        {"u.8d1e-x_y.z@signal.example.org", ADDRESS_OPAQUE, "8d1e-x_y.z", "signal", "example.org", NULL, NULL},
        {"a.Amazon@sms.example.org", ADDRESS_ALPHANUMERIC, "amazon", "sms", "example.org", NULL, NULL},
        {"new-group@whatsapp.example.org", ADDRESS_NEW_GROUP, "new-group", "whatsapp", "example.org", NULL, NULL},
        {"r.abcdefgh234567@notice.example.org", ADDRESS_NOTICE, "abcdefgh234567", "notice", "example.org", NULL, NULL},
        {"+15551234567+welcome@whatsapp.example.org", ADDRESS_NUMBER, "+15551234567", "whatsapp", "example.org",
         "welcome", NULL},
        {"+15551234567+at.20261201T0900@sms.example.org", ADDRESS_NUMBER, "+15551234567", "sms", "example.org", NULL,
         "20261201T0900"},
        {"+15551234567+Welcome+AT.20261201t090000z@sms.example.org", ADDRESS_NUMBER, "+15551234567", "sms",
         "example.org", "welcome", "20261201T090000Z"},
        {"s.12345+x@sms.example.org", ADDRESS_SHORT_CODE, "12345", "sms", "example.org", "x", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(address_t) a = {0};
        enum address_result result = address_parse(cases[i].text, strlen(cases[i].text), &SPACE, &a);
        if (result != ADDRESS_OK)
            fail_msg("%s: %d", cases[i].text, result);
        assert_int_equal(a.kind, cases[i].kind);
        assert_string_equal(a.id, cases[i].id);
        assert_string_equal(a.channel, cases[i].channel);
        assert_string_equal(a.domain, cases[i].domain);
        assert_int_equal(g_strcmp0(a.template, cases[i].template), 0);
        assert_int_equal(g_strcmp0(a.at, cases[i].at), 0);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum address_result result;
        const char *says;
    } cases[] = {
        {"+1555@sms.example.org", ADDRESS_BAD_NUMBER,
         "+1555 is not a complete phone number; write it as +<country><number>"},
        {"911@sms.example.org", ADDRESS_BAD_NUMBER, "911 is an emergency number; messages cannot reach it, call it"},
        {"bob@sms.example.org", ADDRESS_NO_ID, "This is not a phone number; write +<country><number> before the @"},
        {"s.1@sms.example.org", ADDRESS_BAD_ID, NULL},
        {"s.12a45@sms.example.org", ADDRESS_BAD_ID, NULL},
        {"g.@sms.example.org", ADDRESS_BAD_ID, NULL},
        {"u.a..b@sms.example.org", ADDRESS_BAD_ID, NULL},
        {"u.a b@sms.example.org", ADDRESS_BAD_ID, NULL},
        {"+15551234567+@sms.example.org", ADDRESS_BAD_OPTION, NULL},
        {"+15551234567+a+b@sms.example.org", ADDRESS_BAD_OPTION, NULL},
        {"+15551234567+at.2026@sms.example.org", ADDRESS_BAD_OPTION, NULL},
        {"x@notice.example.org", ADDRESS_NO_ID, NULL},
        {"r.01@notice.example.org", ADDRESS_BAD_ID, NULL},
        {"r.x@sms.example.org", ADDRESS_NO_ID, NULL},
        {"user%sms.example.org@sms.example.org", ADDRESS_NO_ID, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(address_t) a = {0};
        enum address_result result = address_parse(cases[i].text, strlen(cases[i].text), &SPACE, &a);
        if (result != cases[i].result)
            fail_msg("%s: %d", cases[i].text, result);
        g_autofree char *says = address_explain(result, &a);
        if (cases[i].says != NULL)
            assert_string_equal(says, cases[i].says);
        assert_string_equal(address_status_code(result), "5.1.3");
    }
}

/* Ordinary mail is never ours to judge. */
static void test_not_gateway(void **state)
{
    static const char *const cases[] = {
        "alice@example.org",   "alice@other.org",          "alice@lists.example.org", "+1555@sms.example.com",
        "alice",               "@sms.example.org",         "",                        "a@",
        "+15551234567@sms.sms.example.org", "+15551234567@.example.org", "alice@sms.msgs.test", "x@notexample.org",
        "+15551234567@sms",    "+15551234567@sms.example.org.",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(address_t) a = {0};
        if (address_parse(cases[i], strlen(cases[i]), &SPACE, &a) != ADDRESS_NOT_GATEWAY)
            fail_msg("%s", cases[i]);
        const char *at = strrchr(cases[i], '@');
        const char *domain = at != NULL ? at + 1 : "";
        if (at != NULL && at != cases[i])
            assert_false(address_is_gateway_domain(domain, strlen(domain), &SPACE));
    }
    assert_true(address_is_gateway_domain("sms.example.org", 15, &SPACE));
    assert_true(address_is_gateway_domain("Notice.EXAMPLE.org", 18, &SPACE));
}

static void test_own_channels(void **state)
{
    const struct address_space few = {.domains = DOMAINS, .channels = (const char *const[]){"sms", NULL}};

    assert_true(address_is_gateway_domain("sms.example.org", 15, &few));
    assert_false(address_is_gateway_domain("teams.example.org", 17, &few));
    assert_true(address_is_gateway_domain("notice.example.org", 18, &few));
}

static void test_format(void **state)
{
    static const struct {
        enum address_kind kind;
        const char *id, *text;
    } cases[] = {
        {ADDRESS_NUMBER, "+15551234567", "+15551234567@sms.example.org"},
        {ADDRESS_NUMBER, "5551234567", NULL},
        {ADDRESS_SHORT_CODE, "12345", "s.12345@sms.example.org"},
        {ADDRESS_GROUP, "4f2a91", "g.4f2a91@sms.example.org"},
        {ADDRESS_OPAQUE, "a b", NULL},
        {ADDRESS_ALPHANUMERIC, "Amazon", "a.amazon@sms.example.org"},
        {ADDRESS_ALPHANUMERIC, "x@y", NULL},
        {ADDRESS_NEW_GROUP, "new-group", "new-group@sms.example.org"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = address_format(cases[i].kind, cases[i].id, "sms", "example.org");
        assert_int_equal(g_strcmp0(text, cases[i].text), 0);
        if (text == NULL)
            continue;
        g_auto(address_t) a = {0};
        assert_int_equal(address_parse(text, strlen(text), &SPACE, &a), ADDRESS_OK);
        assert_int_equal(a.kind, cases[i].kind);
    }
    assert_int_equal(address_kind_of_sender("+15551234567"), ADDRESS_NUMBER);
    assert_int_equal(address_kind_of_sender("72345"), ADDRESS_SHORT_CODE);
    assert_int_equal(address_kind_of_sender("Amazon"), ADDRESS_ALPHANUMERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),         cmocka_unit_test(test_refused), cmocka_unit_test(test_not_gateway),
        cmocka_unit_test(test_own_channels), cmocka_unit_test(test_format),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
