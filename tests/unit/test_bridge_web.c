/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of the web role: heads of requests, ranges, paths, JSON limits, the journal's record, media types. */
#include "tests/unit/unit.h"

#include "bridge/channels/channel.h"
#include "bridge/event_store.h"
#include "bridge/gateway.h"
#include "bridge/media_url.h"
#include "bridge/web/web_check.h"
#include "core/cleanup.h"

/* --- heads --- */

static enum web_check check(const char *const *headers)
{
    struct web_head head = { 0 };

    for (; headers[0]; headers += 2)
        web_head_add(&head, headers[0], headers[1]);
    return web_head_check(&head, 1000);
}
#define CHECK(...) check((const char *const[]){ __VA_ARGS__, NULL })

static void test_heads(void **state)
{
    assert_int_equal(CHECK("Content-Length", "1000"), WEB_CHECK_OK);
    assert_int_equal(CHECK("Transfer-Encoding", "chunked"), WEB_CHECK_OK);
    assert_int_equal(CHECK("Host", "x"), WEB_CHECK_OK);
    assert_int_equal(CHECK("Content-Length", "1001"), WEB_CHECK_TOO_LARGE);
    assert_int_equal(CHECK("Content-Length", "5", "content-length", "5"), WEB_CHECK_BAD);
    assert_int_equal(CHECK("Content-Length", "5", "Transfer-Encoding", "chunked"), WEB_CHECK_BAD);
    assert_int_equal(CHECK("Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"), WEB_CHECK_BAD);
    assert_int_equal(CHECK("Transfer-Encoding", "gzip, chunked"), WEB_CHECK_TRANSFER);
    assert_int_equal(CHECK("Content-Encoding", "gzip"), WEB_CHECK_ENCODING);
    assert_int_equal(CHECK("Content-Encoding", "identity"), WEB_CHECK_OK);
    static const char *const wrong[] = { "", "+5", "-1", " 5", "5 ", "0x5", "5,5", "1e3", "99999999999999999999" };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_int_equal(CHECK("Content-Length", wrong[i]), WEB_CHECK_BAD);
}

static void test_many_headers(void **state)
{
    struct web_head head = { 0 };
    g_autofree char *text = g_strnfill(WEB_MAX_HEADER, 'x');

    for (int i = 0; i < WEB_MAX_HEADERS; i++)
        web_head_add(&head, "X-A", "b");
    assert_int_equal(web_head_check(&head, 0), WEB_CHECK_OK);
    web_head_add(&head, "X-A", "b");
    assert_int_equal(web_head_check(&head, 0), WEB_CHECK_HEADERS);
    memset(&head, 0, sizeof head);
    web_head_add(&head, "X-A", text);
    assert_int_equal(web_head_check(&head, 0), WEB_CHECK_HEADERS);
}

static void test_paths(void **state)
{
    char id[37];

    assert_true(web_path_uuid("/webhooks/01A1F8D8-cacd-77e6-9f1c-f6b1c8817931", "/webhooks/", id));
    assert_string_equal(id, "01a1f8d8-cacd-77e6-9f1c-f6b1c8817931");
    assert_true(web_path_uuid("/webhooks/01a1f8d8-cacd-77e6-9f1c-f6b1c8817931/", "/webhooks/", id));
    static const char *const wrong[] = { "/webhooks/", "/webhooks", "/", "", "/webhooks/01a1f8d8-cacd-77e6-9f1c-f6b1c881793",
                                         "/webhooks/01a1f8d8-cacd-77e6-9f1c-f6b1c8817931x",
                                         "/webhooks/01a1f8d8-cacd-77e6-9f1c-f6b1c8817931/..",
                                         "/webhooks/01a1f8d8xcacd-77e6-9f1c-f6b1c8817931",
                                         "/webhooks/../../etc/passwd" };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_false(web_path_uuid(wrong[i], "/webhooks/", id));
}

static void test_forwarded(void **state)
{
    char out[64];

    assert_true(web_forwarded_for("10.0.0.1", out));
    assert_string_equal(out, "10.0.0.1");
    assert_true(web_forwarded_for("1.2.3.4, 5.6.7.8 ", out));
    assert_string_equal(out, "5.6.7.8");
    assert_false(web_forwarded_for("", out));
    assert_false(web_forwarded_for("1.2.3.4,", out));
    assert_false(web_forwarded_for("a b", out));
}

