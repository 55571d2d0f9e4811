/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the WhatsApp Cloud API, what its answers mean, its error numbers, templates. */
#include "whatsapp_unit.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/hmac.h"

#define TO "+16505551234"

/* ---- Requests ---- */

static void add_media(struct ump_message *message, const char *type, const char *name, gint64 size)
{
    struct ump_media *media = ump_media_new();

    media->type = g_strdup(type);
    media->name = g_strdup(name);
    media->size = size;
    media->sha256 = g_strdup("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    g_ptr_array_add(message->media, media);
    message->type = UMP_MESSAGE_MEDIA;
}

/* The body of the request, or NULL and the sentence. */
static char *built(const struct channel_send *send, char **why)
{
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);
    g_auto(channel_request_t) request;
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    gsize length;

    channel_request_init(&request);
    if (endpoint->ops->build_request(send, endpoint, &request, &error) == 0) {
        const char *data = g_bytes_get_data(request.body, &length);
        text = g_strndup(data, length);
        assert_string_equal(request.url, "https://graph.facebook.com/v23.0/106540352242922/messages");
        assert_string_equal(request.headers->pdata[0], "Authorization: Bearer EAA1");
    } else {
        assert_true(g_error_matches(error, UMP_ERROR, UMP_ERROR_INVALID));
        if (why)
            *why = g_strdup(error->message);
    }
    unit_endpoint_free(endpoint);
    return text;
}

static void expect(const struct channel_send *send, const char *expected)
{
    g_autofree char *why = NULL, *text = built(send, &why);
    g_autoptr(json_t) got = text ? json_loads(text, 0, NULL) : NULL, want = json_loads(expected, 0, NULL);

    assert_non_null(want);
    if (!got || !json_equal(got, want))
        fail_msg("%s, expected %s", text ? text : why, expected);
}

static void test_text(void **state)
{
    g_autoptr(ump_message) message = unit_message_to(TO, "Hi");
    struct channel_send send = {.message = message, .attempt_id = "a-1"};

    expect(&send, "{\"messaging_product\": \"whatsapp\", \"recipient_type\": \"individual\", \"to\": \"16505551234\", \"type\": \"text\", "
                  "\"text\": {\"body\": \"Hi\"}, \"biz_opaque_callback_data\": \"a-1\"}");
    send.reply_to_provider_id = "wamid.0";
    expect(&send, "{\"messaging_product\": \"whatsapp\", \"recipient_type\": \"individual\", \"to\": \"16505551234\", \"type\": \"text\", "
                  "\"text\": {\"body\": \"Hi\"}, \"context\": {\"message_id\": \"wamid.0\"}, \"biz_opaque_callback_data\": \"a-1\"}");
}

static void test_people_without_numbers_and_groups(void **state)
{
    g_autoptr(ump_message) person = unit_message_to("US.134912AbC", "Hi"), group = unit_message_to("abc", "Hi");
    struct channel_send send = {.message = person};

    expect(&send, "{\"messaging_product\": \"whatsapp\", \"recipient_type\": \"individual\", \"recipient\": \"US.134912AbC\", "
                  "\"type\": \"text\", \"text\": {\"body\": \"Hi\"}}");
    group->group.id = g_strdup("GROUP==");
    send.message = group;
    expect(&send, "{\"messaging_product\": \"whatsapp\", \"recipient_type\": \"group\", \"to\": \"GROUP==\", \"type\": \"text\", "
                  "\"text\": {\"body\": \"Hi\"}}");
}

static void test_media(void **state)
{
    static const struct {
        const char *type, *text, *kind;
        gint64 size;
    } cases[] = {
        {"image/jpeg", "hello", "image", 1000},         {"image/jpeg", NULL, "document", 6000000},
        {"image/heic", NULL, "document", 1000},         {"video/mp4", "hello", "video", 16000000},
        {"video/mp4", "hello", "document", 17000000},   {"audio/ogg", NULL, "audio", 1000},
        {"audio/ogg", "hello", "document", 1000},       {"image/webp", NULL, "sticker", 90000},
        {"image/webp", NULL, "document", 200000},       {"application/pdf", "hello", "document", 1000},
        {NULL, NULL, "document", 1000},
    };
    static const char *const ids[] = {"77", NULL}, *const urls[] = {"https://gw.example.org/media/x", NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ump_message) message = unit_message_to(TO, cases[i].text);
        struct channel_send send = {.message = message, .media_ids = ids};
        add_media(message, cases[i].type, "a.bin", cases[i].size);
        g_autofree char *text = built(&send, NULL);
        g_autoptr(json_t) root = json_loads(text, 0, NULL);
        const json_t *object = json_object_get(root, cases[i].kind);
        if (!object)
            fail_msg("%s with %s: %s", cases[i].type, cases[i].text, text);
        assert_string_equal(json_string_value(json_object_get(object, "id")), "77");
        assert_string_equal(json_string_value(json_object_get(root, "type")), cases[i].kind);
        assert_true(!cases[i].text == !json_object_get(object, "caption"));
        send.media_ids = NULL;
        send.media_urls = urls;
        g_autofree char *linked = built(&send, NULL);
        assert_non_null(strstr(linked, "\"link\":\"https://gw.example.org/media/x\""));
    }
}

