/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to Telnyx and what it answers.  POST /messages, /messages/group_mms (WhatsApp: telnyx_whatsapp_send.c);
 * GET and DELETE /messages/{id}.  Only fields of the OpenAPI description are used.  Telnyx has no idempotency key
 * for messages: what is sent twice arrives twice.
 */
#include "bridge/channels/telnyx.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"

/* ---- Requests ---- */

int telnyx_authorize(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    const char *key = channel_secret(endpoint, "api_key");

    if (!key) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, "api_key is not set");
        return -1;
    }
    g_autofree char *value = g_strdup_printf("Bearer %s", key);
    channel_request_header(request, "Authorization", value);
    channel_request_header(request, "Accept", "application/json");
    return 0;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, json_string(text));
}

/* The callback URL under the base of the setting webhook_failover_url; without it the same again: the
 * provider then tries it six times instead of three. */
static char *failover_url(const struct channel_endpoint *endpoint, const char *callback_url)
{
    const char *base = channel_setting(endpoint, "webhook_failover_url");
    const char *host = callback_url ? strstr(callback_url, "://") : NULL;
    const char *path = host ? strchr(host + 3, '/') : NULL;
    size_t length = base ? strlen(base) : 0;

    if (!base || !path)
        return g_strdup(callback_url);
    while (length > 0 && base[length - 1] == '/')
        length--;
    return g_strdup_printf("%.*s%s", (int)length, base, path);
}

static json_t *media_array(const char *const *urls)
{
    json_t *array = json_array();

    for (; *urls; urls++)
        json_array_append_new(array, json_string(*urls));
    return array;
}

int telnyx_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                         struct channel_request *request, GError **error)
{
    const struct ump_message *message = send->message;
    size_t media = send->media_urls ? g_strv_length((char **)send->media_urls) : 0;
    bool group = message->recipients->len > 1;
    g_autofree char *failover = failover_url(endpoint, send->callback_url);
    g_autoptr(json_t) body = json_object();

    if (strcmp(endpoint->channel, "whatsapp") == 0)
        return telnyx_whatsapp_build_request(send, endpoint, request, error);
    if (channel_check_limits(send, endpoint, error) < 0 || telnyx_authorize(endpoint, request, error) < 0)
        return -1;
    set_text(body, "from", endpoint->address);
    if (group) {
        json_t *to = json_array();
        for (guint i = 0; i < message->recipients->len; i++)
            json_array_append_new(to, json_string(((struct ump_party *)message->recipients->pdata[i])->address));
        json_object_set_new(body, "to", to);
    } else {
        set_text(body, "to", ((struct ump_party *)message->recipients->pdata[0])->address);
        set_text(body, "messaging_profile_id", channel_setting(endpoint, "messaging_profile_id"));
        set_text(body, "type", media > 0 ? "MMS" : "SMS");
    }
    set_text(body, "text", message->text);
    if (group || media > 0)
        set_text(body, "subject", message->subject);
    if (media > 0)
        json_object_set_new(body, "media_urls", media_array(send->media_urls));
    set_text(body, "webhook_url", send->callback_url);
    set_text(body, "webhook_failover_url", failover);

    char *text = json_dumps(body, JSON_COMPACT);
    request->url = g_strdup_printf("%s%s", channel_base_url(endpoint), group ? "/messages/group_mms" : "/messages");
    request->body = g_bytes_new_take(text, strlen(text));
    channel_request_header(request, "Content-Type", "application/json");
    return 0;
}

static int message_request(const char *method, const char *provider_id, const struct channel_endpoint *endpoint,
                           struct channel_request *request, GError **error)
{
    g_autofree char *id = NULL;

    if (!provider_id || !*provider_id)
        return channel_refuse(error, "Telnyx finds a message by its own id only");
    if (telnyx_authorize(endpoint, request, error) < 0)
        return -1;
    id = g_uri_escape_string(provider_id, NULL, FALSE);
    request->method = g_strdup(method);
    request->url = g_strdup_printf("%s/messages/%s", channel_base_url(endpoint), id);
    return 0;
}

int telnyx_build_lookup(const struct channel_send *send, const char *provider_id,
                        const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    return message_request("GET", provider_id, endpoint, request, error);
}

int telnyx_build_cancel(const char *provider_id, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error)
{
    return message_request("DELETE", provider_id, endpoint, request, error);
}

int telnyx_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    g_autofree char *number = g_uri_escape_string(endpoint->address, NULL, FALSE);

    if (strcmp(endpoint->channel, "whatsapp") == 0)
        return telnyx_whatsapp_build_health(endpoint, request, error);
    if (telnyx_authorize(endpoint, request, error) < 0)
        return -1;
    request->url = g_strdup_printf("%s/phone_numbers?filter%%5Bphone_number%%5D=%s", channel_base_url(endpoint), number);
    return 0;
}

