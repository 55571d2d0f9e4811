/* SPDX-License-Identifier: Apache-2.0 */
/* WhatsApp's webhooks: signature, the provider's examples, kinds, statuses, several numbers, odd values. */
#include "whatsapp_unit.h"

#include "core/clock.h"

/* ---- Keys ---- */

static enum channel_verify verify(const struct channel_endpoint *endpoint, const char *body, const char *signature)
{
    const struct channel_header header = {"x-hub-signature-256", signature};
    struct channel_webhook webhook = {.headers = &header, .header_count = signature ? 1 : 0, .body = body, .length = strlen(body)};

    return endpoint->ops->verify_webhook(&webhook, endpoint, 0);
}

static char *sign(const char *secret, const char *body)
{
    g_autofree char *hex = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)secret, strlen(secret), body, -1);

    return g_strconcat("sha256=", hex, NULL);
}

static void test_signature(void **state)
{
    struct channel_endpoint *endpoint = unit_endpoint("whatsapp_cloud", "whatsapp", WHATSAPP_NUMBER, NULL,
                                                      "{\"app_secret\": \"s3cret other\", \"app_secret_previous\": \"old\"}");
    static const char *const secrets[] = {"s3cret", "other", "old"};
    const char *body = "{\"a\":\"\\u00fc\"}";
    g_autofree char *good = sign("s3cret", body), *upper = g_ascii_strup(good, -1), *longer = g_strconcat(good, "0", NULL);
    g_autofree char *wrong = sign("wrong", body), *odd = g_strconcat("sha1=", good + 7, NULL);

    assert_int_equal(verify(endpoint, body, good), CHANNEL_UNVERIFIABLE);
    endpoint->prepared = endpoint->ops->prepare(endpoint, NULL);
    assert_non_null(endpoint->prepared);
    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++) {
        g_autofree char *signature = sign(secrets[i], body);
        assert_int_equal(verify(endpoint, body, signature), CHANNEL_VERIFIED);
    }
    assert_int_equal(verify(endpoint, body, wrong), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verify(endpoint, "{\"a\":\"ü\"}", good), CHANNEL_BAD_SIGNATURE); /* the same JSON, other bytes */
    assert_int_equal(verify(endpoint, body, NULL), CHANNEL_NO_SIGNATURE);
    assert_int_equal(verify(endpoint, body, longer), CHANNEL_NO_SIGNATURE);
    assert_int_equal(verify(endpoint, body, odd), CHANNEL_NO_SIGNATURE);
    assert_int_equal(verify(endpoint, body, upper), CHANNEL_NO_SIGNATURE);
    assert_int_equal(verify(endpoint, body, ""), CHANNEL_NO_SIGNATURE);
    unit_endpoint_free(endpoint);
}

/* RFC 4231, test case 2: what Meta's HMAC is, by somebody else's word. */
static void test_published_vector(void **state)
{
    struct channel_endpoint *endpoint = unit_endpoint("whatsapp_cloud", "whatsapp", WHATSAPP_NUMBER, NULL,
                                                      "{\"app_secret\": \"Jefe\"}");

    endpoint->prepared = endpoint->ops->prepare(endpoint, NULL);
    assert_int_equal(verify(endpoint, "what do ya want for nothing?",
                            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), CHANNEL_VERIFIED);
    assert_int_equal(verify(endpoint, "what do ya want for nothing!",
                            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), CHANNEL_BAD_SIGNATURE);
    unit_endpoint_free(endpoint);
}