static void test_reaction(void **state)
{
    g_autoptr(ump_message) message = unit_message_to(TO, "👍");
    struct channel_send send = {.message = message, .reply_to_provider_id = "wamid.0"};
    g_autofree char *why = NULL;

    message->type = UMP_MESSAGE_REACTION;
    message->reaction = g_strdup("👍");
    expect(&send, "{\"messaging_product\": \"whatsapp\", \"recipient_type\": \"individual\", \"to\": \"16505551234\", "
                  "\"type\": \"reaction\", \"reaction\": {\"message_id\": \"wamid.0\", \"emoji\": \"👍\"}}");
    message->reaction_removed = true;
    expect(&send, "{\"messaging_product\": \"whatsapp\", \"recipient_type\": \"individual\", \"to\": \"16505551234\", "
                  "\"type\": \"reaction\", \"reaction\": {\"message_id\": \"wamid.0\", \"emoji\": \"\"}}");
    send.reply_to_provider_id = NULL;
    assert_null(built(&send, &why));
    assert_non_null(strstr(why, "reacted to"));
}

static void test_template(void **state)
{
    static const char *const places[] = {"header.1", "body.1", "body.name", NULL}, *const values[] = {"A", "B\n\n b\tc", "C", NULL};
    const struct channel_template template = {"welcome", "en_US", values, places}, plain = {.name = "plain"};
    g_autoptr(ump_message) message = unit_message_to(TO, "A\nB");
    struct channel_send send = {.message = message, .template = &template};

    expect(&send, "{\"messaging_product\": \"whatsapp\", \"recipient_type\": \"individual\", \"to\": \"16505551234\", "
                  "\"type\": \"template\", \"template\": {\"name\": \"welcome\", \"language\": {\"code\": \"en_US\"}, \"components\": ["
                  "{\"type\": \"header\", \"parameters\": [{\"type\": \"text\", \"text\": \"A\"}]}, "
                  "{\"type\": \"body\", \"parameters\": [{\"type\": \"text\", \"text\": \"B / b c\"}, "
                  "{\"type\": \"text\", \"text\": \"C\", \"parameter_name\": \"name\"}]}]}}");
    send.template = &plain;
    expect(&send, "{\"messaging_product\": \"whatsapp\", \"recipient_type\": \"individual\", \"to\": \"16505551234\", "
                  "\"type\": \"template\", \"template\": {\"name\": \"plain\", \"language\": {\"code\": \"en_US\"}}}");
}

static void test_what_cannot_be_said(void **state)
{
    g_autofree char *long_text = g_strnfill(4097, 'x'), *caption = g_strnfill(1025, 'x');
    g_autoptr(ump_message) empty = unit_message_to(TO, ""), longer = unit_message_to(TO, long_text), captioned = unit_message_to(TO, caption);
    g_autoptr(ump_message) two = unit_message_to(TO, "x"), nobody = unit_message_to("", "x");
    static const char *const ids[] = {"1", "2", NULL}, *const id[] = {"1", NULL};
    struct {
        struct channel_send send;
        const char *why;
    } cases[] = {
        {{.message = empty}, "nothing to send"},
        {{.message = longer}, "4096 characters"},
        {{.message = captioned, .media_ids = id}, "1024 characters"},
        {{.message = two, .media_ids = ids}, "more than 1 attachments"},
        {{.message = nobody}, "nobody"},
    };

    add_media(captioned, "image/png", "a.png", 10);
    add_media(two, "image/png", "a.png", 10);
    add_media(two, "image/png", "b.png", 10);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *why = NULL, *text = built(&cases[i].send, &why);
        if (text || !strstr(why, cases[i].why))
            fail_msg("%s, expected %s", text ? text : why, cases[i].why);
    }
}

