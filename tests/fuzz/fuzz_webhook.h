/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhooks as they come from the network, signature passed: whatever they hold, each is either refused
 * with a reason, or gives events with a key and a lane, the same each time.
 */
#pragma once

#include "bridge/channels/channel.h"

#include <stdint.h>
#include <string.h>

static inline struct channel_endpoint *fuzz_endpoint(const char *provider, const char *channel, const char *address)
{
    struct channel_endpoint *made = g_new0(struct channel_endpoint, 1);

    made->id = g_strdup("00000000-0000-7000-8000-0000000000e1");
    made->channel = g_strdup(channel);
    made->provider = g_strdup(provider);
    made->address = g_strdup(address);
    made->settings = json_object();
    made->ops = channel_find(provider);
    return made;
}

static inline GPtrArray *fuzz_parse(const struct channel_endpoint *endpoint, const char *body, size_t size)
{
    GPtrArray *events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    struct channel_webhook webhook = {.body = body, .length = size};
    g_autoptr(GError) error = NULL;

    if (endpoint->ops->parse_webhook(&webhook, endpoint, events, &error) == CHANNEL_PARSED) {
        g_assert_true(events->len > 0 || endpoint->ops->webhook_addresses); /* it may be about another endpoint */
    } else {
        g_assert_nonnull(error);
        g_assert_cmpuint(events->len, ==, 0);
    }
    return events;
}

static inline void fuzz_check(const struct channel_event *event, const struct channel_event *again)
{
    g_assert_nonnull(event->key);
    g_assert_nonnull(event->lane);
    g_assert_true(g_utf8_validate(event->key, -1, NULL) && g_utf8_validate(event->lane, -1, NULL));
    g_assert_cmpstr(event->key, ==, again->key);
    g_assert_cmpint(event->kind, ==, again->kind);
    g_assert_true((event->kind == CHANNEL_EVENT_MESSAGE) == (event->message != NULL));
    if (event->message) {
        g_autofree char *json = ump_message_to_json_text(event->message);
        g_assert_nonnull(event->message->sender.address);
        g_assert_nonnull(json);
    }
    g_assert_true(event->cost >= -1 && event->segments >= -1);
}

static inline void fuzz_webhook(const struct channel_endpoint *endpoint, const uint8_t *data, size_t size)
{
    g_autofree char *body = g_malloc(size + 1);

    memcpy(body, data, size);
    body[size] = '\0';
    g_autoptr(GPtrArray) events = fuzz_parse(endpoint, body, size), again = fuzz_parse(endpoint, body, size);
    g_assert_cmpuint(events->len, ==, again->len);
    for (guint i = 0; i < events->len; i++)
        fuzz_check(events->pdata[i], again->pdata[i]);
}
