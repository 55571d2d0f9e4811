/* SPDX-License-Identifier: Apache-2.0 */
/* What signal-cli tells: the published examples, every shape around them, and odd values. */
#include "signal_unit.h"

#include <string.h>

/* One word per event: what kind it is, its key, and for messages type, who and text. */
static char *told(const char *provider, const char *settings, const char *body)
{
    struct channel_endpoint *endpoint = signal_endpoint(provider, settings);
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    const struct channel_webhook webhook = {.body = body, .length = strlen(body)};
    g_autoptr(GError) error = NULL;
    GString *out = g_string_new(NULL);
    enum channel_parse parsed = endpoint->ops->parse_webhook(&webhook, endpoint, events, &error);

    if (parsed != CHANNEL_PARSED)
        g_string_append_printf(out, "refused %d", parsed);
    for (guint i = 0; i < events->len; i++) {
        const struct channel_event *event = events->pdata[i];
        const struct ump_message *message = event->message;
        g_string_append_printf(out, "%s%s", i > 0 ? " | " : "", channel_event_kind_name(event->kind));
        if (message)
            g_string_append_printf(out, " %s %s %s -> %s: %s", message->direction == UMP_INBOUND ? "in" : "out",
                                   ump_message_type_name(message->type), message->sender.address,
                                   message->reply_to_external_id ? message->reply_to_external_id : "-",
                                   message->text ? message->text : "");
        else if (event->kind == CHANNEL_EVENT_STATUS)
            g_string_append_printf(out, " %s %s by %s", channel_status_name(event->status), event->provider_id,
                                   event->by_us ? "us" : event->recipient);
        else
            g_string_append_printf(out, " %s", event->note);
    }
    unit_endpoint_free(endpoint);
    return g_string_free(out, FALSE);
}

static void expect_of(const char *settings, const char *body, const char *expected)
{
    static const char *const providers[] = {"signal_cli", "signal_rest", NULL};

    for (const char *const *provider = providers; *provider; provider++) {
        g_autofree char *got = told(*provider, settings, body);
        assert_string_equal(got, expected);
    }
}

static void expect(const char *body, const char *expected)
{
    expect_of(NULL, body, expected);
}

/* ---- The published examples ---- */

static const struct {
    const char *name, *expected;
} examples[] = {
    {"call_offer", "message in interactive +15550001001 -> -: Voice call; it can be answered in Signal only."},
    {"contact_share", "message in contact +15550001001 -> -: "},
    {"edit", "message in edit +15550001001 -> 1785491997000@" SIGNAL_UUID ": fixed typo"},
    {"expiration_update", "message in group-event +15550001001 -> -: Messages of this conversation now disappear after 1 week."},
    {"group_v2_text", "message in text +15550001001 -> -: hello all"},
    {"image_caption", "message in media +15550001001 -> -: look"},
    {"mention_styles", "message in text +15550001001 -> -: @+15550001000 hey *BIG*"},
    {"no_phone_number", "message in text " SIGNAL_UUID " -> -: hidden number"},
    {"poll_create", "message in interactive +15550001001 -> -: Poll: Lunch?\n1. pizza\n2. sushi\n(One answer is allowed; vote in Signal.)"},
    {"quote_reply", "message in text +15550001001 -> 1785491999000@+15550001000: yes"},
    {"reaction", "message in reaction +15550001001 -> 1785491999000@+15550001000: "},
    {"reaction_remove", "message in reaction +15550001001 -> 1785491999000@+15550001000: "},
    {"receipt_viewed", "status read 1785491995000@+15550001000 by +15550001001"},
    {"remote_delete", "message in delete +15550001001 -> 1785491998000@" SIGNAL_UUID ": "},
    {"story_reply", "message in text +15550001001 -> -: [About your story]\nnice"},
    {"sync_read", "status read 1785491999999@11111111-1111-4111-8111-111111111111 by us"},
    {"sync_sent_direct", "message out text +15550001000 -> -: sent from my phone"},
    {"text", "message in text +15550001001 -> -: hi 👍"},
    {"typing_started", ""},
    {"view_once", "message in media +15550001001 -> -: [The sender meant this to be viewed once]"},
};

