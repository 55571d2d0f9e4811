/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a sender's facts, for whom it serves, and what is never kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/policy_cache.h"

static const char *const domains[] = {"example.org", NULL};
static const struct policy_site site = {.domains = domains, .region = "US"};
static const char *const refs[] = {"<a@b>", NULL};

static struct policy_request request_of(const char *login, const char *recipient)
{
    return (struct policy_request){.who = {login, NULL, -1}, .recipient = recipient, .from = login};
}

static void put(struct policy_cache *cache, const struct policy_request *request)
{
    const struct address_space space = {domains, NULL, "US"};
    g_auto(policy_facts_t) facts = {.known = true, .account_id = 7, .from_ok = true, .endpoint_count = 1,
                                    .opted_out = true, .known_contact = true, .used_user = 29};
    facts.address_result = address_parse(request->recipient, strlen(request->recipient), &space, &facts.address);
    facts.account_region = g_strdup("US");
    facts.account_settings = json_pack("{s:i}", "rate", 5);
    facts.endpoint_id = g_strdup("0190a0e0-0000-7000-8000-000000000002");
    facts.endpoint_settings = json_object();
    policy_cache_put(cache, request, &facts);
}

static bool serves(struct policy_cache *cache, const struct policy_request *request)
{
    g_auto(policy_facts_t) facts = {0};
    bool hit = policy_cache_get(cache, &site, request, &facts);
    if (hit) {
        assert_int_equal(facts.account_id, 7);
        assert_string_equal(facts.address.id, "+12125550123");
        assert_int_equal(json_integer_value(json_object_get(facts.account_settings, "rate")), 5);
        /* what hangs on the recipient, or on the moment, was not kept */
        assert_false(facts.opted_out || facts.known_contact || facts.used_user > 0);
    }
    return hit;
}

static void test_serves_the_same_sender(void **state)
{
    (void)state;
    struct policy_cache *cache = policy_cache_new(CLOCK_MINUTE);
    struct policy_request first = request_of("alice@example.org", "+12125550100@sms.example.org");
    put(cache, &first);
    struct policy_request other = request_of("alice@example.org", "+12125550123@sms.example.org");
    assert_true(serves(cache, &other));
    other.recipient = "+12125550123+at.20991201T0900@sms.example.org";
    assert_true(serves(cache, &other));
    policy_cache_free(cache);
}

static void test_misses_all_else(void **state)
{
    (void)state;
    struct policy_cache *cache = policy_cache_new(CLOCK_MINUTE);
    struct policy_request first = request_of("alice@example.org", "+12125550100@sms.example.org");
    put(cache, &first);
    const struct {
        const char *name;
        struct policy_request request;
    } rows[] = {
        {"another login", request_of("bob@example.org", "+12125550123@sms.example.org")},
        {"another channel", request_of("alice@example.org", "+12125550123@whatsapp.example.org")},
        {"digits alone", request_of("alice@example.org", "2125550123@sms.example.org")},
        {"no valid number", request_of("alice@example.org", "+12120000000@sms.example.org")},
        {"a group", request_of("alice@example.org", "g.4f2a91@sms.example.org")},
        {"an answer", {.who = {"alice@example.org", NULL, -1}, .recipient = "+12125550123@sms.example.org",
                       .from = "alice@example.org", .refs = refs}},
        {"another From", {.who = {"alice@example.org", NULL, -1}, .recipient = "+12125550123@sms.example.org",
                          .from = "team@example.org"}},
        {"another endpoint", {.who = {"alice@example.org", NULL, -1}, .recipient = "+12125550123@sms.example.org",
                              .from = "alice@example.org", .ump_from = "+12125550101"}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (serves(cache, &rows[i].request))
            fail_msg("%s is served", rows[i].name);
    policy_cache_free(cache);
}

static void test_lifetime(void **state)
{
    (void)state;
    struct policy_request request = request_of("alice@example.org", "+12125550123@sms.example.org");
    struct policy_cache *never = policy_cache_new(0), *moment = policy_cache_new(1);
    put(never, &request);
    assert_false(serves(never, &request));
    put(moment, &request);
    for (gint64 begin = ump_clock_mono_us(); ump_clock_mono_us() <= begin + 1;)
        continue;
    assert_false(serves(moment, &request));
    policy_cache_free(never);
    policy_cache_free(moment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serves_the_same_sender),
        cmocka_unit_test(test_misses_all_else),
        cmocka_unit_test(test_lifetime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
