/* SPDX-License-Identifier: Apache-2.0 */
/* Twilio's webhooks: signature (vectors of its own SDK), messages of every kind, statuses, what is unknown. */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "twilio_unit.h"

#define BASE "https://gateway.example.org/webhooks/x"

/* ---- Signature ---- */

static enum channel_verify verify(const struct channel_endpoint *endpoint, const char *url, const char *content_type,
                                  const char *body, const char *signature)
{
    const struct channel_header headers[] = {{"host", "evil.example"}, {"x-forwarded-host", "evil.example"},
        {"x-forwarded-proto", "http"}, {"x-forwarded-port", "8080"}, {"x-twilio-signature", signature}};
    struct channel_webhook webhook = {.headers = headers, .header_count = signature ? 5 : 4, .content_type = content_type,
                                      .url = url, .body = body, .length = strlen(body)};

    return endpoint->ops->verify_webhook(&webhook, endpoint, 0);
}

static void test_vectors(void **state)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    gsize length;
    g_autofree char *text = unit_example("twilio", "signatures", &length);
    g_autoptr(json_t) root = json_loads(text, 0, NULL);
    const json_t *list = json_object_get(root, "vectors"), *vector;
    size_t i, good = 0;

    assert_string_equal(json_string_value(json_object_get(root, "token")), TWILIO_TOKEN);
    json_array_foreach(list, i, vector) {
        bool valid = json_is_true(json_object_get(vector, "valid"));
        enum channel_verify verdict = verify(endpoint, json_string_value(json_object_get(vector, "url")),
                                             json_string_value(json_object_get(vector, "content_type")),
                                             json_string_value(json_object_get(vector, "body")),
                                             json_string_value(json_object_get(vector, "signature")));
        good += valid;
        if ((verdict == CHANNEL_VERIFIED) != valid)
            fail_msg("%s: %s", json_string_value(json_object_get(vector, "name")), channel_verify_text(verdict));
    }
    assert_true(i >= 150 && good >= 60);
    unit_endpoint_free(endpoint);
}

static char *sign(const char *token, const char *text)
{
    guint8 digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    assert_non_null(HMAC(EVP_sha1(), token, (int)strlen(token), (const guint8 *)text, strlen(text), digest, &length));
    return g_base64_encode(digest, length);
}

/* What the SDKs do not say: repeated fields as they were sent, header forms, rotation, the port of another service. */
static void test_signature(void **state)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    const char *form = "application/x-www-form-urlencoded";
    g_autofree char *good = sign(TWILIO_TOKEN, BASE "A1B 2"), *sent = sign(TWILIO_TOKEN, BASE "KzKaKz");
    g_autofree char *foreign = sign("other", BASE "A1B 2"), *truncated = g_strndup(good, 20);
    g_autofree char *url_alone = sign(TWILIO_TOKEN, BASE), *spaced = g_strconcat(" ", good, NULL);
    g_autofree char *unpadded = g_strndup(good, strlen(good) - 1), *upper = g_ascii_strup(good, -1);

    assert_int_equal(verify(endpoint, BASE, form, "A=1&B=+2", good), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, BASE, form, "B=%202&A=1", good), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, BASE, NULL, "A=1&B=+2", good), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, BASE, form, "A=1&B=%2B2", good), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, BASE, form, "A=1&B=2", good), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, BASE, form, "K=z&K=a&K=z", sent), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, BASE, form, "A=1&B=+2", foreign), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, BASE "?x=1", form, "A=1&B=+2", good), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, BASE, "application/json", "A=1&B=+2", good), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, BASE, "application/json", "{\"A\":1}", url_alone), CHANNEL_BAD_SIGNATURE);
    for (guint i = 0; i < 6; i++) {
        const char *bad[] = {NULL, "", truncated, spaced, unpadded, upper};
        enum channel_verify verdict = verify(endpoint, BASE, form, "A=1&B=+2", bad[i]);
        assert_true(verdict == CHANNEL_NO_SIGNATURE || (i == 5 && verdict == CHANNEL_BAD_SIGNATURE));
    }
    assert_int_equal(verify(endpoint, NULL, form, "A=1&B=+2", good), CHANNEL_UNVERIFIABLE);
    unit_endpoint_free(endpoint);
}

