/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WhatsApp by Telnyx: POST /messages/whatsapp, whose whatsapp_message is what Meta takes; the list of templates;
 * whether the window is open; how the number stands.
 */
#include "bridge/channels/telnyx.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

/* ---- A message ---- */

int telnyx_whatsapp_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                                  struct channel_request *request, GError **error)
{
    const struct ump_message *message = send->message;
    const struct ump_party *to = message->recipients->len > 0 ? message->recipients->pdata[0] : NULL;
    const char *profile = channel_setting(endpoint, "messaging_profile_id");
    g_autoptr(json_t) body = json_object();
    json_t *content = json_object();
    char *text;

    json_object_set_new(body, "whatsapp_message", content);
    if (!to || !to->address || *to->address != '+')
        return channel_refuse(error, "Telnyx can write to phone numbers only, and this person's is not known");
    if (whatsapp_put_content(send, endpoint, content, error) < 0 || telnyx_authorize(endpoint, request, error) < 0)
        return -1;
    if (send->attempt_id)
        json_object_set_new(content, "biz_opaque_callback_data", json_string(send->attempt_id));
    json_object_set_new(body, "from", json_string(endpoint->address));
    json_object_set_new(body, "to", json_string(to->address));
    json_object_set_new(body, "type", json_string("WHATSAPP"));
    if (profile)
        json_object_set_new(body, "messaging_profile_id", json_string(profile));
    if (send->callback_url)
        json_object_set_new(body, "webhook_url", json_string(send->callback_url));
    text = json_dumps(body, JSON_COMPACT);
    request->url = g_strconcat(channel_base_url(endpoint), "/messages/whatsapp", NULL);
    request->body = g_bytes_new_take(text, strlen(text));
    channel_request_header(request, "Content-Type", "application/json");
    return 0;
}

/* ---- Our number ---- */

static char *number_url(const struct channel_endpoint *endpoint, const char *what)
{
    g_autofree char *number = g_uri_escape_string(endpoint->address, NULL, FALSE);

    return g_strconcat(channel_base_url(endpoint), "/whatsapp/phone_numbers/", number, what, NULL);
}

int telnyx_build_window(const char *recipient, const struct channel_endpoint *endpoint, struct channel_request *request,
                        GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(recipient, NULL, FALSE);
    g_autofree char *query = g_strconcat("/conversation_window?destination_number=", escaped, NULL);

    if (telnyx_authorize(endpoint, request, error) < 0)
        return -1;
    request->url = number_url(endpoint, query);
    return 0;
}

enum channel_window telnyx_parse_window(const struct http_response *response)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *active = json_object_get(json_object_get(root, "data"), "window_active");

    if (response->status != 200 || !json_is_boolean(active))
        return CHANNEL_WINDOW_UNKNOWN;
    return json_is_true(active) ? CHANNEL_WINDOW_OPEN : CHANNEL_WINDOW_CLOSED;
}

int telnyx_whatsapp_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    if (telnyx_authorize(endpoint, request, error) < 0)
        return -1;
    request->url = number_url(endpoint, "");
    return 0;
}

int telnyx_whatsapp_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                                 const char *webhook_url, GPtrArray *findings)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *number = json_object_get(root, "data");
    g_autofree char *status = channel_json_text(number, "status"), *quality = channel_json_text(number, "quality_rating");

    if (response->status == 404) {
        g_ptr_array_add(findings, g_strdup("Telnyx accepts the API key."));
        g_ptr_array_add(findings, g_strdup_printf("The account has not registered %s at WhatsApp.", endpoint->address));
        return 1;
    }
    g_ptr_array_add(findings, g_strdup("Telnyx accepts the API key."));
    if (status)
        g_ptr_array_add(findings, g_strdup_printf("The number's status at WhatsApp is %s.", status));
    if (quality)
        g_ptr_array_add(findings, g_strdup_printf("The number's quality rating is %s.", quality));
    g_ptr_array_add(findings, g_strdup_printf("The WhatsApp business account, and the number's messaging profile (API version "
                                              "2), must send their webhooks to %s.",
                                              webhook_url ? webhook_url : "the webhook address"));
    return 0;
}

/* ---- Templates ---- */

int telnyx_build_templates(const char *cursor, const struct channel_endpoint *endpoint, struct channel_request *request,
                           GError **error)
{
    const char *account = channel_setting(endpoint, "waba_id");
    g_autofree char *id = account ? g_uri_escape_string(account, NULL, FALSE) : NULL;

    if (strcmp(endpoint->channel, "whatsapp") != 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s has no templates: only WhatsApp has", endpoint->channel);
        return -1;
    }
    if (telnyx_authorize(endpoint, request, error) < 0)
        return -1;
    request->url = g_strconcat(channel_base_url(endpoint), "/whatsapp/message_templates?page%5Bsize%5D=100&page%5Bnumber%5D=",
                               cursor ? cursor : "1", id ? "&filter%5Bwaba_id%5D=" : "", id, NULL);
    return 0;
}

int telnyx_parse_templates(const struct http_response *response, GPtrArray *templates, char **next, GError **error)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *list = json_object_get(root, "data"), *meta = json_object_get(root, "meta"), *item;
    gint64 page = channel_json_int(meta, "page_number"), pages = channel_json_int(meta, "total_pages");
    size_t i;

    if (response->status != 200 || !json_is_array(list)) {
        g_autofree char *code = NULL, *text = NULL;
        telnyx_json_error(root, &code, &text);
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "Telnyx answered with status %ld: %s", response->status,
                    text ? text : "no list of templates");
        return -1;
    }
    json_array_foreach(list, i, item) {
        struct channel_template_info *info = whatsapp_read_template(item);
        if (!info)
            continue;
        if (json_object_get(item, "id"))
            json_object_set(info->body, "id", json_object_get(item, "id"));
        g_ptr_array_add(templates, info);
    }
    *next = page > 0 && page < pages ? g_strdup_printf("%" G_GINT64_FORMAT, page + 1) : NULL;
    return 0;
}
