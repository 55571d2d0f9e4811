/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to Twilio, and every class of its answers. */
#include "twilio_unit.h"

#include "core/clock.h"
#include "core/error.h"

#define MESSAGES "https://api.twilio.com/2010-04-01/Accounts/AC55555555555555555555555555555555/Messages"
#define CALLBACK "https://ump.example.org/webhooks/e1?a=tok-1_2"

/* ---- Requests ---- */

struct want {
    const char *channel, *settings, *text;
    const char *const *media;
    const struct channel_template *template;
    gint64 media_size;
    const char *media_type;
    guint recipients;
};

/* Of the request's form; NULL with error. */
static char *build(const struct want *want, GError **error)
{
    struct channel_endpoint *endpoint = twilio_endpoint(want->channel, want->settings, NULL);
    g_autoptr(ump_message) message = ump_message_new();
    struct channel_send send = {.message = message, .media_urls = want->media, .callback_url = CALLBACK,
                                .template = want->template};
    g_auto(channel_request_t) request;
    char *form = NULL;

    message->text = g_strdup(want->text);
    message->subject = g_strdup("never sent");
    for (guint i = 0; i < want->recipients; i++)
        g_ptr_array_add(message->recipients, ump_party_new(i ? "+13125550002" : "+13125550001", NULL));
    for (const char *const *url = want->media; url && *url; url++) {
        struct ump_media *media = ump_media_new();
        media->type = g_strdup(want->media_type);
        media->size = want->media_size;
        g_ptr_array_add(message->media, media);
    }
    channel_request_init(&request);
    if (endpoint->ops->build_request(&send, endpoint, &request, error) == 0) {
        gsize length;
        const char *body = g_bytes_get_data(request.body, &length);
        form = g_strndup(body, length);
        assert_string_equal(request.url, MESSAGES ".json");
        assert_null(request.method);
        assert_true(g_ptr_array_find_with_equal_func(request.headers, "Content-Type: application/x-www-form-urlencoded",
                                                     g_str_equal, NULL));
        assert_true(g_ptr_array_find_with_equal_func(
            request.headers,
            "Authorization: Basic QUM1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NToxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMg==",
            g_str_equal, NULL));
    }
    unit_endpoint_free(endpoint);
    return form;
}

#define BACK "&StatusCallback=https%3A%2F%2Fump.example.org%2Fwebhooks%2Fe1%3Fa%3Dtok-1_2"

static void test_requests(void **state)
{
    static const char *const one[] = {"https://u/1", NULL}, *const two[] = {"https://u/1?x=1&y", "https://u/2", NULL};
    static const char *const variables[] = {"Bob", "12:30 & \"later\"", NULL};
    static const struct channel_template template = {"HX11111111111111111111111111111111", "en", variables};
    static const struct channel_template bare = {"HX11111111111111111111111111111111", NULL, NULL};
    const struct {
        struct want want;
        const char *form;
    } rows[] = {
        {{"sms", NULL, "1+1=2 & ü", .recipients = 1}, "To=%2B13125550001&From=%2B12125550100&Body=1%2B1%3D2%20%26%20%C3%BC" BACK},
        {{"sms", "{\"messaging_service_sid\": \"MG1\"}", "x", .recipients = 1},
         "To=%2B13125550001&From=%2B12125550100&MessagingServiceSid=MG1&Body=x" BACK},
        {{"sms", NULL, "", two, .media_type = "image/png", .media_size = 4000000, .recipients = 1},
         "To=%2B13125550001&From=%2B12125550100&MediaUrl=https%3A%2F%2Fu%2F1%3Fx%3D1%26y&MediaUrl=https%3A%2F%2Fu%2F2" BACK},
        {{"whatsapp", NULL, "hi", one, .media_type = "application/pdf", .media_size = 4000000, .recipients = 1},
         "To=whatsapp%3A%2B13125550001&From=whatsapp%3A%2B12125550100&Body=hi&MediaUrl=https%3A%2F%2Fu%2F1" BACK},
        {{"whatsapp", NULL, "not sent", .template = &template, .recipients = 1},
         "To=whatsapp%3A%2B13125550001&From=whatsapp%3A%2B12125550100&ContentSid=HX11111111111111111111111111111111"
         "&ContentVariables=%7B%221%22%3A%22Bob%22%2C%222%22%3A%2212%3A30%20%26%20%5C%22later%5C%22%22%7D" BACK},
        {{"whatsapp", NULL, NULL, .template = &bare, .recipients = 1},
         "To=whatsapp%3A%2B13125550001&From=whatsapp%3A%2B12125550100&ContentSid=HX11111111111111111111111111111111" BACK},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *form = build(&rows[i].want, &error);
        assert_null(error);
        assert_string_equal(form, rows[i].form);
    }
}