static void test_examples(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autofree char *name = g_strdup_printf("examples/%s.json", examples[i].name), *line = NULL, *wrapped = NULL;
        g_autofree char *body = signal_spec(name, NULL);
        if (!body)
            skip();
        expect(body, examples[i].expected);
        line = g_strdup_printf("{\"jsonrpc\":\"2.0\",\"method\":\"receive\",\"params\":%s}", body);
        expect(line, examples[i].expected);
        wrapped = g_strdup_printf("{\"jsonrpc\":\"2.0\",\"method\":\"receive\",\"params\":{\"subscription\":0,\"result\":%s}}", body);
        expect(wrapped, examples[i].expected);
    }
}

/* ---- Values ---- */

#define FROM "\"sourceNumber\":\"+15550001001\",\"sourceUuid\":\"" SIGNAL_UUID "\",\"timestamp\":1785492000000"
#define DATA(fields) "{\"envelope\":{" FROM ",\"dataMessage\":{\"timestamp\":1785492000000," fields "}},\"account\":\"+15550001000\"}"

static void test_odd_values(void **state)
{
    static const char same[] = "message in text +15550001001 -> -: same";

    expect(DATA("\"message\":\"same\""), same);
    expect(DATA("\"message\":\"same\",\"quote\":null,\"attachments\":null,\"groupInfo\":null,\"sticker\":null,\"newThing\":null"), same);
    expect(DATA("\"message\":\"same\",\"expiresInSeconds\":\"0\",\"isExpirationUpdate\":\"false\",\"viewOnce\":null"), same);
    expect("{\"envelope\":{\"source\":\"+15550001001\",\"timestamp\":\"1785492000\",\"dataMessage\":{\"message\":\"same\"}}}", same);
    expect(DATA("\"message\":null"), "other nothing in it");
    expect("{\"envelope\":{" FROM ",\"syncMessage\":{\"readMessages\":[{\"sender\":\"+15550001001\",\"timestamp\":\"1785491999999\"},"
           "{\"senderUuid\":\"" SIGNAL_UUID "\",\"timestamp\":1785491999998},{\"timestamp\":1785491999997},{\"sender\":\"x\"},null]}}}",
           "status read 1785491999999@+15550001001 by us | status read 1785491999998@" SIGNAL_UUID " by us");
    expect("{\"envelope\":{" FROM ",\"syncMessage\":{\"readMessages\":[{\"timestamp\":null}]}}}", "other read on another device");
    expect(DATA("\"message\":\"\",\"hologram\":{\"title\":\"x\"}"), "message in unknown +15550001001 -> -: title: x");
    expect("{\"envelope\":{\"timestamp\":1,\"dataMessage\":{\"message\":\"from nobody\"}}}", "other message without a sender");
    expect("{\"envelope\":{" FROM ",\"telepathy\":{\"a\":1}}}", "message in unknown +15550001001 -> -: ");
    expect("{\"envelope\":{" FROM "}}", "other nothing in it");
    expect("{\"envelope\":{" FROM ",\"dataMessage\":{\"message\":\"not ours\"}},\"account\":\"+15550009999\"}", "");
    expect_of("{\"account\":\"+15550009999\"}", "{\"envelope\":{" FROM ",\"dataMessage\":{\"message\":\"ours\"}},\"account\":\"+15550009999\"}",
              "message in text +15550001001 -> -: ours");
    expect("{\"params\":{}}", "refused 1");
    expect("[]", "refused 1");
    expect("{\"envelope\":", "refused 1");
    expect("{\"envelope\":{" FROM "},\"exception\":{\"message\":\"no session\",\"type\":\"InvalidMessageException\"}}",
           "message in unknown +15550001001 -> -: A message came that signal-cli could not read: no session. Ask for it to be sent again.");
}

static void test_receipts(void **state)
{
    expect("{\"envelope\":{" FROM ",\"receiptMessage\":{\"when\":1785492000001,\"isDelivery\":true,\"isRead\":false,\"isViewed\":false,"
           "\"timestamps\":[1785491995000,\"1785491996000\",1785491995000]}}}",
           "status delivered 1785491995000@+15550001000 by +15550001001 | status delivered 1785491996000@+15550001000 by +15550001001");
    expect("{\"envelope\":{" FROM ",\"receiptMessage\":{\"isRead\":\"true\",\"timestamps\":[1785491995]}}}",
           "status read 1785491995000@+15550001000 by +15550001001");
    expect("{\"envelope\":{" FROM ",\"receiptMessage\":{\"timestamps\":[1785491995000]}}}", "other receiptMessage");
}

