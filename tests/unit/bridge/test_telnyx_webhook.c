/* SPDX-License-Identifier: Apache-2.0 */
/* Telnyx's webhooks: signature, messages, statuses, opt-out words, what is unknown. */
#include <openssl/evp.h>

#include "telnyx_unit.h"

#define NOW 1705349767

/* ---- Signature ---- */

struct signer {
    EVP_PKEY *key;
    char *public_key;
};

static void signer_init(struct signer *signer)
{
    guint8 raw[32];
    size_t length = sizeof raw;

    signer->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_non_null(signer->key);
    assert_int_equal(EVP_PKEY_get_raw_public_key(signer->key, raw, &length), 1);
    signer->public_key = g_base64_encode(raw, sizeof raw);
}

static void signer_clear(struct signer *signer)
{
    EVP_PKEY_free(signer->key);
    g_free(signer->public_key);
}

static char *sign(const struct signer *signer, const char *timestamp, const char *body)
{
    g_autofree char *message = g_strdup_printf("%s|%s", timestamp, body);
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    guint8 signature[64];
    size_t length = sizeof signature;

    assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, signer->key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &length, (const guint8 *)message, strlen(message)), 1);
    return g_base64_encode(signature, length);
}

static struct channel_endpoint *endpoint_with_keys(const char *keys, const char *previous)
{
    g_autofree char *secrets = g_strdup_printf("{\"api_key\": \"K\", \"public_key\": \"%s\", \"public_key_previous\": \"%s\"}",
                                               keys, previous ? previous : "");
    struct channel_endpoint *endpoint = telnyx_endpoint(NULL, secrets);
    g_autoptr(GError) error = NULL;

    endpoint->prepared = endpoint->ops->prepare(endpoint, &error);
    assert_null(error);
    return endpoint;
}

static enum channel_verify verify(const struct channel_endpoint *endpoint, const char *signature, const char *timestamp,
                                  const char *body)
{
    struct channel_header headers[4];
    struct channel_webhook webhook = {.headers = headers, .body = body, .length = strlen(body)};

    headers[webhook.header_count++] = (struct channel_header){"content-type", "application/json"};
    if (signature)
        headers[webhook.header_count++] = (struct channel_header){"telnyx-signature-ed25519", signature};
    if (timestamp)
        headers[webhook.header_count++] = (struct channel_header){"telnyx-timestamp", timestamp};
    return endpoint->ops->verify_webhook(&webhook, endpoint, NOW);
}

