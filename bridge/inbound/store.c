/* SPDX-License-Identifier: Apache-2.0 */
/* The message's rows: contact, conversation, message. */
#include <string.h>

#include "bridge/gateway.h"
#include "bridge/inbound/internal.h"
#include "core/cleanup.h"
#include "core/group_key.h"

/* --- groups that are the set of their members --- */

void inbound_group(struct ump_message *message, const struct endpoint *endpoint)
{
    const struct channel_endpoint *e = &endpoint->channel;
    const struct channel_capabilities *can = channel_capabilities_of(e->ops, e->channel);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autofree char *key = NULL;
    g_auto(GStrv) members = NULL;

    if (message->group.id || !can || !can->groups_by_members)
        return;
    g_ptr_array_add(all, message->sender.address);
    for (guint i = 0; i < message->recipients->len; i++) {
        struct ump_party *party = message->recipients->pdata[i];
        if (party->address && *party->address)
            g_ptr_array_add(all, party->address);
    }
    g_ptr_array_add(all, NULL);
    key = group_key_of_members((const char *const *)all->pdata, e->address);
    if (!key || !strchr(key, ','))
        return; /* the two of us */
    members = g_strsplit(key, ",", -1);
    for (gsize i = 0; members[i]; i++)
        g_ptr_array_add(message->group.members, ump_party_new(members[i], NULL));
    message->group.id = g_steal_pointer(&key);
}

static char **member_addresses(const struct ump_message *message)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < message->group.members->len; i++)
        g_ptr_array_add(list, g_strdup(((struct ump_party *)message->group.members->pdata[i])->address));
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

/* --- metadata --- */

json_t *inbound_media_json(const struct ump_message *message)
{
    json_t *list = json_array();

    for (guint i = 0; i < message->media->len; i++) {
        const struct ump_media *media = message->media->pdata[i];
        json_t *item = json_object();
        const struct {
            const char *key, *value;
        } texts[] = { { "type", media->type ? media->type : "application/octet-stream" },
                      { "name", media->name },
                      { "url", media->url },
                      { "error", media->content ? NULL : media->error },
                      { "sha256", media->content ? media->sha256 : NULL } };
        for (gsize k = 0; k < G_N_ELEMENTS(texts); k++)
            if (texts[k].value)
                json_object_set_new(item, texts[k].key, json_string(texts[k].value));
        if (media->size >= 0)
            json_object_set_new(item, "size", json_integer(media->size));
        json_array_append_new(list, item);
    }
    return list;
}

static const struct ump_party *contact_of(const struct ump_message *message)
{
    if (message->direction == UMP_OUTBOUND && message->recipients->len > 0)
        return message->recipients->pdata[0];
    return &message->sender;
}

static char *metadata_of(const struct ump_message *message, const char *event_key)
{
    const struct ump_party *contact = contact_of(message);
    g_autofree char *opaque = contact->address ? gateway_opaque_id(contact->address, message->channel) : NULL;
    g_autoptr(json_t) root = json_object();
    char *text, *copy;

    if (event_key)
        json_object_set_new(root, "event_key", json_string(event_key));
    if (message->subject)
        json_object_set_new(root, "subject", json_string(message->subject));
    if (message->native_type)
        json_object_set_new(root, "native_type", json_string(message->native_type));
    if (message->media->len > 0)
        json_object_set_new(root, "media", inbound_media_json(message));
    if (message->reaction)
        json_object_set_new(root, "reaction", json_string(message->reaction));
    if (message->reaction_removed)
        json_object_set_new(root, "reaction_removed", json_true());
    if (contact->alias)
        json_object_set_new(root, "alias", json_string(contact->alias));
    if (message->network_id)
        json_object_set_new(root, "network_id", json_string(message->network_id));
    if (opaque)
        json_object_set_new(root, "address_id", json_string(opaque));
    if (message->group.id)
        json_object_set_new(root, "group", json_string(message->group.id));
    text = json_dumps(root, JSON_COMPACT);
    copy = g_strdup(text ? text : "{}");
    g_free(text);
    return copy;
}

/* --- store_inbound --- */

static struct db_params *params_of(const struct inbound *inbound, const struct channel_endpoint *endpoint,
                                   const struct ump_message *message, const char *event_key)
{
    struct db_params *params = db_params_new();
    g_autofree char *group_address = message->group.id ? group_address_id(endpoint->id, message->group.id) : NULL;
    g_autofree char *metadata = metadata_of(message, event_key), *mail_id = ids_message_id(message->id, endpoint->domain);
    g_auto(GStrv) members = message->group.id && message->group.members->len > 0 ? member_addresses(message) : NULL;
    const struct ump_party *contact = contact_of(message);

    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_uuid(params, message->id);
    db_params_text(params, message->channel);
    db_params_text(params, contact->address);
    db_params_text(params, contact->name);
    db_params_text(params, message->group.id);
    db_params_text(params, group_address);
    db_params_text(params, message->group.title);
    if (members)
        db_params_texts(params, (const char *const *)members);
    else
        db_params_null(params);
    db_params_text(params, ump_message_type_name(message->type));
    db_params_text(params, message->text ? message->text : "");
    db_params_text(params, metadata);
    db_params_text(params, message->external_id);
    db_params_text(params, message->reply_to_external_id);
    db_params_time(params, message->occurred_at);
    db_params_text(params, mail_id);
    db_params_interval(params, inbound->window);
    db_params_int(params, inbound->segment_messages);
    db_params_interval(params, inbound->segment_silence);
    db_params_text(params, ump_direction_name(message->direction));
    return params;
}

int inbound_store(struct inbound *inbound, const struct endpoint *endpoint, struct ump_message *message,
                  const char *event_key, struct db_rows **stored, GError **error)
{
    GError *problem = NULL;
    int result;

    if (db_write(inbound->bridge->db, DB_STMT_STORE_INBOUND, params_of(inbound, &endpoint->channel, message, event_key),
                 contact_of(message)->address, stored, &problem) == 0)
        return 0;
    result = db_error_is_temporary(problem) ? 1 : -1;
    g_propagate_error(error, problem);
    return result;
}
