/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Twilio's webhooks: a form per event (Studio and Event Streams send the same as JSON).  What names a
 * MessageStatus is a status, what has a sender is a message, of a kind that may be unknown to us: then
 * it is shown as a notice.  Everything else (debugger events …) is kept.  Nothing in a webhook says
 * when it happened; bodies that the poller makes do, in DateSent.
 */
#include "bridge/channels/twilio.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

#define MAX_MEDIA 20

/* ---- Words ---- */

const char *twilio_bare_address(const char *address)
{
    const char *p = address;

    while (p && g_ascii_islower(*p))
        p++;
    return p && p > address && *p == ':' ? p + 1 : address;
}

enum channel_status twilio_status(const char *word)
{
    static const struct {
        const char *word;
        enum channel_status status;
    } words[] = {
        {"sent", CHANNEL_STATUS_SENT},
        {"delivered", CHANNEL_STATUS_DELIVERED},
        {"partially_delivered", CHANNEL_STATUS_DELIVERED},
        {"read", CHANNEL_STATUS_READ},
        {"undelivered", CHANNEL_STATUS_FAILED},
        {"failed", CHANNEL_STATUS_FAILED},
        {"canceled", CHANNEL_STATUS_FAILED},
    };
    for (size_t i = 0; word && i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(words[i].word, word) == 0)
            return words[i].status;
    return CHANNEL_STATUS_NONE; /* accepted, scheduled, queued, sending, and words of tomorrow */
}

static bool is_inbound_word(const char *word)
{
    return g_ascii_strcasecmp(word, "received") == 0 || g_ascii_strcasecmp(word, "receiving") == 0;
}

static char *valid_text(const char *text)
{
    return text ? g_utf8_make_valid(text, -1) : NULL;
}

static char *field_text(const GPtrArray *fields, const char *name)
{
    return valid_text(channel_form_get(fields, name));
}

/* ---- Messages ---- */

/* A long SMS of several parts comes at times as an MMS whose text is base64: one word, long, and
 * nothing but readable text when it is decoded. */
static char *unpack_text(char *text)
{
    gsize length = text ? strlen(text) : 0, size = 0;

    if (length < 60 || length % 4 != 0 || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != length)
        return text;
    g_autofree guchar *bytes = g_base64_decode(text, &size);
    g_autofree char *again = g_base64_encode(bytes, size);
    if (size == 0 || strcmp(again, text) != 0 || !g_utf8_validate((const char *)bytes, (gssize)size, NULL))
        return text;
    for (gsize i = 0; i < size; i++)
        if (bytes[i] < 0x20 && bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != '\t')
            return text;
    g_free(text);
    return g_strndup((const char *)bytes, size);
}

static void read_media(struct ump_message *message, const GPtrArray *fields)
{
    const char *number = channel_form_get(fields, "NumMedia"), *kind = channel_form_get(fields, "MessageType");
    guint64 told = 0;

    if (number)
        g_ascii_string_to_unsigned(number, 10, 0, MAX_MEDIA, &told, NULL);
    for (guint i = 0; i < MAX_MEDIA; i++) {
        g_autofree char *url_name = g_strdup_printf("MediaUrl%u", i), *type_name = g_strdup_printf("MediaContentType%u", i);
        g_autofree char *url = field_text(fields, url_name);
        if (!url && i >= told)
            break;
        struct ump_media *media = ump_media_new();
        media->type = field_text(fields, type_name);
        media->voice = g_strcmp0(kind, "audio") == 0 && media->type && g_str_has_prefix(media->type, "audio/ogg");
        if (!url)
            media->error = g_strdup("the provider did not say where it is");
        media->url = g_steal_pointer(&url);
        g_ptr_array_add(message->media, media);
    }
}