/* ---- Answers ---- */

/* Retry-After, else x-ratelimit-reset, which counts seconds. */
static gint64 retry_after(const struct http_response *response)
{
    const char *reset = http_response_header(response, "x-ratelimit-reset");
    double seconds = reset ? g_ascii_strtod(reset, NULL) : 0;

    if (response->retry_after_us >= 0)
        return response->retry_after_us;
    return seconds > 0 && seconds <= 86400 ? (gint64)(seconds * 1e6) : -1;
}

static void read_accepted(const json_t *root, struct channel_result *result)
{
    const json_t *data = json_object_get(root, "data");
    g_autofree char *id = channel_json_text(data, "id");

    if (!id || strlen(id) > 200)
        return; /* stays uncertain: it said yes, but not to what */
    result->outcome = CHANNEL_ACCEPTED;
    result->provider_id = g_steal_pointer(&id);
    result->segments = channel_json_count(data, "parts");
    result->cost = telnyx_json_cost(data, "cost", &result->currency);
}

void telnyx_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                           struct channel_result *result)
{
    static const struct channel_refusals refusals = {
        .unauthorized = "10009", .hold_us = telnyx_hold_us, .retry_us = telnyx_retry_us};
    g_autoptr(json_t) root = channel_answer_json(response);

    result->retry_after_us = retry_after(response);
    if (response->curl_code != 0)
        return;
    if (response->status >= 200 && response->status < 300) {
        read_accepted(root, result);
        return;
    }
    telnyx_json_error(root, &result->code, &result->text);
    telnyx_whatsapp_error(endpoint, &result->code, result->text);
    channel_apply_refusal(response, endpoint, &refusals, result);
}

enum channel_lookup telnyx_parse_lookup(const struct channel_send *send, const struct http_response *response,
                                        const struct channel_endpoint *endpoint, GPtrArray *found)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *data = json_object_get(root, "data");
    g_autofree char *word = channel_json_text(json_array_get(json_object_get(data, "to"), 0), "status");
    g_autofree char *id = channel_json_text(data, "id");
    struct channel_found *one;

    /* 404 proves nothing: messages are kept for ten days, and an id that is new may not be there yet */
    if (response->status != 200 || !json_is_object(data) || !id || strlen(id) > 200)
        return CHANNEL_LOOKUP_UNKNOWN;
    one = g_new0(struct channel_found, 1);
    one->provider_id = g_steal_pointer(&id);
    one->same = true; /* it was asked for by its id */
    one->status = telnyx_status(word);
    if (one->status == CHANNEL_STATUS_FAILED) {
        telnyx_json_error(data, &one->code, &one->text);
        telnyx_whatsapp_error(endpoint, &one->code, one->text);
    }
    g_ptr_array_add(found, one);
    return CHANNEL_LOOKUP_FOUND;
}

int telnyx_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                        const char *webhook_url, GPtrArray *findings)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *number = json_array_get(json_object_get(root, "data"), 0);
    g_autofree char *profile = channel_json_text(number, "messaging_profile_id");
    g_autofree char *status = channel_json_text(number, "status");

    if (response->status == 0) {
        g_ptr_array_add(findings, g_strdup_printf("Telnyx cannot be reached: %s",
                                                  response->error ? response->error : "no answer"));
        return 1;
    }
    if (response->status == 401 || response->status == 403) {
        g_ptr_array_add(findings, g_strdup("Telnyx does not accept the API key."));
        return 1;
    }
    if (strcmp(endpoint->channel, "whatsapp") == 0 && (response->status == 200 || response->status == 404))
        return telnyx_whatsapp_parse_health(response, endpoint, webhook_url, findings);
    if (response->status != 200 || !json_is_array(json_object_get(root, "data"))) {
        g_ptr_array_add(findings, g_strdup_printf("Telnyx answered with status %ld.", response->status));
        return 1;
    }
    g_ptr_array_add(findings, g_strdup("Telnyx accepts the API key."));
    if (!number) {
        g_ptr_array_add(findings, g_strdup_printf("The account does not list %s as one of its numbers.",
                                                  endpoint->address));
        return g_ascii_isdigit(endpoint->address[1]) && !channel_base_url_is_own(endpoint) ? 1 : 0;
    }
    if (status && strcmp(status, "active") != 0) {
        g_ptr_array_add(findings, g_strdup_printf("The number is not active, but \"%s\".", status));
        return 1;
    }
    if (!profile) {
        g_ptr_array_add(findings, g_strdup("The number is not assigned to a messaging profile."));
        return 1;
    }
    g_ptr_array_add(findings, g_strdup_printf("The messaging profile %s must send its webhooks (API version 2) to %s.",
                                              profile, webhook_url ? webhook_url : "the webhook address"));
    return 0;
}
