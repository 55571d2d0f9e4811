/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to signal-cli and its REST API, what their answers mean; lines of the socket; server-sent events. */
#include "signal_unit.h"

#include <string.h>

#include "bridge/stream/internal.h"
#include "core/clock.h"
#include "core/error.h"

#define TO "+15550001001"

/* ---- Requests ---- */

/* "METHOD url body"; or the sentence of a refusal. */
static char *built(const char *provider, const struct channel_send *send)
{
    struct channel_endpoint *endpoint = signal_endpoint(provider, NULL);
    g_auto(channel_request_t) request;
    g_autoptr(GError) error = NULL;
    char *text;
    gsize length;

    channel_request_init(&request);
    if (endpoint->ops->build_request(send, endpoint, &request, &error) == 0) {
        const char *data = g_bytes_get_data(request.body, &length);
        text = g_strdup_printf("%s %s %.*s", request.method ? request.method : "POST", request.url + strlen("http://127.0.0.1:8080"),
                               (int)length, data);
    } else {
        assert_true(g_error_matches(error, UMP_ERROR, UMP_ERROR_INVALID));
        text = g_strdup(error->message);
    }
    unit_endpoint_free(endpoint);
    return text;
}

static void expect(const char *provider, struct ump_message *message, const char *target, const char *expected)
{
    const struct channel_send send = {.message = message, .attempt_id = "a-1", .reply_to_provider_id = target, .reply_to_text = target ? "before" : NULL};
    g_autofree char *got = built(provider, &send);

    assert_string_equal(got, expected);
}

static void test_text(void **state)
{
    g_autoptr(ump_message) message = unit_message_to(TO, "*hi*"), group = unit_message_to("g1", "hi");

    group->group.id = g_strdup("R1==");
    expect("signal_cli", message, "17@" TO,
           "POST /api/v1/rpc {\"jsonrpc\":\"2.0\",\"id\":\"a-1\",\"method\":\"send\",\"params\":{\"account\":\"+15550001000\",\"recipient\":"
           "[\"+15550001001\"],\"message\":\"hi\",\"textStyle\":[\"0:2:BOLD\"],\"quoteTimestamp\":17,\"quoteAuthor\":\"+15550001001\","
           "\"quoteMessage\":\"before\"}}");
    expect("signal_cli", group, NULL,
           "POST /api/v1/rpc {\"jsonrpc\":\"2.0\",\"id\":\"a-1\",\"method\":\"send\",\"params\":{\"account\":\"+15550001000\",\"groupId\":\"R1==\","
           "\"message\":\"hi\"}}");
    expect("signal_rest", message, "17@" TO,
           "POST /v2/send {\"number\":\"+15550001000\",\"recipients\":[\"+15550001001\"],\"message\":\"**hi**\",\"text_mode\":\"styled\","
           "\"quote_timestamp\":17,\"quote_author\":\"+15550001001\",\"quote_message\":\"before\"}");
    expect("signal_rest", group, NULL,
           "POST /v2/send {\"number\":\"+15550001000\",\"recipients\":[\"group.UjE9PQ==\"],\"message\":\"hi\",\"text_mode\":\"normal\"}");
}

