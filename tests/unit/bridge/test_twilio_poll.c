/* SPDX-License-Identifier: Apache-2.0 */
/* Twilio's lists: what became of an attempt, and what webhooks lost. */
#include "twilio_unit.h"

#include "core/clock.h"

#define ACCOUNT "https://api.twilio.com/2010-04-01/Accounts/AC55555555555555555555555555555555"
#define BEGAN G_GINT64_CONSTANT(1558719890000000) /* Fri, 24 May 2019 17:44:50 +0000 */

static struct http_response response_of(GBytes **bytes, long status, const char *body)
{
    *bytes = g_bytes_new(body, strlen(body));
    return (struct http_response){.status = status, .request_size = 1, .body = *bytes, .retry_after_us = -1};
}

/* ---- Look-up ---- */

static enum channel_lookup look(const char *text, bool media, long status, const char *body, GPtrArray *found)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    g_autoptr(ump_message) message = ump_message_new();
    struct channel_send send = {.message = message, .began = BEGAN};
    g_autoptr(GBytes) bytes = NULL;
    struct http_response response = response_of(&bytes, status, body);

    message->text = g_strdup(text);
    if (media)
        g_ptr_array_add(message->media, ump_media_new());
    enum channel_lookup result = endpoint->ops->parse_lookup(&send, &response, endpoint, found);
    unit_endpoint_free(endpoint);
    return result;
}

#define ITEM(sid, at, body, media, status)                                                                                \
    "{\"sid\": \"" sid "\", \"direction\": \"outbound-api\", \"date_created\": \"Fri, 24 May 2019 " at " +0000\", \"body\": \"" body \
    "\", \"num_media\": \"" media "\", \"status\": \"" status "\", \"error_code\": 30003}"
#define LIST(items) "{\"messages\": [" items "], \"next_page_uri\": null}"

static void test_lookup_request(void **state)
{
    struct channel_endpoint *endpoint = twilio_endpoint("whatsapp", NULL, NULL);
    g_autoptr(ump_message) message = ump_message_new();
    struct channel_send send = {.message = message, .began = BEGAN};
    g_auto(channel_request_t) request;

    channel_request_init(&request);
    g_ptr_array_add(message->recipients, ump_party_new("+13125550001", NULL));
    assert_int_equal(endpoint->ops->build_lookup(&send, NULL, endpoint, &request, NULL), 0);
    assert_string_equal(request.url, ACCOUNT "/Messages.json?To=whatsapp%3A%2B13125550001&From=whatsapp%3A%2B12125550100&PageSize=200");
    assert_null(request.body);
    unit_endpoint_free(endpoint);
}

static void test_lookup_answers(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum channel_lookup want;
        const char *ids; /* "+" before those whose content is ours */
    } rows[] = {
        {200, LIST(""), CHANNEL_LOOKUP_NONE, ""},
        {200, LIST(ITEM("SM1", "17:44:51", "ours ", "0", "queued")), CHANNEL_LOOKUP_FOUND, "+SM1"},
        {200, LIST(ITEM("SM2", "17:45:51", "ours", "0", "sent") "," ITEM("SM1", "17:44:00", "other", "0", "sent")),
         CHANNEL_LOOKUP_FOUND, "SM1+SM2"},
        {200, LIST(ITEM("MM1", "17:44:51", "ours", "1", "sent")), CHANNEL_LOOKUP_FOUND, "MM1"},
        {200, LIST(ITEM("SM1", "17:43:49", "ours", "0", "sent")), CHANNEL_LOOKUP_NONE, ""}, /* before it began */
        {200, LIST(ITEM("SM1", "18:44:50", "ours", "0", "sent")), CHANNEL_LOOKUP_NONE, ""}, /* long after */
        {200, "{\"messages\": [" ITEM("SM1", "18:44:50", "ours", "0", "sent") "], \"next_page_uri\": \"/x\"}",
         CHANNEL_LOOKUP_UNKNOWN, ""}, /* there is more to be read */
        {200, "{\"messages\": [" ITEM("SM1", "17:40:00", "ours", "0", "sent") "], \"next_page_uri\": \"/x\"}",
         CHANNEL_LOOKUP_NONE, ""}, /* but it is older */
        {200, "{\"messages\": [{\"sid\": \"SM1\", \"date_created\": null}]}", CHANNEL_LOOKUP_UNKNOWN, ""},
        {200, "{\"messages\": null}", CHANNEL_LOOKUP_UNKNOWN, ""},
        {200, "[", CHANNEL_LOOKUP_UNKNOWN, ""},
        {500, LIST(""), CHANNEL_LOOKUP_UNKNOWN, ""},
        {404, "{}", CHANNEL_LOOKUP_UNKNOWN, ""},
        {0, "", CHANNEL_LOOKUP_UNKNOWN, ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)channel_found_free);
        g_autoptr(GString) ids = g_string_new(NULL);
        assert_int_equal(look("ours", false, rows[i].status, rows[i].body, found), rows[i].want);
        for (guint k = 0; k < found->len && rows[i].want == CHANNEL_LOOKUP_FOUND; k++) {
            const struct channel_found *one = found->pdata[k];
            g_string_append_printf(ids, "%s%s", one->same ? "+" : "", one->provider_id);
        }
        assert_string_equal(ids->str, rows[i].ids);
    }
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)channel_found_free);
    assert_int_equal(look("", true, 200, LIST(ITEM("MM1", "17:44:51", "", "2", "undelivered")), found), CHANNEL_LOOKUP_FOUND);
    const struct channel_found *one = found->pdata[0];
    assert_true(one->same && one->status == CHANNEL_STATUS_FAILED);
    assert_string_equal(one->code, "30003");
}

