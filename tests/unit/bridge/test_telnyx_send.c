/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to Telnyx, and every class of its answers. */
#include "telnyx_unit.h"

#include "core/clock.h"
#include "core/error.h"

#define CALLBACK "https://ump.example.org/webhooks/e1?a=tok"

struct sent {
    struct channel_request request;
    json_t *body;
};

static void sent_clear(struct sent *sent)
{
    channel_request_clear(&sent->request);
    json_decref(sent->body);
}

static struct ump_message *message_to(const char *text, const char *const *numbers)
{
    struct ump_message *message = ump_message_new();

    message->direction = UMP_OUTBOUND;
    message->text = g_strdup(text);
    message->subject = g_strdup("A subject");
    for (; *numbers; numbers++)
        g_ptr_array_add(message->recipients, ump_party_new(*numbers, NULL));
    return message;
}

static int build(const char *settings, const char *text, const char *const *numbers, const char *const *media,
                 const char *callback, struct sent *sent, GError **error)
{
    struct channel_endpoint *endpoint = telnyx_endpoint(settings, NULL);
    g_autoptr(ump_message) message = message_to(text, numbers);
    struct channel_send send = {.message = message, .media_urls = media, .callback_url = callback};
    int result;

    channel_request_init(&sent->request);
    sent->body = NULL;
    result = endpoint->ops->build_request(&send, endpoint, &sent->request, error);
    if (result == 0) {
        gsize length;
        const char *body = g_bytes_get_data(sent->request.body, &length);
        sent->body = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(sent->body);
    }
    telnyx_endpoint_free(endpoint);
    return result;
}

static const char *field(const struct sent *sent, const char *key)
{
    return json_string_value(json_object_get(sent->body, key));
}

static const char *const one[] = {"+13125550001", NULL};

static void test_sms(void **state)
{
    struct sent sent;

    assert_int_equal(build(NULL, "Grüße \xf0\x9f\x91\x8b", one, NULL, CALLBACK, &sent, NULL), 0);
    assert_string_equal(sent.request.url, "https://api.telnyx.com/v2/messages");
    assert_string_equal(field(&sent, "from"), "+17735550002");
    assert_string_equal(field(&sent, "to"), "+13125550001");
    assert_string_equal(field(&sent, "text"), "Grüße \xf0\x9f\x91\x8b");
    assert_string_equal(field(&sent, "type"), "SMS");
    assert_string_equal(field(&sent, "webhook_url"), CALLBACK);
    assert_string_equal(field(&sent, "webhook_failover_url"), CALLBACK);
    assert_null(json_object_get(sent.body, "subject"));
    assert_null(json_object_get(sent.body, "media_urls"));
    assert_null(json_object_get(sent.body, "messaging_profile_id"));
    assert_int_equal(json_object_size(sent.body), 6);
    assert_true(g_ptr_array_find_with_equal_func(sent.request.headers, "Authorization: Bearer KEY1", g_str_equal, NULL));
    assert_true(g_ptr_array_find_with_equal_func(sent.request.headers, "Content-Type: application/json", g_str_equal, NULL));
    sent_clear(&sent);
}

static void test_settings(void **state)
{
    struct sent sent;

    assert_int_equal(build("{\"base_url\": \"http://127.0.0.1:9/v2\", \"messaging_profile_id\": \"mp1\", "
                           "\"webhook_failover_url\": \"https://second.example.org/ump/\"}",
                           "x", one, NULL, CALLBACK, &sent, NULL),
                     0);
    assert_string_equal(sent.request.url, "http://127.0.0.1:9/v2/messages");
    assert_string_equal(field(&sent, "messaging_profile_id"), "mp1");
    assert_string_equal(field(&sent, "webhook_failover_url"), "https://second.example.org/ump/webhooks/e1?a=tok");
    sent_clear(&sent);
    assert_int_equal(build(NULL, "x", one, NULL, NULL, &sent, NULL), 0);
    assert_null(json_object_get(sent.body, "webhook_url"));
    assert_null(json_object_get(sent.body, "webhook_failover_url"));
    sent_clear(&sent);
}