static void read_location(struct ump_message *message, const GPtrArray *fields)
{
    const char *latitude = channel_form_get(fields, "Latitude"), *longitude = channel_form_get(fields, "Longitude");

    if (!latitude || !longitude)
        return;
    message->location.set = true;
    message->location.latitude = g_ascii_strtod(latitude, NULL);
    message->location.longitude = g_ascii_strtod(longitude, NULL);
    message->location.name = field_text(fields, "Label");
    message->location.address = field_text(fields, "Address");
    if (g_strcmp0(message->text, message->location.name) == 0 || g_strcmp0(message->text, message->location.address) == 0)
        g_clear_pointer(&message->text, g_free); /* said once already */
}

/* Words of another person; the advertisement by which somebody came to us. */
static void read_origin(struct ump_message *message, const GPtrArray *fields)
{
    static const char *const names[] = {"ReferralHeadline", "ReferralBody", "ReferralSourceUrl", NULL};
    const char *forwarded = channel_form_get(fields, "Forwarded");
    bool is_forwarded = forwarded && g_ascii_strcasecmp(forwarded, "true") == 0, advertised = false;
    GString *text = g_string_new(is_forwarded ? "[Forwarded]\n" : NULL);

    g_string_append(text, message->text ? message->text : "");
    for (const char *const *name = names; *name; name++) {
        g_autofree char *value = field_text(fields, *name);
        if (!value)
            continue;
        g_string_append_printf(text, "%s%s", advertised ? "\n" : "\n\n[By way of an advertisement]\n", value);
        advertised = true;
    }
    if (is_forwarded || advertised) {
        g_free(message->text);
        message->text = g_strdup(g_strstrip(text->str));
    }
    g_string_free(text, TRUE);
}

/* Buttons and lists: the text is what the person chose. */
static bool read_choice(struct ump_message *message, const GPtrArray *fields)
{
    static const struct {
        const char *id, *title, *kind;
    } choices[] = {{"ButtonPayload", "ButtonText", "button"}, {"ListId", "ListTitle", "list"}};

    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
        const char *title = channel_form_get(fields, choices[i].title);
        if (!title && !channel_form_get(fields, choices[i].id))
            continue;
        if (!message->text)
            message->text = valid_text(title ? title : channel_form_get(fields, choices[i].id));
        message->native_type = g_strdup(choices[i].kind);
        return true;
    }
    return false;
}

static bool is_plain_kind(const char *kind)
{
    static const char *const kinds[] = {"text", "image", "audio", "video", "document", "sticker", "location",
                                        "contacts", "button", "interactive", NULL};
    return !kind || g_strv_contains(kinds, kind);
}

static void read_kind(struct ump_message *message, const GPtrArray *fields)
{
    const char *kind = channel_form_get(fields, "MessageType");
    bool call = channel_form_get(fields, "CallSid") != NULL;

    if (g_strcmp0(kind, "reaction") == 0) {
        message->type = UMP_MESSAGE_REACTION;
        message->reaction = g_steal_pointer(&message->text);
        message->reaction_removed = !message->reaction;
        return;
    }
    if (g_strcmp0(kind, "sticker") == 0 && message->media->len > 0 && !message->text)
        message->text = g_strdup("Sticker"); /* no meaning by a picture alone */
    if (message->location.set)
        message->type = UMP_MESSAGE_LOCATION;
    else if (message->media->len > 0)
        message->type = UMP_MESSAGE_MEDIA;
    else if (read_choice(message, fields))
        message->type = UMP_MESSAGE_INTERACTIVE;
    else if (!call && is_plain_kind(kind) && (message->text || !kind || strcmp(kind, "text") == 0))
        message->type = UMP_MESSAGE_TEXT;
    else
        message->native_type = valid_text(kind ? kind : call ? "telephone call" : "unknown");
    read_origin(message, fields);
}

static gint64 date_of(const GPtrArray *fields)
{
    gint64 at = channel_rfc5322_time(channel_form_get(fields, "DateSent"));

    return at > 0 ? at : channel_rfc5322_time(channel_form_get(fields, "DateCreated"));
}