/* ---- Poll ---- */

static int take(const char *context, long status, const char *body, GPtrArray *bodies, GPtrArray *more)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    struct channel_poll *poll = channel_poll_new(context);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    struct http_response response = response_of(&bytes, status, body);
    int result = endpoint->ops->parse_poll(&response, poll, endpoint, bodies, more, &error);

    assert_true((result < 0) == (error != NULL));
    channel_poll_free(poll);
    unit_endpoint_free(endpoint);
    return result;
}

static void test_poll_requests(void **state)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify)channel_poll_free);

    assert_int_equal(endpoint->ops->build_poll(endpoint, BEGAN + 5, requests, NULL), 0);
    assert_int_equal(requests->len, 2);
    assert_string_equal(((struct channel_poll *)requests->pdata[0])->request.url,
                        ACCOUNT "/Messages.json?To=%2B12125550100&DateSent%3E=2019-05-24T17%3A44%3A50Z&PageSize=200");
    assert_string_equal(((struct channel_poll *)requests->pdata[1])->request.url,
                        ACCOUNT "/Messages.json?From=%2B12125550100&DateSent%3E=2019-05-24T17%3A44%3A50Z&PageSize=200");
    unit_endpoint_free(endpoint);
}

static void test_poll_list(void **state)
{
    g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) more = g_ptr_array_new_with_free_func((GDestroyNotify)channel_poll_free);
    gsize length;
    g_autofree char *page = twilio_spec_example("ListMessage_RESP_200_readFullPage1", &length);
    g_autofree char *media = twilio_spec_example("ListMedia_RESP_200_readFull", &length);

    assert_int_equal(take(NULL, 200, page, bodies, more), 0);
    assert_int_equal(bodies->len, 1); /* one has gone out, one has come with media, and there is a next page */
    assert_string_equal(bodies->pdata[0],
                        "MessageSid=SMded05904ccb347238880ca9264e8fe1c&AccountSid=ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                        "&MessagingServiceSid=MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&From=%2B12019235161&To=%2B18182008801&NumSegments=1"
                        "&MessageStatus=sent&Price=-0.00750&PriceUnit=USD&DateSent=Fri%2C%2024%20May%202019%2017%3A44%3A50%20%2B0000");
    assert_int_equal(more->len, 2);
    const struct channel_poll *first = more->pdata[0], *next = more->pdata[1];
    assert_true(g_str_has_suffix(first->request.url, "/2010-04-01/Accounts/ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Messages/"
                                                     "MMc26223853f8c46b4ab7dfaa6abba0a26/Media.json"));
    assert_true(g_str_has_prefix(first->context, "MessageSid=MMc26223853f8c46b4ab7dfaa6abba0a26&"));
    assert_null(next->context);
    assert_true(g_str_has_prefix(next->request.url, "https://api.twilio.com/2010-04-01/Accounts/"));

    g_ptr_array_set_size(bodies, 0);
    assert_int_equal(take("MessageSid=MM1&From=%2B1&To=%2B2&Body=x", 200, media, bodies, more), 0);
    assert_int_equal(bodies->len, 1);
    assert_string_equal(bodies->pdata[0],
                        "MessageSid=MM1&From=%2B1&To=%2B2&Body=x&NumMedia=1&MediaUrl0=https%3A%2F%2Fapi.twilio.com%2F2010-04-01%2FAccounts"
                        "%2FACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%2FMessages%2FSMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%2FMedia"
                        "%2FMEaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&MediaContentType0=image%2Fjpeg");
}

