/* SPDX-License-Identifier: Apache-2.0 */
/* What the WhatsApp Cloud API answers.  200 means accepted only: a failure may still follow by webhook. */
#include "bridge/channels/whatsapp_cloud.h"

#include <string.h>

#include "core/cleanup.h"

#define MAX_ID 200

void whatsapp_read_refusal(const struct http_response *response, const struct channel_endpoint *endpoint,
                           const json_t *root, struct channel_result *result)
{
    if (!whatsapp_error(json_object_get(root, "error"), &result->code, &result->text))
        result->text = g_strdup_printf("HTTP status %ld", response->status);
    result->retry_after_us = response->retry_after_us;
    channel_apply_refusal(response, endpoint, &whatsapp_refusals, result);
}

/* contacts: [{input, wa_id}]: the network may know the person by another number than was dialled (Brazil,
 * Mexico, Argentina), and the answers come from that one. */
static char *drifted(const json_t *root)
{
    const json_t *contact = json_array_get(json_object_get(root, "contacts"), 0);
    g_autofree char *input = channel_json_text(contact, "input"), *wa_id = channel_json_text(contact, "wa_id");
    const char *dialled = input && *input == '+' ? input + 1 : input;

    return dialled && wa_id && strcmp(dialled, wa_id) != 0 ? whatsapp_identifier(wa_id) : NULL;
}

void whatsapp_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                             struct channel_result *result)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    g_autofree char *id = channel_json_text(json_array_get(json_object_get(root, "messages"), 0), "id");

    if (response->curl_code != 0)
        return;
    if (response->status < 200 || response->status >= 300) {
        whatsapp_read_refusal(response, endpoint, root, result);
        return;
    }
    if (!id || strlen(id) > MAX_ID)
        return; /* stays uncertain: it said yes, but not to what */
    result->outcome = CHANNEL_ACCEPTED;
    result->provider_id = g_steal_pointer(&id);
    result->alias = drifted(root);
}

/* ---- Health ---- */

int whatsapp_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    g_autofree char *base = whatsapp_url(endpoint, "", error);

    if (!base || whatsapp_authorize(endpoint, request, error) < 0)
        return -1;
    request->url = g_strconcat(base, "?fields=display_phone_number,verified_name,quality_rating", NULL);
    return 0;
}

int whatsapp_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                          const char *webhook_url, GPtrArray *findings)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    g_autofree char *number = channel_json_text(root, "display_phone_number");
    g_autofree char *quality = channel_json_text(root, "quality_rating");
    g_autofree char *code = NULL, *text = NULL;

    if (response->status != 200) {
        whatsapp_error(json_object_get(root, "error"), &code, &text);
        g_ptr_array_add(findings, g_strdup_printf("WhatsApp answered with status %ld%s%s.", response->status,
                                                  text ? ": " : "", text ? text : ""));
        return 1;
    }
    g_ptr_array_add(findings, g_strdup("WhatsApp accepts the access token."));
    if (number && !whatsapp_same_digits(number, endpoint->address)) {
        g_ptr_array_add(findings, g_strdup_printf("phone_number_id belongs to %s, not to %s.", number, endpoint->address));
        return 1;
    }
    if (quality)
        g_ptr_array_add(findings, g_strdup_printf("The number's quality rating is %s.", quality));
    g_ptr_array_add(findings, g_strdup_printf("The app's webhook (fields messages, smb_message_echoes, groups) must be %s, "
                                              "with your verify_token.",
                                              webhook_url ? webhook_url : "the webhook address"));
    return 0;
}
