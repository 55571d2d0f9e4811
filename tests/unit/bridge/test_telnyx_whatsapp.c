/* SPDX-License-Identifier: Apache-2.0 */
/* WhatsApp by Telnyx: whose an event is, both forms of a message, errors, requests, answers. */
#include "telnyx_unit.h"

#define OURS "+17735550002"
#define PROFILE(more)                                                                                                        \
    "{\"data\":{\"event_type\":\"message.received\",\"id\":\"e1\",\"occurred_at\":\"2026-09-19T19:13:59Z\",\"payload\":{"       \
    "\"id\":\"m1\",\"direction\":\"inbound\",\"type\":\"WHATSAPP\",\"from\":{\"phone_number\":\"+34692138456\"},"               \
    "\"to\":[{\"phone_number\":\"" OURS "\"}]" more "}}}"
#define ACCOUNT(number, lists)                                                                                               \
    "{\"data\":{\"event_type\":\"whatsapp.messages\",\"id\":\"e2\",\"payload\":{\"metadata\":{\"display_phone_number\":\"" number \
    "\"}," lists "}},\"meta\":{\"attempt\":1}}"
#define ITEM "{\"id\":\"m1\",\"foreign_id\":\"wamid.A\",\"from\":\"+34692138456\",\"timestamp\":\"1789845237\",\"type\":\"text\",\"text\":{\"body\":\"Hola\"}}"

static struct channel_endpoint *whatsapp(const char *settings)
{
    return unit_endpoint("telnyx", "whatsapp", OURS, settings, "{\"api_key\": \"KEY1\"}");
}

static GPtrArray *parse_at(const char *channel, const char *body)
{
    struct channel_endpoint *endpoint = unit_endpoint("telnyx", channel, OURS, NULL, "{}");
    GPtrArray *events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    const struct channel_webhook webhook = {.body = body, .length = strlen(body)};
    g_autoptr(GError) error = NULL;

    assert_int_equal(endpoint->ops->parse_webhook(&webhook, endpoint, events, &error), CHANNEL_PARSED);
    assert_null(error);
    unit_endpoint_free(endpoint);
    return events;
}

static void expect_text(const char *body, const char *key)
{
    g_autoptr(GPtrArray) events = parse_at("whatsapp", body);
    const struct channel_event *event = events->pdata[0];

    assert_int_equal(events->len, 1);
    assert_int_equal(event->kind, CHANNEL_EVENT_MESSAGE);
    assert_string_equal(event->key, key);
    assert_string_equal(event->message->sender.address, "+34692138456");
    assert_string_equal(event->message->external_id, "m1");
    assert_string_equal(event->message->provider, "telnyx");
    assert_string_equal(event->message->text, "Hola");
}

static void test_both_forms(void **state)
{
    expect_text(ACCOUNT("17735550002", "\"messages\":[" ITEM "]"), "m1");
    expect_text(ACCOUNT("+1 (773) 555-0002", "\"messages\":[" ITEM "],\"statuses\":null,\"contacts\":{}"), "m1");
    expect_text(PROFILE(",\"body\":" ITEM), "m1");
    expect_text(PROFILE(",\"body\":{\"type\":\"text\",\"text\":{\"body\":\"Hola\"}},\"received_at\":\"2026-09-19T19:13:59Z\""), "m1");
    expect_text(PROFILE(",\"body\":{\"text\":\"Hola\"}"), "m1"); /* without a kind, as a plain string */
    expect_text(PROFILE(",\"text\":\"Hola\""), "e1");             /* as an SMS */
    expect_text(PROFILE(",\"text\":\"Hola\",\"body\":null"), "e1");
    g_autoptr(GPtrArray) events = parse_at("whatsapp", PROFILE(",\"body\":{\"id\":\"wamid.A\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}"));
    const struct channel_event *event = events->pdata[0];
    assert_string_equal(event->message->network_id, "wamid.A");
    assert_true(event->message->occurred_at == G_GINT64_CONSTANT(1789845239000000));
}