static void test_signature(void **state)
{
    struct signer signer, other;
    signer_init(&signer);
    signer_init(&other);
    const char *body = "{\"data\":{}}";
    g_autofree char *good = sign(&signer, "1705349767", body);
    g_autofree char *foreign = sign(&other, "1705349767", body);
    g_autofree char *early = sign(&signer, "1705349467", body), *earlier = sign(&signer, "1705349466", body);
    g_autofree char *late = sign(&signer, "1705350067", body), *later = sign(&signer, "1705350068", body);
    g_autofree char *empty = sign(&signer, "1705349767", "");
    struct channel_endpoint *endpoint = endpoint_with_keys(signer.public_key, NULL);
    struct channel_endpoint *both = endpoint_with_keys(other.public_key, signer.public_key);
    g_autofree char *list = g_strdup_printf("%s, %s", other.public_key, signer.public_key);
    struct channel_endpoint *listed = endpoint_with_keys(list, NULL);

    assert_int_equal(verify(endpoint, good, "1705349767", body), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, empty, "1705349767", ""), CHANNEL_VERIFIED);
    assert_int_equal(verify(both, good, "1705349767", body), CHANNEL_VERIFIED);
    assert_int_equal(verify(both, foreign, "1705349767", body), CHANNEL_VERIFIED);
    assert_int_equal(verify(listed, good, "1705349767", body), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, foreign, "1705349767", body), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, good, "1705349766", body), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, good, "1705349767", "{\"data\":{} }"), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, good, "01705349767", body), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, early, "1705349467", body), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, earlier, "1705349466", body), CHANNEL_TOO_OLD);
    assert_int_equal(verify(endpoint, late, "1705350067", body), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, later, "1705350068", body), CHANNEL_TOO_OLD);

    static const char *const bad_times[] = {"", "-1705349767", "+1705349767", " 1705349767", "1705349767 ", "1705349767.0",
                                            "170534976x", "1705349767000000", NULL};
    for (const char *const *time = bad_times; *time; time++)
        assert_int_equal(verify(endpoint, good, *time, body), CHANNEL_NO_SIGNATURE);
    g_autofree char *cut = g_strndup(good, strlen(good) - 4), *spaced = g_strdup_printf(" %s", good);
    g_autofree char *twice = g_strdup_printf("%s,%s", good, good), *unpadded = g_strndup(good, strlen(good) - 2);
    g_autofree char *zero = g_strnfill(88, 'A');
    const char *bad[] = {NULL, "", cut, spaced, twice, unpadded, zero, "ed25519=AAAA", "\xff\xfe"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(verify(endpoint, bad[i], "1705349767", body), CHANNEL_NO_SIGNATURE);
    memcpy(zero + 86, "==", 2);
    assert_int_equal(verify(endpoint, zero, "1705349767", body), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, good, NULL, body), CHANNEL_NO_SIGNATURE);
    for (guint bit = 0; bit < 86; bit++) {
        g_autofree char *flipped = g_strdup(good);
        flipped[bit] = flipped[bit] == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify(endpoint, flipped, "1705349767", body), CHANNEL_VERIFIED);
    }
    telnyx_endpoint_free(endpoint);
    telnyx_endpoint_free(both);
    telnyx_endpoint_free(listed);
    signer_clear(&signer);
    signer_clear(&other);
}

/* What Telnyx's own SDK says of signatures, good and bad (tests/contract/make_vectors.js). */
static void test_vectors(void **state)
{
    gsize length;
    g_autofree char *text = telnyx_example("signatures", &length);
    g_autoptr(json_t) root = json_loads(text, 0, NULL);
    const json_t *list = json_object_get(root, "vectors"), *vector;
    size_t i, good = 0;

    json_array_foreach(list, i, vector) {
        struct channel_endpoint *endpoint = endpoint_with_keys(json_string_value(json_object_get(vector, "key")), NULL);
        const char *body = json_string_value(json_object_get(vector, "body")), *name;
        bool valid = json_is_true(json_object_get(vector, "valid"));
        struct channel_header headers[4];
        struct channel_webhook webhook = {.headers = headers, .body = body, .length = strlen(body)};
        json_t *value;

        json_object_foreach(json_object_get(vector, "headers"), name, value)
            headers[webhook.header_count++] = (struct channel_header){name, json_string_value(value)};
        enum channel_verify verdict =
            endpoint->ops->verify_webhook(&webhook, endpoint, json_integer_value(json_object_get(vector, "now")));
        good += valid;
        if ((verdict == CHANNEL_VERIFIED) != valid)
            fail_msg("%s: %s", json_string_value(json_object_get(vector, "name")), channel_verify_text(verdict));
        telnyx_endpoint_free(endpoint);
    }
    assert_true(i >= 250 && good >= 40);
}

static void test_doubled_header(void **state)
{
    struct signer signer;
    signer_init(&signer);
    struct channel_endpoint *endpoint = endpoint_with_keys(signer.public_key, NULL);
    g_autofree char *good = sign(&signer, "1705349767", "{}");
    struct channel_header headers[] = {
        {"telnyx-signature-ed25519", good}, {"telnyx-timestamp", "1705349767"}, {"telnyx-signature-ed25519", good}};
    struct channel_webhook webhook = {.headers = headers, .header_count = 3, .body = "{}", .length = 2};

    assert_int_equal(telnyx_verify_webhook(&webhook, endpoint, NOW), CHANNEL_NO_SIGNATURE);
    webhook.header_count = 2;
    assert_int_equal(telnyx_verify_webhook(&webhook, endpoint, NOW), CHANNEL_VERIFIED);
    telnyx_endpoint_free(endpoint);
    signer_clear(&signer);
}

