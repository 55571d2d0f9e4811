/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What signal-cli tells: {"envelope", "account"}, as data of server-sent events; as params of a JSON-RPC
 * notification "receive"; and with manual receive as params.result.  The REST API posts the notification.
 */
#include "bridge/channels/signal.h"

#include <string.h>

#define MAX_RECEIPTS 1000 /* of one envelope; an app sends tens */

#include "core/cleanup.h"
#include "core/error.h"
#include "core/hmac.h"

struct walk {
    const struct channel_endpoint *endpoint;
    GPtrArray *events;
    const json_t *params;   /* that hold envelope and account */
    const json_t *envelope;
    gint64 stamp;           /* of the envelope, ms */
    char *author;           /* of the envelope: uuid, else number; NULL */
};

/* ---- Pieces ---- */

static char *hash_of(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    guint8 digest[32];

    hmac_sha256(text ? text : "", text ? strlen(text) : 0, digest);
    g_free(text);
    return hmac_hex(digest, sizeof digest);
}

static void add_other(const struct walk *walk, const char *note)
{
    g_autofree char *hash = hash_of(walk->params), *key = g_strconcat("other:sha256:", hash, NULL);

    channel_add_other(walk->events, note, key);
}

static struct ump_message *new_message(const struct walk *walk, enum ump_direction direction, gint64 stamp, const char *author)
{
    struct ump_message *message = ump_message_new();

    message->channel = g_strdup(walk->endpoint->channel);
    message->provider = g_strdup(walk->endpoint->provider);
    message->endpoint_address = g_strdup(walk->endpoint->address);
    message->direction = direction;
    message->occurred_at = stamp * 1000;
    message->external_id = signal_message_id(stamp, author);
    if (!message->external_id)
        message->external_id = hash_of(walk->params);
    return message;
}

static void push(const struct walk *walk, struct ump_message *message, const char *note)
{
    struct channel_event *event = channel_event_new();
    const char *other = message->direction == UMP_INBOUND ? message->sender.address
                                                          : ((const struct ump_party *)message->recipients->pdata[0])->address;

    event->kind = CHANNEL_EVENT_MESSAGE;
    event->key = g_strdup_printf("%s:%s", message->direction == UMP_INBOUND ? "message" : "sent", message->external_id);
    event->lane = g_strdup(message->group.id ? message->group.id : other);
    event->note = g_strdup(note);
    event->at = message->occurred_at;
    event->message = message;
    if (message->type == UMP_MESSAGE_TEXT && message->direction == UMP_INBOUND && !message->group.id)
        event->opt = channel_opt_keyword(walk->endpoint, message->text);
    g_ptr_array_add(walk->events, event);
}

/* From the sender of the envelope; NULL: there is none. */
static struct ump_message *inbound(const struct walk *walk, const json_t *data)
{
    gint64 stamp = signal_stamp(data, "timestamp");
    struct ump_message *message;

    if (!walk->author)
        return NULL;
    message = new_message(walk, UMP_INBOUND, stamp > 0 ? stamp : walk->stamp, walk->author);
    signal_read_party(walk->envelope, "source", &message->sender);
    message->sender.name = channel_json_text(walk->envelope, "sourceName");
    g_ptr_array_add(message->recipients, ump_party_new(walk->endpoint->address, NULL));
    return message;
}

/* ---- Messages ---- */

static void add_data(const struct walk *walk, const json_t *data, const json_t *content, const char *kind)
{
    struct ump_message *message = inbound(walk, data);
    const char *note = NULL;

    if (!message) {
        add_other(walk, "message without a sender");
        return;
    }
    if (signal_is_own(walk->endpoint, message->sender.address)) { /* what a copy of ours is told of is in sentMessage */
        add_other(walk, "from ourselves");
    } else if (signal_read_content(content, walk->endpoint, false, message, &note)) {
        push(walk, message, kind);
        return;
    } else {
        add_other(walk, note);
    }
    ump_message_free(message);
}

static void add_data_message(const struct walk *walk, const json_t *data)
{
    add_data(walk, data, data, "dataMessage");
}