static struct ump_message *read_message(const GPtrArray *fields, const char *sender, const char *sid,
                                        const struct channel_endpoint *endpoint)
{
    struct ump_message *message = ump_message_new();
    g_autofree char *to = field_text(fields, "To");

    message->channel = g_strdup(endpoint->channel);
    message->provider = g_strdup("twilio");
    message->endpoint_address = g_strdup(endpoint->address);
    message->direction = UMP_INBOUND;
    message->sender.address = g_strdup(sender);
    message->sender.name = field_text(fields, "ProfileName");
    if (to)
        g_ptr_array_add(message->recipients, ump_party_new(twilio_bare_address(to), NULL));
    message->text = field_text(fields, "Body");
    message->external_id = g_strdup(sid);
    message->reply_to_external_id = field_text(fields, "OriginalRepliedMessageSid");
    message->occurred_at = date_of(fields);
    read_media(message, fields);
    if (message->media->len > 0)
        message->text = unpack_text(message->text);
    read_location(message, fields);
    read_kind(message, fields);
    return message;
}

/* What the messaging service has made of it (OptOutType) counts, else the words. */
static enum channel_opt opt_of(const struct channel_endpoint *endpoint, const GPtrArray *fields, const char *text)
{
    const char *word = channel_form_get(fields, "OptOutType");

    if (!word)
        return channel_opt_keyword(endpoint, text);
    return g_ascii_strcasecmp(word, "STOP") == 0    ? CHANNEL_OPT_STOP
           : g_ascii_strcasecmp(word, "START") == 0 ? CHANNEL_OPT_START
           : g_ascii_strcasecmp(word, "HELP") == 0  ? CHANNEL_OPT_HELP
                                                    : CHANNEL_OPT_NONE;
}

static void add_message(GPtrArray *events, const GPtrArray *fields, const char *sender, const char *key,
                        const struct channel_endpoint *endpoint)
{
    struct channel_event *event = channel_event_new();

    event->kind = CHANNEL_EVENT_MESSAGE;
    event->message = read_message(fields, sender, key, endpoint);
    event->key = g_strdup(key);
    event->lane = g_strdup(sender);
    event->note = g_strdup(event->message->native_type);
    event->at = event->message->occurred_at;
    event->opt = opt_of(endpoint, fields, event->message->text);
    g_ptr_array_add(events, event);
}

/* ---- Statuses ---- */

static void add_status(GPtrArray *events, const GPtrArray *fields, const char *sid, const char *word)
{
    struct channel_event *event = channel_event_new();
    const char *code = channel_form_get(fields, "ErrorCode"), *price = channel_form_get(fields, "Price");
    const char *segments = channel_form_get(fields, "NumSegments"), *to = channel_form_get(fields, "To");
    guint64 number;

    event->kind = CHANNEL_EVENT_STATUS;
    event->status = twilio_status(word);
    event->note = valid_text(word);
    event->provider_id = g_strdup(sid);
    event->lane = g_strdup(sid);
    /* the price is known later than the status, and told by lists alone */
    g_autofree char *key = g_strdup_printf("%s:%.40s%s%.20s%s", sid, word, code ? ":" : "", code ? code : "",
                                           price ? ":price" : "");
    event->key = valid_text(key); /* a cut may have parted a letter */
    event->opt_identifier = valid_text(twilio_bare_address(to)); /* should the error be that of somebody who opted out */
    event->at = date_of(fields);
    if (segments && g_ascii_string_to_unsigned(segments, 10, 0, 1000, &number, NULL))
        event->segments = (gint64)number;
    event->cost = price ? channel_amount(*price == '-' ? price + 1 : price) : -1; /* what we pay is negative */
    if (event->cost >= 0)
        event->currency = field_text(fields, "PriceUnit");
    if (event->status == CHANNEL_STATUS_FAILED) {
        event->error_code = valid_text(code ? code : word);
        event->error_text = field_text(fields, "ErrorMessage");
        if (!event->error_text)
            event->error_text = field_text(fields, "ChannelStatusMessage");
    }
    g_ptr_array_add(events, event);
}

/* ---- Dispatch ---- */

