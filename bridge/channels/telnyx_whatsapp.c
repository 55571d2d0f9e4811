/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WhatsApp's webhooks by Telnyx, which come in two forms: of the messaging profile message.received and
 * message.echo, whose payload has one message of Meta's as its body, and of the business account
 * whatsapp.messages, whose payload is Meta's "value".  In both "id" is Telnyx's, and "foreign_id" the network's.
 * The same message may come in both: its id is the key.
 */
#include "bridge/channels/telnyx.h"

#include <string.h>

#include "core/cleanup.h"

bool telnyx_is_whatsapp(const json_t *data)
{
    const char *event_type = json_string_value(json_object_get(data, "event_type"));
    const char *type = json_string_value(json_object_get(json_object_get(data, "payload"), "type"));

    return (event_type && g_str_has_prefix(event_type, "whatsapp.")) || (type && g_ascii_strcasecmp(type, "WHATSAPP") == 0);
}

/* "to" is a list of parties, or one. */
static const json_t *first_of(const json_t *list)
{
    return json_is_array(list) ? json_array_get(list, 0) : list;
}

/* Sent from the business's own phone, or by us. */
static bool is_outbound(const json_t *data)
{
    static const char *const types[] = {"message.echo", "message.sent", "message.finalized", "message.read", NULL};
    const char *event_type = json_string_value(json_object_get(data, "event_type"));
    const json_t *payload = json_object_get(data, "payload");

    return (event_type && g_strv_contains(types, event_type)) ||
           g_strcmp0(json_string_value(json_object_get(payload, "direction")), "outbound") == 0;
}

/* The number of ours that it is about; NULL: it does not say. */
static char *own_number(const json_t *data)
{
    const json_t *payload = json_object_get(data, "payload");
    g_autofree char *shown = channel_json_text(json_object_get(payload, "metadata"), "display_phone_number");
    g_autofree char *number = NULL;

    if (!shown)
        shown = telnyx_json_party(is_outbound(data) ? json_object_get(payload, "from")
                                                    : first_of(json_object_get(payload, "to")));
    if (!shown)
        return NULL;
    number = g_strcanon(g_strdup(shown), "0123456789", ' ');
    g_auto(GStrv) digits = g_strsplit(number, " ", -1);
    g_autofree char *joined = g_strjoinv("", digits);
    return *joined ? g_strconcat("+", joined, NULL) : NULL;
}

/* ---- Which endpoint it is for ---- */

/* A look that costs next to nothing, for the many that are no WhatsApp. */
static bool may_be_whatsapp(const struct channel_webhook *webhook)
{
    return g_strstr_len(webhook->body, (gssize)webhook->length, "whatsapp.") ||
           g_strstr_len(webhook->body, (gssize)webhook->length, "WHATSAPP");
}

const char *telnyx_webhook_channel(const struct channel_webhook *webhook)
{
    g_autoptr(json_t) root = NULL;

    if (!may_be_whatsapp(webhook) || channel_json_load(webhook->body, webhook->length, &root, NULL) != CHANNEL_PARSED)
        return "sms";
    return telnyx_is_whatsapp(json_object_get(root, "data")) ? "whatsapp" : "sms";
}

void telnyx_webhook_addresses(const struct channel_webhook *webhook, GPtrArray *names)
{
    g_autoptr(json_t) root = NULL;
    char *number;

    if (!may_be_whatsapp(webhook) || channel_json_load(webhook->body, webhook->length, &root, NULL) != CHANNEL_PARSED ||
        !telnyx_is_whatsapp(json_object_get(root, "data")))
        return;
    number = own_number(json_object_get(root, "data"));
    if (number)
        g_ptr_array_add(names, number);
}

bool telnyx_whatsapp_is_elsewhere(const json_t *data, const struct channel_endpoint *endpoint)
{
    g_autofree char *number = telnyx_is_whatsapp(data) && strcmp(endpoint->channel, "whatsapp") == 0 ? own_number(data) : NULL;

    return number && !whatsapp_same_digits(number, endpoint->address);
}

