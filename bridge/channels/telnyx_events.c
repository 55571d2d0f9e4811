/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telnyx's webhooks, API version 2: {"data": {event_type, id, occurred_at, payload}, "meta"}.
 * message.received is a message, message.sent and message.finalized are statuses.  What is unknown
 * is stored and acknowledged; what looks like a message of an unknown kind is shown as a notice.
 * The older versions of the API ("1", "2010-04-01") are refused, because they are not signed alike
 * and have other fields: the messaging profile must say 2.
 */
#include "bridge/channels/telnyx.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

/* ---- Messages ---- */

enum channel_opt telnyx_opt(const struct channel_endpoint *endpoint, const json_t *payload, const char *text)
{
    g_autofree char *word = channel_json_text(payload, "autoresponse_type");

    if (!word)
        return channel_opt_keyword(endpoint, text);
    if (g_ascii_strcasecmp(word, "STOP") == 0 || g_ascii_strcasecmp(word, "OPT_OUT") == 0)
        return CHANNEL_OPT_STOP;
    if (g_ascii_strcasecmp(word, "START") == 0 || g_ascii_strcasecmp(word, "OPT_IN") == 0)
        return CHANNEL_OPT_START;
    return g_ascii_strcasecmp(word, "HELP") == 0 ? CHANNEL_OPT_HELP : CHANNEL_OPT_NONE;
}

static void add_recipient(GPtrArray *recipients, const json_t *party)
{
    g_autofree char *address = telnyx_json_party(party);

    for (guint i = 0; address && i < recipients->len; i++)
        if (g_strcmp0(((struct ump_party *)recipients->pdata[i])->address, address) == 0)
            return;
    if (address)
        g_ptr_array_add(recipients, ump_party_new(address, NULL));
}

/* to and cc are arrays of objects, or of strings, or (seen in documents) one of them alone. */
static void add_recipients(GPtrArray *recipients, const json_t *list)
{
    const json_t *party;
    size_t i;

    if (!json_is_array(list)) {
        add_recipient(recipients, list);
        return;
    }
    json_array_foreach(list, i, party)
        add_recipient(recipients, party);
}

static bool is_sha256(const char *text)
{
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64;
}

static struct ump_media *read_media(const json_t *item)
{
    struct ump_media *media = ump_media_new();

    media->url = json_is_string(item) ? g_strdup(json_string_value(item)) : channel_json_text(item, "url");
    media->type = channel_json_text(item, "content_type");
    media->name = channel_json_text(item, "file_name");
    media->size = channel_json_int(item, "size");
    media->sha256 = channel_json_text(item, "hash_sha256");
    if (!media->sha256)
        media->sha256 = channel_json_text(item, "sha256");
    if (is_sha256(media->sha256)) {
        for (char *p = media->sha256; *p; p++)
            *p = g_ascii_tolower(*p);
    } else {
        g_clear_pointer(&media->sha256, g_free); /* truncated, or another hash: of no use */
    }
    if (!media->url)
        media->error = g_strdup("the provider did not say where it is");
    return media;
}

/* The body of what is no SMS or MMS: RCS has {text, user_file, location, suggestion_response},
 * WhatsApp {type, text: {body}, …}. */
static void read_rich_body(struct ump_message *message, const json_t *body)
{
    const json_t *file = json_object_get(json_object_get(body, "user_file"), "payload");
    const json_t *location = json_object_get(body, "location");
    const json_t *latitude = json_object_get(location, "latitude"), *longitude = json_object_get(location, "longitude");

    if (!message->text)
        message->text = channel_json_text(body, "text");
    if (!message->text)
        message->text = channel_json_text(json_object_get(body, "text"), "body");
    if (!message->text)
        message->text = channel_json_text(json_object_get(body, "suggestion_response"), "text");
    if (json_is_object(file)) {
        struct ump_media *media = ump_media_new();
        media->url = channel_json_text(file, "file_uri");
        media->type = channel_json_text(file, "mime_type");
        media->name = channel_json_text(file, "file_name");
        media->size = channel_json_int(file, "file_size_bytes");
        g_ptr_array_add(message->media, media);
    }
    if (latitude && longitude) {
        message->location.set = true;
        message->location.latitude = json_is_string(latitude) ? g_ascii_strtod(json_string_value(latitude), NULL)
                                                              : json_number_value(latitude);
        message->location.longitude = json_is_string(longitude) ? g_ascii_strtod(json_string_value(longitude), NULL)
                                                                : json_number_value(longitude);
    }
}

static enum ump_message_type type_of(const struct ump_message *message, const char *event_type, const char *type)
{
    bool plain = strcmp(event_type, "message.received") == 0 || strcmp(event_type, "message.echo") == 0;