static void add_edit(const struct walk *walk, const json_t *edit)
{
    add_data(walk, json_object_get(edit, "dataMessage"), edit, "editMessage");
}

/* Sent with our own phone: belongs into Sent. */
static void add_sent(const struct walk *walk, const json_t *sent)
{
    const json_t *edit = json_object_get(sent, "editMessage"), *data = json_is_object(edit) ? json_object_get(edit, "dataMessage") : sent;
    gint64 stamp = signal_stamp(data, "timestamp");
    struct ump_message *message = new_message(walk, UMP_OUTBOUND, stamp > 0 ? stamp : walk->stamp, walk->endpoint->address);
    struct ump_party *to = ump_party_new(NULL, NULL);
    const char *note = "nothing in it";
    g_autofree char *group = channel_json_text(json_object_get(data, "groupInfo"), "groupId");

    signal_read_party(sent, "destination", to);
    if (!to->address)
        to->address = g_strdup(group);
    message->sender.address = g_strdup(walk->endpoint->address);
    if (!to->address) {
        ump_party_free(to);
        note = "sent to nobody";
    } else {
        g_ptr_array_add(message->recipients, to);
        if (signal_read_content(json_is_object(edit) ? edit : sent, walk->endpoint, true, message, &note)) {
            push(walk, message, "sentMessage");
            return;
        }
    }
    ump_message_free(message);
    add_other(walk, note);
}

/* The body with this alone (taken) under key, so that what is about many messages is not stored as often. */
static GBytes *cut(const struct walk *walk, const char *key, json_t *one)
{
    json_t *envelope = json_copy((json_t *)(uintptr_t)walk->envelope);
    g_autoptr(json_t) root = json_object();
    char *text;

    json_object_set_new(envelope, key, one);
    json_object_set_new(root, "envelope", envelope);
    text = json_dumps(root, JSON_COMPACT);
    return text ? g_bytes_new_take(text, strlen(text)) : NULL;
}

/* Read with our own phone: {sender, senderNumber, senderUuid, timestamp} of each message. */
static void add_read(const struct walk *walk, const json_t *list)
{
    guint before = walk->events->len;
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) {
        g_autofree char *uuid = channel_json_text(item, "senderUuid"), *sender = channel_json_text(item, "sender");
        gint64 stamp = signal_stamp(item, "timestamp");
        struct channel_event *event;
        if (stamp <= 0 || !(uuid || sender))
            continue;
        event = channel_event_new();
        event->kind = CHANNEL_EVENT_STATUS;
        event->status = CHANNEL_STATUS_READ;
        event->by_us = true;
        event->note = g_strdup("readMessages");
        event->provider_id = signal_message_id(stamp, uuid ? uuid : sender);
        event->key = g_strdup_printf("own-read:%s", event->provider_id);
        event->lane = g_strdup(event->provider_id);
        event->at = walk->stamp * 1000;
        if (json_array_size(list) > 1)
            event->body = cut(walk, "syncMessage", json_pack("{s:[O]}", "readMessages", item));
        g_ptr_array_add(walk->events, event);
    }
    if (walk->events->len == before)
        add_other(walk, "read on another device");
}

static void add_sync(const struct walk *walk, const json_t *sync)
{
    const json_t *sent = json_object_get(sync, "sentMessage");

    if (json_is_object(sent))
        add_sent(walk, sent);
    else if (json_array_size(json_object_get(sync, "readMessages")) > 0)
        add_read(walk, json_object_get(sync, "readMessages"));
    else
        add_other(walk, "syncMessage");
}

/* ---- What is no message ---- */

static void add_call(const struct walk *walk, const json_t *call)
{
    const json_t *offer = json_object_get(call, "offerMessage");
    g_autofree char *type = channel_json_text(offer, "type");
    struct ump_message *message = json_is_object(offer) ? inbound(walk, NULL) : NULL;

    if (!message) {
        add_other(walk, "callMessage");
        return;
    }
    message->type = UMP_MESSAGE_INTERACTIVE;
    message->native_type = g_strdup("call");
    message->text = g_strdup_printf("%s call; it can be answered in Signal only.",
                                    type && strstr(type, "VIDEO") ? "Video" : "Voice");
    push(walk, message, "callMessage");
}

