/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of adapters, and what they have in common. */
#include "bridge/channels/channel_common.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"
#include "core/hmac.h"

const struct channel_ops *channel_find(const char *provider)
{
    for (gsize i = 0; channels[i] && provider; i++)
        if (strcmp(channels[i]->provider, provider) == 0)
            return channels[i];
    return NULL;
}

const struct channel_capabilities *channel_capabilities_of(const struct channel_ops *ops, const char *channel)
{
    if (!ops || !channel)
        return NULL;
    for (const struct channel_capabilities *c = ops->capabilities; c && c->channel; c++)
        if (strcmp(c->channel, channel) == 0)
            return c;
    return NULL;
}

const struct channel_error *channel_error_find(const struct channel_ops *ops, const char *code)
{
    if (!ops || !code)
        return NULL;
    const struct channel_error *const tables[] = { ops->errors, ops->network_errors };
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const struct channel_error *e = tables[i]; e && e->code; e++)
            if (strcmp(e->code, code) == 0)
                return e;
    return NULL;
}

/* Codes of our own, where the provider said none. */
static const struct channel_error own_errors[] = {
    { "expired", CHANNEL_ERROR_FIX, "4.4.7", "The message could not be handed to the provider in time.",
      "Send it again.", false },
    { "uncertain", CHANNEL_ERROR_FIX, "4.4.7",
      "The provider did not answer, so the message may or may not have been sent.",
      "Ask the recipient, or send it again if a second copy does no harm.", false },
    { "opted-out", CHANNEL_ERROR_PERMANENT, "5.7.1", "The recipient asked to get no more messages (STOP).",
      "Only the recipient can lift this, by writing START to your number.", true },
    { NULL, CHANNEL_ERROR_FIX, NULL, NULL, NULL, false },
};

const struct channel_error *channel_error_any(const struct channel_ops *ops, const char *code)
{
    const struct channel_error *error = channel_error_find(ops, code);

    for (const struct channel_error *own = own_errors; !error && code && own->code; own++)
        if (strcmp(own->code, code) == 0)
            error = own;
    return error;
}

/* --- settings --- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : NULL;
}

const char *channel_setting(const struct channel_endpoint *endpoint, const char *key)
{
    const char *text = text_of(endpoint->settings, key);
    return text ? text : text_of(endpoint->secrets, key);
}

const char *channel_secret(const struct channel_endpoint *endpoint, const char *key)
{
    const char *text = text_of(endpoint->secrets, key);
    return text ? text : text_of(endpoint->settings, key);
}

gint64 channel_setting_int(const struct channel_endpoint *endpoint, const char *key, gint64 fallback)
{
    const json_t *value = json_object_get(endpoint->settings, key);
    const char *text = json_string_value(value);
    gint64 number;

    if (json_is_integer(value))
        return json_integer_value(value);
    if (text && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL))
        return number;
    return fallback;
}

bool channel_setting_bool(const struct channel_endpoint *endpoint, const char *key, bool fallback)
{
    const json_t *value = json_object_get(endpoint->settings, key);
    const char *text = json_string_value(value);

    if (json_is_boolean(value))
        return json_is_true(value);
    if (!text)
        return fallback;
    return g_ascii_strcasecmp(text, "yes") == 0 || g_ascii_strcasecmp(text, "true") == 0 ||
           g_ascii_strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0;
}

const char *channel_base_url(const struct channel_endpoint *endpoint)
{
    const char *own = channel_setting(endpoint, "base_url");
    return own ? own : endpoint->ops ? endpoint->ops->base_url : NULL;
}

bool channel_base_url_is_own(const struct channel_endpoint *endpoint)
{
    return channel_setting(endpoint, "base_url") != NULL;
}

/* --- webhooks --- */

const char *channel_webhook_header(const struct channel_webhook *webhook, const char *name)
{
    const char *found = NULL;

    for (size_t i = 0; i < webhook->header_count; i++) {
        if (strcmp(webhook->headers[i].name, name) != 0)
            continue;
        if (found)
            return NULL;
        found = webhook->headers[i].value;
    }
    return found;
}

const char *channel_verify_text(enum channel_verify verdict)
{
    static const char *const texts[] = { "verified", "no signature", "bad signature", "signed too long ago",
                                         "no key to verify with" };
    return (unsigned)verdict < G_N_ELEMENTS(texts) ? texts[verdict] : "unknown";
}