    if (message->media->len > 0)
        return UMP_MESSAGE_MEDIA;
    if (message->location.set)
        return UMP_MESSAGE_LOCATION;
    if (message->text)
        return UMP_MESSAGE_TEXT;
    /* an empty SMS is a message; an empty something else is not understood */
    return plain && (!type || strcmp(type, "SMS") == 0 || strcmp(type, "MMS") == 0) ? UMP_MESSAGE_TEXT
                                                                                   : UMP_MESSAGE_UNKNOWN;
}

static struct ump_message *read_message(const json_t *data, const json_t *payload, const char *event_type,
                                        const struct channel_endpoint *endpoint)
{
    struct ump_message *message = ump_message_new();
    g_autofree char *type = channel_json_text(payload, "type");
    const json_t *media = json_object_get(payload, "media"), *item;
    size_t i;

    message->channel = g_strdup(endpoint->channel);
    message->provider = g_strdup("telnyx");
    message->endpoint_address = g_strdup(endpoint->address);
    message->direction = strcmp(event_type, "message.echo") == 0 ? UMP_OUTBOUND : UMP_INBOUND;
    message->sender.address = telnyx_json_party(json_object_get(payload, "from"));
    add_recipients(message->recipients, json_object_get(payload, "to"));
    add_recipients(message->recipients, json_object_get(payload, "cc"));
    message->subject = channel_json_text(payload, "subject");
    message->text = channel_json_text(payload, "text");
    json_array_foreach(media, i, item)
        g_ptr_array_add(message->media, read_media(item));
    if (json_is_object(json_object_get(payload, "body")))
        read_rich_body(message, json_object_get(payload, "body"));
    message->external_id = channel_json_text(payload, "id");
    if (!message->external_id)
        message->external_id = channel_json_text(data, "id");
    message->occurred_at = telnyx_json_time(payload, "received_at");
    if (message->occurred_at == 0)
        message->occurred_at = telnyx_json_time(data, "occurred_at");
    message->type = type_of(message, event_type, type);
    if (type && message->text && strcmp(endpoint->channel, "whatsapp") == 0 && g_ascii_strcasecmp(type, "WHATSAPP") != 0) {
        char *text = g_strdup_printf("[By %s]\n%s", type, message->text); /* the number has no endpoint for it */
        g_free(message->text);
        message->text = text;
    }
    if (message->type == UMP_MESSAGE_UNKNOWN)
        message->native_type = g_strdup(type ? type : event_type);
    return message;
}

static void add_message(GPtrArray *events, const json_t *data, const json_t *payload, const char *event_type,
                        const char *key, const struct channel_endpoint *endpoint)
{
    struct channel_event *event = channel_event_new();

    event->kind = CHANNEL_EVENT_MESSAGE;
    event->message = read_message(data, payload, event_type, endpoint);
    event->key = g_strdup(key);
    event->note = g_strdup(event_type);
    event->at = event->message->occurred_at;
    if (!event->message->sender.address) { /* nobody to show it from */
        event->kind = CHANNEL_EVENT_OTHER;
        event->lane = g_strdup(key);
        g_clear_pointer(&event->message, ump_message_free);
    } else {
        event->lane = g_strdup(event->message->sender.address);
        if (event->message->direction == UMP_INBOUND)
            event->opt = telnyx_opt(endpoint, payload, event->message->text);
    }
    g_ptr_array_add(events, event);
}

/* ---- Statuses ---- */

static void add_status(GPtrArray *events, const json_t *data, const json_t *payload, const char *event_type,
                       const char *key, const json_t *to, bool group, const struct channel_endpoint *endpoint)
{
    struct channel_event *event = channel_event_new();
    g_autofree char *word = channel_json_text(to, "status");
    g_autofree char *group_id = channel_json_text(payload, "group_message_id");
    g_autofree char *number = telnyx_json_party(to);

    event->kind = CHANNEL_EVENT_STATUS;
    event->note = g_strdup(event_type);
    event->status = telnyx_status(word);
    if (!word && strcmp(event_type, "message.sent") == 0)
        event->status = CHANNEL_STATUS_SENT;
    if (strcmp(event_type, "message.read") == 0)
        event->status = CHANNEL_STATUS_READ;
    event->provider_id = group_id ? g_strdup(group_id) : channel_json_text(payload, "id");
    if (group)
        event->recipient = g_strdup(number);
    event->opt_identifier = g_strdup(number); /* should the error be that of somebody who opted out */
    event->key = group && number ? g_strdup_printf("%s:%s", key, number) : g_strdup(key);
    event->lane = g_strdup(event->provider_id ? event->provider_id : key);
    event->at = telnyx_json_time(data, "occurred_at");
    if (event->at == 0)
        event->at = telnyx_json_time(payload, "completed_at");
    event->segments = channel_json_count(payload, "parts");
    event->cost = telnyx_json_cost(payload, "cost", &event->currency);
    if (event->status == CHANNEL_STATUS_FAILED) {
        if (!telnyx_json_error(to, &event->error_code, &event->error_text))
            telnyx_json_error(payload, &event->error_code, &event->error_text);
        telnyx_whatsapp_error(endpoint, &event->error_code, event->error_text);
        if (!event->error_code)
            event->error_code = g_strdup(word);
    }
    g_ptr_array_add(events, event);
}