static void test_mms(void **state)
{
    static const char *const media[] = {"https://ump.example.org/media/1", "https://ump.example.org/media/2", NULL};
    struct sent sent;

    assert_int_equal(build(NULL, "", one, media, CALLBACK, &sent, NULL), 0);
    assert_string_equal(field(&sent, "type"), "MMS");
    assert_string_equal(field(&sent, "subject"), "A subject");
    assert_int_equal(json_array_size(json_object_get(sent.body, "media_urls")), 2);
    assert_null(json_object_get(sent.body, "text"));
    sent_clear(&sent);
}

static void test_group(void **state)
{
    static const char *const two[] = {"+13125550001", "+13125550003", NULL};
    struct sent sent;

    assert_int_equal(build("{\"messaging_profile_id\": \"mp1\"}", "To all", two, NULL, CALLBACK, &sent, NULL), 0);
    assert_string_equal(sent.request.url, "https://api.telnyx.com/v2/messages/group_mms");
    assert_int_equal(json_array_size(json_object_get(sent.body, "to")), 2);
    assert_null(json_object_get(sent.body, "type")); /* not in the provider's description of this request */
    assert_null(json_object_get(sent.body, "messaging_profile_id"));
    sent_clear(&sent);
}

static void check_refused(const char *text, const char *const *numbers, const char *const *media)
{
    g_autoptr(GError) error = NULL;
    struct sent sent;

    assert_int_equal(build(NULL, text, numbers, media, CALLBACK, &sent, &error), -1);
    assert_true(g_error_matches(error, UMP_ERROR, UMP_ERROR_INVALID));
    sent_clear(&sent);
}

static void test_limits(void **state)
{
    const char *many[10], *media[12];
    g_autofree char *longest = g_strnfill(1600, 'x'), *longer = g_strnfill(1601, 'x');
    struct sent sent;

    for (int i = 0; i < 9; i++)
        many[i] = "+13125550001";
    many[9] = NULL;
    for (int i = 0; i < 11; i++)
        media[i] = "https://x.example.org/";
    media[11] = NULL;
    check_refused("x", many, NULL);
    check_refused("x", one, media);
    check_refused(longer, one, NULL);
    check_refused("", one, NULL);
    check_refused(NULL, one, NULL);
    check_refused("x", many + 9, NULL);
    check_refused("\xff", one, NULL);
    assert_int_equal(build(NULL, longest, one, media + 1, CALLBACK, &sent, NULL), 0);
    sent_clear(&sent);
    assert_int_equal(build(NULL, "x", many + 1, NULL, CALLBACK, &sent, NULL), 0);
    sent_clear(&sent);
}

static void test_no_key(void **state)
{
    struct channel_endpoint *endpoint = telnyx_endpoint(NULL, "{}");
    g_autoptr(ump_message) message = message_to("x", one);
    struct channel_send send = {.message = message};
    g_auto(channel_request_t) request;
    g_autoptr(GError) error = NULL;

    channel_request_init(&request);
    assert_int_equal(endpoint->ops->build_request(&send, endpoint, &request, &error), -1);
    assert_true(g_error_matches(error, UMP_ERROR, UMP_ERROR_CONFIG));
    telnyx_endpoint_free(endpoint);
}

/* ---- Answers ---- */

static void answer(long status, const char *body, const char *header, const char *value, struct channel_result *result)
{
    struct channel_endpoint *endpoint = telnyx_endpoint(NULL, NULL);
    g_autoptr(GHashTable) headers = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    struct http_response response = {
        .status = status, .request_size = 300, .body = bytes, .headers = headers, .retry_after_us = -1};

    if (header)
        g_hash_table_insert(headers, (gpointer)header, (gpointer)value);
    if (header && strcmp(header, "retry-after") == 0)
        response.retry_after_us = g_ascii_strtoll(value, NULL, 10) * CLOCK_SECOND;
    channel_result_init(result);
    endpoint->ops->parse_response(&response, endpoint, result);
    telnyx_endpoint_free(endpoint);
}