static void test_whose_message_is_meant(void **state)
{
    static const char group[] = "\"groupInfo\":{\"groupId\":\"R1==\",\"type\":\"DELIVER\"},";
    g_autofree char *in_group = g_strdup_printf("{\"envelope\":{" FROM ",\"dataMessage\":{%s\"message\":\"x\",\"quote\":{\"id\":1785491999000,"
                                                "\"authorUuid\":\"22222222-2222-4222-8222-222222222222\"}}}}", group);

    /* by an uuid that is not the sender's, between the two of us: ours; in a group it may be anybody's */
    expect(DATA("\"message\":\"x\",\"quote\":{\"id\":1785491999000,\"authorUuid\":\"22222222-2222-4222-8222-222222222222\"}"),
           "message in text +15550001001 -> 1785491999000@+15550001000: x");
    expect(in_group, "message in text +15550001001 -> 1785491999000@22222222-2222-4222-8222-222222222222: x");
    expect_of("{\"uuid\":\"22222222-2222-4222-8222-222222222222\"}", in_group,
              "message in text +15550001001 -> 1785491999000@+15550001000: x");
    expect(DATA("\"message\":\"x\",\"quote\":{\"id\":1785491999000,\"author\":\"+15550001001\"}"),
           "message in text +15550001001 -> 1785491999000@+15550001001: x");
}

static void test_disappearing(void **state)
{
    static const char refuse[] = "{\"disappearing\":\"refuse\"}", expire[] = "{\"disappearing\":\"expire\"}";

    expect(DATA("\"message\":\"psst\",\"expiresInSeconds\":300"), "message in text +15550001001 -> -: [Disappears from Signal after 5 minutes]\npsst");
    expect_of(expire, DATA("\"message\":\"psst\",\"expiresInSeconds\":300"),
              "message in text +15550001001 -> -: [Disappears from Signal and from here after 5 minutes]\npsst");
    expect_of(expire, DATA("\"viewOnce\":true,\"message\":\"psst\""),
              "message in interactive +15550001001 -> -: A message to be viewed once; it is not kept here. Read it in Signal.");
    expect_of(refuse, DATA("\"message\":\"psst\",\"expiresInSeconds\":300"),
              "message in interactive +15550001001 -> -: A message that disappears after 5 minutes; it is not kept here. Read it in Signal.");
    expect_of(refuse, DATA("\"viewOnce\":true,\"attachments\":[{\"id\":\"a\",\"contentType\":\"image/png\"}]"),
              "message in interactive +15550001001 -> -: A message to be viewed once; it is not kept here. Read it in Signal.");
    expect_of(refuse, DATA("\"expiresInSeconds\":300,\"reaction\":{\"emoji\":\"👍\",\"targetAuthor\":\"+15550001000\",\"targetSentTimestamp\":1785491999000}"),
              "message in reaction +15550001001 -> 1785491999000@+15550001000: ");
}

/* ---- Keys: the same event again has the same, another has another ---- */

static char *key_of(const char *body)
{
    struct channel_endpoint *endpoint = signal_endpoint("signal_cli", NULL);
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    const struct channel_webhook webhook = {.body = body, .length = strlen(body)};
    char *key;

    assert_int_equal(endpoint->ops->parse_webhook(&webhook, endpoint, events, NULL), CHANNEL_PARSED);
    assert_int_equal(events->len, 1);
    key = g_strdup(((const struct channel_event *)events->pdata[0])->key);
    unit_endpoint_free(endpoint);
    return key;
}

static void test_keys(void **state)
{
    g_autofree char *one = key_of(DATA("\"message\":\"a\"")), *again = key_of(DATA("\"message\":\"a\",\"x\":1"));
    g_autofree char *bare = key_of("{\"envelope\":{" FROM ",\"dataMessage\":{\"message\":\"a\"}}}");
    g_autofree char *later = key_of("{\"envelope\":{" FROM ",\"dataMessage\":{\"timestamp\":1785492000001,\"message\":\"a\"}}}");

    assert_string_equal(one, "message:1785492000000@" SIGNAL_UUID);
    assert_string_equal(again, one);
    assert_string_equal(bare, one);
    assert_string_not_equal(later, one);
}