static void test_doubled_header(void **state)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    g_autofree char *good = sign(TWILIO_TOKEN, BASE "A1");
    const struct channel_header headers[] = {{"x-twilio-signature", good}, {"x-twilio-signature", good}};
    struct channel_webhook webhook = {.headers = headers, .header_count = 2, .url = BASE, .body = "A=1", .length = 3};

    assert_int_equal(endpoint->ops->verify_webhook(&webhook, endpoint, 0), CHANNEL_NO_SIGNATURE);
    unit_endpoint_free(endpoint);
}

static void test_rotation(void **state)
{
    static const char *const secrets[] = {
        "{\"account_sid\": \"AC1\", \"auth_token\": \"new old\"}",
        "{\"account_sid\": \"AC1\", \"auth_token\": \"new\", \"auth_token_previous\": \"old\"}",
    };
    for (guint i = 0; i < 2; i++) {
        struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, secrets[i]);
        g_autofree char *new = sign("new", BASE "A1"), *old = sign("old", BASE "A1"), *both = sign("new old", BASE "A1");
        assert_int_equal(verify(endpoint, BASE, NULL, "A=1", new), CHANNEL_VERIFIED);
        assert_int_equal(verify(endpoint, BASE, NULL, "A=1", old), CHANNEL_VERIFIED);
        assert_int_equal(verify(endpoint, BASE, NULL, "A=1", both), CHANNEL_BAD_SIGNATURE);
        unit_endpoint_free(endpoint);
    }
    for (guint i = 0; i < 2; i++) {
        struct channel_endpoint *endpoint =
            twilio_endpoint("sms", NULL, i ? "{\"auth_token\": \" , \"}" : "{\"auth_token\": \"a b c d e\"}");
        assert_null(endpoint->prepared);
        assert_int_equal(verify(endpoint, BASE, NULL, "A=1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), CHANNEL_UNVERIFIABLE);
        unit_endpoint_free(endpoint);
    }
}

/* ---- Events ---- */

static enum channel_parse parse(const struct channel_endpoint *endpoint, const char *body, GPtrArray *events, GError **error)
{
    struct channel_webhook webhook = {.body = body, .length = strlen(body)};

    return endpoint->ops->parse_webhook(&webhook, endpoint, events, error);
}

/* The one event of a body. */
static struct channel_event *event_of(const char *channel, const char *body)
{
    struct channel_endpoint *endpoint = twilio_endpoint(channel, NULL, NULL);
    g_autoptr(GPtrArray) events = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    assert_int_equal(parse(endpoint, body, events, &error), CHANNEL_PARSED);
    assert_int_equal(events->len, 1);
    unit_endpoint_free(endpoint);
    return events->pdata[0];
}

#define SMS "MessageSid=SM1&SmsStatus=received&From=%2B12125550123&To=%2B12125550100&NumMedia=0&"
#define WHATSAPP "MessageSid=SM2&SmsStatus=received&From=whatsapp%3A%2B12125550123&To=whatsapp%3A%2B12125550100&ProfileName=Zo%C3%AB&"

/* UMP JSON of a body's message; what is always there is left out. */
static char *shown(const char *channel, const char *body)
{
    struct channel_event *event = event_of(channel, body);
    assert_int_equal(event->kind, CHANNEL_EVENT_MESSAGE);
    g_autoptr(json_t) json = ump_message_to_json(event->message);
    static const char *const usual[] = {"v", "channel", "provider", "direction", "endpoint_address", "from", "to",
                                        "external_id", "occurred_at", NULL};
    for (const char *const *key = usual; *key; key++)
        json_object_del(json, *key);
    channel_event_free(event);
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII), *copy = g_strdup(text);
    g_free(text);
    return copy;
}