static void test_rest_marks(void **state)
{
    static const struct {
        const char *text, *sent, *mode;
    } rows[] = {
        {"a *b* _c_", "a **b** *c*", "styled"},
        {"*b* ~c~", "**b** ~c~", "styled"},
        {"*b _c_*", "b c", "normal"},
        {"*b* 2*3", "b 2*3", "normal"},
        {"*b* @+15550001001", "b @+15550001001", "normal"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(ump_message) message = unit_message_to(TO, rows[i].text);
        const struct channel_send send = {.message = message, .attempt_id = "a-1"};
        g_autofree char *got = built("signal_rest", &send);
        g_autofree char *sent = g_strdup_printf("\"message\":\"%s\",\"text_mode\":\"%s\"", rows[i].sent, rows[i].mode);
        if (!strstr(got, sent))
            fail_msg("%s: no %s", got, sent);
    }
}

static void test_reactions(void **state)
{
    g_autoptr(ump_message) message = unit_message_to(TO, NULL);

    message->type = UMP_MESSAGE_REACTION;
    message->reaction = g_strdup("👍");
    expect("signal_cli", message, NULL, "the message that you reacted to is not one of this conversation on Signal");
    expect("signal_cli", message, "17@" SIGNAL_UUID,
           "POST /api/v1/rpc {\"jsonrpc\":\"2.0\",\"id\":\"a-1\",\"method\":\"sendReaction\",\"params\":{\"account\":\"+15550001000\",\"recipient\":"
           "[\"+15550001001\"],\"emoji\":\"👍\",\"targetAuthor\":\"" SIGNAL_UUID "\",\"targetTimestamp\":17}}");
    expect("signal_rest", message, "17@" TO,
           "POST /v1/reactions/%2B15550001000 {\"recipient\":\"+15550001001\",\"reaction\":\"👍\",\"target_author\":\"+15550001001\",\"timestamp\":17}");
    message->reaction_removed = true;
    expect("signal_cli", message, "17@" TO,
           "POST /api/v1/rpc {\"jsonrpc\":\"2.0\",\"id\":\"a-1\",\"method\":\"sendReaction\",\"params\":{\"account\":\"+15550001000\",\"recipient\":"
           "[\"+15550001001\"],\"emoji\":\"👍\",\"targetAuthor\":\"+15550001001\",\"targetTimestamp\":17,\"remove\":true}}");
    expect("signal_rest", message, "17@" TO,
           "DELETE /v1/reactions/%2B15550001000 {\"recipient\":\"+15550001001\",\"reaction\":\"👍\",\"target_author\":\"+15550001001\",\"timestamp\":17}");
    message->reaction[0] = '\0';
    message->text = g_strdup("-");
    expect("signal_cli", message, "17@" TO, "there is no reaction of yours to be taken back");
    expect("signal_rest", message, "17@" TO, "there is no reaction of yours to be taken back");
}

static void test_media(void **state)
{
    g_autoptr(ump_message) message = unit_message_to(TO, NULL);
    struct ump_media *media = ump_media_new();

    message->type = UMP_MESSAGE_MEDIA;
    media->type = g_strdup("image/png");
    media->name = g_strdup("a;b,\"c\".png");
    g_ptr_array_add(message->media, media);
    expect("signal_cli", message, NULL, "the attachment is no longer kept");
    media->content = g_bytes_new("abc", 3);
    expect("signal_cli", message, NULL,
           "POST /api/v1/rpc {\"jsonrpc\":\"2.0\",\"id\":\"a-1\",\"method\":\"send\",\"params\":{\"account\":\"+15550001000\",\"recipient\":"
           "[\"+15550001001\"],\"attachments\":[\"data:image/png;filename=a_b__c_.png;base64,YWJj\"],\"message\":\"\"}}");
    for (int i = 0; i < 32; i++)
        g_ptr_array_add(message->media, ump_media_new());
    expect("signal_cli", message, NULL, "there are more than 32 attachments");
}

/* ---- Answers ---- */

static struct http_response answer(long status, const char *body)
{
    return (struct http_response){.status = status, .body = g_bytes_new(body, strlen(body)), .retry_after_us = -1};
}

static void means(const char *provider, long status, const char *body, enum channel_outcome outcome, const char *said)
{
    struct channel_endpoint *endpoint = signal_endpoint(provider, NULL);
    struct http_response response = answer(status, body);
    g_auto(channel_result_t) result;

    channel_result_init(&result);
    endpoint->ops->parse_response(&response, endpoint, &result);
    if (result.outcome != outcome)
        fail_msg("%s: %s", body, channel_outcome_name(result.outcome));
    assert_string_equal(outcome == CHANNEL_ACCEPTED ? result.provider_id : result.code ? result.code : "", said);
    /* what may have been sent is known by its time, when that is said */
    if (outcome == CHANNEL_UNCERTAIN)
        assert_int_equal(result.provider_id != NULL, strstr(body, "\"timestamp\":17,") != NULL);
    g_bytes_unref(response.body);
    unit_endpoint_free(endpoint);
}

#define ERROR_OF(code, rest) "{\"error\":{\"code\":" code ",\"message\":\"m\"" rest "}}"
#define RESULTS(items) ",\"data\":{\"response\":{\"timestamp\":17,\"results\":[" items "]}}"

static void test_rpc_answers(void **state)
{
    means("signal_cli", 200, "{\"result\":{\"timestamp\":1785492000000,\"results\":[{\"type\":\"SUCCESS\"}]}}", CHANNEL_ACCEPTED,
          "1785492000000@+15550001000");
    means("signal_cli", 200, "{\"result\":{\"timestamp\":\"1785492000000\"}}", CHANNEL_ACCEPTED, "1785492000000@+15550001000");
    means("signal_cli", 200, "{\"result\":{}}", CHANNEL_UNCERTAIN, "");
    means("signal_cli", 200, "{\"result\":{\"timestamp\":17,\"results\":[{\"type\":\"UNREGISTERED_FAILURE\"}]}}", CHANNEL_FAILED, "UNREGISTERED_FAILURE");
    means("signal_cli", 200, ERROR_OF("-1", RESULTS("{\"type\":\"UNREGISTERED_FAILURE\"}")), CHANNEL_FAILED, "UNREGISTERED_FAILURE");
    means("signal_cli", 200, ERROR_OF("-4", RESULTS("{\"type\":\"IDENTITY_FAILURE\"}")), CHANNEL_FAILED, "IDENTITY_FAILURE");
    means("signal_cli", 200, ERROR_OF("-5", RESULTS("{\"type\":\"RATE_LIMIT_FAILURE\",\"token\":\"t\",\"retryAfterSeconds\":60}")), CHANNEL_HOLD, "PROOF_REQUIRED");
    means("signal_cli", 200, ERROR_OF("-5", RESULTS("{\"type\":\"RATE_LIMIT_FAILURE\"}")), CHANNEL_RETRY, "RATE_LIMIT_FAILURE");
    means("signal_cli", 200, ERROR_OF("-3", ""), CHANNEL_UNCERTAIN, "-3");
    means("signal_cli", 200, ERROR_OF("-3", RESULTS("{\"type\":\"NETWORK_FAILURE\"}")), CHANNEL_UNCERTAIN, "NETWORK_FAILURE");
    means("signal_cli", 200, "{\"result\":{\"timestamp\":17,\"results\":[{\"type\":\"NETWORK_FAILURE\"}]}}", CHANNEL_UNCERTAIN, "NETWORK_FAILURE");
    /* of a group, one may have it: never sent again by itself */
    means("signal_cli", 200, "{\"result\":{\"timestamp\":17,\"results\":[{\"type\":\"RATE_LIMIT_FAILURE\"},{\"type\":\"NETWORK_FAILURE\"}]}}",
          CHANNEL_UNCERTAIN, "NETWORK_FAILURE");
    means("signal_cli", 200, "{\"result\":{\"timestamp\":17,\"results\":[{\"type\":\"RATE_LIMIT_FAILURE\"},{\"type\":\"A_NEW_FAILURE\"}]}}",
          CHANNEL_FAILED, "A_NEW_FAILURE");
    means("signal_cli", 200, ERROR_OF("\"-4\"", ""), CHANNEL_FAILED, "-4");
    means("signal_cli", 200, ERROR_OF("-5", ""), CHANNEL_HOLD, "-5");
    means("signal_cli", 200, ERROR_OF("-6", ""), CHANNEL_HOLD, "-6");
    means("signal_cli", 200, ERROR_OF("-32601", ""), CHANNEL_FAILED, "-32601");
    means("signal_cli", 200, ERROR_OF("-32603", ""), CHANNEL_UNCERTAIN, "-32603");
    means("signal_cli", 200, "{\"error\":{\"code\":-32602,\"message\":\"Specified account does not exist\"}}", CHANNEL_HOLD, "UNKNOWN_ACCOUNT");
    means("signal_cli", 200, "not JSON", CHANNEL_UNCERTAIN, "");
    means("signal_cli", 421, "", CHANNEL_FAILED, "http-421");
    means("signal_cli", 500, "", CHANNEL_UNCERTAIN, "http-500");
}

static void test_rest_answers(void **state)
{
    means("signal_rest", 201, "{\"timestamp\":\"1785492000000\"}", CHANNEL_ACCEPTED, "1785492000000@+15550001000");
    means("signal_rest", 201, "[{\"timestamp\":\"1785492000000\"}]", CHANNEL_ACCEPTED, "1785492000000@+15550001000");
    means("signal_rest", 201, "[]", CHANNEL_UNCERTAIN, "");
    means("signal_rest", 201, "[{\"timestamp\":17,\"errors\":{\"recipients\":[{\"number\":\"+15550001001\",\"reason\":\"NETWORK_FAILURE\"}]}}]",
          CHANNEL_UNCERTAIN, "NETWORK_FAILURE");
    means("signal_rest", 400, "{\"error\":\"Unable to complete request due to untrusted recipient keys\"}", CHANNEL_FAILED, "IDENTITY_FAILURE");
    means("signal_rest", 400, "{\"error\":\"something else\"}", CHANNEL_FAILED, "-1");
    means("signal_rest", 429, "{\"error\":\"x\",\"challenge_tokens\":[\"t\"]}", CHANNEL_HOLD, "PROOF_REQUIRED");
    means("signal_rest", 429, "{\"error\":\"x\"}", CHANNEL_RETRY, "RATE_LIMIT_FAILURE");
    means("signal_rest", 500, "{\"error\":\"x\"}", CHANNEL_UNCERTAIN, "http-500");
}

static void test_recorded_answers(void **state)
{
    g_autofree char *text = signal_spec("send-results.json", NULL);
    g_autoptr(json_t) recorded = text ? json_loads(text, 0, NULL) : NULL;
    static const struct {
        const char *name, *provider;
        long status;
        enum channel_outcome outcome;
        const char *said;
    } rows[] = {
        {"jsonrpc_send_ok", "signal_cli", 200, CHANNEL_ACCEPTED, "1785492000000@+15550001000"},
        {"jsonrpc_group_partial_failure_is_a_result", "signal_cli", 200, CHANNEL_ACCEPTED, "1785492000000@+15550001000"},
        {"jsonrpc_rate_limit_error", "signal_cli", 200, CHANNEL_HOLD, "PROOF_REQUIRED"},
        {"jsonrpc_untrusted_identity_error", "signal_cli", 200, CHANNEL_FAILED, "IDENTITY_FAILURE"},
        {"jsonrpc_unregistered_error", "signal_cli", 200, CHANNEL_FAILED, "UNREGISTERED_FAILURE"},
        {"rest_v2_send_429", "signal_rest", 429, CHANNEL_HOLD, "PROOF_REQUIRED"},
        {"rest_v2_send_400_untrusted", "signal_rest", 400, CHANNEL_FAILED, "IDENTITY_FAILURE"},
        {"rest_v2_send_201_release_0.100", "signal_rest", 201, CHANNEL_ACCEPTED, "1785492000000@+15550001000"},
        {"rest_v2_send_201_after_6a225e6_array_with_failures", "signal_rest", 201, CHANNEL_ACCEPTED, "1785492000000@+15550001000"},
    };

    if (!recorded)
        skip();
    assert_int_equal(json_object_size(recorded), G_N_ELEMENTS(rows));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *body = json_dumps(json_object_get(recorded, rows[i].name), 0);
        means(rows[i].provider, rows[i].status, body, rows[i].outcome, rows[i].said);
        g_free(body);
    }
}

