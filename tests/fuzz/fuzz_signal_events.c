/* SPDX-License-Identifier: Apache-2.0 */
/* What signal-cli tells, over both ways: any body; lines of its socket; the text's styles; server-sent events. */
#include "fuzz_webhook.h"

#include "bridge/channels/signal.h"
#include "bridge/stream/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GPtrArray *parse(const struct channel_endpoint *endpoint, const char *body, size_t size)
{
    GPtrArray *events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    const struct channel_webhook webhook = {.body = body, .length = size};
    g_autoptr(GError) error = NULL;

    if (endpoint->ops->parse_webhook(&webhook, endpoint, events, &error) != CHANNEL_PARSED) {
        g_assert_nonnull(error);
        g_assert_cmpuint(events->len, ==, 0);
    }
    return events;
}

/* The same each time; a part holds its event alone, under the same key. */
static void check(const struct channel_endpoint *endpoint, const char *body, size_t size)
{
    g_autoptr(GPtrArray) events = parse(endpoint, body, size), again = parse(endpoint, body, size);

    g_assert_cmpuint(events->len, ==, again->len);
    for (guint i = 0; i < events->len; i++) {
        const struct channel_event *event = events->pdata[i];
        gsize length;
        fuzz_check(event, again->pdata[i]);
        if (!event->body)
            continue;
        const char *part = g_bytes_get_data(event->body, &length);
        g_autofree char *copy = g_strndup(part, length);
        g_autoptr(GPtrArray) alone = parse(endpoint, copy, length);
        g_assert_cmpuint(alone->len, ==, 1);
        fuzz_check(event, alone->pdata[0]);
    }
}

static bool ignore(void *context, const char *data, size_t length, bool overlong)
{
    g_assert_cmpuint(strlen(data), <=, length);
    g_assert_cmpuint(length, <=, 1000);
    return true;
}

static void stream(const struct channel_endpoint *endpoint, const char *body, size_t size)
{
    g_autofree char *farewell = NULL;
    g_autoptr(GError) error = NULL;
    struct sse_parser parser;

    g_assert_true((endpoint->ops->read_line(body, size, endpoint, &farewell, &error) == CHANNEL_LINE_REFUSED) == (error != NULL));
    sse_parser_init(&parser, 1000);
    parser.event = ignore;
    g_assert_true(sse_parser_feed(&parser, body, size));
    sse_parser_clear(&parser);
}

/* What goes out has ranges within it. */
static void text_out(const char *body)
{
    json_t *styles = json_array(), *mentions = json_array(), *item;
    g_autofree char *text = signal_text_out(body, styles, mentions);
    glong units = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &units, NULL);
    size_t i;

    g_assert_nonnull(wide);
    json_array_foreach(styles, i, item) {
        gint64 start = 0, length = 0;
        g_assert_cmpint(sscanf(json_string_value(item), "%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT, &start, &length), ==, 2);
        g_assert_true(start >= 0 && length > 0 && start + length <= units);
    }
    json_decref(styles);
    json_decref(mentions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct channel_endpoint *daemon, *rest;
    g_autofree char *body = g_malloc(size + 1);

    if (!daemon) {
        daemon = fuzz_endpoint("signal_cli", "signal", "+15550001000");
        rest = fuzz_endpoint("signal_rest", "signal", "+15550001000");
        json_object_set_new(rest->settings, "disappearing", json_string("refuse"));
    }
    memcpy(body, data, size);
    body[size] = '\0';
    check(daemon, body, size);
    check(rest, body, size);
    stream(daemon, body, size);
    if (g_utf8_validate(body, -1, NULL) && size < 20000)
        text_out(body);
    return 0;
}
