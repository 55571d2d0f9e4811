/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhooks of the WhatsApp Cloud API: {"object", "entry": [{"id", "changes": [{"field", "value"}]}]}.
 * One body may hold many messages and statuses, for several numbers of ours: each level is a list.
 */
#include "bridge/channels/whatsapp_cloud.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

#define MAX_VALUES 400000 /* in 3 MB */

/* Where in the body we are. */
struct walk {
    struct whatsapp_walk value;
    const json_t *root, *entry;
};

static GBytes *wrap(const struct whatsapp_walk *value, json_t *item)
{
    const struct walk *walk = value->data;
    json_t *change = json_object(), *entry = json_object();
    g_autoptr(json_t) root = json_object();
    char *text;

    json_object_set_new(change, "value", item);
    json_object_set_new(change, "field", json_string(value->field));
    if (json_object_get(walk->entry, "id"))
        json_object_set(entry, "id", json_object_get(walk->entry, "id"));
    json_object_set_new(entry, "changes", json_pack("[o]", change));
    json_object_set_new(root, "object", json_string("whatsapp_business_account"));
    json_object_set_new(root, "entry", json_pack("[o]", entry));
    text = json_dumps(root, JSON_COMPACT);
    return text ? g_bytes_new_take(text, strlen(text)) : NULL;
}

/* The URL is that of the description, which says for five minutes where the medium is. */
static char *media_url(const json_t *body, const struct channel_endpoint *endpoint)
{
    g_autofree char *id = channel_json_text(body, "id");
    const char *number = channel_setting(endpoint, "phone_number_id");

    if (!id || strlen(id) > 100)
        return NULL;
    g_autofree char *escaped = g_uri_escape_string(id, NULL, FALSE);
    g_autofree char *query = number ? g_uri_escape_string(number, NULL, FALSE) : NULL;
    return g_strconcat(channel_base_url(endpoint), "/", escaped, query ? "?phone_number_id=" : "", query, NULL);
}

/* The number of ours that a change is about; NULL: it does not say. */
static char *number_of(const json_t *value)
{
    return channel_json_text(json_object_get(value, "metadata"), "phone_number_id");
}

typedef void change_func(struct walk *walk, void *data);

static void each_change(struct walk *walk, change_func *func, void *data)
{
    const json_t *change;
    size_t i, k;

    json_array_foreach(json_object_get(walk->root, "entry"), i, walk->entry) {
        json_array_foreach(json_object_get(walk->entry, "changes"), k, change) {
            const char *field = json_string_value(json_object_get(change, "field"));
            walk->value.value = json_object_get(change, "value");
            walk->value.field = field ? field : "unknown";
            if (json_is_object(walk->value.value))
                func(walk, data);
        }
    }
}

static void count_items(struct walk *walk, void *data)
{
    *(size_t *)data += whatsapp_count_items(walk->value.value); /* also of another number: not to be stored with ours */
}

static void take_change(struct walk *walk, void *data)
{
    const char *own = channel_setting(walk->value.endpoint, "phone_number_id");
    g_autofree char *number = number_of(walk->value.value);

    (void)data;
    if (!own || !number || strcmp(own, number) == 0)
        whatsapp_walk_value(&walk->value);
}

static void note_number(struct walk *walk, void *data)
{
    GPtrArray *names = data;
    g_autofree char *number = number_of(walk->value.value);

    if (number && !g_ptr_array_find_with_equal_func(names, number, g_str_equal, NULL))
        g_ptr_array_add(names, g_steal_pointer(&number));
}

static enum channel_parse load(const struct channel_webhook *webhook, json_t **root, GError **error)
{
    enum channel_parse parsed = channel_json_load_batch(webhook->body, webhook->length, MAX_VALUES, root, error);

    if (parsed == CHANNEL_PARSED && !json_is_array(json_object_get(*root, "entry"))) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, "the body has no list of entries");
        json_decref(g_steal_pointer(root));
        return CHANNEL_MALFORMED;
    }
    return parsed;
}

void whatsapp_webhook_addresses(const struct channel_webhook *webhook, GPtrArray *names)
{
    g_autoptr(json_t) root = NULL;
    struct walk walk = {0};

    if (load(webhook, &root, NULL) != CHANNEL_PARSED)
        return;
    walk.root = root;
    each_change(&walk, note_number, names);
}

enum channel_parse whatsapp_parse_webhook(const struct channel_webhook *webhook,
                                          const struct channel_endpoint *endpoint, GPtrArray *events, GError **error)
{
    g_autoptr(json_t) root = NULL;
    struct walk walk = {.value = {.endpoint = endpoint, .events = events, .media_url = media_url, .data = &walk}};
    enum channel_parse parsed = load(webhook, &root, error);
    size_t count = 0;

    if (parsed != CHANNEL_PARSED)
        return parsed;
    walk.root = root;
    each_change(&walk, count_items, &count);
    walk.value.wrap = count > 1 ? wrap : NULL;
    each_change(&walk, take_change, NULL);
    if (count == 0) {
        g_autofree char *key = channel_body_key(webhook);
        channel_add_other(events, "nothing in it", key);
    }
    return CHANNEL_PARSED;
}