static void test_whose_it_is(void **state)
{
    static const struct {
        const char *body, *channel, *number;
    } cases[] = {
        {PROFILE(",\"body\":" ITEM), "whatsapp", OURS},
        {ACCOUNT("17735550009", "\"messages\":[" ITEM "]"), "whatsapp", "+17735550009"},
        {"{\"data\":{\"event_type\":\"message.received\",\"payload\":{\"type\":\"SMS\",\"text\":\"WHATSAPP\"}}}", "sms", NULL},
        {"{\"data\":{\"event_type\":\"whatsapp.account.update\",\"payload\":{}}}", "whatsapp", NULL},
        {"{\"data\":{\"event_type\":\"message.finalized\",\"payload\":{\"type\":\"WHATSAPP\",\"direction\":\"outbound\",\"from\":"
         "{\"phone_number\":\"" OURS "\"},\"to\":[{\"phone_number\":\"+34692138456\"}]}}}", "whatsapp", OURS},
        {"{\"data\":{\"event_type\":\"message.read\",\"payload\":{\"type\":\"whatsapp\",\"from\":\"" OURS "\",\"to\":\"+34692138456\"}},\"x\":\"whatsapp.\"}",
         "whatsapp", OURS}, /* a status that does not say its direction */
        {"{\"data\":\"WHATSAPP", "sms", NULL},
        {"[]", "sms", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct channel_webhook webhook = {.body = cases[i].body, .length = strlen(cases[i].body)};
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        telnyx_webhook_addresses(&webhook, names);
        assert_string_equal(telnyx_webhook_channel(&webhook), cases[i].channel);
        assert_int_equal(names->len, cases[i].number ? 1 : 0);
        if (cases[i].number)
            assert_string_equal(names->pdata[0], cases[i].number);
    }
    g_autoptr(GPtrArray) elsewhere = parse_at("whatsapp", ACCOUNT("17735550009", "\"messages\":[" ITEM "]"));
    g_autoptr(GPtrArray) sms = parse_at("sms", ACCOUNT("17735550009", "\"messages\":[" ITEM "]"));
    assert_int_equal(elsewhere->len, 0);
    assert_int_equal(sms->len, 1); /* nobody else takes it: it is shown */
}

static void test_batch_is_cut(void **state)
{
    static const char body[] = ACCOUNT("17735550002", "\"contacts\":[{\"wa_id\":\"34692138456\",\"profile\":{\"name\":\"Miki\"}}],\"messages\":["
                                       ITEM ",{\"id\":\"m2\",\"from\":\"+34692138457\",\"type\":\"hologram\"}],\"statuses\":[{\"id\":\"d1\","
                                       "\"status\":\"read\",\"timestamp\":\"1789845271\",\"recipient_id\":\"34692138456\"}]");
    g_autoptr(GPtrArray) events = parse_at("whatsapp", body);

    assert_int_equal(events->len, 3);
    for (guint i = 0; i < events->len; i++) {
        const struct channel_event *event = events->pdata[i];
        gsize size;
        assert_non_null(event->body);
        const char *data = g_bytes_get_data(event->body, &size);
        g_autofree char *alone = g_strndup(data, size);
        g_autoptr(GPtrArray) again = parse_at("whatsapp", alone);
        assert_int_equal(again->len, 1);
        assert_string_equal(((struct channel_event *)again->pdata[0])->key, event->key);
        assert_int_equal(((struct channel_event *)again->pdata[0])->kind, event->kind);
    }
    assert_string_equal(((struct channel_event *)events->pdata[0])->message->sender.name, "Miki");
    assert_int_equal(((struct channel_event *)events->pdata[2])->status, CHANNEL_STATUS_READ);
}

static void test_echo(void **state)
{
    g_autoptr(GPtrArray) events = parse_at("whatsapp",
        "{\"data\":{\"event_type\":\"message.echo\",\"id\":\"e3\",\"payload\":{\"id\":\"m3\",\"type\":\"WHATSAPP\",\"direction\":\"outbound\","
        "\"origin\":\"whatsapp_business_app\",\"from\":{\"phone_number\":\"" OURS "\"},\"to\":[{\"phone_number\":\"+34692138456\"}],"
        "\"body\":{\"id\":\"m3\",\"foreign_id\":\"wamid.B\",\"from\":\"+34692138456\",\"timestamp\":\"1789845237\",\"type\":\"text\","
        "\"text\":{\"body\":\"STOP\"}}}}}");
    const struct channel_event *event = events->pdata[0];

    assert_int_equal(event->message->direction, UMP_OUTBOUND);
    assert_string_equal(event->message->sender.address, OURS);
    assert_string_equal(((struct ump_party *)event->message->recipients->pdata[0])->address, "+34692138456");
    assert_int_equal(event->opt, CHANNEL_OPT_NONE); /* our own word */
}

static void test_templates(void **state)
{
    g_autoptr(GPtrArray) told = parse_at("whatsapp", "{\"data\":{\"event_type\":\"whatsapp.template.paused\",\"id\":\"e4\",\"payload\":{"
                                                     "\"template_id\":\"t1\",\"template_name\":\"promo\"}}}");
    g_autoptr(GPtrArray) bare = parse_at("whatsapp", "{\"data\":{\"event_type\":\"whatsapp.template.paused\",\"id\":\"e5\",\"payload\":{}}}");
    const struct channel_event *event = told->pdata[0];
    struct channel_endpoint *endpoint = whatsapp("{\"waba_id\": \"a b\"}"), *sms = telnyx_endpoint(NULL, NULL);
    g_auto(channel_request_t) request, refused;
    g_autoptr(GError) error = NULL;

    assert_int_equal(event->kind, CHANNEL_EVENT_TEMPLATE);
    assert_string_equal(event->template_name, "promo");
    assert_string_equal(event->template_id, "t1");
    assert_string_equal(event->template_status, "paused");
    assert_int_equal(((struct channel_event *)bare->pdata[0])->kind, CHANNEL_EVENT_OTHER);
    channel_request_init(&request);
    channel_request_init(&refused);
    assert_int_equal(endpoint->ops->build_templates("3", endpoint, &request, NULL), 0);
    assert_string_equal(request.url, "https://api.telnyx.com/v2/whatsapp/message_templates?page%5Bsize%5D=100&page%5Bnumber%5D=3"
                                     "&filter%5Bwaba_id%5D=a%20b");
    assert_int_equal(sms->ops->build_templates(NULL, sms, &refused, &error), -1);
    assert_non_null(strstr(error->message, "only WhatsApp"));
    unit_endpoint_free(endpoint);
    unit_endpoint_free(sms);
}

static void test_errors(void **state)
{
    struct channel_endpoint *endpoint = whatsapp(NULL), *sms = telnyx_endpoint(NULL, NULL);
    static const struct {
        const char *code, *text, *expected;
    } cases[] = {
        {"40008", "Undeliverable: (#131047) Re-engagement message", "131047"}, {"40008", "Undeliverable", "40008-whatsapp"},
        {"40008", NULL, "40008-whatsapp"}, {"40300", "131047", "40300"}, {"131026", "x", "131026"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *code = g_strdup(cases[i].code), *kept = g_strdup(cases[i].code);
        telnyx_whatsapp_error(endpoint, &code, cases[i].text);
        telnyx_whatsapp_error(sms, &kept, cases[i].text);
        assert_string_equal(code, cases[i].expected);
        assert_string_equal(kept, cases[i].code);
        assert_non_null(channel_error_find(endpoint->ops, code));
    }
    unit_endpoint_free(endpoint);
    unit_endpoint_free(sms);
}

static void test_window(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum channel_window window;
    } cases[] = {
        {200, "{\"data\":{\"window_active\":true}}", CHANNEL_WINDOW_OPEN}, {200, "{\"data\":{\"window_active\":false}}", CHANNEL_WINDOW_CLOSED},
        {200, "{\"data\":{\"window_active\":\"yes\"}}", CHANNEL_WINDOW_UNKNOWN}, {200, "{", CHANNEL_WINDOW_UNKNOWN},
        {404, "{\"data\":{\"window_active\":true}}", CHANNEL_WINDOW_UNKNOWN}, {0, "", CHANNEL_WINDOW_UNKNOWN},
    };
    struct channel_endpoint *endpoint = whatsapp(NULL);
    g_auto(channel_request_t) request;

    channel_request_init(&request);
    assert_int_equal(endpoint->ops->build_window("+34692138456", endpoint, &request, NULL), 0);
    assert_string_equal(request.url, "https://api.telnyx.com/v2/whatsapp/phone_numbers/%2B17735550002/conversation_window"
                                     "?destination_number=%2B34692138456");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) body = g_bytes_new_static(cases[i].body, strlen(cases[i].body));
        const struct http_response response = {.status = cases[i].status, .body = body};
        assert_int_equal(endpoint->ops->parse_window(&response), cases[i].window);
    }
    unit_endpoint_free(endpoint);
}