static void test_read_mark(void **state)
{
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);
    g_auto(channel_request_t) request;
    gsize length;

    channel_request_init(&request);
    assert_int_equal(endpoint->ops->build_read("wamid.0", true, endpoint, &request, NULL), 0);
    const char *data = g_bytes_get_data(request.body, &length);
    g_autoptr(json_t) root = json_loadb(data, length, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "status")), "read");
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "typing_indicator"), "type")), "text");
    unit_endpoint_free(endpoint);
}

static void test_upload(void **state)
{
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);
    g_autoptr(ump_message) message = unit_message_to(TO, NULL);
    g_auto(channel_request_t) request;
    struct ump_media *media;
    gsize length;

    add_media(message, "image/png\r\nX: y", "a\"b\r\n.png", 4);
    media = message->media->pdata[0];
    media->content = g_bytes_new_static("\x89PNG", 4);
    channel_request_init(&request);
    assert_int_equal(endpoint->ops->build_upload(media, endpoint, &request, NULL), 0);
    const char *data = g_bytes_get_data(request.body, &length);
    g_autofree char *text = g_strndup(data, length);
    assert_string_equal(request.url, "https://graph.facebook.com/v23.0/106540352242922/media");
    assert_non_null(strstr(text, "filename=\"a_b__.png\"\r\nContent-Type: application/octet-stream\r\n\r\n\x89PNG\r\n--ump-e3b0"));
    unit_endpoint_free(endpoint);
}

/* ---- Answers ---- */

static void answer(const struct channel_endpoint *endpoint, long status, const char *body, struct channel_result *result)
{
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    struct http_response response = {.status = status, .body = bytes, .retry_after_us = -1, .request_size = 1};

    channel_result_init(result);
    endpoint->ops->parse_response(&response, endpoint, result);
}

static void test_answers(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum channel_outcome outcome;
        const char *code, *alias;
    } cases[] = {
        {200, "{\"contacts\": [{\"input\": \"16505551234\", \"wa_id\": \"16505551234\"}], \"messages\": [{\"id\": \"w\"}]}",
         CHANNEL_ACCEPTED, NULL, NULL},
        {200, "{\"contacts\": [{\"input\": \"+5511987654321\", \"wa_id\": \"551187654321\"}], \"messages\": [{\"id\": \"w\"}]}",
         CHANNEL_ACCEPTED, NULL, "+551187654321"},
        {200, "{\"messages\": []}", CHANNEL_UNCERTAIN, NULL, NULL},
        {200, "<html>", CHANNEL_UNCERTAIN, NULL, NULL},
        {400, "{\"error\": {\"code\": 131047, \"message\": \"m\", \"error_data\": {\"details\": \"d\"}}}", CHANNEL_FAILED, "131047", NULL},
        {400, "{\"error\": {\"code\": \"131056\"}}", CHANNEL_RETRY, "131056", NULL},
        {401, "{\"error\": {\"code\": 190}}", CHANNEL_HOLD, "190", NULL},
        {401, "", CHANNEL_HOLD, "http-401", NULL},
        {403, "{\"error\": {\"code\": 131031}}", CHANNEL_HOLD, "131031", NULL},
        {404, "{\"error\": {\"code\": 132001}}", CHANNEL_FAILED, "132001", NULL},
        {429, "{\"error\": {\"code\": 130429}}", CHANNEL_RETRY, "130429", NULL},
        {500, "{\"error\": {\"code\": 131000}}", CHANNEL_UNCERTAIN, "131000", NULL},
        {503, "", CHANNEL_UNCERTAIN, "http-503", NULL},
        {400, "{\"error\": {\"code\": 999999, \"message\": \"new\"}}", CHANNEL_FAILED, "999999", NULL},
    };
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(channel_result_t) result;
        answer(endpoint, cases[i].status, cases[i].body, &result);
        if (result.outcome != cases[i].outcome || g_strcmp0(result.code, cases[i].code) != 0 ||
            g_strcmp0(result.alias, cases[i].alias) != 0)
            fail_msg("%ld %s: %s %s %s", cases[i].status, cases[i].body, channel_outcome_name(result.outcome), result.code,
                     result.alias);
    }
    unit_endpoint_free(endpoint);
}