/* The same keys as the webhooks' own, so that each message is told once. */
static void test_poll_keys(void **state)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func(g_free), more = g_ptr_array_new();
    static const char *const keys[] = {"SM1", "SM2:delivered", "SM3:undelivered:30003"};

    assert_int_equal(take(NULL, 200,
                          "{\"messages\": [{\"sid\": \"SM1\", \"direction\": \"inbound\", \"from\": \"+1\", \"to\": \"+2\", \"body\": \"a b\","
                          "\"num_media\": \"0\", \"status\": \"received\", \"date_sent\": \"Fri, 24 May 2019 17:44:50 +0000\"},"
                          "{\"sid\": \"SM2\", \"direction\": \"outbound-api\", \"status\": \"delivered\", \"price\": null},"
                          "{\"sid\": \"SM4\", \"direction\": \"outbound-api\", \"status\": \"queued\"},"
                          "{\"sid\": \"SM3\", \"direction\": \"outbound-reply\", \"status\": \"undelivered\", \"error_code\": 30003}, 7, null]}",
                          bodies, more), 0);
    assert_int_equal(bodies->len, G_N_ELEMENTS(keys));
    for (guint i = 0; i < bodies->len; i++) {
        g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
        struct channel_webhook webhook = {.body = bodies->pdata[i], .length = strlen(bodies->pdata[i])};
        assert_int_equal(endpoint->ops->parse_webhook(&webhook, endpoint, events, NULL), CHANNEL_PARSED);
        const struct channel_event *event = events->pdata[0];
        assert_string_equal(event->key, keys[i]);
        assert_int_equal(event->kind, i == 0 ? CHANNEL_EVENT_MESSAGE : CHANNEL_EVENT_STATUS);
        if (i == 0)
            assert_true(event->message->occurred_at == BEGAN && strcmp(event->message->text, "a b") == 0);
    }
    unit_endpoint_free(endpoint);
}

static void test_poll_bad(void **state)
{
    static const struct {
        const char *context;
        long status;
        const char *body;
        int result;
    } rows[] = {
        {NULL, 401, "{\"messages\": []}", -1}, {NULL, 0, "", -1}, {NULL, 200, "[]", -1}, {NULL, 200, "{\"media_list\": []}", -1},
        {"MessageSid=1", 200, "{\"messages\": []}", -1}, {NULL, 200, "{\"messages\": [], \"next_page_uri\": 1}", 0},
        {NULL, 200, "{\"messages\": [], \"next_page_uri\": \"https://evil.example/2010-04-01/\"}", 0},
        {NULL, 200, "{\"messages\": [], \"next_page_uri\": \"//evil.example/\"}", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) bodies = g_ptr_array_new(), more = g_ptr_array_new();
        assert_int_equal(take(rows[i].context, rows[i].status, rows[i].body, bodies, more), rows[i].result);
        assert_int_equal(bodies->len + more->len, 0);
    }
}

/* The examples of the provider's description: each is a request or an answer, none is a webhook. */
static void test_examples_are_known(void **state)
{
    g_autofree char *path = g_build_filename(g_getenv("UMP_SOURCE_DIR"), "..", "shared", "specs", "twilio", "examples", NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;
    guint lists = 0;

    if (!directory) {
        print_message("%s is not at hand\n", path);
        skip();
    }
    while ((name = g_dir_read_name(directory))) {
        g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) more = g_ptr_array_new_with_free_func((GDestroyNotify)channel_poll_free);
        g_autofree char *bare = g_strndup(name, strlen(name) - strlen(".json"));
        gsize length;
        if (!strstr(name, "_REQ_") && !strstr(name, "_RESP_"))
            fail_msg("%s is neither a request nor an answer: a webhook?", name);
        if (!g_str_has_prefix(name, "ListMessage_RESP"))
            continue;
        g_autofree char *body = twilio_spec_example(bare, &length);
        assert_int_equal(take(NULL, 200, body, bodies, more), 0);
        lists++;
    }
    assert_int_equal(lists, 7);
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        gint64 us;
    } rows[] = {
        {"Fri, 24 May 2019 17:44:50 +0000", BEGAN},
        {"Fri, 24 May 2019 19:44:50 +0200", BEGAN},
        {"24 May 2019 17:44:50 GMT", BEGAN},
        {"Wed, 1 Jan 2020 00:00:00 +0000", G_GINT64_CONSTANT(1577836800000000)},
        {NULL, 0}, {"", 0}, {"Fri,", 0}, {"2019-05-24T17:44:50Z", 0}, {"Fri, 24 Mai 2019 17:44:50 +0000", 0},
        {"Fri, 24 May 19 17:44:50 +0000", 0}, {"Fri, 24 May 2019 17:44 +0000", 0}, {"Fri, 31 Feb 2019 17:44:50 +0000", 0},
        {"Fri, 24 May 2019 17:44:50 CEST", 0}, {"Fri, 24 ", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (channel_rfc5322_time(rows[i].text) != rows[i].us)
            fail_msg("%s", rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup_request), cmocka_unit_test(test_lookup_answers), cmocka_unit_test(test_poll_requests),
        cmocka_unit_test(test_poll_list),      cmocka_unit_test(test_poll_keys),      cmocka_unit_test(test_poll_bad),
        cmocka_unit_test(test_examples_are_known), cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests_name("twilio_poll", tests, NULL, NULL);
}