static void test_members_that_were_missed(void **state)
{
    struct channel_endpoint *endpoint = signal_endpoint("signal_cli", NULL);
    struct http_response response = answer(200, "{\"result\":{\"timestamp\":1785492000000,\"results\":["
        "{\"type\":\"SUCCESS\",\"recipientAddress\":{\"number\":\"+15550001001\"}},"
        "{\"type\":\"UNREGISTERED_FAILURE\",\"recipientAddress\":{\"uuid\":\"" SIGNAL_UUID "\",\"number\":null}},"
        "{\"type\":\"IDENTITY_FAILURE\",\"recipientAddress\":{\"number\":\"+15550001003\"}}]}}");
    g_auto(channel_result_t) result;
    g_autoptr(json_t) want = json_loads("[{\"recipient\":\"" SIGNAL_UUID "\",\"code\":\"UNREGISTERED_FAILURE\"},"
                                        "{\"recipient\":\"+15550001003\",\"code\":\"IDENTITY_FAILURE\"}]", 0, NULL);

    channel_result_init(&result);
    endpoint->ops->parse_response(&response, endpoint, &result);
    assert_int_equal(result.outcome, CHANNEL_ACCEPTED);
    assert_true(json_equal(result.members, want));
    g_bytes_unref(response.body);
    unit_endpoint_free(endpoint);
}