static void test_bad_keys(void **state)
{
    static const char *const keys[] = {"", "x", "AAAA", "KEY0123456789", "MCowBQYDK2VwAyEA", NULL};

    for (const char *const *key = keys; *key; key++) {
        g_autofree char *secrets = g_strdup_printf("{\"api_key\": \"K\", \"public_key\": \"%s\"}", *key);
        struct channel_endpoint *endpoint = telnyx_endpoint(NULL, secrets);
        g_autoptr(GError) error = NULL;
        assert_null(endpoint->ops->prepare(endpoint, &error));
        assert_non_null(error);
        assert_int_equal(verify(endpoint, "x", "1", "{}"), CHANNEL_UNVERIFIABLE);
        telnyx_endpoint_free(endpoint);
    }
}

/* ---- Events ---- */

static GPtrArray *parse_text(const char *body, const char *content_type, enum channel_parse want)
{
    GPtrArray *events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    struct channel_webhook webhook = {.content_type = content_type, .body = body, .length = strlen(body)};
    struct channel_endpoint *endpoint = telnyx_endpoint(NULL, NULL);
    g_autoptr(GError) error = NULL;

    assert_int_equal(telnyx_parse_webhook(&webhook, endpoint, events, &error), want);
    if (want != CHANNEL_PARSED)
        assert_non_null(error);
    telnyx_endpoint_free(endpoint);
    return events;
}

static GPtrArray *parse_example(const char *name)
{
    gsize length;
    g_autofree char *body = telnyx_example(name, &length);

    return parse_text(body, NULL, CHANNEL_PARSED);
}

static const char *recipient(const struct channel_event *event, guint i)
{
    return ((struct ump_party *)event->message->recipients->pdata[i])->address;
}

static void test_received_sms(void **state)
{
    g_autoptr(GPtrArray) events = parse_example("received_sms");
    const struct channel_event *event = events->pdata[0];

    assert_int_equal(events->len, 1);
    assert_int_equal(event->kind, CHANNEL_EVENT_MESSAGE);
    assert_string_equal(event->key, "b301ed3f-1490-491f-995f-6e64e69674d4");
    assert_string_equal(event->lane, "+13125550001");
    assert_string_equal(event->note, "message.received");
    assert_int_equal(event->opt, CHANNEL_OPT_NONE);
    assert_string_equal(event->message->text, "Hello from Telnyx!");
    assert_string_equal(event->message->sender.address, "+13125550001");
    assert_string_equal(event->message->external_id, "84cca175-9755-4859-b67f-4730d7f58aa3");
    assert_string_equal(event->message->channel, "sms");
    assert_string_equal(event->message->provider, "telnyx");
    assert_int_equal(event->message->type, UMP_MESSAGE_TEXT);
    assert_int_equal(event->message->direction, UMP_INBOUND);
    assert_true(event->message->occurred_at == 1705349767503000);
    assert_int_equal(event->message->recipients->len, 1);
    assert_string_equal(recipient(event, 0), "+17735550002");
    assert_null(event->message->subject);
    assert_null(event->message->group.id);
}

static void test_received_openapi(void **state)
{
    g_autoptr(GPtrArray) events = parse_example("received_openapi");
    const struct channel_event *event = events->pdata[0];

    assert_int_equal(event->kind, CHANNEL_EVENT_MESSAGE);
    assert_string_equal(event->message->subject, "From Telnyx!");
    assert_string_equal(event->message->sender.address, "+18665550001");
    assert_true(event->message->occurred_at == 1548267002574000);
}