static void test_refused(void **state)
{
    static const char *const two[] = {"https://u/1", "https://u/2", NULL};
    static const char *const many[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", NULL};
    static const struct channel_template wrong = {"welcome", "en", NULL}, good = {"HX11111111111111111111111111111111", NULL, NULL};
    g_autofree char *longest = g_strnfill(1600, 'a'), *longer = g_strnfill(1601, 'a');
    const struct {
        struct want want;
        const char *why;
    } rows[] = {
        {{"sms", NULL, "x", .recipients = 0}, "nobody"},
        {{"sms", NULL, "x", .recipients = 2}, "no group"},
        {{"sms", NULL, "", .recipients = 1}, "nothing to send"},
        {{"sms", NULL, longer, .recipients = 1}, "1600"},
        {{"sms", NULL, "\xff", .recipients = 1}, "Unicode"},
        {{"sms", NULL, "x", many, .media_type = "image/png", .recipients = 1}, "more than 10"},
        {{"sms", NULL, "x", two, .media_type = "application/pdf", .media_size = 500001, .recipients = 1}, "500 kB"},
        {{"whatsapp", NULL, "x", two, .media_type = "image/png", .recipients = 1}, "more than 1"},
        {{"whatsapp", NULL, "x", .template = &wrong, .recipients = 1}, "ContentSid"},
        {{"whatsapp", NULL, "x", .template = &good, .recipients = 2}, "one recipient"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(build(&rows[i].want, &error));
        assert_int_equal(error->code, UMP_ERROR_INVALID);
        if (!strstr(error->message, rows[i].why))
            fail_msg("%s: %s", rows[i].why, error->message);
    }
    const struct want fits = {"sms", NULL, longest, .recipients = 1};
    g_autofree char *form = build(&fits, NULL);
    assert_non_null(form);
}

static void test_credentials(void **state)
{
    static const struct {
        const char *secrets, *pair;
    } rows[] = {
        {"{\"account_sid\": \"AC1\", \"auth_token\": \" new old\"}", "AC1:new"},
        {"{\"account_sid\": \"AC1\", \"auth_token\": \"t\", \"api_key\": \"SK1\", \"api_secret\": \"s\"}", "SK1:s"},
        {"{\"account_sid\": \"AC1\", \"auth_token\": \"t\", \"api_key\": \"SK1\"}", "AC1:t"},
        {"{\"auth_token\": \"t\"}", NULL},
        {"{\"account_sid\": \"AC1\"}", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, rows[i].secrets);
        g_autoptr(GPtrArray) headers = g_ptr_array_new_with_free_func(g_free);
        const char *const *hosts = NULL;
        g_auto(channel_request_t) request;
        g_autoptr(GError) error = NULL;

        channel_request_init(&request);
        int result = endpoint->ops->build_health(endpoint, &request, &error);
        assert_int_equal(result, rows[i].pair ? 0 : -1);
        assert_int_equal(endpoint->ops->media_auth(endpoint, headers, &hosts), result);
        if (rows[i].pair) {
            g_autofree char *encoded = g_base64_encode((const guchar *)rows[i].pair, strlen(rows[i].pair));
            g_autofree char *header = g_strconcat("Authorization: Basic ", encoded, NULL);
            assert_string_equal(headers->pdata[0], header);
            assert_string_equal(hosts[0], "api.twilio.com");
            assert_false(g_strv_contains(hosts, "mms.twiliocdn.com"));
        } else {
            assert_int_equal(error->code, UMP_ERROR_CONFIG);
        }
        unit_endpoint_free(endpoint);
    }
}

/* ---- Answers ---- */

static void answer(long status, const char *body, struct channel_result *result)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    struct http_response response = {.status = status, .request_size = 100, .body = bytes, .retry_after_us = -1};

    channel_result_init(result);
    endpoint->ops->parse_response(&response, endpoint, result);
    unit_endpoint_free(endpoint);
}

static void test_accepted(void **state)
{
    static const char *const names[] = {"CreateMessage_RESP_201_create", "CreateMessage_RESP_201_createWithMessagingService",
        "CreateMessage_RESP_201_createWoService", "CreateMessage_RESP_201_createWithQueuedStatus",
        "CreateMessage_RESP_201_createScheduledMessageSms", "CreateMessage_RESP_201_createScheduledMessageMms",
        "CreateMessage_RESP_201_createScheduledMessageWhatsapp", "FetchMessage_RESP_200_fetch"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        gsize length;
        g_autofree char *body = twilio_spec_example(names[i], &length);
        g_auto(channel_result_t) result;
        answer(201, body, &result);
        assert_int_equal(result.outcome, CHANNEL_ACCEPTED);
        assert_int_equal(strlen(result.provider_id), 34);
    }
}

static void test_outcomes(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum channel_outcome outcome;
        const char *code;
        bool config;
    } rows[] = {
        {201, "{\"sid\": \"SM1\", \"num_segments\": \"2\", \"price\": \"-0.0075\", \"price_unit\": \"USD\"}", CHANNEL_ACCEPTED, NULL, false},
        {201, "{\"sid\": \"SM1\", \"num_segments\": 0, \"price\": null}", CHANNEL_ACCEPTED, NULL, false},
        {201, "{\"status\": \"queued\"}", CHANNEL_UNCERTAIN, NULL, false},
        {201, "{\"sid\":", CHANNEL_UNCERTAIN, NULL, false},
        {200, "<html>", CHANNEL_UNCERTAIN, NULL, false},
        {400, "{\"code\": 21211, \"message\": \"Invalid\", \"status\": 400}", CHANNEL_FAILED, "21211", false},
        {400, "{\"code\": \"21610\"}", CHANNEL_FAILED, "21610", false},
        {400, "{\"code\": 21408}", CHANNEL_FAILED, "21408", true},
        {400, "{\"code\": 99999}", CHANNEL_FAILED, "99999", false},
        {400, "no json", CHANNEL_FAILED, "http-400", false},
        {401, "{\"code\": 20003}", CHANNEL_HOLD, "20003", true},
        {401, "", CHANNEL_HOLD, "http-401", true},
        {403, "{}", CHANNEL_FAILED, "http-403", true},
        {404, "{\"code\": 20404}", CHANNEL_FAILED, "20404", true},
        {429, "{\"code\": 20429}", CHANNEL_RETRY, "20429", false},
        {429, "{\"code\": 21611}", CHANNEL_RETRY, "21611", false},
        {400, "{\"code\": 14107}", CHANNEL_RETRY, "14107", false},
        {400, "{\"code\": 63038}", CHANNEL_HOLD, "63038", true},
        {408, "{}", CHANNEL_UNCERTAIN, "http-408", false},
        {500, "{\"code\": 20500}", CHANNEL_UNCERTAIN, "20500", false},
        {503, "{\"code\": 20003}", CHANNEL_UNCERTAIN, "20003", false},
        {302, "", CHANNEL_UNCERTAIN, "http-302", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(channel_result_t) result;
        answer(rows[i].status, rows[i].body, &result);
        if (result.outcome != rows[i].outcome || g_strcmp0(result.code, rows[i].code) != 0 || result.config != rows[i].config)
            fail_msg("%ld %s: %s, %s", rows[i].status, rows[i].body, channel_outcome_name(result.outcome), result.code);
        if (result.outcome == CHANNEL_HOLD)
            assert_true(result.hold_us >= CLOCK_MINUTE);
        if (i == 0)
            assert_true(result.segments == 2 && result.cost == 7500 && strcmp(result.currency, "USD") == 0);
        if (i == 1)
            assert_true(result.segments == -1 && result.cost == -1);
    }
}

/* Every code of PROVIDERS has a row with a sentence, of the class that it is listed under. */
static void test_table(void **state)
{
    static const struct {
        const char *codes;
        unsigned classes; /* bits */
    } lists[] = {
        {"21211 21214 21610 21612 21614 30005 30006 63003 63024 63033", 1u << CHANNEL_ERROR_PERMANENT},
        {"30003 30004 30007 63013 63026 63016 63032 30023 30027 30011 30019 63019 63034", 1u << CHANNEL_ERROR_FIX},
        {"20429 14107 30001 30008 30017 30022 63010 63012 63017 63018 30410", 1u << CHANNEL_ERROR_RETRY},
        {"21408 21604 21606 21608 21620 21703 21705 30024 30032 30034 63007 63008 63015 63027 63028", 1u << CHANNEL_ERROR_CONFIG},
        {"20003 63038", 1u << CHANNEL_ERROR_HOLD},
        {"21602 21617 21623 63021", 1u << CHANNEL_ERROR_FIX},
    };
    const struct channel_ops *ops = channel_find("twilio");

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_auto(GStrv) codes = g_strsplit(lists[i].codes, " ", -1);
        for (char **code = codes; *code; code++) {
            const struct channel_error *error = channel_error_find(ops, *code);
            if (!error || !(lists[i].classes & 1u << error->class))
                fail_msg("%s", *code);
        }
    }
    for (const struct channel_error *e = ops->errors; e->code; e++) {
        assert_ptr_equal(channel_error_find(ops, e->code), e); /* no code twice */
        assert_true(g_str_has_suffix(e->reason, ".") && strlen(e->reason) > 20);
        assert_true(strlen(e->status) == 5 && (e->status[0] == '4' || e->status[0] == '5'));
        assert_true(!e->opted_out || strcmp(e->code, "21610") == 0);
    }
}