static void test_accepted(void **state)
{
    gsize length;
    g_autofree char *body = telnyx_example("accepted", &length), *other = telnyx_example("accepted_whatsapp", &length);
    g_auto(channel_result_t) result;
    g_auto(channel_result_t) second;

    answer(200, body, NULL, NULL, &result);
    assert_int_equal(result.outcome, CHANNEL_ACCEPTED);
    assert_string_equal(result.provider_id, "40385f64-5717-4562-b3fc-2c963f66afa6");
    assert_true(result.segments == 1);
    assert_true(result.cost == 5100);
    answer(202, other, NULL, NULL, &second);
    assert_int_equal(second.outcome, CHANNEL_ACCEPTED);
    assert_true(second.segments == -1 && second.cost == -1);
}

static void test_not_understood(void **state)
{
    static const char *const bodies[] = {"", "{", "{}", "{\"data\": {}}", "{\"data\": {\"id\": null}}", "<html>", "null", NULL};

    for (const char *const *body = bodies; *body; body++) {
        g_auto(channel_result_t) result;
        answer(200, *body, NULL, NULL, &result);
        assert_int_equal(result.outcome, CHANNEL_UNCERTAIN);
    }
}

/* Every class of PROVIDERS: code → what becomes of the message. */
static void test_every_code(void **state)
{
    static const struct {
        enum channel_outcome outcome;
        const char *codes;
    } classes[] = {
        {CHANNEL_RETRY, "40006 40008 40004 10007 10008 10011 40318"},
        {CHANNEL_FAILED, "40002 40005 40011 40014 40016 40017 40018 40302 40304 40316 40317"},
        {CHANNEL_HOLD, "40320 40020 40333 40315 40312 40314"},
        {CHANNEL_FAILED, "40001 40012 40300 40310 40309"},
        {CHANNEL_FAILED, "40010 40100 40305 40306 40307 40308 40311 40313 40319 40321 40325 40329 40330 40331"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        g_auto(GStrv) codes = g_strsplit(classes[i].codes, " ", -1);
        for (char **code = codes; *code; code++) {
            g_autofree char *body = g_strdup_printf("{\"errors\": [{\"code\": \"%s\", \"title\": \"T\", \"detail\": \"D\"}]}", *code);
            g_auto(channel_result_t) result;
            answer(400, body, NULL, NULL, &result);
            assert_int_equal(result.outcome, classes[i].outcome);
            assert_string_equal(result.code, *code);
            assert_string_equal(result.text, "T: D");
            assert_true(result.outcome != CHANNEL_HOLD || result.hold_us >= 5 * CLOCK_MINUTE);
            assert_true(result.config == (i == 4 || i == 2));
        }
    }
}

static void test_table(void **state)
{
    const struct channel_ops *ops = channel_find("telnyx");

    assert_non_null(ops);
    for (const struct channel_error *error = ops->errors; error->code; error++) {
        assert_ptr_equal(channel_error_find(ops, error->code), error); /* no code twice */
        assert_true(g_str_has_suffix(error->reason, "."));
        assert_true(!error->advice || g_str_has_suffix(error->advice, "."));
        assert_true(strlen(error->status) == 5 && (error->status[0] == '4' || error->status[0] == '5'));
        assert_true((telnyx_hold_us(error->code) > 0) == (error->class == CHANNEL_ERROR_HOLD));
    }
    assert_true(channel_error_find(ops, "40300")->opted_out);
    assert_null(channel_error_find(ops, "99999"));
}

static void test_statuses(void **state)
{
    gsize length;
    g_autofree char *too_many = telnyx_example("too_many", &length), *error = telnyx_example("error", &length);
    static const char server[] = "{\"errors\": [{\"code\": \"10007\", \"title\": \"Unexpected error\"}]}";
    const struct {
        long status;
        const char *body, *header, *value;
        enum channel_outcome outcome;
        gint64 after;
    } cases[] = {
        {429, too_many, NULL, NULL, CHANNEL_RETRY, -1},
        {429, too_many, "retry-after", "7", CHANNEL_RETRY, 7 * CLOCK_SECOND},
        {429, "", "x-ratelimit-reset", "3", CHANNEL_RETRY, 3 * CLOCK_SECOND},
        {429, "", "x-ratelimit-reset", "1705349767", CHANNEL_RETRY, -1},
        {400, error, NULL, NULL, CHANNEL_FAILED, -1},
        {401, "", NULL, NULL, CHANNEL_HOLD, -1},
        {401, "{\"errors\": [{\"code\": \"10009\", \"title\": \"Authentication failed\"}]}", NULL, NULL, CHANNEL_HOLD, -1},
        {403, "<html>", NULL, NULL, CHANNEL_FAILED, -1},
        {408, "", NULL, NULL, CHANNEL_UNCERTAIN, -1},
        {413, "", NULL, NULL, CHANNEL_FAILED, -1},
        {422, "{\"errors\": [{\"code\": \"90001\", \"title\": \"New\"}]}", NULL, NULL, CHANNEL_FAILED, -1},
        {422, "{\"errors\": [{\"code\": 40310, \"title\": \"Invalid\"}]}", NULL, NULL, CHANNEL_FAILED, -1},
        {500, server, NULL, NULL, CHANNEL_UNCERTAIN, -1},
        {502, "", NULL, NULL, CHANNEL_UNCERTAIN, -1},
        {503, "", "retry-after", "1", CHANNEL_UNCERTAIN, CLOCK_SECOND},
        {302, "", NULL, NULL, CHANNEL_UNCERTAIN, -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(channel_result_t) result;
        answer(cases[i].status, cases[i].body, cases[i].header, cases[i].value, &result);
        if (result.outcome != cases[i].outcome || result.retry_after_us != cases[i].after)
            fail_msg("case %zu: %s after %" G_GINT64_FORMAT, i, channel_outcome_name(result.outcome), result.retry_after_us);
    }
}

static void test_known_error_wins(void **state)
{
    g_auto(channel_result_t) result;

    answer(400, "{\"errors\": [{\"code\": \"90001\", \"title\": \"A\"}, {\"code\": \"40300\", \"title\": \"B\"}]}", NULL, NULL,
           &result);
    assert_string_equal(result.code, "40300");
}

static void test_pace(void **state)
{
    static const struct {
        const char *address;
        double rate;
    } cases[] = {{"+12125550100", 0}, {"+18005550100", 20}, {"+442071838750", 0.1}, {"12345", 1000}, {"ACME", 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct channel_endpoint *endpoint = telnyx_endpoint(NULL, NULL);
        struct channel_pace pace = {0};
        g_free(endpoint->address);
        endpoint->address = g_strdup(cases[i].address);
        endpoint->ops->default_pace(endpoint, &pace);
        assert_true(pace.rate == cases[i].rate);
        assert_true(pace.account_rate == 50);
        telnyx_endpoint_free(endpoint);
    }
}

static void test_lookup(void **state)
{
    struct channel_endpoint *endpoint = telnyx_endpoint(NULL, NULL);
    struct channel_send send = {0};
    g_auto(channel_request_t) request;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)channel_found_free);
    gsize length;
    g_autofree char *body = telnyx_example("accepted", &length);
    g_autoptr(GBytes) bytes = g_bytes_new(body, length);
    struct http_response response = {.status = 200, .request_size = 100, .body = bytes, .retry_after_us = -1};

    channel_request_init(&request);
    assert_int_equal(endpoint->ops->build_lookup(&send, NULL, endpoint, &request, NULL), -1);
    assert_int_equal(endpoint->ops->build_lookup(&send, "a/b", endpoint, &request, NULL), 0);
    assert_string_equal(request.url, "https://api.telnyx.com/v2/messages/a%2Fb");
    assert_int_equal(endpoint->ops->parse_lookup(&send, &response, endpoint, found), CHANNEL_LOOKUP_FOUND);
    assert_int_equal(found->len, 1);
    assert_true(((struct channel_found *)found->pdata[0])->same);
    response.status = 404;
    assert_int_equal(endpoint->ops->parse_lookup(&send, &response, endpoint, found), CHANNEL_LOOKUP_UNKNOWN);
    telnyx_endpoint_free(endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sms),      cmocka_unit_test(test_settings),   cmocka_unit_test(test_mms),
        cmocka_unit_test(test_group),    cmocka_unit_test(test_limits),     cmocka_unit_test(test_no_key),
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_not_understood), cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_table),    cmocka_unit_test(test_statuses),   cmocka_unit_test(test_known_error_wins),
        cmocka_unit_test(test_pace),     cmocka_unit_test(test_lookup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