static void add_story(const struct walk *walk, const json_t *story)
{
    struct ump_message *message = inbound(walk, NULL);

    if (!message) {
        add_other(walk, "storyMessage");
        return;
    }
    message->group.id = channel_json_text(story, "groupId");
    signal_read_story(story, walk->endpoint, message);
    push(walk, message, "storyMessage");
}

/* Comes every few seconds while somebody types, and means nothing a moment later: it is not kept. */
static void add_typing(const struct walk *walk, const json_t *typing)
{
}

static const struct {
    const char *key;
    enum channel_status status;
} receipts[] = {
    {"isViewed", CHANNEL_STATUS_READ}, {"isRead", CHANNEL_STATUS_READ}, {"isDelivery", CHANNEL_STATUS_DELIVERED},
};

/* The body with one time alone. */
static GBytes *cut_receipt(const struct walk *walk, const json_t *receipt, gint64 stamp)
{
    json_t *one = json_copy((json_t *)(uintptr_t)receipt);

    json_object_set_new(one, "timestamps", json_pack("[I]", (json_int_t)stamp));
    return cut(walk, "receiptMessage", one);
}

static gint64 stamp_of(const json_t *value)
{
    g_autoptr(json_t) holder = json_object();

    json_object_set(holder, "t", (json_t *)(uintptr_t)value);
    return signal_stamp(holder, "t");
}

static void add_receipt_of(const struct walk *walk, const json_t *receipt, gint64 stamp, const char *word, enum channel_status status)
{
    struct channel_event *event = channel_event_new();
    struct ump_party who = {0};

    signal_read_party(walk->envelope, "source", &who);
    event->kind = CHANNEL_EVENT_STATUS;
    event->status = status;
    event->note = g_strdup(word);
    event->sent_at = stamp * 1000;
    event->provider_id = signal_message_id(stamp, walk->endpoint->address);
    event->key = g_strdup_printf("receipt:%s:%s:%s", word, walk->author, event->provider_id);
    event->lane = g_strdup_printf("%s/%s", event->provider_id, walk->author); /* whose own, so that nobody's stands before another's */
    event->recipient = g_steal_pointer(&who.address);
    event->at = (signal_stamp(receipt, "when") > 0 ? signal_stamp(receipt, "when") : walk->stamp) * 1000;
    if (json_array_size(json_object_get(receipt, "timestamps")) > 1)
        event->body = cut_receipt(walk, receipt, stamp);
    g_ptr_array_add(walk->events, event);
    ump_party_clear(&who);
}

static void add_receipt(const struct walk *walk, const json_t *receipt)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    const json_t *item;
    size_t i, kind = 0;
    guint before = walk->events->len;

    while (kind < G_N_ELEMENTS(receipts) && !signal_truth(receipt, receipts[kind].key))
        kind++;
    if (kind < G_N_ELEMENTS(receipts) && walk->author)
        json_array_foreach(json_object_get(receipt, "timestamps"), i, item) {
            gint64 stamp = walk->events->len - before < MAX_RECEIPTS ? stamp_of(item) : 0;
            if (stamp > 0 && g_hash_table_add(seen, g_memdup2(&stamp, sizeof stamp)))
                add_receipt_of(walk, receipt, stamp, receipts[kind].key, receipts[kind].status);
        }
    if (walk->events->len == before)
        add_other(walk, "receiptMessage");
}

/* ---- What could not be decrypted, and what is not known ---- */