static void test_opt_outs(void **state)
{
    static const char list[] = "{\"data\":[{\"from\":\"" OURS "\",\"to\":\"+34692138456\",\"created_at\":\"2025-04-28 12:00:38\"},"
                               "{\"from\":\"+34692138457\",\"to\":\"" OURS "\"},{\"from\":null,\"to\":\"+1\"},7],"
                               "\"meta\":{\"page_number\":\"1\",\"total_pages\":2}}";
    struct channel_endpoint *endpoint = telnyx_endpoint(NULL, NULL), *other = whatsapp(NULL);
    g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) more = g_ptr_array_new_with_free_func((GDestroyNotify)channel_poll_free);
    g_autoptr(GPtrArray) asked = g_ptr_array_new_with_free_func((GDestroyNotify)channel_poll_free);
    const struct channel_poll *poll;
    g_autoptr(GBytes) answer = g_bytes_new_static(list, strlen(list));
    const struct http_response response = {.status = 200, .body = answer}, refused = {.status = 401, .body = answer};
    g_autoptr(GError) error = NULL;

    assert_int_equal(other->ops->build_poll(other, 0, asked, NULL), 0);
    assert_int_equal(asked->len, 1); /* WhatsApp has no such list */
    assert_int_equal(endpoint->ops->build_poll(endpoint, 1785492000000000, asked, NULL), 0);
    assert_int_equal(asked->len, 3);
    poll = asked->pdata[1];
    assert_string_equal(poll->request.url, "https://api.telnyx.com/v2/webhook_deliveries?filter%5Bstatus%5D%5Beq%5D=failed&"
                                           "filter%5Bstarted_at%5D%5Bgte%5D=2026-07-31T10%3A00%3A00.000000Z&page%5Bnumber%5D=1&page%5Bsize%5D=250");
    poll = asked->pdata[2];
    assert_int_equal(endpoint->ops->parse_poll(&response, poll, endpoint, bodies, more, NULL), 0);
    assert_int_equal(bodies->len, 2);
    assert_int_equal(more->len, 1);
    assert_string_equal(((struct channel_poll *)more->pdata[0])->request.url,
                        "https://api.telnyx.com/v2/messaging_optouts?filter%5Bfrom%5D=%2B17735550002&page%5Bnumber%5D=2&page%5Bsize%5D=250");
    for (guint i = 0; i < bodies->len; i++) {
        g_autoptr(GPtrArray) events = parse_at("sms", bodies->pdata[i]);
        const struct channel_event *event = events->pdata[0];
        assert_int_equal(event->opt, CHANNEL_OPT_STOP);
        assert_string_equal(event->opt_identifier, i == 0 ? "+34692138456" : "+34692138457");
        assert_true(g_str_has_prefix(event->key, "optout:"));
    }
    assert_int_equal(endpoint->ops->parse_poll(&refused, poll, endpoint, bodies, more, &error), -1);
    assert_non_null(error);
    unit_endpoint_free(endpoint);
    unit_endpoint_free(other);
}