bool telnyx_whatsapp_is_about(const json_t *data, const struct channel_endpoint *endpoint)
{
    g_autofree char *number = own_number(data);

    return number && whatsapp_same_digits(number, endpoint->address);
}

/* ---- One message of a profile's webhook, as an item of Meta's value ---- */

static void set_text(json_t *object, const char *key, char *text)
{
    if (text)
        json_object_set_new(object, key, json_string(text));
    g_free(text);
}

/* Where the body does not say where its medium is, the payload's own list does, as of an MMS. */
static void add_media_url(json_t *item, const json_t *payload)
{
    const char *kind = json_string_value(json_object_get(item, "type"));
    const json_t *medium = kind ? json_object_get(item, kind) : NULL, *told = first_of(json_object_get(payload, "media"));
    json_t *copy;

    if (!json_is_object(medium) || !json_is_object(told) || json_object_get(medium, "url") || json_object_get(medium, "link"))
        return;
    copy = json_copy((json_t *)(uintptr_t)medium);
    set_text(copy, "url", channel_json_text(told, "url"));
    if (!json_object_get(copy, "mime_type"))
        set_text(copy, "mime_type", channel_json_text(told, "content_type"));
    json_object_set_new(item, kind, copy);
}

static json_t *item_of(const json_t *data, const json_t *payload)
{
    const json_t *body = json_object_get(payload, "body"), *text = json_object_get(body, "text");
    json_t *item = json_copy((json_t *)(uintptr_t)body);
    gint64 at = telnyx_json_time(payload, "received_at");
    char *id = channel_json_text(body, "id"), *user_id = channel_json_text(body, "from_user_id");

    if (id && g_str_has_prefix(id, "wamid.") && !json_object_get(item, "foreign_id"))
        json_object_set_new(item, "foreign_id", json_string(id));
    if (json_object_get(payload, "id"))
        json_object_set(item, "id", json_object_get(payload, "id"));
    if (channel_json_epoch(item, "timestamp") == 0)
        json_object_set_new(item, "timestamp", json_integer(at > 0 ? at : telnyx_json_time(data, "occurred_at")));
    if (is_outbound(data)) { /* the body's from is whom it went to */
        char *to = telnyx_json_party(first_of(json_object_get(payload, "to")));
        set_text(item, "to", to ? to : channel_json_text(body, "from"));
        set_text(item, "to_user_id", g_strdup(user_id));
    } else {
        set_text(item, "from", telnyx_json_party(json_object_get(payload, "from")));
    }
    if (json_is_string(text))
        json_object_set_new(item, "text", json_pack("{s:O}", "body", text));
    if (!json_object_get(item, "context") && json_is_object(json_object_get(payload, "context")))
        json_object_set(item, "context", json_object_get(payload, "context"));
    add_media_url(item, payload);
    g_free(id);
    g_free(user_id);
    return item;
}

static json_t *value_of(const json_t *data, const json_t *payload)
{
    json_t *value = json_pack("{s:[o]}", is_outbound(data) ? "message_echoes" : "messages", item_of(data, payload));
    const json_t *contacts = json_object_get(payload, "contacts");

    if (json_is_array(contacts))
        json_object_set(value, "contacts", (json_t *)(uintptr_t)contacts);
    return value;
}

/* ---- Events ---- */

static char *media_url(const json_t *medium, const struct channel_endpoint *endpoint)
{
    char *url = channel_json_text(medium, "url");

    (void)endpoint;
    return url ? url : channel_json_text(medium, "link");
}

/* The whole body again, with this as its payload. */
static GBytes *wrap(const struct whatsapp_walk *walk, json_t *value)
{
    const json_t *whole = walk->data;
    g_autoptr(json_t) root = json_copy((json_t *)(uintptr_t)whole);
    json_t *data = json_copy(json_object_get(root, "data"));
    char *text;

    json_object_set_new(data, "payload", value);
    json_object_set_new(root, "data", data);
    text = json_dumps(root, JSON_COMPACT);
    return text ? g_bytes_new_take(text, strlen(text)) : NULL;
}