static void add_error(const struct walk *walk, const json_t *problem)
{
    g_autofree char *words = channel_json_text(problem, "message"), *type = channel_json_text(problem, "type");
    struct ump_message *message = inbound(walk, NULL);
    bool untrusted = type && strstr(type, "Untrusted");

    if (!message) {
        add_other(walk, type ? type : "exception");
        return;
    }
    message->type = UMP_MESSAGE_UNKNOWN;
    message->native_type = g_strdup(type ? type : "exception");
    /* not the message's own: that one comes yet, under the same time, once it is sent again or its sender is trusted */
    char *id = g_strconcat("exception:", message->external_id, NULL);
    g_free(message->external_id);
    message->external_id = id;
    message->text = g_strdup_printf("A message came that signal-cli could not read%s%s. %s", words ? ": " : "", words ? words : "",
                                    untrusted ? "The safety number of this person has changed; once you have compared it, the "
                                                "administrator can trust it (signal-cli trust)."
                                              : "Ask for it to be sent again.");
    push(walk, message, "exception");
}

/* A kind of tomorrow. */
static void add_strange(const struct walk *walk)
{
    const char *key, *strange = NULL;
    struct ump_message *message;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)walk->envelope, key, value)
        if (!strange && json_is_object(value))
            strange = key;
    message = strange ? inbound(walk, NULL) : NULL;
    if (!message) {
        add_other(walk, strange ? strange : "nothing in it");
        return;
    }
    message->type = UMP_MESSAGE_UNKNOWN;
    message->native_type = g_strdup(strange);
    push(walk, message, "unknown");
}

/* ---- The walk ---- */

static const struct {
    const char *key;
    void (*add)(const struct walk *walk, const json_t *object);
} kinds[] = {
    {"dataMessage", add_data_message}, {"editMessage", add_edit},       {"syncMessage", add_sync},
    {"receiptMessage", add_receipt},   {"typingMessage", add_typing},   {"callMessage", add_call},
    {"storyMessage", add_story},
};

static void walk_envelope(const struct walk *walk)
{
    const json_t *problem = json_object_get(walk->params, "exception");

    if (!json_is_object(problem))
        problem = json_object_get(walk->params, "error");
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const json_t *object = json_object_get(walk->envelope, kinds[i].key);
        if (json_is_object(object)) {
            kinds[i].add(walk, object);
            return;
        }
    }
    if (json_is_object(problem))
        add_error(walk, problem);
    else
        add_strange(walk);
}

/* The part that holds the envelope, whichever of the shapes it came in. */
static const json_t *params_of(const json_t *root)
{
    const json_t *params = json_object_get(root, "params"), *inner;

    if (!json_is_object(params))
        params = root;
    inner = json_object_get(params, "result");
    return json_is_object(inner) ? inner : params;
}

static enum channel_parse load(const struct channel_webhook *webhook, json_t **root, GError **error)
{
    enum channel_parse parsed = channel_json_load(webhook->body, webhook->length, root, error);

    if (parsed == CHANNEL_PARSED && !json_is_object(json_object_get(params_of(*root), "envelope"))) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, "there is no envelope in it");
        json_decref(g_steal_pointer(root));
        return CHANNEL_MALFORMED;
    }
    return parsed;
}

void signal_webhook_addresses(const struct channel_webhook *webhook, GPtrArray *names)
{
    g_autoptr(json_t) root = NULL;
    char *account;

    if (load(webhook, &root, NULL) != CHANNEL_PARSED)
        return;
    account = channel_json_text(params_of(root), "account");
    if (account)
        g_ptr_array_add(names, account);
}

enum channel_parse signal_parse(const struct channel_webhook *webhook, const struct channel_endpoint *endpoint,
                                GPtrArray *events, GError **error)
{
    g_autoptr(json_t) root = NULL;
    struct walk walk = {.endpoint = endpoint, .events = events};
    enum channel_parse parsed = load(webhook, &root, error);
    g_autofree char *account = NULL, *author = NULL;

    if (parsed != CHANNEL_PARSED)
        return parsed;
    walk.params = params_of(root);
    walk.envelope = json_object_get(walk.params, "envelope");
    walk.stamp = signal_stamp(walk.envelope, "timestamp");
    walk.author = author = signal_author(walk.envelope, "source");
    account = channel_json_text(walk.params, "account");
    if (!account || signal_is_own(endpoint, account)) /* else another number's of the same daemon */
        walk_envelope(&walk);
    return CHANNEL_PARSED;
}