static void test_health(void **state)
{
    static const struct {
        long status;
        const char *body, *settings, *webhook_url, *says;
        int sick;
    } rows[] = {
        {200, "{\"messages\": []}", NULL, "https://gw.example.org/webhooks/x", "accepts", 0},
        {200, "{\"messages\": []}", NULL, "https://my_gw.example.org/webhooks/x", "underscore", 1},
        {200, "{\"messages\": []}", NULL, "http://127.0.0.1:1/webhooks/x", "public_url", 1},
        {200, "{\"messages\": []}", "{\"base_url\": \"http://127.0.0.1:1\"}", "http://127.0.0.1:1/webhooks/x", "public_url", 0},
        {401, "{\"code\": 20003}", NULL, "https://gw/webhooks/x", "does not accept", 1},
        {404, "{\"code\": 20404, \"message\": \"not found\"}", NULL, "https://gw/webhooks/x", "not found", 1},
        {200, "<html>", NULL, "https://gw/webhooks/x", "status 200", 1},
        {0, "", NULL, "https://gw/webhooks/x", "cannot be reached", 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct channel_endpoint *endpoint = twilio_endpoint("sms", rows[i].settings, NULL);
        g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GBytes) bytes = g_bytes_new(rows[i].body, strlen(rows[i].body));
        struct http_response response = {.status = rows[i].status, .body = bytes, .retry_after_us = -1};
        assert_int_equal(endpoint->ops->parse_health(&response, endpoint, rows[i].webhook_url, findings), rows[i].sick);
        g_ptr_array_add(findings, NULL);
        g_autofree char *text = g_strjoinv(" ", (char **)findings->pdata);
        if (!strstr(text, rows[i].says))
            fail_msg("%s: %s", rows[i].says, text);
        unit_endpoint_free(endpoint);
    }
}

