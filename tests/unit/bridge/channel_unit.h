/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint of a provider, and files of tests/data and ../shared, for the tests of adapters. */
#pragma once

#include "bridge/channels/channel_common.h"
#include "core/cleanup.h"
#include "unit.h"

static inline struct channel_endpoint *unit_endpoint(const char *provider, const char *channel, const char *address,
                                                     const char *settings, const char *secrets)
{
    struct channel_endpoint *endpoint = g_new0(struct channel_endpoint, 1);

    endpoint->account_id = 1;
    endpoint->id = g_strdup("00000000-0000-7000-8000-0000000000e1");
    endpoint->channel = g_strdup(channel);
    endpoint->provider = g_strdup(provider);
    endpoint->address = g_strdup(address);
    endpoint->domain = g_strdup("example.org");
    endpoint->region = g_strdup("US");
    endpoint->settings = json_loads(settings ? settings : "{}", 0, NULL);
    endpoint->secrets = json_loads(secrets, 0, NULL);
    endpoint->account_settings = json_object();
    endpoint->ops = channel_find(provider);
    assert_non_null(endpoint->settings);
    assert_non_null(endpoint->secrets);
    assert_non_null(endpoint->ops);
    return endpoint;
}

static inline void unit_endpoint_free(struct channel_endpoint *endpoint)
{
    if (endpoint->prepared)
        endpoint->ops->dispose(endpoint->prepared);
    g_free(endpoint->id);
    g_free(endpoint->channel);
    g_free(endpoint->provider);
    g_free(endpoint->address);
    g_free(endpoint->domain);
    g_free(endpoint->region);
    json_decref(endpoint->settings);
    json_decref(endpoint->secrets);
    json_decref(endpoint->account_settings);
    g_free(endpoint);
}

/* A text to one recipient, as the outbox has it. */
static inline struct ump_message *unit_message_to(const char *address, const char *text)
{
    struct ump_message *message = ump_message_new();

    message->direction = UMP_OUTBOUND;
    message->type = UMP_MESSAGE_TEXT;
    message->text = g_strdup(text);
    g_ptr_array_add(message->recipients, ump_party_new(address, NULL));
    return message;
}

/* tests/data/DIRECTORY/NAME.json */
static inline char *unit_example(const char *directory, const char *name, gsize *length)
{
    g_autofree char *file = g_strdup_printf("%s.json", name);
    g_autofree char *path = g_build_filename(g_getenv("UMP_SOURCE_DIR"), "tests", "data", directory, file, NULL);
    char *text = NULL;

    assert_true(g_file_get_contents(path, &text, length, NULL));
    return text;
}