static void test_challenge(void **state)
{
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);
    const struct {
        const char *mode, *token, *challenge;
        enum channel_verify verdict;
    } cases[] = {
        {"subscribe", "say friend", "1158201444", CHANNEL_VERIFIED},
        {"subscribe", "say friend", "ab_c-1.2", CHANNEL_VERIFIED},
        {"subscribe", "say friends", "1158201444", CHANNEL_BAD_SIGNATURE},
        {"subscribe", "", "1158201444", CHANNEL_BAD_SIGNATURE},
        {"unsubscribe", "say friend", "1158201444", CHANNEL_NO_SIGNATURE},
        {"subscribe", "say friend", "<script>", CHANNEL_NO_SIGNATURE},
        {"subscribe", "say friend", "", CHANNEL_NO_SIGNATURE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct channel_header query[] = {{"hub.mode", cases[i].mode}, {"hub.verify_token", cases[i].token},
                                               {"hub.challenge", cases[i].challenge}, {"hub.challenge", "2"}};
        g_autofree char *answer = NULL, *twice = NULL;
        assert_int_equal(endpoint->ops->verify_challenge(query, 3, endpoint, &answer), cases[i].verdict);
        assert_string_equal(answer ? answer : "", cases[i].verdict == CHANNEL_VERIFIED ? cases[i].challenge : "");
        assert_int_not_equal(endpoint->ops->verify_challenge(query, 4, endpoint, &twice), CHANNEL_VERIFIED);
    }
    unit_endpoint_free(endpoint);
}

/* ---- Parsing ---- */

static GPtrArray *parse_for(const struct channel_endpoint *endpoint, const char *body, gsize length)
{
    GPtrArray *events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    struct channel_webhook webhook = {.body = body, .length = length};
    g_autoptr(GError) error = NULL;

    if (endpoint->ops->parse_webhook(&webhook, endpoint, events, &error) != CHANNEL_PARSED)
        fail_msg("%s: %s", error ? error->message : "not parsed", body);
    return events;
}

static GPtrArray *parse(const char *body)
{
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);
    GPtrArray *events = parse_for(endpoint, body, strlen(body));

    unit_endpoint_free(endpoint);
    return events;
}

/* A body with one value; inner: what stands in it beside the metadata. */
static char *body_of(const char *field, const char *inner)
{
    return g_strdup_printf("{\"object\": \"whatsapp_business_account\", \"entry\": [{\"id\": \"1\", \"changes\": [{\"value\": "
                           "{\"messaging_product\": \"whatsapp\", \"metadata\": {\"display_phone_number\": \"15550783881\", "
                           "\"phone_number_id\": \"106540352242922\"}, %s}, \"field\": \"%s\"}]}]}", inner, field);
}

static struct channel_event *one(GPtrArray *events)
{
    assert_int_equal(events->len, 1);
    return events->pdata[0];
}

