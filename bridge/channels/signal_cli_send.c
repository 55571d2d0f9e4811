/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the daemon of signal-cli: JSON-RPC by POST /api/v1/rpc.  There is no idempotency key and no
 * look-up: what is sent twice arrives twice.
 */
#include "bridge/channels/signal_cli.h"

#include <string.h>

#include "core/cleanup.h"

#define SEND_TIMEOUT_MS 60000   /* a group's members are served one after another */
#define MEDIA_TIMEOUT_MS 180000

void signal_cli_call(const struct channel_endpoint *endpoint, const char *id, const char *method, json_t *params,
                     struct channel_request *request)
{
    g_autofree char *url = g_strconcat(channel_base_url(endpoint), "/api/v1/rpc", NULL);
    g_autoptr(json_t) body = json_pack("{s:s, s:s, s:s, s:o}", "jsonrpc", "2.0", "id", id ? id : "1", "method", method,
                                       "params", params);

    signal_finish(body, url, request);
    request->timeout_ms = SEND_TIMEOUT_MS;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, json_string(text));
}

static json_t *new_params(const struct channel_endpoint *endpoint)
{
    return json_pack("{s:s}", "account", signal_account(endpoint));
}

static void put_recipient(const struct ump_message *message, json_t *params)
{
    if (message->group.id)
        set_text(params, "groupId", message->group.id);
    else
        json_object_set_new(params, "recipient", json_pack("[s]", ((const struct ump_party *)message->recipients->pdata[0])->address));
}

/* ---- Reactions ---- */

static int put_reaction(const struct channel_send *send, json_t *params, GError **error)
{
    const struct ump_message *message = send->message;
    const char *author, *emoji = signal_reaction(message);
    gint64 stamp;

    if (!signal_message_id_split(send->reply_to_provider_id, &stamp, &author))
        return channel_refuse(error, "the message that you reacted to is not one of this conversation on Signal");
    if (!emoji || !*emoji)
        return channel_refuse(error, message->reaction_removed ? "there is no reaction of yours to be taken back"
                                                               : "the reaction has no emoji");
    set_text(params, "emoji", emoji);
    set_text(params, "targetAuthor", author);
    json_object_set_new(params, "targetTimestamp", json_integer(stamp));
    if (message->reaction_removed)
        json_object_set_new(params, "remove", json_true());
    return 0;
}

/* ---- Messages ---- */

static void put_text(const struct ump_message *message, json_t *params)
{
    json_t *styles = json_array(), *mentions = json_array();
    g_autofree char *text = message->text ? signal_text_out(message->text, styles, mentions) : g_strdup("");

    json_object_set_new(params, "message", json_string(text));
    if (json_array_size(styles) > 0)
        json_object_set(params, "textStyle", styles);
    if (json_array_size(mentions) > 0)
        json_object_set(params, "mention", mentions);
    json_decref(styles);
    json_decref(mentions);
}

static void put_quote(const struct channel_send *send, json_t *params)
{
    const char *author;
    gint64 stamp;

    if (!signal_message_id_split(send->reply_to_provider_id, &stamp, &author))
        return;
    json_object_set_new(params, "quoteTimestamp", json_integer(stamp));
    set_text(params, "quoteAuthor", author);
    set_text(params, "quoteMessage", send->reply_to_text);
}

int signal_cli_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                             struct channel_request *request, GError **error)
{
    const struct ump_message *message = send->message;
    bool reaction = message->type == UMP_MESSAGE_REACTION;
    g_autoptr(json_t) params = new_params(endpoint);

    if (message->recipients->len == 0)
        return channel_refuse(error, "there is nobody to send it to");
    put_recipient(message, params);
    if (reaction) {
        if (put_reaction(send, params, error) < 0)
            return -1;
    } else {
        if (signal_check(send, endpoint, error) < 0 || (message->media->len > 0 && signal_put_media(message, params, "attachments", error) < 0))
            return -1;
        put_text(message, params);
        put_quote(send, params);
    }
    signal_cli_call(endpoint, send->attempt_id, reaction ? "sendReaction" : "send", json_incref(params), request);
    if (message->media->len > 0)
        request->timeout_ms = MEDIA_TIMEOUT_MS;
    return 0;
}