static void test_lost_webhooks(void **state)
{
    static const char list[] =
        "{\"data\":[{\"webhook\":{\"event_type\":\"message.received\",\"id\":\"a\",\"payload\":{\"type\":\"SMS\",\"from\":\"+1555\",\"to\":"
        "[{\"phone_number\":\"+19995550000\"}],\"cc\":[\"" OURS "\"],\"text\":\"x\"}}},"
        "{\"webhook\":{\"event_type\":\"message.received\",\"id\":\"b\",\"payload\":{\"type\":\"SMS\",\"from\":\"" OURS "\",\"to\":\"+19995550000\"}}},"
        "{\"webhook\":{\"event_type\":\"message.finalized\",\"id\":\"c\",\"payload\":{\"id\":\"d1\",\"direction\":\"outbound\",\"type\":\"SMS\","
        "\"from\":{\"phone_number\":\"" OURS "\"},\"to\":[{\"phone_number\":\"+1555\",\"status\":\"delivered\"}]}}},"
        "{\"webhook\":{\"event_type\":\"whatsapp.messages\",\"id\":\"d\",\"payload\":{\"metadata\":{\"display_phone_number\":\"17735550002\"},"
        "\"messages\":[" ITEM "]}}},{\"webhook\":{\"event_type\":\"call.initiated\",\"id\":\"e\",\"payload\":{}}},{\"webhook\":null},7]}";
    static const char *const expected[][3] = {{"a", "c", NULL}, {"m1", NULL}};
    struct channel_endpoint *endpoints[] = {telnyx_endpoint(NULL, NULL), whatsapp(NULL)};
    g_autoptr(GBytes) answer = g_bytes_new_static(list, strlen(list));
    const struct http_response response = {.status = 200, .body = answer};

    for (size_t i = 0; i < G_N_ELEMENTS(endpoints); i++) {
        g_autoptr(GPtrArray) asked = g_ptr_array_new_with_free_func((GDestroyNotify)channel_poll_free);
        g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func(g_free), more = g_ptr_array_new();
        assert_int_equal(endpoints[i]->ops->build_poll(endpoints[i], 0, asked, NULL), 0);
        assert_int_equal(endpoints[i]->ops->parse_poll(&response, asked->pdata[0], endpoints[i], bodies, more, NULL), 0);
        assert_int_equal(bodies->len, g_strv_length((char **)(uintptr_t)expected[i]));
        assert_int_equal(more->len, 0);
        for (guint k = 0; k < bodies->len; k++) { /* the same keys as the webhooks' */
            g_autoptr(GPtrArray) events = parse_at(endpoints[i]->channel, bodies->pdata[k]);
            assert_string_equal(((struct channel_event *)events->pdata[0])->key, expected[i][k]);
        }
        unit_endpoint_free(endpoints[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_forms), cmocka_unit_test(test_whose_it_is), cmocka_unit_test(test_batch_is_cut),
        cmocka_unit_test(test_echo),       cmocka_unit_test(test_templates),   cmocka_unit_test(test_errors),
        cmocka_unit_test(test_window),     cmocka_unit_test(test_opt_outs),
        cmocka_unit_test(test_lost_webhooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