/* The key of what is no status: the message's, else the call's, else its own hash. */
static char *key_of(const GPtrArray *fields, const char *sid, const struct channel_webhook *webhook)
{
    g_autofree char *call = field_text(fields, "CallSid");

    if (sid)
        return g_strdup(sid);
    return call && strlen(call) <= 64 ? g_steal_pointer(&call) : channel_body_key(webhook);
}

static void add_event(GPtrArray *events, const GPtrArray *fields, const struct channel_webhook *webhook,
                      const struct channel_endpoint *endpoint)
{
    static const char *const sids[] = {"MessageSid", "SmsSid", "SmsMessageSid", NULL};
    const char *word = channel_form_get(fields, "MessageStatus"), *from = channel_form_get(fields, "From");
    g_autofree char *sid = NULL, *sender = NULL;

    for (const char *const *name = sids; *name && !sid; name++)
        sid = field_text(fields, *name);
    if (sid && strlen(sid) > 64)
        g_clear_pointer(&sid, g_free);
    if (!word)
        word = channel_form_get(fields, "SmsStatus");
    if (sid && word && !is_inbound_word(word)) {
        add_status(events, fields, sid, word);
        return;
    }
    if (!from)
        from = channel_form_get(fields, "ExternalUserId"); /* somebody of WhatsApp without a number */
    sender = valid_text(twilio_bare_address(from));
    g_autofree char *key = key_of(fields, sid, webhook);
    if (sender && *sender && strlen(sender) <= 200 && strcmp(sender, endpoint->address) != 0)
        add_message(events, fields, sender, key, endpoint);
    else
        channel_add_other(events, word ? word : "unknown", key);
}

/* ---- JSON ---- */

static void add_member(GPtrArray *fields, const char *name, const json_t *value)
{
    g_autofree char *text = channel_value_text(value);
    GString *pair = g_string_new(NULL);
    g_autoptr(GPtrArray) one = NULL;

    channel_form_add(pair, name, text);
    if (pair->len > 0 && channel_form_parse(pair->str, pair->len, &one, NULL) == CHANNEL_PARSED && one->len == 1) {
        g_ptr_array_add(fields, one->pdata[0]);
        g_ptr_array_set_free_func(one, NULL);
    }
    g_string_free(pair, TRUE);
}

/* The members of an object that are texts or numbers, as a form would have them. */
static GPtrArray *fields_of_json(const json_t *object)
{
    GPtrArray *fields = NULL;
    const char *name;
    json_t *value;

    if (channel_form_parse("", 0, &fields, NULL) != CHANNEL_PARSED)
        return g_ptr_array_new();
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
        add_member(fields, name, value);
    return fields;
}

static enum channel_parse parse_json(const struct channel_webhook *webhook, const struct channel_endpoint *endpoint,
                                     GPtrArray *events, GError **error)
{
    g_autoptr(json_t) root = NULL;
    enum channel_parse parsed = channel_json_load(webhook->body, webhook->length, &root, error);
    g_autoptr(GPtrArray) fields = NULL;

    if (parsed != CHANNEL_PARSED)
        return parsed;
    fields = fields_of_json(root);
    add_event(events, fields, webhook, endpoint);
    return CHANNEL_PARSED;
}

enum channel_parse twilio_parse_webhook(const struct channel_webhook *webhook,
                                        const struct channel_endpoint *endpoint, GPtrArray *events,
                                        GError **error)
{
    g_autoptr(GPtrArray) fields = NULL;
    enum channel_parse parsed;

    if (webhook->length > 0 && (webhook->body[0] == '{' || webhook->body[0] == '['))
        return parse_json(webhook, endpoint, events, error); /* no form of Twilio's begins so */
    parsed = channel_form_parse(webhook->body, webhook->length, &fields, error);
    if (parsed != CHANNEL_PARSED)
        return parsed;
    if (fields->len == 0) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, "the body is empty");
        return CHANNEL_MALFORMED;
    }
    add_event(events, fields, webhook, endpoint);
    return CHANNEL_PARSED;
}