/* ---- The REST API's webhook ---- */

static enum channel_verify verdict(const char *secrets, const char *value)
{
    struct channel_endpoint *endpoint = unit_endpoint("signal_rest", "signal", SIGNAL_NUMBER, NULL, secrets);
    const struct channel_header header = {"authorization", value};
    const struct channel_webhook webhook = {.headers = &header, .header_count = value ? 1 : 0, .body = "", .length = 0};
    enum channel_verify found = endpoint->ops->verify_webhook(&webhook, endpoint, 0);

    unit_endpoint_free(endpoint);
    return found;
}

static void test_webhook_secret(void **state)
{
    static const char secrets[] = "{\"webhook_secret\": \"s3cret\"}";

    assert_int_equal(verdict(secrets, "Basic Z2F0ZXdheTpzM2NyZXQ="), CHANNEL_VERIFIED); /* gateway:s3cret */
    assert_int_equal(verdict(secrets, "basic Z2F0ZXdheTpzM2NyZXQ="), CHANNEL_VERIFIED);
    assert_int_equal(verdict(secrets, "Basic Z2F0ZXdheTpzM2NyZXg="), CHANNEL_BAD_SIGNATURE);
    assert_int_equal(verdict(secrets, "Basic "), CHANNEL_NO_SIGNATURE);
    assert_int_equal(verdict(secrets, "Bearer s3cret"), CHANNEL_NO_SIGNATURE);
    assert_int_equal(verdict(secrets, NULL), CHANNEL_NO_SIGNATURE);
    assert_int_equal(verdict("{}", "Basic Z2F0ZXdheTo="), CHANNEL_UNVERIFIABLE);
}

