/* SPDX-License-Identifier: Apache-2.0 */
/* UMP JSON of the message model, see message.h. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/message.h"

/* --- writing --- */

/* jansson refuses text that is not UTF-8: repaired, never lost. */
static void put(json_t *object, const char *key, const char *text)
{
    if (!text)
        return;
    if (json_object_set_new(object, key, json_string(text)) == 0)
        return;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    json_object_set_new(object, key, json_string(valid));
}

static void put_true(json_t *object, const char *key, bool value)
{
    if (value)
        json_object_set_new(object, key, json_true());
}

/* Takes value; empty arrays and objects are left out. */
static void put_value(json_t *object, const char *key, json_t *value)
{
    if ((json_is_array(value) && json_array_size(value) == 0) || (json_is_object(value) && json_object_size(value) == 0))
        json_decref(value);
    else
        json_object_set_new(object, key, value);
}

static json_t *party_json(const struct ump_party *party)
{
    json_t *object = json_object();
    put(object, "address", party->address);
    put(object, "name", party->name);
    put(object, "contact", party->contact_id);
    put(object, "mail", party->mail);
    return object;
}

static json_t *parties_json(const GPtrArray *parties)
{
    json_t *array = json_array();
    for (guint i = 0; i < parties->len; i++)
        json_array_append_new(array, party_json(parties->pdata[i]));
    return array;
}

static json_t *group_json(const struct ump_group *group)
{
    json_t *object = json_object();
    put(object, "id", group->id);
    put(object, "title", group->title);
    put_value(object, "members", parties_json(group->members));
    return object;
}

static json_t *media_json(const GPtrArray *list)
{
    json_t *array = json_array();
    for (guint i = 0; i < list->len; i++) {
        const struct ump_media *media = list->pdata[i];
        json_t *object = json_object();
        put(object, "sha256", media->sha256);
        put(object, "type", media->type);
        put(object, "name", media->name);
        put(object, "url", media->url);
        put(object, "caption", media->caption);
        put(object, "error", media->error);
        if (media->size >= 0)
            json_object_set_new(object, "size", json_integer(media->size));
        put_true(object, "voice", media->voice);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *location_json(const struct ump_location *location)
{
    json_t *object = json_object();
    if (!location->set || !isfinite(location->latitude) || !isfinite(location->longitude))
        return object;
    json_object_set_new(object, "latitude", json_real(location->latitude));
    json_object_set_new(object, "longitude", json_real(location->longitude));
    put(object, "name", location->name);
    put(object, "address", location->address);
    return object;
}

static json_t *cards_json(const GPtrArray *list)
{
    json_t *array = json_array();
    for (guint i = 0; i < list->len; i++) {
        const struct ump_card *card = list->pdata[i];
        json_t *object = json_object(), *phones = json_array();
        put(object, "name", card->name);
        for (guint k = 0; k < card->phones->len; k++)
            json_array_append_new(phones, json_string(card->phones->pdata[k]));
        put_value(object, "phones", phones);
        put(object, "vcard", card->vcard);
        json_array_append_new(array, object);
    }
    return array;
}

static char *time_text(gint64 us)
{
    gint64 seconds = us / G_USEC_PER_SEC, rest = us % G_USEC_PER_SEC;
    if (rest < 0) {
        seconds--;
        rest += G_USEC_PER_SEC;
    }
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(seconds);
    if (!date)
        return g_strdup("1970-01-01T00:00:00.000000Z");
    g_autofree char *text = g_date_time_format(date, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%06dZ", text, (int)rest);
}

static json_t *reaction_json(const struct ump_message *msg)
{
    json_t *object = json_object();
    put(object, "emoji", msg->reaction);
    put_true(object, "removed", msg->reaction_removed);
    return object;
}

json_t *ump_message_to_json(const struct ump_message *msg)
{
    json_t *object = json_object();
    json_object_set_new(object, "v", json_integer(1));
    put(object, "id", msg->id);
    put(object, "account", msg->account_id);
    put(object, "conversation", msg->conversation_id);
    put(object, "endpoint", msg->endpoint_id);
    put(object, "endpoint_address", msg->endpoint_address);
    put(object, "channel", msg->channel);
    put(object, "provider", msg->provider);
    put(object, "direction", ump_direction_name(msg->direction));
    put(object, "type", ump_message_type_name(msg->type));
    put(object, "native_type", msg->native_type);
    put_value(object, "from", party_json(&msg->sender));
    put_value(object, "to", parties_json(msg->recipients));
    put_value(object, "group", group_json(&msg->group));
    put(object, "text", msg->text);
    put(object, "subject", msg->subject);
    put_value(object, "media", media_json(msg->media));
    put_value(object, "location", location_json(&msg->location));
    put_value(object, "cards", cards_json(msg->cards));
    put_value(object, "reaction", reaction_json(msg));
    put(object, "external_id", msg->external_id);
    put(object, "reply_to", msg->reply_to);
    put(object, "reply_to_external_id", msg->reply_to_external_id);
    g_autofree char *at = time_text(msg->occurred_at);
    put(object, "occurred_at", at);
    put_true(object, "edited", msg->edited);
    put_true(object, "contact_new", msg->contact_new);
    put_true(object, "urgent", msg->urgent);
    put(object, "status", msg->status);
    if (msg->extra)
        json_object_update_missing(object, msg->extra);
    return object;
}

char *ump_message_to_json_text(const struct ump_message *msg)
{
    json_t *object = ump_message_to_json(msg);
    char *dumped = json_dumps(object, JSON_COMPACT), *text = g_strdup(dumped);
    json_decref(object);
    json_free_t release;
    json_get_alloc_funcs(NULL, &release);
    release(dumped);
    return text;
}

/* --- reading --- */

struct reader {
    GError **error;
    bool failed;
};

static void fail(struct reader *reader, const char *key, const char *what)
{
    if (!reader->failed)
        g_set_error(reader->error, UMP_ERROR, UMP_ERROR_INVALID, "message: \"%s\" %s", key, what);
    reader->failed = true;
}

static char *get(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value))
        return NULL;
    if (!json_is_string(value)) {
        fail(reader, key, "is not a string");
        return NULL;
    }
    return g_strdup(json_string_value(value));
}

static bool get_bool(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (value && !json_is_boolean(value) && !json_is_null(value))
        fail(reader, key, "is not true or false");
    return json_is_true(value);
}

/* NULL when absent; of another type: failure and NULL. */
static const json_t *get_typed(struct reader *reader, const json_t *object, const char *key, json_type type)
{
    const json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value))
        return NULL;
    if (json_typeof(value) != type) {
        fail(reader, key, type == JSON_ARRAY ? "is not an array" : "is not an object");
        return NULL;
    }
    return value;
}