/* Which files are webhooks, and what they are. */
static const struct {
    const char *file;
    enum channel_event_kind kind;
    enum ump_message_type type;
    const char *text;
} examples[] = {
    {"webhook_Text_Message.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_TEXT, "Does it come in another color?"},
    {"webhook_Image_Message.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_MEDIA, "Taj Mahal"},
    {"webhook_Location_Message.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_LOCATION, "https://philzcoffee.com/"},
    {"webhook_Contact_Sharing_Message.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_CONTACT, NULL},
    {"webhook_Interactive_Button_Reply_Message.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_INTERACTIVE, "Cancel"},
    {"webhook_Reaction_Message.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_REACTION, NULL},
    {"webhook_System_Message.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_GROUP_EVENT,
     "User Sheena Nelson changed from 16505551234 to 12195555358"},
    {"webhook_Unsupported_Message.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_UNKNOWN,
     "Message type unknown: Message type is currently not supported."},
    {"smb_message_echoes_text.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_TEXT,
     "Here's the info you requested! https://www.meta.com/quest/quest-3/"},
    {"status_failed_131047.json", CHANNEL_EVENT_STATUS, UMP_MESSAGE_UNKNOWN, NULL},
    {"user_actions_link_click.json", CHANNEL_EVENT_MESSAGE, UMP_MESSAGE_GROUP_EVENT,
     "Somebody followed the button of a marketing message (product sku_id).\nClick: click_id"},
};
static const char *const no_webhooks[] = {"api_error_400_131047.json", NULL};

static void test_examples(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autofree char *name = g_build_filename("examples", examples[i].file, NULL);
        gsize length;
        g_autofree char *text = whatsapp_spec(name, &length);
        if (!text) {
            print_message("../shared/specs/whatsapp is not at hand\n");
            skip();
        }
        /* the numbers in them are of several accounts */
        struct channel_endpoint *endpoint = whatsapp_endpoint("{}");
        g_autoptr(GPtrArray) events = parse_for(endpoint, text, length);
        const struct channel_event *event = one(events);
        assert_int_equal(event->kind, examples[i].kind);
        assert_non_null(event->key);
        assert_non_null(event->lane);
        if (event->message) {
            const struct ump_party *who = event->message->direction == UMP_INBOUND ? &event->message->sender
                                                                                : event->message->recipients->pdata[0];
            assert_int_equal(event->message->type, examples[i].type);
            assert_string_equal(event->message->text ? event->message->text : "", examples[i].text ? examples[i].text : "");
            assert_string_equal(who->address, strstr(examples[i].file, "user_actions") ? "WhatsApp" : "+16505551234");
            assert_true(event->message->occurred_at > 1700000000 * CLOCK_SECOND);
        }
        unit_endpoint_free(endpoint);
    }
}

static void test_every_example_is_listed(void **state)
{
    g_autofree char *path = g_build_filename(g_getenv("UMP_SOURCE_DIR"), "..", "shared", "specs", "whatsapp", "examples", NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;

    if (!directory) {
        print_message("../shared/specs/whatsapp is not at hand\n");
        skip();
    }
    while ((name = g_dir_read_name(directory)) != NULL) {
        bool listed = g_strv_contains(no_webhooks, name);
        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
            listed = listed || strcmp(examples[i].file, name) == 0;
        if (!listed)
            fail_msg("%s is in no list", name);
    }
}

/* ---- Kinds ---- */

static struct ump_message *message_of(const char *inner)
{
    g_autofree char *list = g_strdup_printf("\"contacts\": [{\"profile\": {\"name\": \"Bob\"}, \"wa_id\": \"16505551234\"}], "
                                            "\"messages\": [{\"from\": \"16505551234\", \"id\": \"wamid.1\", "
                                            "\"timestamp\": \"1750000000\", %s}]", inner);
    g_autofree char *body = body_of("messages", list);
    g_autoptr(GPtrArray) events = parse(body);

    return g_steal_pointer(&one(events)->message);
}

static void test_texts(void **state)
{
    static const struct {
        const char *inner, *text, *native;
        enum ump_message_type type;
    } cases[] = {
        {"\"type\": \"text\", \"text\": {\"body\": \"hi\"}, \"context\": {\"forwarded\": true}", "[Forwarded]\nhi", NULL, UMP_MESSAGE_TEXT},
        {"\"type\": \"text\", \"text\": {\"body\": \"hi\"}, \"context\": {\"frequently_forwarded\": true}",
         "[Forwarded many times]\nhi", NULL, UMP_MESSAGE_TEXT},
        {"\"type\": \"text\", \"text\": {\"body\": \"how much?\"}, \"context\": {\"from\": \"1\", \"id\": \"w0\", "
         "\"referred_product\": {\"catalog_id\": \"C\", \"product_retailer_id\": \"P\"}}",
         "[About the product P of the catalog C]\nhow much?", NULL, UMP_MESSAGE_TEXT},
        {"\"type\": \"text\", \"text\": {\"body\": \"hi\"}, \"referral\": {\"headline\": \"Sale\", \"source_url\": \"https://fb.me/1\"}",
         "[From the advertisement Sale, https://fb.me/1]\nhi", NULL, UMP_MESSAGE_TEXT},
        {"\"type\": \"button\", \"button\": {\"payload\": \"p\", \"text\": \"Yes\"}", "Yes", NULL, UMP_MESSAGE_INTERACTIVE},
        {"\"type\": \"button\", \"button\": {\"payload\": \"p\"}", "p", NULL, UMP_MESSAGE_INTERACTIVE},
        {"\"type\": \"interactive\", \"interactive\": {\"type\": \"list_reply\", \"list_reply\": {\"id\": \"x\"}}", "x", "list_reply",
         UMP_MESSAGE_INTERACTIVE},
        {"\"type\": \"interactive\", \"interactive\": {\"type\": \"nfm_reply\", \"nfm_reply\": {\"body\": \"Sent\", \"response_json\": "
         "\"{\\\"flow_token\\\": \\\"t\\\", \\\"day\\\": \\\"Monday\\\", \\\"people\\\": 3}\"}}", "Sent\nday: Monday\npeople: 3",
         "nfm_reply", UMP_MESSAGE_INTERACTIVE},
        {"\"type\": \"request_welcome\"", "The person has opened the chat for the first time.", "request_welcome",
         UMP_MESSAGE_INTERACTIVE},
        {"\"type\": \"edit\", \"edit\": {\"original_message_id\": \"w0\", \"message\": {\"type\": \"image\", \"image\": "
         "{\"id\": \"1\", \"caption\": \"new\"}}}", "new", NULL, UMP_MESSAGE_EDIT},
        {"\"type\": \"revoke\", \"revoke\": {\"original_message_id\": \"w0\"}", NULL, NULL, UMP_MESSAGE_DELETE},
        {"\"type\": \"text\"", NULL, "text", UMP_MESSAGE_UNKNOWN},
        {"\"type\": \"video\", \"video\": \"no object\"", NULL, "video", UMP_MESSAGE_UNKNOWN},
        {"\"text\": {\"body\": \"no type\"}", "no type", NULL, UMP_MESSAGE_TEXT},
        {"\"type\": \"poll\", \"poll\": {\"title\": \"Lunch?\"}", "Lunch?", "poll", UMP_MESSAGE_UNKNOWN},
        {"\"type\": null", NULL, "unknown", UMP_MESSAGE_UNKNOWN},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ump_message) message = message_of(cases[i].inner);
        if (message->type != cases[i].type || g_strcmp0(message->text, cases[i].text) != 0 ||
            g_strcmp0(message->native_type, cases[i].native) != 0)
            fail_msg("%s: %s, %s, %s", cases[i].inner, ump_message_type_name(message->type), message->text, message->native_type);
        assert_string_equal(message->sender.name, "Bob");
        if (message->type == UMP_MESSAGE_EDIT || message->type == UMP_MESSAGE_DELETE)
            assert_string_equal(message->reply_to_external_id, "w0");
    }
}

static void test_media(void **state)
{
    g_autoptr(ump_message) voice = message_of("\"type\": \"audio\", \"audio\": {\"id\": \"77\", \"voice\": true, "
        "\"mime_type\": \"audio/ogg; codecs=opus\", \"sha256\": \"SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=\"}");
    g_autoptr(ump_message) file = message_of("\"type\": \"document\", \"document\": {\"id\": 78, \"filename\": \"a.pdf\", "
                                             "\"mime_type\": \"application/pdf\", \"sha256\": \"wrong\"}");
    g_autoptr(ump_message) lost = message_of("\"type\": \"image\", \"image\": {\"caption\": \"no id\"}");
    const struct ump_media *media = voice->media->pdata[0];

    assert_true(media->voice);
    assert_string_equal(media->type, "audio/ogg");
    assert_string_equal(media->sha256, "49f227634806293b0995459bc310b593e1400f41591efcf07e9bced335f41942");
    assert_string_equal(media->url, "https://graph.facebook.com/v23.0/77?phone_number_id=106540352242922");
    media = file->media->pdata[0];
    assert_string_equal(media->url, "https://graph.facebook.com/v23.0/78?phone_number_id=106540352242922");
    assert_string_equal(media->name, "a.pdf");
    assert_null(media->sha256);
    media = lost->media->pdata[0];
    assert_null(media->url);
    assert_non_null(media->error);
    assert_string_equal(lost->text, "no id");
}

static void test_reaction(void **state)
{
    g_autoptr(ump_message) set = message_of("\"type\": \"reaction\", \"reaction\": {\"message_id\": \"w0\", \"emoji\": \"👍\"}");
    g_autoptr(ump_message) gone = message_of("\"type\": \"reaction\", \"reaction\": {\"message_id\": \"w0\", \"emoji\": \"\"}");
    g_autoptr(ump_message) absent = message_of("\"type\": \"reaction\", \"reaction\": {\"message_id\": \"w0\"}");

    assert_string_equal(set->reaction, "👍");
    assert_false(set->reaction_removed);
    assert_true(gone->reaction_removed && absent->reaction_removed);
    assert_string_equal(absent->reply_to_external_id, "w0");
}

static void test_times(void **state)
{
    static const char *const times[] = {"\"1750000000\"", "1750000000", "\"1750000000000\"", "1750000000000", "1750000000000000"};

    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autofree char *inner = g_strdup_printf("\"messages\": [{\"from\": \"16505551234\", \"id\": \"w\", \"timestamp\": %s, "
                                                 "\"type\": \"text\", \"text\": {\"body\": \"x\"}}]", times[i]);
        g_autofree char *body = body_of("messages", inner);
        g_autoptr(GPtrArray) events = parse(body);
        assert_int_equal(one(events)->message->occurred_at, 1750000000 * CLOCK_SECOND);
    }
}

/* ---- People ---- */

static void test_people(void **state)
{
    static const struct {
        const char *contacts, *from, *address, *alias, *name;
    } cases[] = {
        {"{\"profile\": {\"name\": \"A\"}, \"wa_id\": \"16505551234\"}", "\"from\": \"16505551234\"", "+16505551234", NULL, "A"},
        {"{\"profile\": {\"name\": \"A\"}, \"wa_id\": \"16505551234\", \"user_id\": \"US.123\"}", "\"from\": \"16505551234\"",
         "+16505551234", "US.123", "A"},
        {"{\"profile\": {\"username\": \"ada\"}, \"user_id\": \"US.123\"}", "\"from_user_id\": \"US.123\"", "US.123", NULL, "ada"},
        {"{\"profile\": {\"name\": \"A\"}, \"user_id\": \"US.123\"}", "\"from\": null", "US.123", NULL, "A"},
        {"{\"wa_id\": \"1\"}, {\"wa_id\": \"16505551234\", \"profile\": {\"name\": \"B\"}}", "\"from\": \"16505551234\"",
         "+16505551234", NULL, "B"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *inner = g_strdup_printf("\"contacts\": [%s], \"messages\": [{%s, \"id\": \"w\", \"timestamp\": \"1\", "
                                                 "\"type\": \"text\", \"text\": {\"body\": \"x\"}}]", cases[i].contacts, cases[i].from);
        g_autofree char *body = body_of("messages", inner);
        g_autoptr(GPtrArray) events = parse(body);
        const struct ump_party *sender = &one(events)->message->sender;
        assert_string_equal(sender->address, cases[i].address);
        assert_string_equal(sender->alias ? sender->alias : "", cases[i].alias ? cases[i].alias : "");
        assert_string_equal(sender->name, cases[i].name);
    }
}

static void test_opt_out_words(void **state)
{
    g_autofree char *body = body_of("messages", "\"messages\": [{\"from\": \"16505551234\", \"id\": \"w\", \"type\": \"button\", "
                                                "\"button\": {\"text\": \"STOP\"}}]");
    g_autoptr(GPtrArray) events = parse(body);

    assert_int_equal(one(events)->opt, CHANNEL_OPT_STOP);
}

/* ---- Statuses ---- */

static void test_statuses(void **state)
{
    static const struct {
        const char *inner;
        enum channel_status status;
        gint64 cost;
        const char *code;
    } cases[] = {
        {"\"status\": \"sent\"", CHANNEL_STATUS_SENT, -1, NULL},
        {"\"status\": \"delivered\", \"pricing\": {\"billable\": false, \"category\": \"service\"}", CHANNEL_STATUS_DELIVERED, 0, NULL},
        {"\"status\": \"delivered\", \"pricing\": {\"billable\": true, \"category\": \"marketing\"}", CHANNEL_STATUS_DELIVERED, 25000, NULL},
        {"\"status\": \"read\", \"pricing\": {\"billable\": true, \"category\": \"utility\"}", CHANNEL_STATUS_READ, -1, NULL},
        {"\"status\": \"played\"", CHANNEL_STATUS_READ, -1, NULL},
        {"\"status\": \"deleted\"", CHANNEL_STATUS_NONE, -1, NULL},
        {"\"status\": \"failed\", \"errors\": [{\"code\": \"131026\", \"title\": \"t\"}]", CHANNEL_STATUS_FAILED, -1, "131026"},
        {"\"status\": \"failed\", \"errors\": null", CHANNEL_STATUS_FAILED, -1, "failed"},
    };
    struct channel_endpoint *endpoint = whatsapp_endpoint("{\"price_marketing\": \"0.0250\"}");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *inner = g_strdup_printf("\"statuses\": [{\"id\": \"wamid.1\", \"timestamp\": \"1750000000\", "
                                                 "\"recipient_id\": \"16505551234\", \"biz_opaque_callback_data\": \"a-1\", %s}]",
                                                 cases[i].inner);
        g_autofree char *body = body_of("messages", inner);
        g_autoptr(GPtrArray) events = parse_for(endpoint, body, strlen(body));
        const struct channel_event *event = one(events);
        assert_int_equal(event->kind, CHANNEL_EVENT_STATUS);
        assert_int_equal(event->status, cases[i].status);
        assert_int_equal(event->cost, cases[i].cost);
        assert_string_equal(event->error_code ? event->error_code : "", cases[i].code ? cases[i].code : "");
        assert_string_equal(event->attempt_id, "a-1");
        assert_string_equal(event->provider_id, "wamid.1");
        assert_string_equal(event->lane, "wamid.1");
        assert_null(event->recipient);
    }
    unit_endpoint_free(endpoint);
}

static void test_status_of_a_group(void **state)
{
    g_autofree char *body = body_of("messages", "\"statuses\": [{\"id\": \"w\", \"status\": \"read\", \"timestamp\": \"1\", "
        "\"recipient_id\": \"16505551234\", \"group_id\": \"G\"}, {\"id\": \"w\", \"status\": \"read\", \"timestamp\": \"1\", "
        "\"recipient_id\": \"16505551235\", \"group_id\": \"G\"}]");
    g_autoptr(GPtrArray) events = parse(body);
    const struct channel_event *first, *second;

    assert_int_equal(events->len, 2);
    first = events->pdata[0];
    second = events->pdata[1];
    assert_string_equal(first->recipient, "+16505551234");
    assert_string_not_equal(first->key, second->key);
}

/* ---- Batches, and what is not known ---- */

static void test_batch(void **state)
{
    g_autofree char *two = body_of("messages", "\"contacts\": [{\"profile\": {\"name\": \"A\"}, \"wa_id\": \"16505550001\"}, "
        "{\"profile\": {\"name\": \"B\"}, \"wa_id\": \"16505550002\"}], \"messages\": ["
        "{\"from\": \"16505550001\", \"id\": \"w1\", \"timestamp\": \"1\", \"type\": \"text\", \"text\": {\"body\": \"one\"}}, "
        "{\"from\": \"16505550002\", \"id\": \"w2\", \"timestamp\": \"1\", \"type\": \"text\", \"text\": {\"body\": \"two\"}}], "
        "\"statuses\": [{\"id\": \"w3\", \"status\": \"read\", \"timestamp\": \"1\"}], \"calls\": [{\"from\": \"16505550001\", "
        "\"id\": \"c1\", \"event\": \"connect\"}], \"user_actions\": [{\"action_type\": \"click\"}]");
    g_autoptr(GPtrArray) events = parse(two);

    assert_int_equal(events->len, 5);
    for (guint i = 0; i < events->len; i++) { /* each part gives the same event again, alone */
        const struct channel_event *event = events->pdata[i];
        gsize length;
        assert_non_null(event->body);
        const char *part = g_bytes_get_data(event->body, &length);
        g_autofree char *copy = g_strndup(part, length);
        g_autoptr(GPtrArray) again = parse(copy);
        assert_string_equal(one(again)->key, event->key);
        assert_int_equal(one(again)->kind, event->kind);
        if (event->message) {
            g_autofree char *before = ump_message_to_json_text(event->message);
            g_autofree char *after = ump_message_to_json_text(one(again)->message);
            assert_string_equal(before, after);
        }
    }
}

static void test_other_numbers_are_left_to_others(void **state)
{
    struct channel_endpoint *endpoint = whatsapp_endpoint("{\"phone_number_id\": \"42\"}");
    g_autofree char *body = body_of("messages", "\"messages\": [{\"from\": \"16505550001\", \"id\": \"w1\", \"type\": \"text\", "
                                                "\"text\": {\"body\": \"one\"}}]");
    struct channel_webhook webhook = {.body = body, .length = strlen(body)};
    g_autoptr(GPtrArray) events = parse_for(endpoint, body, strlen(body));
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    assert_int_equal(events->len, 0);
    endpoint->ops->webhook_addresses(&webhook, names);
    assert_int_equal(names->len, 1);
    assert_string_equal(names->pdata[0], "106540352242922");
    unit_endpoint_free(endpoint);
}

static void test_strange_bodies(void **state)
{
    static const char *const good[] = {
        "{\"entry\": []}", "{\"entry\": [null, 1, {}]}", "{\"entry\": [{\"changes\": [null, {\"value\": null}, {\"value\": []}]}]}",
        "{\"entry\": [{\"changes\": [{\"value\": {\"messages\": [null, 1, \"x\", {}]}}]}]}",
        "{\"entry\": [{\"changes\": [{\"value\": {\"messages\": {\"from\": \"1\"}}, \"field\": 7}]}]}",
    };
    static const char *const bad[] = {"", "[]", "{}", "null", "{\"entry\": 1}", "{\"entry\": [}", "entry=1"};
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GPtrArray) events = parse(good[i]);
        for (guint k = 0; k < events->len; k++)
            assert_int_equal(((struct channel_event *)events->pdata[k])->kind, CHANNEL_EVENT_OTHER);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GPtrArray) events = g_ptr_array_new();
        struct channel_webhook webhook = {.body = bad[i], .length = strlen(bad[i])};
        g_autoptr(GError) error = NULL;
        assert_int_equal(endpoint->ops->parse_webhook(&webhook, endpoint, events, &error), CHANNEL_MALFORMED);
        assert_non_null(error);
    }
    unit_endpoint_free(endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature), cmocka_unit_test(test_published_vector), cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_examples), cmocka_unit_test(test_every_example_is_listed), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_media), cmocka_unit_test(test_reaction), cmocka_unit_test(test_times),
        cmocka_unit_test(test_people), cmocka_unit_test(test_opt_out_words), cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_status_of_a_group), cmocka_unit_test(test_batch),
        cmocka_unit_test(test_other_numbers_are_left_to_others), cmocka_unit_test(test_strange_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
