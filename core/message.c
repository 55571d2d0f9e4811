/* SPDX-License-Identifier: Apache-2.0 */
/* The message model: construction and words, see message.h; the JSON is in message_json.c. */
#include "core/message.h"

#include <string.h>

static const char *const direction_names[] = {[UMP_INBOUND] = "inbound", [UMP_OUTBOUND] = "outbound"};

static const char *const type_names[] = {
    [UMP_MESSAGE_UNKNOWN] = "unknown",     [UMP_MESSAGE_TEXT] = "text",       [UMP_MESSAGE_MEDIA] = "media",
    [UMP_MESSAGE_REACTION] = "reaction",   [UMP_MESSAGE_LOCATION] = "location",   [UMP_MESSAGE_CONTACT] = "contact",
    [UMP_MESSAGE_EDIT] = "edit",        [UMP_MESSAGE_DELETE] = "delete",       [UMP_MESSAGE_INTERACTIVE] = "interactive",
    [UMP_MESSAGE_GROUP_EVENT] = "group-event",
};

const char *ump_direction_name(enum ump_direction direction)
{
    return direction_names[direction];
}

int ump_direction_from_name(const char *name)
{
    for (guint i = 0; name && i < G_N_ELEMENTS(direction_names); i++)
        if (strcmp(name, direction_names[i]) == 0)
            return (int)i;
    return -1;
}

const char *ump_message_type_name(enum ump_message_type type)
{
    return (guint)type < G_N_ELEMENTS(type_names) ? type_names[type] : type_names[UMP_MESSAGE_UNKNOWN];
}

int ump_message_type_from_name(const char *name)
{
    if (!name)
        return -1;
    for (guint i = 0; i < G_N_ELEMENTS(type_names); i++)
        if (strcmp(name, type_names[i]) == 0)
            return (int)i;
    return UMP_MESSAGE_UNKNOWN;
}

void ump_party_clear(struct ump_party *party)
{
    g_free(party->address);
    g_free(party->name);
    g_free(party->contact_id);
    g_free(party->mail);
    g_free(party->alias);
    *party = (struct ump_party){0};
}

struct ump_party *ump_party_new(const char *address, const char *name)
{
    struct ump_party *party = g_new0(struct ump_party, 1);
    party->address = g_strdup(address);
    party->name = g_strdup(name);
    return party;
}

void ump_party_free(struct ump_party *party)
{
    if (!party)
        return;
    ump_party_clear(party);
    g_free(party);
}

struct ump_media *ump_media_new(void)
{
    struct ump_media *media = g_new0(struct ump_media, 1);
    media->size = -1;
    return media;
}

void ump_media_free(struct ump_media *media)
{
    if (!media)
        return;
    g_free(media->sha256);
    g_free(media->type);
    g_free(media->name);
    g_free(media->url);
    g_free(media->caption);
    g_free(media->error);
    if (media->content)
        g_bytes_unref(media->content);
    g_free(media);
}

struct ump_card *ump_card_new(const char *name)
{
    struct ump_card *card = g_new0(struct ump_card, 1);
    card->name = g_strdup(name);
    card->phones = g_ptr_array_new_with_free_func(g_free);
    return card;
}

void ump_card_free(struct ump_card *card)
{
    if (!card)
        return;
    g_free(card->name);
    g_free(card->vcard);
    g_ptr_array_unref(card->phones);
    g_free(card);
}

struct ump_message *ump_message_new(void)
{
    struct ump_message *msg = g_new0(struct ump_message, 1);
    msg->recipients = g_ptr_array_new_with_free_func((GDestroyNotify)ump_party_free);
    msg->group.members = g_ptr_array_new_with_free_func((GDestroyNotify)ump_party_free);
    msg->media = g_ptr_array_new_with_free_func((GDestroyNotify)ump_media_free);
    msg->cards = g_ptr_array_new_with_free_func((GDestroyNotify)ump_card_free);
    return msg;
}

void ump_message_free(struct ump_message *msg)
{
    if (!msg)
        return;
    char *strings[] = {msg->id, msg->account_id, msg->conversation_id, msg->endpoint_id, msg->endpoint_address, msg->channel,
               msg->provider, msg->native_type, msg->group.id, msg->group.title, msg->text, msg->subject,
               msg->location.name, msg->location.address, msg->reaction, msg->external_id, msg->network_id,
               msg->reply_to, msg->reply_to_external_id, msg->status};
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    ump_party_clear(&msg->sender);
    g_ptr_array_unref(msg->recipients);
    g_ptr_array_unref(msg->group.members);
    g_ptr_array_unref(msg->media);
    g_ptr_array_unref(msg->cards);
    json_decref(msg->extra);
    g_free(msg);
}