/* ---- Lines of the socket ---- */

static void test_lines(void **state)
{
    static const struct {
        const char *line;
        enum channel_line kind;
        const char *farewell;
    } rows[] = {
        {"{\"jsonrpc\":\"2.0\",\"method\":\"receive\",\"params\":{}}", CHANNEL_LINE_EVENT, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"subscribe\",\"result\":7}", CHANNEL_LINE_READY,
         "{\"jsonrpc\":\"2.0\",\"id\":\"unsubscribe\",\"method\":\"unsubscribeReceive\",\"params\":{\"subscription\":7}}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"subscribe\",\"error\":{\"code\":-32601,\"message\":\"not manual\"}}", CHANNEL_LINE_READY, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"subscribe\",\"error\":{\"code\":-32602,\"message\":\"no account\"}}", CHANNEL_LINE_REFUSED, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"unsubscribe\",\"result\":null}", CHANNEL_LINE_ENDED, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"other\",\"result\":1}", CHANNEL_LINE_NOTHING, NULL},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"news\"}", CHANNEL_LINE_NOTHING, NULL},
        {"rubbish", CHANNEL_LINE_EVENT, NULL},
    };
    struct channel_endpoint *endpoint = signal_endpoint("signal_cli", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *farewell = NULL;
        g_autoptr(GError) error = NULL;
        assert_int_equal(endpoint->ops->read_line(rows[i].line, strlen(rows[i].line), endpoint, &farewell, &error), rows[i].kind);
        assert_true(g_strcmp0(farewell, rows[i].farewell) == 0);
        assert_true((error != NULL) == (rows[i].kind == CHANNEL_LINE_REFUSED));
    }
    unit_endpoint_free(endpoint);
}