static void read_party(struct reader *reader, const json_t *object, struct ump_party *party)
{
    party->address = get(reader, object, "address");
    party->name = get(reader, object, "name");
    party->contact_id = get(reader, object, "contact");
    party->mail = get(reader, object, "mail");
}

static void read_parties(struct reader *reader, const json_t *object, const char *key, GPtrArray *out)
{
    const json_t *array = get_typed(reader, object, key, JSON_ARRAY);
    for (size_t i = 0; array && i < json_array_size(array); i++) {
        struct ump_party *party = ump_party_new(NULL, NULL);
        g_ptr_array_add(out, party);
        if (json_is_object(json_array_get(array, i)))
            read_party(reader, json_array_get(array, i), party);
        else
            fail(reader, key, "holds what is no object");
    }
}

static void read_media(struct reader *reader, const json_t *object, GPtrArray *out)
{
    const json_t *array = get_typed(reader, object, "media", JSON_ARRAY);
    for (size_t i = 0; array && i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i), *size = json_object_get(item, "size");
        if (!json_is_object(item)) {
            fail(reader, "media", "holds what is no object");
            return;
        }
        struct ump_media *media = ump_media_new();
        g_ptr_array_add(out, media);
        media->sha256 = get(reader, item, "sha256");
        media->type = get(reader, item, "type");
        media->name = get(reader, item, "name");
        media->url = get(reader, item, "url");
        media->caption = get(reader, item, "caption");
        media->error = get(reader, item, "error");
        media->voice = get_bool(reader, item, "voice");
        if (size && !json_is_integer(size))
            fail(reader, "size", "is not an integer");
        if (size)
            media->size = json_integer_value(size);
    }
}

static void read_location(struct reader *reader, const json_t *object, struct ump_location *location)
{
    const json_t *item = get_typed(reader, object, "location", JSON_OBJECT);
    if (!item)
        return;
    const json_t *latitude = json_object_get(item, "latitude"), *longitude = json_object_get(item, "longitude");
    if (!json_is_number(latitude) || !json_is_number(longitude)) {
        fail(reader, "location", "has no latitude and longitude");
        return;
    }
    location->set = true;
    location->latitude = json_number_value(latitude);
    location->longitude = json_number_value(longitude);
    location->name = get(reader, item, "name");
    location->address = get(reader, item, "address");
}

