/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the WhatsApp Cloud API: POST /<phone number id>/messages.  There is no idempotency
 * key: what is sent twice arrives twice.  Our attempt id travels as biz_opaque_callback_data, so that
 * a status tells what became of a request whose answer was lost.
 */
#include "bridge/channels/whatsapp_cloud.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

int whatsapp_authorize(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    const char *token = channel_secret(endpoint, "access_token");

    if (!token) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, "access_token is not set");
        return -1;
    }
    g_autofree char *value = g_strdup_printf("Bearer %s", token);
    channel_request_header(request, "Authorization", value);
    channel_request_header(request, "Accept", "application/json");
    return 0;
}

char *whatsapp_url(const struct channel_endpoint *endpoint, const char *what, GError **error)
{
    const char *number = channel_setting(endpoint, "phone_number_id");

    if (!number) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, "phone_number_id is not set");
        return NULL;
    }
    g_autofree char *escaped = g_uri_escape_string(number, NULL, FALSE);
    return g_strconcat(channel_base_url(endpoint), "/", escaped, *what ? "/" : "", what, NULL);
}

/* A group by its id, a person by the number or, without one, by the id that the business knows. */
static int put_recipient(const struct ump_message *message, json_t *body, GError **error)
{
    const struct ump_party *to = message->recipients->len > 0 ? message->recipients->pdata[0] : NULL;
    const char *address = to ? to->address : NULL;

    if (message->group.id) {
        json_object_set_new(body, "recipient_type", json_string("group"));
        json_object_set_new(body, "to", json_string(message->group.id));
        return 0;
    }
    if (!address || !*address)
        return channel_refuse(error, "there is nobody to send it to");
    json_object_set_new(body, "recipient_type", json_string("individual"));
    if (*address == '+')
        json_object_set_new(body, "to", json_string(address + 1));
    else
        json_object_set_new(body, "recipient", json_string(address));
    return 0;
}

static int finish(const json_t *body, const struct channel_endpoint *endpoint, struct channel_request *request,
                  GError **error)
{
    char *text;

    request->url = whatsapp_url(endpoint, "messages", error);
    if (!request->url || whatsapp_authorize(endpoint, request, error) < 0)
        return -1;
    text = json_dumps(body, JSON_COMPACT);
    request->body = g_bytes_new_take(text, strlen(text));
    channel_request_header(request, "Content-Type", "application/json");
    return 0;
}

int whatsapp_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                           struct channel_request *request, GError **error)
{
    g_autoptr(json_t) body = json_pack("{s:s}", "messaging_product", "whatsapp");

    if (put_recipient(send->message, body, error) < 0 || whatsapp_put_content(send, endpoint, body, error) < 0)
        return -1;
    if (send->attempt_id)
        json_object_set_new(body, "biz_opaque_callback_data", json_string(send->attempt_id));
    return finish(body, endpoint, request, error);
}

int whatsapp_build_read(const char *provider_id, bool typing, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error)
{
    g_autoptr(json_t) body = NULL;

    if (!provider_id || !*provider_id)
        return channel_refuse(error, "WhatsApp marks a message as read by its id only");
    body = json_pack("{s:s, s:s, s:s}", "messaging_product", "whatsapp", "status", "read", "message_id", provider_id);
    if (typing)
        json_object_set_new(body, "typing_indicator", json_pack("{s:s}", "type", "text"));
    return finish(body, endpoint, request, error);
}