/* The provider's own list of numbers, with the class that we gave each. */
static bool class_fits(const char *class, enum channel_error_class ours)
{
    if (g_str_has_prefix(class, "retry-limited") || g_str_has_prefix(class, "defer") || g_str_has_prefix(class, "needs-template") ||
        g_str_has_prefix(class, "bug") || g_str_has_prefix(class, "inbound"))
        return ours == CHANNEL_ERROR_FIX;
    if (g_str_has_prefix(class, "retry"))
        return ours == CHANNEL_ERROR_RETRY;
    if (g_str_has_prefix(class, "hold"))
        return ours == CHANNEL_ERROR_HOLD;
    if (g_str_has_prefix(class, "permanent"))
        return ours == CHANNEL_ERROR_PERMANENT;
    if (strcmp(class, "config") == 0) /* what an administrator can mend at once is held, not failed */
        return ours == CHANNEL_ERROR_CONFIG || ours == CHANNEL_ERROR_HOLD ||
               ours == CHANNEL_ERROR_FIX;
    return false;
}

static void test_error_numbers(void **state)
{
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);
    gsize length;
    g_autofree char *text = whatsapp_spec("error-codes.json", &length);
    g_autoptr(json_t) root = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *entry;
    size_t i;

    if (!text) {
        print_message("../shared/specs/whatsapp is not at hand\n");
        skip();
    }
    json_array_foreach(json_object_get(root, "codes"), i, entry) {
        g_autofree char *code = channel_json_text(entry, "code");
        const char *class = json_string_value(json_object_get(entry, "class"));
        const struct channel_error *known = channel_error_find(endpoint->ops, code);
        if (!known || !class_fits(class, known->class))
            fail_msg("%s (%s): %s", code, class, known ? known->reason : "not known");
        assert_true(strlen(known->reason) > 10 && g_str_has_suffix(known->reason, "."));
    }
    assert_true(i > 50);
    unit_endpoint_free(endpoint);
}

/* ---- Templates, health ---- */

static void test_template_list(void **state)
{
    const char *body = "{\"data\": [{\"name\": \"promo\", \"language\": \"en_US\", \"status\": \"APPROVED\", \"components\": ["
                       "{\"type\": \"HEADER\", \"format\": \"TEXT\", \"text\": \"For {{1}}\"}, {\"type\": \"BODY\", \"text\": "
                       "\"{{1}} {{2}} {{ 1 }} {{name}}\"}]}, {\"name\": \"otp\", \"language\": \"de\", \"status\": \"PENDING\", "
                       "\"components\": [{\"type\": \"BUTTONS\", \"buttons\": [{\"type\": \"URL\", \"url\": \"https://x/{{1}}\"}]}]}, "
                       "{\"name\": \"no language\"}], \"paging\": {\"cursors\": {\"after\": \"A\"}, \"next\": \"https://…\"}}";
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);
    g_autoptr(GPtrArray) templates = g_ptr_array_new_with_free_func((GDestroyNotify)channel_template_info_free);
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    struct http_response response = {.status = 200, .body = bytes};
    g_autofree char *next = NULL;

    assert_int_equal(endpoint->ops->parse_templates(&response, templates, &next, NULL), 0);
    assert_int_equal(templates->len, 2);
    assert_string_equal(next, "A");
    const struct channel_template_info *first = templates->pdata[0], *second = templates->pdata[1];
    g_autofree char *places = json_dumps(json_object_get(first->body, "places"), JSON_COMPACT);
    assert_string_equal(places, "[\"header.1\",\"body.1\",\"body.2\",\"body.name\"]");
    assert_string_equal(first->status, "approved");
    assert_non_null(json_object_get(second->body, "missing"));
    unit_endpoint_free(endpoint);
}

static void test_health(void **state)
{
    struct channel_endpoint *endpoint = whatsapp_endpoint(NULL);
    static const struct {
        long status;
        const char *body;
        int sick;
    } cases[] = {
        {200, "{\"display_phone_number\": \"+1 555-078-3881\", \"quality_rating\": \"GREEN\"}", 0},
        {200, "{\"display_phone_number\": \"+1 555-078-3882\"}", 1},
        {401, "{\"error\": {\"code\": 190, \"message\": \"expired\"}}", 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) bytes = g_bytes_new(cases[i].body, strlen(cases[i].body));
        struct http_response response = {.status = cases[i].status, .body = bytes};
        g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(g_free);
        assert_int_equal(endpoint->ops->parse_health(&response, endpoint, "https://gw/webhooks/1", findings), cases[i].sick);
        assert_true(findings->len > 0);
    }
    unit_endpoint_free(endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text), cmocka_unit_test(test_people_without_numbers_and_groups), cmocka_unit_test(test_media),
        cmocka_unit_test(test_reaction), cmocka_unit_test(test_template), cmocka_unit_test(test_what_cannot_be_said),
        cmocka_unit_test(test_read_mark), cmocka_unit_test(test_upload), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_error_numbers), cmocka_unit_test(test_template_list), cmocka_unit_test(test_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