/* ---- Styles and mentions ---- */

static void in_is(const char *text, const char *mentions, const char *styles, const char *expected)
{
    g_autoptr(json_t) m = json_loads(mentions, 0, NULL), s = json_loads(styles, 0, NULL);
    g_autofree char *got = signal_text_in(text, m, s);

    assert_string_equal(got, expected);
}

static void test_text_in(void **state)
{
    in_is("plain", "[]", "[]", "plain");
    in_is("👍 bold", "[]", "[{\"style\":\"BOLD\",\"start\":3,\"length\":4}]", "👍 *bold*");
    in_is("both", "[]", "[{\"style\":\"BOLD\",\"start\":0,\"length\":4},{\"style\":\"ITALIC\",\"start\":0,\"length\":4}]", "*_both_*");
    in_is("cut", "[]", "[{\"style\":\"BOLD\",\"start\":1,\"length\":99}]", "c*ut*");
    in_is("x", "[]", "[{\"style\":\"BOLD\",\"start\":-1,\"length\":1},{\"style\":\"SHOUT\",\"start\":0,\"length\":1},{}]", "x");
    in_is("\xef\xbf\xbc and \xef\xbf\xbc", "[{\"name\":\"Al\",\"start\":0,\"length\":1},{\"uuid\":\"u-1\",\"start\":\"6\",\"length\":1}]", "[]", "@Al and @u-1");
}

static void out_is(const char *text, const char *expected, const char *styles, const char *mentions)
{
    g_autoptr(json_t) s = json_array(), m = json_array(), want_s = json_loads(styles, 0, NULL), want_m = json_loads(mentions, 0, NULL);
    g_autofree char *got = signal_text_out(text, s, m);

    assert_string_equal(got, expected);
    assert_true(json_equal(s, want_s) && json_equal(m, want_m));
}

static void test_text_out(void **state)
{
    out_is("plain", "plain", "[]", "[]");
    out_is("👍 *bold* _it_", "👍 bold it", "[\"3:4:BOLD\",\"8:2:ITALIC\"]", "[]");
    out_is("*_both_*", "both", "[\"0:4:ITALIC\",\"0:4:BOLD\"]", "[]");
    out_is("2*3*4 and a_b_c", "2*3*4 and a_b_c", "[]", "[]");
    out_is("* a list\n* of two", "* a list\n* of two", "[]", "[]");
    out_is("*not\nacross lines*", "*not\nacross lines*", "[]", "[]");
    out_is("**", "**", "[]", "[]");
    out_is("`*code*`", "*code*", "[\"0:6:MONOSPACE\"]", "[]");
    out_is("||psst||", "psst", "[\"0:4:SPOILER\"]", "[]");
    out_is("*a _b* c_", "a _b c_", "[\"0:4:BOLD\"]", "[]");
    out_is("🍕 @+15550001001, hi", "🍕 @+15550001001, hi", "[]", "[\"3:13:+15550001001\"]");
    out_is("me@+1555", "me@+1555", "[]", "[]");
}

static void test_ids(void **state)
{
    const char *author;
    gint64 stamp;

    assert_true(signal_message_id_split("1785492000000@+1555", &stamp, &author));
    assert_int_equal(stamp, 1785492000000);
    assert_string_equal(author, "+1555");
    assert_false(signal_message_id_split("1785492000000", &stamp, &author));
    assert_false(signal_message_id_split("@+1555", &stamp, &author));
    assert_false(signal_message_id_split("x@y", &stamp, &author));
    assert_false(signal_message_id_split("1@", &stamp, &author));
    assert_false(signal_message_id_split(NULL, &stamp, &author));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples), cmocka_unit_test(test_odd_values), cmocka_unit_test(test_receipts),
        cmocka_unit_test(test_whose_message_is_meant), cmocka_unit_test(test_disappearing), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_text_in), cmocka_unit_test(test_text_out), cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