static void test_ranges(void **state)
{
    static const struct {
        const char *value;
        int result;
        uint64_t from, length;
    } cases[] = {
        { "bytes=0-499", 1, 0, 500 },     { "bytes=500-", 1, 500, 500 },  { "bytes=-100", 1, 900, 100 },
        { "bytes=-5000", 1, 0, 1000 },    { "bytes=0-5000", 1, 0, 1000 }, { "bytes=999-", 1, 999, 1 },
        { "bytes=1000-", -1, 0, 0 },      { "bytes=-0", -1, 0, 0 },       { "bytes=5-2", 0, 0, 0 },
        { "bytes=0-1,5-6", 0, 0, 0 },     { "bytes=-", 0, 0, 0 },         { "bytes=a-b", 0, 0, 0 },
        { "items=0-1", 0, 0, 0 },         { "", 0, 0, 0 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t from = 0, length = 0;
        assert_int_equal(web_range(cases[i].value, 1000, &from, &length), cases[i].result);
        if (cases[i].result == 1) {
            assert_int_equal(from, cases[i].from);
            assert_int_equal(length, cases[i].length);
        }
    }
}

/* --- JSON (FAILURES T23) --- */

static char *repeat(const char *text, guint n)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < n; i++)
        g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static enum channel_parse load(const char *text)
{
    g_autoptr(json_t) root = NULL;

    return channel_json_load(text, strlen(text), &root, NULL);
}

static void test_json(void **state)
{
    g_autofree char *open32 = repeat("[", 32), *close32 = repeat("]", 32), *open33 = repeat("[", 33);
    g_autofree char *deep = g_strconcat(open32, close32, NULL);
    g_autofree char *many = repeat("0,", 20001), *list = g_strconcat("[", many, "0]", NULL);
    g_autofree char *objects = repeat("{},", 30000), *x = repeat("x", 64 * 1024 + 1), *y = repeat("y", 64 * 1000);
    g_autofree char *long_string = g_strconcat("[\"", x, "\"]", NULL), *fine = g_strconcat("[\"", y, "\"]", NULL);
    g_autofree char *bomb = repeat("[", 5000);

    assert_int_equal(load("{\"a\": [1, 2, {\"b\": null}]}"), CHANNEL_PARSED);
    assert_int_equal(load(deep), CHANNEL_PARSED);
    assert_int_equal(load(fine), CHANNEL_PARSED);
    assert_int_equal(load("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"), CHANNEL_PARSED);
    assert_int_equal(load("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"), CHANNEL_PARSED);
    assert_int_equal(load(open33), CHANNEL_OVER_LIMIT);
    assert_int_equal(load(bomb), CHANNEL_OVER_LIMIT);
    assert_int_equal(load(list), CHANNEL_OVER_LIMIT);
    assert_int_equal(load(objects), CHANNEL_OVER_LIMIT);
    assert_int_equal(load(long_string), CHANNEL_OVER_LIMIT);
    /* a file's bytes may be long, nothing else may be more */
    g_autoptr(json_t) content = channel_json_load_content(long_string, strlen(long_string));
    assert_non_null(content);
    assert_null(channel_json_load_content(open33, strlen(open33)));
    assert_null(channel_json_load_content(bomb, strlen(bomb)));
    assert_int_equal(load(""), CHANNEL_MALFORMED);
    assert_int_equal(load("{\"a\": 1, \"a\": 2}"), CHANNEL_MALFORMED);
    assert_int_equal(load("{} {}"), CHANNEL_MALFORMED);
    assert_int_equal(load("\"unclosed"), CHANNEL_MALFORMED);
    assert_int_equal(load("\"\\"), CHANNEL_MALFORMED);
}

/* What JSON allows to be written and UTF-8 cannot hold costs a character, not the message. */
static void test_json_characters(void **state)
{
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"[\"half \\ud83d\"]", "half \ufffd"},               /* an emoji that a carrier cut in two */
        {"[\"\\uDE00 half\"]", "\ufffd half"},
        {"[\"\\ud83d\\ud83d\\ude00\"]", "\ufffd\U0001F600"}, /* the whole one behind it stays */
        {"[\"\\ud83d\\u00e9\"]", "\ufffd\u00e9"},
        {"[\"caf\\u0000\"]", "caf\ufffd"},
        {"[\"\xff\\ud83d\"]", "\ufffd\ufffd"},
        {"[\"\\\\u0000 \\ud83d\"]", "\\u0000 \ufffd"}, /* an escaped backslash begins no escape */
        {"[\"\\ud83\"]", NULL},
        {"[\"\\ud83d", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) root = NULL;
        g_autoptr(GError) error = NULL;
        enum channel_parse result = channel_json_load(cases[i].body, strlen(cases[i].body), &root, &error);
        assert_int_equal(result, cases[i].text ? CHANNEL_PARSED : CHANNEL_MALFORMED);
        if (cases[i].text)
            assert_string_equal(json_string_value(json_array_get(root, 0)), cases[i].text);
    }
}

