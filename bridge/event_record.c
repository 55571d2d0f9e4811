/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's record of one event, see event_store.h. */
#include "bridge/event_store.h"

#include <string.h>

#include "core/cleanup.h"

void stored_event_free(struct stored_event *event)
{
    if (!event)
        return;
    g_free(event->endpoint_id);
    g_free(event->key);
    g_free(event->kind);
    g_free(event->lane);
    g_free(event->channel);
    g_free(event->identifier);
    g_free(event->attempt);
    g_clear_pointer(&event->body, g_bytes_unref);
    g_free(event);
}

static void put(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string(value));
}

GBytes *stored_event_encode(const struct stored_event *event)
{
    g_autoptr(json_t) head = json_object();
    GString *out = g_string_new(NULL);
    gsize size;
    const char *body = g_bytes_get_data(event->body, &size);
    char *text;

    json_object_set_new(head, "account", json_integer(event->account_id));
    json_object_set_new(head, "keep", json_integer(event->keep_days));
    put(head, "endpoint", event->endpoint_id);
    put(head, "key", event->key);
    put(head, "kind", event->kind);
    put(head, "lane", event->lane);
    put(head, "opt", event->opt);
    put(head, "channel", event->channel);
    put(head, "identifier", event->identifier);
    put(head, "attempt", event->attempt);
    text = json_dumps(head, JSON_COMPACT);
    g_string_append(out, text ? text : "{}");
    g_free(text);
    g_string_append_c(out, '\n');
    g_string_append_len(out, body, (gssize)size);
    return g_string_free_to_bytes(out);
}

static char *take(const json_t *object, const char *key)
{
    return g_strdup(json_string_value(json_object_get(object, key)));
}

struct stored_event *stored_event_decode(const uint8_t *data, size_t length)
{
    const uint8_t *end = memchr(data, '\n', length);
    g_autoptr(json_t) head = end ? json_loadb((const char *)data, (size_t)(end - data), 0, NULL) : NULL;
    struct stored_event *event;
    const char *opt;

    if (!json_is_object(head))
        return NULL;
    event = g_new0(struct stored_event, 1);
    event->account_id = json_integer_value(json_object_get(head, "account"));
    event->keep_days = (int)json_integer_value(json_object_get(head, "keep"));
    event->endpoint_id = take(head, "endpoint");
    event->key = take(head, "key");
    event->kind = take(head, "kind");
    event->lane = take(head, "lane");
    event->channel = take(head, "channel");
    event->identifier = take(head, "identifier");
    event->attempt = take(head, "attempt");
    opt = json_string_value(json_object_get(head, "opt"));
    event->opt = !opt ? NULL : strcmp(opt, "stop") == 0 ? "stop" : strcmp(opt, "start") == 0 ? "start" : NULL;
    event->body = g_bytes_new(end + 1, length - (size_t)(end + 1 - data));
    if (!event->endpoint_id || !event->key || !event->kind || !event->lane) {
        stored_event_free(event);
        return NULL;
    }
    return event;
}