static void test_received_mms(void **state)
{
    g_autoptr(GPtrArray) events = parse_example("received_mms");
    const struct channel_event *event = events->pdata[0];
    const struct ump_media *media;

    assert_int_equal(event->message->type, UMP_MESSAGE_MEDIA);
    assert_null(event->message->text);
    assert_string_equal(event->message->subject, "Two pictures");
    assert_int_equal(event->message->media->len, 3);
    media = event->message->media->pdata[0];
    assert_string_equal(media->url, "https://media.telnyx.com/example-image.png");
    assert_string_equal(media->type, "image/png");
    assert_string_equal(media->sha256, "ab1c2d3e4f00112233445566778899aabbccddeeff00112233445566778899aa");
    assert_true(media->size == 102400);
    media = event->message->media->pdata[1];
    assert_null(media->sha256);
    assert_null(media->type);
    assert_true(media->size == 2048);
    media = event->message->media->pdata[2];
    assert_null(media->url);
    assert_non_null(media->error);
}

static void test_received_group(void **state)
{
    static const char *const names[] = {"received_group_objects", "received_group_strings", NULL};

    for (const char *const *name = names; *name; name++) {
        g_autoptr(GPtrArray) events = parse_example(*name);
        const struct channel_event *event = events->pdata[0];
        assert_int_equal(event->message->recipients->len, 3);
        assert_string_equal(recipient(event, 0), "+17735550002");
        assert_string_equal(recipient(event, 1), "+13125550003");
        assert_string_equal(recipient(event, 2), "+13125550004");
        assert_null(event->message->group.id);
    }
}

static void test_received_other(void **state)
{
    g_autoptr(GPtrArray) rcs = parse_example("received_rcs"), unknown = parse_example("unknown_kind");
    g_autoptr(GPtrArray) other = parse_example("other_event"), empty = parse_example("empty_payload");
    const struct channel_event *event = rcs->pdata[0];

    assert_int_equal(event->message->type, UMP_MESSAGE_MEDIA);
    assert_string_equal(((struct ump_media *)event->message->media->pdata[0])->name, "a.jpg");
    event = unknown->pdata[0];
    assert_int_equal(event->kind, CHANNEL_EVENT_MESSAGE);
    assert_int_equal(event->message->type, UMP_MESSAGE_UNKNOWN);
    assert_string_equal(event->message->native_type, "HOLOGRAM");
    assert_string_equal(recipient(event, 0), "+17735550002");
    event = other->pdata[0];
    assert_int_equal(event->kind, CHANNEL_EVENT_OTHER);
    assert_string_equal(event->note, "whatsapp.template.updated");
    event = empty->pdata[0]; /* a payload without a sender */
    assert_int_equal(event->kind, CHANNEL_EVENT_OTHER);
    assert_string_equal(event->key, "unique-event-id");
}

static void test_status(void **state)
{
    g_autoptr(GPtrArray) sent = parse_example("sent"), final = parse_example("finalized");
    g_autoptr(GPtrArray) failed = parse_example("finalized_failed"), queued = parse_example("sent_openapi");
    const struct channel_event *event = sent->pdata[0];

    assert_int_equal(sent->len, 1);
    assert_int_equal(event->kind, CHANNEL_EVENT_STATUS);
    assert_int_equal(event->status, CHANNEL_STATUS_SENT);
    assert_string_equal(event->provider_id, "ac012cbf-5e09-46af-a69a-7c0e2d90993c");
    assert_string_equal(event->lane, event->provider_id);
    assert_null(event->recipient);
    assert_true(event->at == 1705354333596000);
    assert_true(event->segments == 1);
    assert_true(event->cost == 5100);
    assert_string_equal(event->currency, "USD");
    event = final->pdata[0];
    assert_int_equal(event->status, CHANNEL_STATUS_DELIVERED);
    assert_null(event->error_code);
    event = failed->pdata[0];
    assert_int_equal(event->status, CHANNEL_STATUS_FAILED);
    assert_string_equal(event->error_code, "40001");
    assert_string_equal(event->error_text, "Not routable");
    assert_true(event->cost == -1);
    event = queued->pdata[0];
    assert_int_equal(event->status, CHANNEL_STATUS_NONE);
}