/* The error of a parser must not quote what was parsed (FAILURES T36). */
static void test_json_error_is_silent(void **state)
{
    g_autoptr(json_t) root = NULL;
    g_autoptr(GError) error = NULL;

    assert_int_equal(channel_json_load("{\"secret\": canary}", 18, &root, &error), CHANNEL_MALFORMED);
    assert_null(strstr(error->message, "canary"));
}

/* --- the journal's record --- */

static void test_record(void **state)
{
    const char body[] = "{\"x\":\n\0binary\"}";
    struct stored_event event = {
        .account_id = 7, .endpoint_id = (char *)"01a1f8d8-cacd-77e6-9f1c-f6b1c8817931", .key = (char *)"k\"\n1",
        .kind = (char *)"message", .lane = (char *)"+1555", .keep_days = 14, .opt = "stop", .channel = (char *)"sms",
        .identifier = (char *)"+15551234567", .body = g_bytes_new(body, sizeof body)
    };
    g_autoptr(GBytes) record = stored_event_encode(&event);
    gsize size;
    const uint8_t *data = g_bytes_get_data(record, &size);
    struct stored_event *back = stored_event_decode(data, size);

    assert_non_null(back);
    assert_int_equal(back->account_id, 7);
    assert_string_equal(back->endpoint_id, event.endpoint_id);
    assert_string_equal(back->key, event.key);
    assert_string_equal(back->lane, event.lane);
    assert_string_equal(back->opt, "stop");
    assert_string_equal(back->identifier, event.identifier);
    assert_null(back->attempt);
    assert_int_equal(back->keep_days, 14);
    assert_true(g_bytes_equal(back->body, event.body));
    stored_event_free(back);
    for (gsize n = 0; n < size; n++) {
        back = stored_event_decode(data, n); /* torn anywhere: no crash */
        stored_event_free(back);
    }
    assert_null(stored_event_decode((const uint8_t *)"{}\nx", 4));
    assert_null(stored_event_decode((const uint8_t *)"[]\nx", 4));
    assert_null(stored_event_decode((const uint8_t *)"", 0));
    g_bytes_unref(event.body);
}

/* --- names --- */

static void test_media_types(void **state)
{
    assert_int_equal(media_url_type_code("image/jpeg"), 1);
    assert_int_equal(media_url_type_code("IMAGE/JPEG"), 1);
    assert_int_equal(media_url_type_code("text/html"), 0);
    assert_int_equal(media_url_type_code(NULL), 0);
    assert_string_equal(media_url_type_name(0), "application/octet-stream");
    assert_string_equal(media_url_type_name(255), "application/octet-stream");
    assert_string_equal(media_url_type_name(media_url_type_code("video/mp4")), "video/mp4");
    assert_string_equal(media_url_type_extension(media_url_type_code("application/pdf")), ".pdf");
}

static void test_gateway_addresses(void **state)
{
    static const struct {
        const char *id, *address;
    } cases[] = { { "+15551234567", "+15551234567@sms.example.org" },
                  { "12345", "s.12345@sms.example.org" },
                  { "Amazon", "a.amazon@sms.example.org" } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *address = gateway_address(cases[i].id, "sms", "example.org");
        assert_string_equal(address, cases[i].address);
    }
    g_autofree char *odd = gateway_address("evil\r\nBcc: x <y@z>", "sms", "example.org");
    assert_true(g_str_has_prefix(odd, "u."));
    assert_null(strpbrk(odd, "\r\n<> "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),       cmocka_unit_test(test_many_headers),
        cmocka_unit_test(test_paths),       cmocka_unit_test(test_forwarded),
        cmocka_unit_test(test_ranges),      cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_characters),
        cmocka_unit_test(test_json_error_is_silent), cmocka_unit_test(test_record),
        cmocka_unit_test(test_media_types), cmocka_unit_test(test_gateway_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