static void read_cards(struct reader *reader, const json_t *object, GPtrArray *out)
{
    const json_t *array = get_typed(reader, object, "cards", JSON_ARRAY);
    for (size_t i = 0; array && i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_object(item)) {
            fail(reader, "cards", "holds what is no object");
            return;
        }
        struct ump_card *card = ump_card_new(NULL);
        g_ptr_array_add(out, card);
        card->name = get(reader, item, "name");
        card->vcard = get(reader, item, "vcard");
        const json_t *phones = get_typed(reader, item, "phones", JSON_ARRAY);
        for (size_t k = 0; phones && k < json_array_size(phones); k++) {
            const char *phone = json_string_value(json_array_get(phones, k));
            if (phone)
                g_ptr_array_add(card->phones, g_strdup(phone));
        }
    }
}

static gint64 read_time(struct reader *reader, const json_t *object, const char *key)
{
    g_autofree char *text = get(reader, object, key);
    g_autoptr(GDateTime) date = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;
    if (!date) {
        fail(reader, key, "is not an RFC 3339 time");
        return 0;
    }
    return g_date_time_to_unix(date) * G_USEC_PER_SEC + g_date_time_get_microsecond(date);
}

static void keep_unknown(const json_t *object, struct ump_message *msg)
{
    static const char *const known[] = {
        "v", "id", "account", "conversation", "endpoint", "endpoint_address", "channel", "provider", "direction", "type",
        "native_type", "from", "to", "group", "text", "subject", "media", "location", "cards", "reaction", "external_id",
        "reply_to", "reply_to_external_id", "occurred_at", "edited", "contact_new", "urgent", "status", NULL};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (g_strv_contains(known, key))
            continue;
        if (!msg->extra)
            msg->extra = json_object();
        json_object_set(msg->extra, key, value);
    }
}

static void read_words(struct reader *reader, const json_t *object, struct ump_message *msg)
{
    g_autofree char *direction = get(reader, object, "direction");
    g_autofree char *type = get(reader, object, "type");
    int d = ump_direction_from_name(direction), t = ump_message_type_from_name(type);
    if (json_integer_value(json_object_get(object, "v")) != 1)
        fail(reader, "v", "is not 1");
    if (d < 0)
        fail(reader, "direction", "is neither inbound nor outbound");
    if (!msg->channel)
        fail(reader, "channel", "is missing");
    msg->direction = d > 0 ? (enum ump_direction)d : UMP_INBOUND;
    msg->type = t > 0 ? (enum ump_message_type)t : UMP_MESSAGE_UNKNOWN;
    if (t == UMP_MESSAGE_UNKNOWN && !msg->native_type && strcmp(type, "unknown") != 0)
        msg->native_type = g_strdup(type); /* a kind that a newer version has */
}

int ump_message_from_json(const json_t *json, struct ump_message **out, GError **error)
{
    struct reader reader = {.error = error};
    if (!json_is_object(json)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "message: not a JSON object");
        return -1;
    }
    g_autoptr(ump_message) msg = ump_message_new();
    msg->id = get(&reader, json, "id");
    msg->account_id = get(&reader, json, "account");
    msg->conversation_id = get(&reader, json, "conversation");
    msg->endpoint_id = get(&reader, json, "endpoint");
    msg->endpoint_address = get(&reader, json, "endpoint_address");
    msg->channel = get(&reader, json, "channel");
    msg->provider = get(&reader, json, "provider");
    msg->native_type = get(&reader, json, "native_type");
    read_words(&reader, json, msg);
    const json_t *from = get_typed(&reader, json, "from", JSON_OBJECT);
    if (from)
        read_party(&reader, from, &msg->sender);
    read_parties(&reader, json, "to", msg->recipients);
    const json_t *group = get_typed(&reader, json, "group", JSON_OBJECT);
    if (group) {
        msg->group.id = get(&reader, group, "id");
        msg->group.title = get(&reader, group, "title");
        read_parties(&reader, group, "members", msg->group.members);
    }
    msg->text = get(&reader, json, "text");
    msg->subject = get(&reader, json, "subject");
    read_media(&reader, json, msg->media);
    read_location(&reader, json, &msg->location);
    read_cards(&reader, json, msg->cards);
    const json_t *reaction = get_typed(&reader, json, "reaction", JSON_OBJECT);
    if (reaction) {
        msg->reaction = get(&reader, reaction, "emoji");
        msg->reaction_removed = get_bool(&reader, reaction, "removed");
    }
    msg->external_id = get(&reader, json, "external_id");
    msg->reply_to = get(&reader, json, "reply_to");
    msg->reply_to_external_id = get(&reader, json, "reply_to_external_id");
    msg->occurred_at = read_time(&reader, json, "occurred_at");
    msg->edited = get_bool(&reader, json, "edited");
    msg->contact_new = get_bool(&reader, json, "contact_new");
    msg->urgent = get_bool(&reader, json, "urgent");
    msg->status = get(&reader, json, "status");
    keep_unknown(json, msg);
    if (reader.failed)
        return -1;
    *out = g_steal_pointer(&msg);
    return 0;
}