static void test_group_status(void **state)
{
    g_autoptr(GPtrArray) events = parse_example("finalized_group");
    const struct channel_event *event = events->pdata[0];

    assert_int_equal(events->len, 1); /* the other shows "unknown" */
    assert_string_equal(event->recipient, "+13125550003");
    assert_string_equal(event->provider_id, "11f6dc8e-2b9f-4f0d-9a70-06c1a2f8c0aa");
    assert_string_equal(event->key, "6f0f0b1e-33a7-45a8-a5ac-0c5b4d9f8a77:+13125550003");
    assert_int_equal(event->status, CHANNEL_STATUS_FAILED);
    assert_string_equal(event->error_code, "40012");
    assert_true(event->cost == 15000);
    assert_true(event->segments == 1);
}

static void test_status_words(void **state)
{
    static const struct {
        const char *word;
        enum channel_status status;
    } words[] = {
        {"queued", CHANNEL_STATUS_NONE},
        {"sending", CHANNEL_STATUS_NONE},
        {"sent", CHANNEL_STATUS_SENT},
        {"delivered", CHANNEL_STATUS_DELIVERED},
        {"sending_failed", CHANNEL_STATUS_FAILED},
        {"delivery_failed", CHANNEL_STATUS_FAILED},
        {"delivery_unconfirmed", CHANNEL_STATUS_SENT},
        {"expired", CHANNEL_STATUS_FAILED},
        {"read", CHANNEL_STATUS_READ},
        {"teleported", CHANNEL_STATUS_NONE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *body = g_strdup_printf("{\"data\": {\"event_type\": \"message.finalized\", \"id\": \"e\", \"payload\": "
                                                "{\"id\": \"m\", \"to\": [{\"phone_number\": \"+1\", \"status\": \"%s\"}]}}}",
                                                words[i].word);
        g_autoptr(GPtrArray) events = parse_text(body, NULL, CHANNEL_PARSED);
        const struct channel_event *event = events->pdata[0];
        assert_int_equal(event->status, words[i].status);
        if (event->status == CHANNEL_STATUS_FAILED)
            assert_string_equal(event->error_code, words[i].word);
    }
}

static void test_opt_words(void **state)
{
    static const struct {
        const char *text;
        enum channel_opt opt;
    } words[] = {
        {"STOP", CHANNEL_OPT_STOP},        {"stop", CHANNEL_OPT_STOP},         {"  Stop. ", CHANNEL_OPT_STOP},
        {"STOP!!!", CHANNEL_OPT_STOP},     {"stop \xf0\x9f\x9b\x91", CHANNEL_OPT_STOP}, {"Stop all", CHANNEL_OPT_STOP},
        {"STOPALL", CHANNEL_OPT_STOP},     {"unsubscribe", CHANNEL_OPT_STOP},  {"Cancel", CHANNEL_OPT_STOP},
        {"END", CHANNEL_OPT_STOP},         {"quit", CHANNEL_OPT_STOP},         {"revoke", CHANNEL_OPT_STOP},
        {"opt out", CHANNEL_OPT_STOP},     {"Opt-Out", CHANNEL_OPT_STOP},      {"OPTOUT", CHANNEL_OPT_STOP},
        {"\"STOP\"", CHANNEL_OPT_STOP},    {"stop\n", CHANNEL_OPT_STOP},       {"START", CHANNEL_OPT_START},
        {"unstop", CHANNEL_OPT_START},     {"Help", CHANNEL_OPT_HELP},         {"info", CHANNEL_OPT_HELP},
        {"", CHANNEL_OPT_NONE},            {"stop it", CHANNEL_OPT_NONE},      {"bus stop", CHANNEL_OPT_NONE},
        {"don't stop", CHANNEL_OPT_NONE},  {"stop 2", CHANNEL_OPT_NONE},       {"2 STOP", CHANNEL_OPT_NONE},
        {"the end", CHANNEL_OPT_NONE},     {"stopp", CHANNEL_OPT_NONE},        {"stöp", CHANNEL_OPT_NONE},
        {"STOP STOP", CHANNEL_OPT_NONE},   {"\xff\xfe", CHANNEL_OPT_NONE},     {"...", CHANNEL_OPT_NONE},
        {"стоп STOP", CHANNEL_OPT_NONE},
        {"stop please", CHANNEL_OPT_STOP}, {"Please stop!", CHANNEL_OPT_STOP}, {"pls STOP. thank you", CHANNEL_OPT_STOP},
        {"STOP, thanks \xf0\x9f\x99\x8f", CHANNEL_OPT_STOP}, {"Please unsubscribe", CHANNEL_OPT_STOP},
        {"please opt-out", CHANNEL_OPT_STOP}, {"stop please, thanks", CHANNEL_OPT_STOP}, {" \t\nsToP\r\n ", CHANNEL_OPT_STOP}, {"\xc2\xa0STOP\xc2\xa0", CHANNEL_OPT_STOP},
        {"\xef\xbc\xb3\xef\xbc\xb4\xef\xbc\xaf\xef\xbc\xb0", CHANNEL_OPT_STOP}, /* fullwidth */
        {"STOP\xef\xb8\x8f", CHANNEL_OPT_STOP}, {"please", CHANNEL_OPT_NONE}, {"please please", CHANNEL_OPT_NONE},
        {"please cancel", CHANNEL_OPT_NONE}, {"cancel please", CHANNEL_OPT_NONE}, {"please help", CHANNEL_OPT_NONE},
        {"please stop by at noon", CHANNEL_OPT_NONE}, {"stopplease", CHANNEL_OPT_NONE}, {"thank you", CHANNEL_OPT_NONE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (channel_opt_keyword(NULL, words[i].text) != words[i].opt)
            fail_msg("\"%s\" is read as %d", words[i].text, channel_opt_keyword(NULL, words[i].text));
    assert_int_equal(channel_opt_keyword(NULL, NULL), CHANNEL_OPT_NONE);
    g_autofree char *endless = g_strnfill(100000, 's');
    assert_int_equal(channel_opt_keyword(NULL, endless), CHANNEL_OPT_NONE);
}

/* In the languages of the countries that the endpoint writes to, and of no others. */
static void test_opt_words_of_countries(void **state)
{
    static const struct {
        const char *address, *countries, *text;
        enum channel_opt opt;
    } words[] = {
        {"+15145550123", NULL, "ARRÊT", CHANNEL_OPT_STOP},      {"+15145550123", NULL, "arret!", CHANNEL_OPT_STOP},
        {"+15145550123", NULL, "Aide", CHANNEL_OPT_HELP},       {"+12125550123", NULL, "arret", CHANNEL_OPT_NONE},
        {"+12125550123", NULL, "Alto", CHANNEL_OPT_STOP},       {"+4930123456", NULL, "Stopp", CHANNEL_OPT_STOP},
        {"+4930123456", NULL, "ABMELDEN.", CHANNEL_OPT_STOP},   {"+4930123456", NULL, "Anmelden", CHANNEL_OPT_START},
        {"+4930123456", NULL, "Hilfe", CHANNEL_OPT_HELP},       {"+4930123456", NULL, "arret", CHANNEL_OPT_NONE},
        {"+4930123456", "DE,FR", "arrêt", CHANNEL_OPT_STOP},    {"+4930123456", "*", "ДУР", CHANNEL_OPT_NONE},
        {"+4930123456", "*", "стоп", CHANNEL_OPT_STOP},         {"+79161234567", NULL, "Отписаться", CHANNEL_OPT_STOP},
        {"+905321234567", NULL, "İPTAL ET", CHANNEL_OPT_STOP},  {"+905321234567", NULL, "yardim", CHANNEL_OPT_HELP},
        {"+819012345678", NULL, "停止", CHANNEL_OPT_STOP},      {"+8613800138000", NULL, "退订", CHANNEL_OPT_STOP},
        {"+972501234567", NULL, "הסר", CHANNEL_OPT_STOP},       {"+919876543210", NULL, "रोकें", CHANNEL_OPT_STOP},
        {"+4930123456", NULL, "bitte stopp den Bus", CHANNEL_OPT_NONE}, {"+4930123456", NULL, "STOP", CHANNEL_OPT_STOP},
        {"+302101234567", NULL, "Διακοπή", CHANNEL_OPT_STOP},   {"+302101234567", NULL, "ΔΙΑΚΟΠΗ", CHANNEL_OPT_STOP},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autoptr(json_t) settings = json_object();
        if (words[i].countries) {
            g_auto(GStrv) names = g_strsplit(words[i].countries, ",", -1);
            json_object_set_new(settings, "countries", json_array());
            for (char **name = names; *name; name++)
                json_array_append_new(json_object_get(settings, "countries"), json_string(*name));
        }
        const struct channel_endpoint endpoint = {.address = (char *)words[i].address, .region = (char *)"US", .settings = settings};
        if (channel_opt_keyword(&endpoint, words[i].text) != words[i].opt)
            fail_msg("\"%s\" to %s is read as %d", words[i].text, words[i].address, channel_opt_keyword(&endpoint, words[i].text));
    }
}

static void test_autoresponse(void **state)
{
    g_autoptr(GPtrArray) stop = parse_example("received_stop");
    const struct channel_event *event = stop->pdata[0];

    assert_int_equal(event->opt, CHANNEL_OPT_STOP);
    assert_true(g_str_has_prefix(event->key, "sha256:")); /* the example has no id */
    assert_string_equal(event->message->sender.address, "+15559876543");

    static const struct {
        const char *type, *text;
        enum channel_opt opt;
    } cases[] = {
        {"\"STOP\"", "arrêter", CHANNEL_OPT_STOP}, {"\"START\"", "oui", CHANNEL_OPT_START},
        {"\"HELP\"", "aide", CHANNEL_OPT_HELP},    {"null", "STOP", CHANNEL_OPT_STOP},
        {"\"OTHER\"", "hello", CHANNEL_OPT_NONE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strdup_printf("{\"data\": {\"event_type\": \"message.received\", \"id\": \"e\", \"payload\": "
                                                "{\"from\": \"+13125550001\", \"autoresponse_type\": %s, \"text\": \"%s\"}}}",
                                                cases[i].type, cases[i].text);
        g_autoptr(GPtrArray) events = parse_text(body, NULL, CHANNEL_PARSED);
        assert_int_equal(((struct channel_event *)events->pdata[0])->opt, cases[i].opt);
    }
}

static void test_refused(void **state)
{
    gsize length;
    g_autofree char *version1 = telnyx_example("version1", &length);
    g_autofree char *deep = g_strnfill(5000, '[');
    g_autoptr(GPtrArray) a = parse_text(version1, NULL, CHANNEL_MALFORMED);
    g_autoptr(GPtrArray) b = parse_text("MessageSid=SM1&AccountSid=AC1&Body=Hi", NULL, CHANNEL_MALFORMED);
    g_autoptr(GPtrArray) c = parse_text("Body=Hi", "application/x-www-form-urlencoded; charset=utf-8", CHANNEL_MALFORMED);
    g_autoptr(GPtrArray) d = parse_text("", NULL, CHANNEL_MALFORMED);
    g_autoptr(GPtrArray) e = parse_text("[]", NULL, CHANNEL_MALFORMED);
    g_autoptr(GPtrArray) f = parse_text("{\"data\": {}, \"data\": {}}", NULL, CHANNEL_MALFORMED);
    g_autoptr(GPtrArray) g = parse_text(deep, NULL, CHANNEL_OVER_LIMIT);

    assert_int_equal(a->len + b->len + c->len + d->len + e->len + f->len + g->len, 0);
}

/* Whatever JSON comes, it is stored: nothing is refused for a type that it does not have. */
static void test_odd_json(void **state)
{
    static const char *const bodies[] = {
        "{}",
        "{\"data\": null}",
        "{\"data\": []}",
        "{\"data\": \"x\"}",
        "{\"data\": {\"event_type\": 5, \"id\": 7, \"payload\": {}}}",
        "{\"data\": {\"event_type\": \"message.received\", \"payload\": {\"from\": null, \"to\": null, \"cc\": 3}}}",
        "{\"data\": {\"event_type\": \"message.received\", \"payload\": {\"from\": [], \"media\": {}}}}",
        "{\"data\": {\"event_type\": \"message.finalized\", \"payload\": {\"to\": null, \"errors\": null, \"cost\": 3}}}",
        "{\"data\": {\"event_type\": \"message.finalized\", \"payload\": {\"to\": [null, 3, []], \"errors\": [null, 1]}}}",
        "{\"data\": {\"event_type\": \"message.sent\", \"payload\": {\"to\": \"+13125550001\", \"parts\": \"many\"}}}",
        "{\"data\": {\"event_type\": \"message.finalized\", \"payload\": {\"cost\": {\"amount\": \"1e9\", \"currency\": 5}}}}",
        "{\"data\": {\"event_type\": \"message.received\", \"payload\": {\"from\": {\"phone_number\": 40404}, \"text\": 5}}}",
        NULL,
    };
    for (const char *const *body = bodies; *body; body++) {
        g_autoptr(GPtrArray) events = parse_text(*body, "application/json", CHANNEL_PARSED);
        assert_true(events->len >= 1);
        for (guint i = 0; i < events->len; i++) {
            const struct channel_event *event = events->pdata[i];
            assert_non_null(event->key);
            assert_non_null(event->lane);
            assert_true((event->kind == CHANNEL_EVENT_MESSAGE) == (event->message != NULL));
        }
    }
}

static void test_amounts(void **state)
{
    static const struct {
        const char *amount;
        gint64 value;
    } cases[] = {
        {"\"0.0051\"", 5100},  {"\"0\"", 0},          {"\"12\"", 12000000},  {"\"0.00000051\"", 0}, {"\"1.5\"", 1500000},
        {"0.0051", 5100},      {"\"\"", -1},          {"\"-1\"", -1},        {"\"1.2.3\"", -1},     {"\"NaN\"", -1},
        {"\"999999999999999999999\"", -1}, {"null", -1}, {"-3", -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("{\"cost\": {\"amount\": %s, \"currency\": \"USD\"}}", cases[i].amount);
        g_autoptr(json_t) object = json_loads(text, 0, NULL);
        g_autofree char *currency = NULL;
        assert_true(telnyx_json_cost(object, "cost", &currency) == cases[i].value);
        assert_true((currency != NULL) == (cases[i].value >= 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature),      cmocka_unit_test(test_vectors),        cmocka_unit_test(test_doubled_header),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_received_sms),   cmocka_unit_test(test_received_openapi), cmocka_unit_test(test_received_mms),
        cmocka_unit_test(test_received_group), cmocka_unit_test(test_received_other), cmocka_unit_test(test_status),
        cmocka_unit_test(test_group_status),   cmocka_unit_test(test_status_words),   cmocka_unit_test(test_opt_words),
        cmocka_unit_test(test_opt_words_of_countries),
        cmocka_unit_test(test_autoresponse),   cmocka_unit_test(test_refused),        cmocka_unit_test(test_odd_json),
        cmocka_unit_test(test_amounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