/* A group's status comes once per recipient: the others show "unknown" then. */
static void add_statuses(GPtrArray *events, const json_t *data, const json_t *payload, const char *event_type,
                         const char *key, const struct channel_endpoint *endpoint)
{
    const json_t *list = json_object_get(payload, "to"), *to;
    bool group = json_array_size(list) > 1 || json_is_string(json_object_get(payload, "group_message_id"));
    guint before = events->len;
    size_t i;

    json_array_foreach(list, i, to) {
        g_autofree char *word = channel_json_text(to, "status");
        if (!group || telnyx_status(word) != CHANNEL_STATUS_NONE)
            add_status(events, data, payload, event_type, key, to, group, endpoint);
    }
    if (events->len == before)
        add_status(events, data, payload, event_type, key, json_is_array(list) ? NULL : list, false, endpoint);
}

/* ---- Dispatch ---- */

/* A kind of event that we do not know, but that somebody sent us something by. */
static bool looks_like_message(const char *event_type, const json_t *payload, const struct channel_endpoint *endpoint)
{
    g_autofree char *from = telnyx_json_party(json_object_get(payload, "from"));
    const char *direction = json_string_value(json_object_get(payload, "direction"));

    return g_str_has_prefix(event_type, "message.") && from && g_strcmp0(from, endpoint->address) != 0 &&
           (!direction || strcmp(direction, "inbound") == 0);
}

static enum channel_parse refuse(GError **error, const char *why)
{
    g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, why);
    return CHANNEL_MALFORMED;
}

/* Which older version of the webhook API a body belongs to; NULL: none. */
static const char *older_version(const struct channel_webhook *webhook, const json_t *root)
{
    const char *type = webhook->content_type;

    if ((type && g_ascii_strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0) ||
        (!root && (g_strstr_len(webhook->body, (gssize)webhook->length, "MessageSid=") ||
                   g_strstr_len(webhook->body, (gssize)webhook->length, "AccountSid="))))
        return "the messaging profile sends webhooks of API version 2010-04-01: set its webhook API version to 2";
    if (root && !json_object_get(root, "data") && (json_object_get(root, "sms_id") || json_object_get(root, "gw_id")))
        return "the messaging profile sends webhooks of API version 1: set its webhook API version to 2";
    return NULL;
}

static void add_events(const json_t *root, const char *event_type, const char *key, const struct channel_endpoint *endpoint,
                       GPtrArray *events)
{
    const json_t *data = json_object_get(root, "data"), *payload = json_object_get(data, "payload");

    if (strcmp(event_type, "message.sent") == 0 || strcmp(event_type, "message.finalized") == 0 ||
        strcmp(event_type, "message.read") == 0)
        add_statuses(events, data, payload, event_type, key, endpoint);
    else if (strcmp(event_type, TELNYX_OPT_OUT) == 0)
        telnyx_add_opt_out(events, payload, key, endpoint);
    else if (telnyx_is_whatsapp(data) && telnyx_whatsapp_events(root, event_type, key, endpoint, events))
        return;
    else if (strcmp(event_type, "message.received") == 0 || strcmp(event_type, "message.echo") == 0 ||
             looks_like_message(event_type, payload, endpoint))
        add_message(events, data, payload, event_type, key, endpoint);
    else
        channel_add_other(events, event_type, key);
}

enum channel_parse telnyx_parse_webhook(const struct channel_webhook *webhook,
                                        const struct channel_endpoint *endpoint, GPtrArray *events,
                                        GError **error)
{
    g_autoptr(json_t) root = NULL;
    g_autoptr(GError) why = NULL;
    enum channel_parse parsed = channel_json_load(webhook->body, webhook->length, &root, &why);
    const char *older = older_version(webhook, root);

    if (older)
        return refuse(error, older);
    if (parsed != CHANNEL_PARSED) {
        g_propagate_error(error, g_steal_pointer(&why));
        return parsed;
    }
    if (!json_is_object(root))
        return refuse(error, "the body is not a JSON object");

    const json_t *data = json_object_get(root, "data");
    const json_t *payload = json_object_get(data, "payload");
    g_autofree char *type = channel_json_text(data, "event_type");
    g_autofree char *key = channel_json_text(data, "id");
    const char *event_type = type ? type : "unknown";

    if (!key || strlen(key) > 200) {
        g_free(key);
        key = channel_body_key(webhook);
    }
    if (!json_is_object(payload))
        channel_add_other(events, event_type, key);
    else if (!telnyx_whatsapp_is_elsewhere(data, endpoint))
        add_events(root, event_type, key, endpoint, events);
    return CHANNEL_PARSED;
}