const char *channel_event_kind_name(enum channel_event_kind kind)
{
    static const char *const names[] = { "message", "status", "template", "other" };
    return (unsigned)kind < G_N_ELEMENTS(names) ? names[kind] : "other";
}

const char *channel_status_name(enum channel_status status)
{
    static const char *const names[] = { NULL, "sent", "delivered", "read", "failed" };
    return (unsigned)status < G_N_ELEMENTS(names) ? names[status] : NULL;
}

struct channel_event *channel_event_new(void)
{
    struct channel_event *event = g_new0(struct channel_event, 1);
    event->segments = -1;
    event->cost = -1;
    return event;
}

void channel_event_free(struct channel_event *event)
{
    if (!event)
        return;
    ump_message_free(event->message);
    g_free(event->key);
    g_free(event->lane);
    g_free(event->note);
    g_free(event->opt_identifier);
    g_free(event->attempt_id);
    g_clear_pointer(&event->body, g_bytes_unref);
    g_free(event->provider_id);
    g_free(event->recipient);
    g_free(event->error_code);
    g_free(event->error_text);
    g_free(event->currency);
    g_free(event->template_name);
    g_free(event->template_language);
    g_free(event->template_id);
    g_free(event->template_status);
    g_free(event);
}

char *channel_body_key(const struct channel_webhook *webhook)
{
    guint8 digest[32];

    hmac_sha256(webhook->body, webhook->length, digest);
    g_autofree char *hex = hmac_hex(digest, sizeof digest);
    return g_strconcat("sha256:", hex, NULL);
}

void channel_add_other(GPtrArray *events, const char *note, const char *key)
{
    struct channel_event *event = channel_event_new();

    event->kind = CHANNEL_EVENT_OTHER;
    event->key = g_strdup(key);
    event->lane = g_strdup(key);
    event->note = g_strdup(note);
    g_ptr_array_add(events, event);
}

/* --- sending --- */

void channel_request_init(struct channel_request *request)
{
    *request = (struct channel_request){ .headers = g_ptr_array_new_with_free_func(g_free) };
}

void channel_request_clear(struct channel_request *request)
{
    g_free(request->method);
    g_free(request->url);
    g_clear_pointer(&request->headers, g_ptr_array_unref);
    g_clear_pointer(&request->body, g_bytes_unref);
    *request = (struct channel_request){ 0 };
}

void channel_request_header(struct channel_request *request, const char *name, const char *value)
{
    g_ptr_array_add(request->headers, g_strdup_printf("%s: %s", name, value));
}

const char *channel_outcome_name(enum channel_outcome outcome)
{
    static const char *const names[] = { "accepted", "retry", "failed", "hold", "uncertain" };
    return (unsigned)outcome < G_N_ELEMENTS(names) ? names[outcome] : "uncertain";
}

void channel_result_init(struct channel_result *result)
{
    *result = (struct channel_result){
        .outcome = CHANNEL_UNCERTAIN, .retry_after_us = -1, .segments = -1, .cost = -1
    };
}

void channel_result_clear(struct channel_result *result)
{
    g_free(result->provider_id);
    g_free(result->code);
    g_free(result->text);
    g_free(result->currency);
    g_free(result->alias);
    json_decref(result->members);
    channel_result_init(result);
}

void channel_found_free(struct channel_found *found)
{
    if (!found)
        return;
    g_free(found->provider_id);
    g_free(found->code);
    g_free(found->text);
    g_free(found);
}

struct channel_poll *channel_poll_new(const char *context)
{
    struct channel_poll *poll = g_new0(struct channel_poll, 1);

    channel_request_init(&poll->request);
    poll->context = g_strdup(context);
    return poll;
}

void channel_poll_free(struct channel_poll *poll)
{
    if (!poll)
        return;
    channel_request_clear(&poll->request);
    g_free(poll->context);
    g_free(poll);
}

void channel_stream_clear(struct channel_stream *stream)
{
    g_free(stream->url);
    g_free(stream->hello);
    *stream = (struct channel_stream){ 0 };
}

/* --- templates --- */

void channel_template_info_free(struct channel_template_info *info)
{
    if (!info)
        return;
    g_free(info->name);
    g_free(info->language);
    g_free(info->status);
    json_decref(info->body);
    g_free(info);
}