static void test_stream_settings(void **state)
{
    static const struct {
        const char *settings, *url;
    } rows[] = {
        {"{\"base_url\":\"http://127.0.0.1:9\"}", "http://127.0.0.1:9/api/v1/events?account=%2B15550001000"},
        {"{\"receive\":\"tcp://localhost:7583\"}", "tcp://localhost:7583"},
        {"{\"receive\":\"unix:/run/signal-cli/socket\"}", "unix:/run/signal-cli/socket"},
        {"{\"receive\":\"unix:relative\"}", NULL},
        {"{\"receive\":\"ftp://x\"}", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct channel_endpoint *endpoint = signal_endpoint("signal_cli", rows[i].settings);
        g_auto(channel_stream_t) stream = {0};
        g_autoptr(GError) error = NULL;
        assert_int_equal(endpoint->ops->open_stream(endpoint, &stream, &error), rows[i].url ? 0 : -1);
        assert_true(rows[i].url ? g_strcmp0(stream.url, rows[i].url) == 0 : error != NULL);
        unit_endpoint_free(endpoint);
    }
}

/* ---- Server-sent events ---- */

static bool collect(void *context, const char *data, size_t length, bool overlong)
{
    g_string_append_printf(context, "[%s%.*s]", overlong ? "long " : "", (int)length, data);
    return true;
}

static void events_are(const char *text, size_t step, const char *expected)
{
    g_autoptr(GString) got = g_string_new(NULL);
    struct sse_parser parser;

    sse_parser_init(&parser, 20);
    parser.event = collect;
    parser.context = got;
    for (size_t at = 0; at < strlen(text); at += step)
        assert_true(sse_parser_feed(&parser, text + at, MIN(step, strlen(text) - at)));
    sse_parser_clear(&parser);
    assert_string_equal(got->str, expected);
}

static void test_sse(void **state)
{
    for (size_t step = 1; step < 8; step++) {
        events_are("event:receive\nid:0\ndata:{\"a\":1}\n\n", step, "[{\"a\":1}]");
        events_are(":\n\n:keep\r\n\r\ndata: one\r\n\r\ndata:two\r\rdata\n\n", step, "[one][two]");
        events_are("data:a\ndata:b\n\n", step, "[a\nb]");
        events_are("data:never ended", step, "");
        events_are("data:abcdefghijklmnopqrstuvwxyz\n\ndata:b\n\n", step, "[long abcdefghijklmno][b]");
        events_are("database:x\n\n", step, "");
    }
}

static void remember(void *context, const char *id)
{
    g_string_append_printf(context, "(%s)", id);
}

static bool refuse(void *context, const char *data, size_t length, bool overlong)
{
    return false;
}

static void ids_are(const char *text, size_t step, bool refused, const char *expected)
{
    g_autoptr(GString) got = g_string_new(NULL);
    struct sse_parser parser;
    bool more = true;

    sse_parser_init(&parser, 300);
    parser.event = refused ? refuse : collect;
    parser.taken = remember;
    parser.context = got;
    for (size_t at = 0; more && at < strlen(text); at += step)
        more = sse_parser_feed(&parser, text + at, MIN(step, strlen(text) - at));
    assert_true(more == !refused);
    sse_parser_clear(&parser);
    assert_string_equal(got->str, expected);
}

static void test_sse_ids(void **state)
{
    g_autofree char *longest = g_strnfill(SSE_MAX_ID, 'x'), *more = g_strnfill(SSE_MAX_ID + 1, 'x');
    g_autofree char *good = g_strdup_printf("id:%s\ndata:a\n\n", longest), *bad = g_strdup_printf("id:%s\ndata:a\n\n", more);
    g_autofree char *kept = g_strdup_printf("[a](%s)", longest);

    for (size_t step = 1; step < 8; step++) {
        ids_are("id:7\ndata:a\n\ndata:b\n\nid: 8\r\ndata:c\r\n\r\n", step, false, "[a](7)[b][c](8)");
        ids_are("id:7\n\n", step, false, "(7)");                  /* without data it counts as well */
        ids_are("id:7\nid:9\ndata:a\n\nid\ndata:b\n\n", step, false, "[a](9)[b]()");
        ids_are("id:7\ndata:a\n", step, false, "");               /* not before it is whole */
        ids_are("id:7\ndata:a\n\n", step, true, "");              /* nor when it was not taken */
        ids_are("id:a\tb\ndata:a\n\nidx:3\ndata:b\n\n", step, false, "[a][b]"); /* no header injection */
    }
    ids_are(good, 1000, false, kept);
    ids_are(bad, 1000, false, "[a]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text), cmocka_unit_test(test_rest_marks), cmocka_unit_test(test_reactions), cmocka_unit_test(test_media),
        cmocka_unit_test(test_rpc_answers), cmocka_unit_test(test_rest_answers), cmocka_unit_test(test_recorded_answers),
        cmocka_unit_test(test_members_that_were_missed), cmocka_unit_test(test_webhook_secret), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_stream_settings), cmocka_unit_test(test_sse),
        cmocka_unit_test(test_sse_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
