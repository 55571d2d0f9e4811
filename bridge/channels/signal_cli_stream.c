/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the daemon tells what comes.  Over HTTP: server-sent events of /api/v1/events.  Over TCP or a unix socket
 * (setting receive): JSON-RPC in lines; with --receive-mode=manual nothing comes before subscribeReceive, so that
 * we ask for it only while we can store it.
 */
#include "bridge/channels/signal_cli.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

#define SUBSCRIBE "subscribe"
#define UNSUBSCRIBE "unsubscribe"

static char *subscription(const struct channel_endpoint *endpoint)
{
    g_autoptr(json_t) root = json_pack("{s:s, s:s, s:s, s:{s:s}}", "jsonrpc", "2.0", "id", SUBSCRIBE, "method", "subscribeReceive",
                                       "params", "account", signal_account(endpoint));
    char *text = json_dumps(root, JSON_COMPACT);
    char *copy = g_strdup(text);

    g_free(text);
    return copy;
}

int signal_cli_open_stream(const struct channel_endpoint *endpoint, struct channel_stream *stream, GError **error)
{
    const char *receive = channel_setting(endpoint, "receive");
    g_autofree char *account = g_uri_escape_string(signal_account(endpoint), NULL, FALSE);

    stream->max_line = 1024 * 1024;
    if (!receive || strcmp(receive, "sse") == 0) {
        stream->kind = CHANNEL_STREAM_SSE;
        stream->url = g_strconcat(channel_base_url(endpoint), "/api/v1/events?account=", account, NULL);
        stream->idle_ms = 60000; /* it says something every 15 s */
        return 0;
    }
    if (!g_str_has_prefix(receive, "tcp://") && !g_str_has_prefix(receive, "unix:/")) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, "receive is \"sse\", \"tcp://host:port\" or \"unix:/path\"");
        return -1;
    }
    stream->kind = CHANNEL_STREAM_LINES;
    stream->url = g_strdup(receive);
    stream->hello = subscription(endpoint);
    return 0;
}

/* The line that ends the subscription; without a number it was none (other modes subscribe by themselves). */
static char *farewell_of(const json_t *root)
{
    gint64 number = channel_json_int(root, "result");

    return number < 0 ? NULL
                      : g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":\"" UNSUBSCRIBE "\",\"method\":\"unsubscribeReceive\","
                                        "\"params\":{\"subscription\":%" G_GINT64_FORMAT "}}", number);
}

enum channel_line signal_cli_read_line(const char *line, size_t length, const struct channel_endpoint *endpoint, char **farewell,
                                       GError **error)
{
    g_autoptr(json_t) root = NULL;
    g_autofree char *method = NULL, *id = NULL, *words = NULL, *code = NULL;

    (void)endpoint;
    if (channel_json_load(line, length, &root, NULL) != CHANNEL_PARSED)
        return CHANNEL_LINE_EVENT; /* kept as it came */
    method = channel_json_text(root, "method");
    id = channel_json_text(root, "id");
    if (method)
        return strcmp(method, "receive") == 0 ? CHANNEL_LINE_EVENT : CHANNEL_LINE_NOTHING;
    if (id && strcmp(id, UNSUBSCRIBE) == 0)
        return CHANNEL_LINE_ENDED;
    if (!id || strcmp(id, SUBSCRIBE) != 0)
        return CHANNEL_LINE_NOTHING;
    words = channel_json_text(json_object_get(root, "error"), "message");
    code = channel_json_text(json_object_get(root, "error"), "code");
    if (g_strcmp0(code, "-32601") == 0 || !json_is_object(json_object_get(root, "error"))) {
        *farewell = farewell_of(root); /* not manual: it has begun by itself */
        return CHANNEL_LINE_READY;
    }
    g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "signal-cli refuses the subscription: %s", words ? words : code);
    return CHANNEL_LINE_REFUSED;
}