static void test_messages(void **state)
{
    static const struct {
        const char *channel, *body, *json;
    } rows[] = {
        {"sms", SMS "Body=Hello+1%2B1", "{\"type\":\"text\",\"text\":\"Hello 1+1\"}"},
        {"sms", SMS "Body=", "{\"type\":\"text\"}"},
        {"sms", SMS "Body=%20x%20%0A&TomorrowsKey=1&Other=", "{\"type\":\"text\",\"text\":\" x \\n\"}"},
        {"sms", SMS "Body=%FF", "{\"type\":\"text\",\"text\":\"\\uFFFD\"}"},
        {"sms", "MessageSid=MM1&From=%2B12125550123&To=%2B12125550100&Body=Look&NumMedia=2&MediaUrl0=https%3A%2F%2Fapi.twilio.com"
                "%2Fa&MediaContentType0=image%2Fjpeg&MediaUrl1=https%3A%2F%2Fapi.twilio.com%2Fb&MediaContentType1=video%2F3gpp",
         "{\"type\":\"media\",\"text\":\"Look\",\"media\":[{\"type\":\"image/jpeg\",\"url\":\"https://api.twilio.com/a\"},"
         "{\"type\":\"video/3gpp\",\"url\":\"https://api.twilio.com/b\"}]}"},
        {"sms", SMS "NumMedia=1&MediaUrl0=https%3A%2F%2Fapi.twilio.com%2Fa", /* NumMedia twice, as nobody should */
         "{\"type\":\"media\",\"media\":[{\"url\":\"https://api.twilio.com/a\"}]}"},
        {"sms", "MessageSid=MM1&From=%2B1&To=%2B2&NumMedia=1",
         "{\"type\":\"media\",\"media\":[{\"error\":\"the provider did not say where it is\"}]}"},
        {"whatsapp", WHATSAPP "MessageType=text&Body=Hi&WaId=12125550123&OriginalRepliedMessageSid=SM9",
         "{\"type\":\"text\",\"text\":\"Hi\",\"reply_to_external_id\":\"SM9\"}"},
        {"whatsapp", WHATSAPP "MessageType=text&Body=Hi&Forwarded=true&FrequentlyForwarded=false",
         "{\"type\":\"text\",\"text\":\"[Forwarded]\\nHi\"}"},
        {"whatsapp", WHATSAPP "MessageType=audio&NumMedia=1&MediaUrl0=u&MediaContentType0=audio%2Fogg",
         "{\"type\":\"media\",\"media\":[{\"type\":\"audio/ogg\",\"url\":\"u\",\"voice\":true}]}"},
        {"whatsapp", WHATSAPP "MessageType=contacts&Body=&NumMedia=1&MediaUrl0=u&MediaContentType0=text%2Fvcard",
         "{\"type\":\"media\",\"media\":[{\"type\":\"text/vcard\",\"url\":\"u\"}]}"},
        {"whatsapp", WHATSAPP "MessageType=location&Latitude=52.5&Longitude=13.25&Label=Caf%C3%A9&Address=Street+1&Body=Caf%C3%A9",
         "{\"type\":\"location\",\"location\":{\"latitude\":52.5,\"longitude\":13.25,\"name\":\"Caf\\u00E9\",\"address\":\"Street 1\"}}"},
        {"whatsapp", WHATSAPP "MessageType=button&Body=Yes&ButtonText=Yes&ButtonPayload=yes-1&OriginalRepliedMessageSid=MM5",
         "{\"type\":\"interactive\",\"native_type\":\"button\",\"text\":\"Yes\",\"reply_to_external_id\":\"MM5\"}"},
        {"whatsapp", WHATSAPP "MessageType=interactive&ListId=b2&ListTitle=Blue", "{\"type\":\"interactive\",\"native_type\":\"list\",\"text\":\"Blue\"}"},
        {"whatsapp", WHATSAPP "MessageType=reaction&Body=%F0%9F%91%8D&OriginalRepliedMessageSid=SM9",
         "{\"type\":\"reaction\",\"reaction\":{\"emoji\":\"\\uD83D\\uDC4D\"},\"reply_to_external_id\":\"SM9\"}"},
        {"whatsapp", WHATSAPP "MessageType=reaction&Body=&OriginalRepliedMessageSid=SM9",
         "{\"type\":\"reaction\",\"reaction\":{\"removed\":true},\"reply_to_external_id\":\"SM9\"}"},
        {"whatsapp", WHATSAPP "MessageType=order&Body=2+things", "{\"type\":\"unknown\",\"native_type\":\"order\",\"text\":\"2 things\"}"},
        {"whatsapp", WHATSAPP "MessageType=tomorrow", "{\"type\":\"unknown\",\"native_type\":\"tomorrow\"}"},
        {"whatsapp", WHATSAPP "Body=Hi&ReferralHeadline=Sale&ReferralBody=50%25&ReferralSourceUrl=https%3A%2F%2Fx",
         "{\"type\":\"text\",\"text\":\"Hi\\n\\n[By way of an advertisement]\\nSale\\n50%\\nhttps://x\"}"},
        {"sms", "CallSid=CA1&From=%2B12125550123&To=%2B12125550100&CallStatus=ringing&Direction=inbound",
         "{\"type\":\"unknown\",\"native_type\":\"telephone call\"}"},
        {"sms", "{\"MessageSid\": \"SM1\", \"From\": \"+12125550123\", \"To\": \"+12125550100\", \"Body\": \"As JSON\", \"NumMedia\": 0, "
                "\"x\": {\"y\": null}}", "{\"type\":\"text\",\"text\":\"As JSON\"}"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *json = shown(rows[i].channel, rows[i].body);
        if (strcmp(json, rows[i].json) != 0)
            fail_msg("%s\n  is  %s\n not  %s", rows[i].body, json, rows[i].json);
    }
}

static void test_parties(void **state)
{
    struct channel_event *event = event_of("whatsapp", WHATSAPP "Body=Hi&DateSent=Fri,+24+May+2019+17:44:50+%2B0000");

    assert_string_equal(event->message->sender.address, "+12125550123");
    assert_string_equal(event->message->sender.name, "Zo\303\253");
    assert_string_equal(((struct ump_party *)event->message->recipients->pdata[0])->address, "+12125550100");
    assert_string_equal(event->key, "SM2");
    assert_string_equal(event->lane, "+12125550123");
    assert_string_equal(event->message->external_id, "SM2");
    assert_int_equal(event->message->occurred_at, G_GINT64_CONSTANT(1558719890000000));
    channel_event_free(event);
    event = event_of("whatsapp", "MessageSid=SM3&To=whatsapp%3A%2B12125550100&ExternalUserId=whatsapp%3AUS.456&Body=Hi");
    assert_string_equal(event->message->sender.address, "US.456");
    channel_event_free(event);
}

/* One word, long, canonical base64 of readable text, and only with media. */
static void test_base64_quirk(void **state)
{
    const char *text = "This is a long text message of more than one part, sent as one.\nSecond line.";
    g_autofree char *encoded = g_base64_encode((const guchar *)text, strlen(text));
    g_autofree char *escaped = g_uri_escape_string(encoded, NULL, FALSE);
    g_autofree char *with = g_strconcat("MessageSid=MM1&From=%2B1&To=%2B2&NumMedia=1&MediaUrl0=u&Body=", escaped, NULL);
    g_autofree char *without = g_strconcat(SMS "Body=", escaped, NULL);
    struct channel_event *event = event_of("sms", with);

    assert_string_equal(event->message->text, text);
    channel_event_free(event);
    event = event_of("sms", without);
    assert_string_equal(event->message->text, encoded);
    channel_event_free(event);
}

static void test_statuses(void **state)
{
    static const struct {
        const char *body, *key, *code;
        enum channel_status status;
    } rows[] = {
        {"MessageSid=SM1&MessageStatus=queued", "SM1:queued", NULL, CHANNEL_STATUS_NONE},
        {"MessageSid=SM1&MessageStatus=accepted", "SM1:accepted", NULL, CHANNEL_STATUS_NONE},
        {"MessageSid=SM1&MessageStatus=sent&SmsStatus=sent", "SM1:sent", NULL, CHANNEL_STATUS_SENT},
        {"MessageSid=SM1&MessageStatus=delivered", "SM1:delivered", NULL, CHANNEL_STATUS_DELIVERED},
        {"MessageSid=SM1&MessageStatus=partially_delivered", "SM1:partially_delivered", NULL, CHANNEL_STATUS_DELIVERED},
        {"MessageSid=SM1&MessageStatus=read&EventType=READ", "SM1:read", NULL, CHANNEL_STATUS_READ},
        {"SmsSid=SM1&SmsStatus=undelivered&ErrorCode=30003", "SM1:undelivered:30003", "30003", CHANNEL_STATUS_FAILED},
        {"MessageSid=SM1&MessageStatus=failed", "SM1:failed", "failed", CHANNEL_STATUS_FAILED},
        {"MessageSid=SM1&MessageStatus=canceled", "SM1:canceled", "canceled", CHANNEL_STATUS_FAILED},
        {"MessageSid=SM1&MessageStatus=tomorrow", "SM1:tomorrow", NULL, CHANNEL_STATUS_NONE},
        {"MessageSid=SM1&MessageStatus=delivered&Price=-0.00750&PriceUnit=USD", "SM1:delivered:price", NULL,
         CHANNEL_STATUS_DELIVERED},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct channel_event *event = event_of("sms", rows[i].body);
        assert_int_equal(event->kind, CHANNEL_EVENT_STATUS);
        assert_int_equal(event->status, rows[i].status);
        assert_string_equal(event->key, rows[i].key);
        assert_string_equal(event->provider_id, "SM1");
        assert_string_equal(event->lane, "SM1");
        if (rows[i].code)
            assert_string_equal(event->error_code, rows[i].code);
        else
            assert_null(event->error_code);
        assert_int_equal(event->cost, strstr(rows[i].body, "Price") ? 7500 : -1);
        channel_event_free(event);
    }
}

static void test_opt_outs(void **state)
{
    static const struct {
        const char *body;
        enum channel_opt opt;
    } rows[] = {
        {SMS "Body=stop", CHANNEL_OPT_STOP}, {SMS "Body=START", CHANNEL_OPT_START}, {SMS "Body=Help!", CHANNEL_OPT_HELP},
        {SMS "Body=stop+it", CHANNEL_OPT_NONE}, {SMS "Body=Basta&OptOutType=STOP", CHANNEL_OPT_STOP},
        {SMS "Body=go&OptOutType=START", CHANNEL_OPT_START}, {SMS "Body=STOP&OptOutType=HELP", CHANNEL_OPT_HELP},
        {WHATSAPP "Body=stop", CHANNEL_OPT_STOP}, {WHATSAPP "Body=stop&Forwarded=true", CHANNEL_OPT_NONE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct channel_event *event = event_of("sms", rows[i].body);
        assert_int_equal(event->opt, rows[i].opt);
        channel_event_free(event);
    }
    struct channel_event *event = event_of("whatsapp", "MessageSid=SM1&MessageStatus=failed&ErrorCode=21610&To=whatsapp%3A%2B12125550123");
    assert_string_equal(event->opt_identifier, "+12125550123");
    assert_true(channel_error_find(channel_find("twilio"), event->error_code)->opted_out);
    channel_event_free(event);
}

/* Kept, acknowledged, nobody to show it from. */
static void test_others(void **state)
{
    static const char *const bodies[] = {
        "Sid=NO1&AccountSid=AC5&Level=ERROR&PayloadType=application%2Fjson&Payload=%7B%7D", "x", "a=b&c", "%", "&&&=", "[]", "{}",
        "[{\"specversion\":\"1.0\",\"type\":\"com.twilio.messaging.message.sent\"}]", "MessageSid=SM1&From=%2B12125550100&Body=x",
        "Body=somebody+said"};

    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        struct channel_event *event = event_of("sms", bodies[i]);
        assert_int_equal(event->kind, CHANNEL_EVENT_OTHER);
        assert_true(g_str_has_prefix(event->key, "sha256:") || strcmp(event->key, "SM1") == 0);
        channel_event_free(event);
    }
}

static void test_refused(void **state)
{
    struct channel_endpoint *endpoint = twilio_endpoint("sms", NULL, NULL);
    g_autofree char *many = g_strnfill(2 * 1002, '&'), *deep = g_strnfill(5000, '['), *wide = g_strnfill(70000, 'x');
    const struct {
        const char *body;
        enum channel_parse want;
    } rows[] = {{"", CHANNEL_MALFORMED}, {"&&", CHANNEL_MALFORMED}, {"{\"a\":1,\"a\":2}", CHANNEL_MALFORMED},
                {many, CHANNEL_OVER_LIMIT}, {deep, CHANNEL_OVER_LIMIT}, {wide, CHANNEL_OVER_LIMIT}};

    for (gsize i = 0; i < 2 * 1002; i += 2)
        many[i] = 'a';
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) events = g_ptr_array_new();
        g_autoptr(GError) error = NULL;
        assert_int_equal(parse(endpoint, rows[i].body, events, &error), rows[i].want);
        assert_non_null(error);
        assert_int_equal(events->len, 0);
    }
    unit_endpoint_free(endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_signature),     cmocka_unit_test(test_doubled_header),
        cmocka_unit_test(test_rotation), cmocka_unit_test(test_messages),      cmocka_unit_test(test_parties),
        cmocka_unit_test(test_base64_quirk), cmocka_unit_test(test_statuses),  cmocka_unit_test(test_opt_outs),
        cmocka_unit_test(test_others),   cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("twilio_webhook", tests, NULL, NULL);
}