int signal_cli_build_read(const char *provider_id, bool typing, const struct channel_endpoint *endpoint,
                          struct channel_request *request, GError **error)
{
    const char *author;
    json_t *params;
    gint64 stamp;

    (void)typing;
    if (!signal_message_id_split(provider_id, &stamp, &author))
        return channel_refuse(error, "Signal marks a message as read by its author and time only");
    params = new_params(endpoint);
    json_object_set_new(params, "recipient", json_string(author));
    json_object_set_new(params, "targetTimestamp", json_pack("[I]", (json_int_t)stamp));
    set_text(params, "type", "read");
    signal_cli_call(endpoint, NULL, "sendReceipt", params, request);
    return 0;
}

/* ---- Media that came: their place is written by signal_kinds.c ---- */

/* The part behind the last slash, unescaped. */
static char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return g_uri_unescape_string(slash ? slash + 1 : path, NULL);
}

static int sticker_params(const char *rest, json_t *params, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(rest, "/", 3);
    guint64 id;

    if (g_strv_length(parts) != 2 || !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXINT32, &id, NULL))
        return channel_refuse(error, "this is no sticker of Signal's");
    set_text(params, "packId", parts[0]);
    json_object_set_new(params, "stickerId", json_integer((json_int_t)id));
    return 0;
}

int signal_cli_build_media(const struct ump_media *media, const struct channel_endpoint *endpoint, struct channel_request *request,
                           GError **error)
{
    const char *sticker = strstr(media->url, "/v1/sticker-packs/"), *query = strchr(media->url, '?');
    g_autoptr(json_t) params = new_params(endpoint);

    if (sticker) {
        if (sticker_params(sticker + strlen("/v1/sticker-packs/"), params, error) < 0)
            return -1;
        signal_cli_call(endpoint, NULL, "getSticker", json_incref(params), request);
    } else {
        g_autofree char *path = g_strndup(media->url, query ? (gsize)(query - media->url) : strlen(media->url));
        g_autofree char *id = last_part(path), *who = query && strchr(query, '=') ? g_uri_unescape_string(strchr(query, '=') + 1, NULL) : NULL;
        if (!id || !*id || !who)
            return channel_refuse(error, "this is no attachment of Signal's");
        set_text(params, "id", id);
        set_text(params, g_str_has_prefix(query, "?group=") ? "groupId" : "recipient", who);
        signal_cli_call(endpoint, NULL, "getAttachment", json_incref(params), request);
    }
    request->timeout_ms = MEDIA_TIMEOUT_MS;
    return 0;
}

/* ---- Linking: startLink gives the address for the QR code, finishLink waits until it was scanned ---- */

int signal_cli_build_link(const struct channel_endpoint *endpoint, const char *uri, struct channel_request *request, GError **error)
{
    (void)error;
    if (uri)
        signal_cli_call(endpoint, NULL, "finishLink", json_pack("{s:s, s:s}", "deviceLinkUri", uri, "deviceName", "Mail gateway"), request);
    else
        signal_cli_call(endpoint, NULL, "startLink", json_object(), request);
    request->timeout_ms = uri ? 130000 : 30000;
    return 0;
}

int signal_cli_build_group(const char *group_id, const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    json_t *params = new_params(endpoint);

    (void)error;
    json_object_set_new(params, "groupId", json_pack("[s]", group_id));
    signal_cli_call(endpoint, NULL, "listGroups", params, request);
    return 0;
}

int signal_cli_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    (void)error;
    signal_cli_call(endpoint, NULL, "listAccounts", json_object(), request);
    request->timeout_ms = 20000;
    return 0;
}