/* An edit or a deletion is a message of its own, although it may bear the id of what it changes. */
static void part_from_original(struct channel_event *event, const char *key)
{
    struct ump_message *message = event->message;

    if (!message || (message->type != UMP_MESSAGE_EDIT && message->type != UMP_MESSAGE_DELETE) ||
        (g_strcmp0(message->reply_to_external_id, message->external_id) != 0 &&
         g_strcmp0(message->reply_to_external_id, message->network_id) != 0))
        return;
    g_free(message->external_id);
    message->external_id = g_strdup(key);
    g_clear_pointer(&message->network_id, g_free);
    g_free(event->key);
    event->key = g_strdup(key);
}

static void add_one(const struct whatsapp_walk *walk, const json_t *payload, const char *key)
{
    guint before = walk->events->len;

    whatsapp_walk_value(walk);
    for (guint i = before; i < walk->events->len; i++) {
        struct channel_event *event = walk->events->pdata[i];
        part_from_original(event, key);
        if (event->message && event->message->direction == UMP_INBOUND && json_object_get(payload, "autoresponse_type"))
            event->opt = telnyx_opt(walk->endpoint, payload, event->message->text);
    }
}

/* {template_id, template_name, status, reason}; the status stands in the event's name too. */
static void add_template(GPtrArray *events, const json_t *payload, const char *event_type, const char *key)
{
    g_autofree char *status = channel_json_text(payload, "status");
    const char *word = strrchr(event_type, '.') + 1;
    struct channel_event *event;

    if (!json_object_get(payload, "template_name") && !json_object_get(payload, "template_id")) {
        channel_add_other(events, event_type, key);
        return;
    }
    event = channel_event_new();
    event->kind = CHANNEL_EVENT_TEMPLATE;
    event->key = g_strdup(key);
    event->lane = g_strdup(key);
    event->note = g_strdup(event_type);
    event->template_name = channel_json_text(payload, "template_name");
    event->template_language = channel_json_text(payload, "language");
    event->template_id = channel_json_text(payload, "template_id");
    event->template_status = g_ascii_strdown(status ? status : word, -1);
    g_ptr_array_add(events, event);
}

/* Meta's value, as it came. */
static bool is_value(const json_t *payload)
{
    static const char *const lists[] = {"messages", "message_echoes", "statuses", NULL};

    if (json_is_string(json_object_get(payload, "message_template_name")))
        return true;
    for (const char *const *list = lists; *list; list++)
        if (json_array_size(json_object_get(payload, *list)) > 0)
            return true;
    return false;
}

bool telnyx_whatsapp_events(const json_t *root, const char *event_type, const char *key,
                            const struct channel_endpoint *endpoint, GPtrArray *events)
{
    const json_t *data = json_object_get(root, "data"), *payload = json_object_get(data, "payload");
    g_autoptr(json_t) made = NULL;
    struct whatsapp_walk walk = {
        .endpoint = endpoint, .events = events, .field = event_type, .media_url = media_url, .data = root};

    if (is_value(payload)) {
        walk.value = payload;
        walk.wrap = whatsapp_count_items(payload) > 1 ? wrap : NULL;
        whatsapp_walk_value(&walk);
        return true;
    }
    if (g_str_has_prefix(event_type, "whatsapp.template.")) {
        add_template(events, payload, event_type, key);
        return true;
    }
    if (!g_str_has_prefix(event_type, "message.") || !json_is_object(json_object_get(payload, "body")))
        return false;
    walk.value = made = value_of(data, payload);
    add_one(&walk, payload, key);
    return true;
}

/* ---- Errors ---- */

void telnyx_whatsapp_error(const struct channel_endpoint *endpoint, char **code, const char *text)
{
    const char *meta = NULL;

    if (strcmp(endpoint->channel, "whatsapp") != 0 || g_strcmp0(*code, "40008") != 0)
        return;
    for (const struct channel_error *error = whatsapp_errors; text && error->code && !meta; error++)
        if (strlen(error->code) == 6 && strstr(text, error->code))
            meta = error->code;
    g_free(*code);
    *code = g_strdup(meta ? meta : "40008-whatsapp");
}