static void test_cancel(void **state)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    g_auto(channel_request_t) request;
    gsize length;

    channel_request_init(&request);
    assert_int_equal(endpoint->ops->build_cancel("SM1/../2", endpoint, &request, NULL), 0);
    assert_string_equal(request.url, MESSAGES "/SM1%2F..%2F2.json");
    assert_memory_equal(g_bytes_get_data(request.body, &length), "Status=canceled", 15);
    unit_endpoint_free(endpoint);
}

static void test_pace(void **state)
{
    static const struct {
        const char *channel, *address;
        double rate;
    } rows[] = {{"sms", "+12125550100", 0}, {"sms", "+18005550100", 3}, {"sms", "72345", 100}, {"sms", "ACME", 10},
                {"sms", "+441234567890", 10}, {"whatsapp", "+12125550100", 80}};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct channel_endpoint *endpoint = unit_endpoint("twilio", rows[i].channel, rows[i].address, NULL, TWILIO_SECRETS);
        struct channel_pace pace = {0};
        endpoint->ops->default_pace(endpoint, &pace);
        assert_true(pace.rate == rows[i].rate);
        unit_endpoint_free(endpoint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_refused), cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_outcomes), cmocka_unit_test(test_table),
        cmocka_unit_test(test_health),   cmocka_unit_test(test_cancel),  cmocka_unit_test(test_pace),
    };
    return cmocka_run_group_tests_name("twilio_send", tests, NULL, NULL);
}
