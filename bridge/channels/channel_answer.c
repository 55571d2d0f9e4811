/* SPDX-License-Identifier: Apache-2.0 */
/* What may be sent, and what the provider's answer means for it. */
#include "bridge/channels/channel_common.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

int channel_refuse(GError **error, const char *why)
{
    g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, why);
    return -1;
}

static int refuse_number(GError **error, const char *before, guint number, const char *after)
{
    g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%s %u %s", before, number, after);
    return -1;
}

int channel_check_limits(const struct channel_send *send, const struct channel_endpoint *endpoint, GError **error)
{
    const struct ump_message *message = send->message;
    const struct channel_capabilities *caps = channel_capabilities_of(endpoint->ops, endpoint->channel);
    size_t media = send->media_urls ? g_strv_length((char **)send->media_urls) : 0, length = 0;

    if (message->recipients->len == 0)
        return channel_refuse(error, "there is nobody to send it to");
    if (message->text && !g_utf8_validate(message->text, -1, NULL))
        return channel_refuse(error, "the text is not valid Unicode");
    if (message->text)
        length = caps && caps->text_in_octets ? strlen(message->text) : (size_t)g_utf8_strlen(message->text, -1);
    if (length == 0 && media == 0)
        return channel_refuse(error, "there is nothing to send: neither text nor an attachment");
    if (!caps)
        return 0;
    if (media > caps->max_media)
        return refuse_number(error, "there are more than", caps->max_media, "attachments");
    if (message->recipients->len > MAX(caps->max_group, 1))
        return caps->max_group == 0 ? channel_refuse(error, "this provider has no group messages")
                                    : refuse_number(error, "a group message can have", caps->max_group, "recipients at most");
    if (caps->max_text > 0 && length > caps->max_text)
        return refuse_number(error, "the text is longer than", caps->max_text, caps->text_in_octets ? "bytes" : "characters");
    return 0;
}

json_t *channel_answer_json(const struct http_response *response)
{
    gsize length;
    const char *body = g_bytes_get_data(response->body, &length);
    json_t *root = NULL;

    if (response->truncated || channel_json_load(body ? body : "", length, &root, NULL) != CHANNEL_PARSED)
        return NULL;
    return root;
}

gint64 channel_code_time(const struct channel_code_time *table, const char *code, gint64 otherwise)
{
    for (; table->code; table++)
        if (strcmp(table->code, code) == 0)
            return table->us;
    return otherwise;
}

void channel_apply_error(const struct channel_error *known, const struct channel_refusals *refusals,
                        struct channel_result *result)
{
    switch (known->class) {
    case CHANNEL_ERROR_RETRY:
        result->outcome = CHANNEL_RETRY;
        if (result->retry_after_us < 0)
            result->retry_after_us = refusals->retry_us(known->code);
        break;
    case CHANNEL_ERROR_UNCERTAIN:
        result->outcome = CHANNEL_UNCERTAIN;
        break;
    case CHANNEL_ERROR_HOLD:
        result->outcome = CHANNEL_HOLD;
        if (result->hold_us <= 0)
            result->hold_us = refusals->hold_us(known->code);
        result->config = true;
        break;
    case CHANNEL_ERROR_CONFIG:
        result->outcome = CHANNEL_FAILED;
        result->config = true;
        break;
    case CHANNEL_ERROR_FIX:
    case CHANNEL_ERROR_PERMANENT:
        result->outcome = CHANNEL_FAILED;
        break;
    }
}

void channel_apply_refusal(const struct http_response *response, const struct channel_endpoint *endpoint,
                           const struct channel_refusals *refusals, struct channel_result *result)
{
    const struct channel_error *known;

    if (!result->text)
        result->text = g_strdup_printf("HTTP status %ld", response->status);
    if (!result->code)
        result->code = g_strdup_printf("http-%ld", response->status);
    if (response->status == 429) {
        result->outcome = CHANNEL_RETRY;
        return;
    }
    /* any 5xx may have been processed, whatever its body says (FAILURES 4); 408 is a proxy's word */
    if (response->status < 400 || response->status >= 500 || response->status == 408)
        return;
    known = channel_error_find(endpoint->ops, result->code);
    if (!known && response->status == 401)
        known = channel_error_find(endpoint->ops, refusals->unauthorized);
    if (known) {
        channel_apply_error(known, refusals, result);
        return;
    }
    result->outcome = CHANNEL_FAILED;
    result->config = response->status == 403 || response->status == 404 || response->status == 405;
}
