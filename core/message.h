/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message model: one chat message in either direction, whatever the channel, and its UMP JSON.
 * Adapters fill it, the inbound worker stores it, mail_compose turns it into mail, ump-lmtp builds it from mail.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

enum ump_direction {
    UMP_INBOUND, /* contact → user */
    UMP_OUTBOUND /* user → contact, also what was sent elsewhere (own phone, API) */
};

enum ump_message_type {
    UMP_MESSAGE_UNKNOWN, /* shown as a readable notice; native_type says what the network called it */
    UMP_MESSAGE_TEXT,
    UMP_MESSAGE_MEDIA, /* media[], text is the caption */
    UMP_MESSAGE_REACTION, /* reaction, reaction_removed, reply_to */
    UMP_MESSAGE_LOCATION, /* location */
    UMP_MESSAGE_CONTACT, /* cards */
    UMP_MESSAGE_EDIT, /* text is the new text, reply_to the edited message */
    UMP_MESSAGE_DELETE, /* reply_to is the deleted message */
    UMP_MESSAGE_INTERACTIVE, /* poll, order, button, list reply…: text is readable, native_type the kind */
    UMP_MESSAGE_GROUP_EVENT /* joined, left, renamed: text is readable */
};

/* Somebody on the network. */
struct ump_party {
    char *address;   /* id on the channel: E.164, short code, opaque id */
    char *name;   /* as known to us or told by the network; untrusted; NULL */
    char *contact_id; /* uuid of the contact; NULL */
    char *mail;   /* gateway or user mail address when known; NULL */
    char *alias;  /* another id of the same person on the channel, as the network says; not in the JSON; NULL */
};

struct ump_group {
    char *id;     /* network id of the group; NULL when there is no group */
    char *title;     /* untrusted; NULL */
    GPtrArray *members; /* struct ump_party * ; never NULL */
};

/* One picture, recording, document… content is not part of the JSON. */
struct ump_media {
    char *sha256; /* hex; NULL until stored */
    char *type;   /* MIME type as told or found; untrusted; NULL */
    char *name;   /* file name as told; untrusted; NULL */
    char *url;    /* where the provider has it; NULL */
    char *caption; /* alternative text; NULL */
    char *error;  /* why there is no content, one phrase for a person ("the provider no longer has it"); NULL */
    gint64 size;  /* bytes; -1 unknown */
    bool voice;   /* recorded in the chat: "voice message" */
    GBytes *content; /* the bytes, for composing; NULL when they could not be fetched */
};

struct ump_location {
    bool set;
    double latitude, longitude; /* degrees WGS 84 */
    char *name;     /* place; NULL */
    char *address;     /* postal; NULL */
};

struct ump_card {
    char *name;  /* shown name */
    char *vcard; /* whole text/vcard; NULL: one is made of name and phones */
    GPtrArray *phones; /* char *; never NULL */
};

struct ump_message {
    char *id;        /* uuid text, lower case */
    char *account_id;      /* uuid */
    char *conversation_id; /* uuid; NULL until resolved */
    char *endpoint_id;     /* uuid */
    char *endpoint_address; /* our own address there (+15550100001) */
    char *channel;        /* sms, whatsapp, signal, telegram… */
    char *provider;        /* telnyx… */
    enum ump_direction direction;
    enum ump_message_type type;
    char *native_type; /* the network's word for a kind that we do not know; NULL */
    struct ump_party sender;
    GPtrArray *recipients; /* struct ump_party *; never NULL */
    struct ump_group group;
    char *text;   /* UTF-8; NULL or "" when there is none */
    char *subject;   /* networks that have one (MMS, mail); NULL */
    GPtrArray *media; /* struct ump_media *; never NULL */
    struct ump_location location;
    GPtrArray *cards; /* struct ump_card *; never NULL */
    char *reaction;   /* emoji; NULL */
    bool reaction_removed;
    char *external_id;     /* provider's message id */
    char *network_id;      /* the network's own, where the provider names the message by another; NULL; not in the JSON */
    char *reply_to;     /* uuid of our message that is quoted, reacted to, edited or deleted; NULL */
    char *reply_to_external_id; /* the same as the provider names it; NULL */
    gint64 occurred_at; /* µs since 1970 UTC, the network's time */
    gint64 expires_after; /* seconds after which it is to be gone here too; 0: kept; not in the JSON */
    bool edited;
    bool contact_new; /* first message of a contact that nobody knew */
    bool urgent;
    char *status; /* delivery status word; NULL */
    json_t *extra; /* keys of the JSON that this version does not know, kept as they came; NULL */
};

struct ump_message *ump_message_new(void);
void ump_message_free(struct ump_message *msg); /* NULL is fine */

struct ump_party *ump_party_new(const char *address, const char *name);
void ump_party_clear(struct ump_party *party);
void ump_party_free(struct ump_party *party);
struct ump_media *ump_media_new(void); /* size −1 */
void ump_media_free(struct ump_media *media);
struct ump_card *ump_card_new(const char *name);
void ump_card_free(struct ump_card *card);

typedef struct ump_message ump_message; /* for g_autoptr(ump_message) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ump_message, ump_message_free)

/* Words of the JSON and of UMP-Header; from_* answer -1 for an unknown word. */
const char *ump_direction_name(enum ump_direction direction);
int ump_direction_from_name(const char *name);
const char *ump_message_type_name(enum ump_message_type type);
int ump_message_type_from_name(const char *name); /* an unknown word is UMP_MESSAGE_UNKNOWN, NULL is -1 */

/*
 * UMP JSON, version 1.  Keys in fixed order, absent when NULL, false or empty:
 *   v (1), id, account, conversation, endpoint, endpoint_address, channel, provider, direction, type, native_type,
 *   from {address, name, contact, mail}, to [ … ], group {id, title, members [ … ]}, text, subject,
 *   media [{sha256, type, name, url, caption, error, size, voice}], location {latitude, longitude, name, address},
 *   cards [{name, phones, vcard}], reaction {emoji, removed}, external_id, reply_to, reply_to_external_id,
 *   occurred_at (RFC 3339 with µs, UTC), edited, contact_new, urgent, status; then the unknown keys.
 * to_json returns a new reference.  from_json refuses what has a wrong type or no v/channel/direction/occurred_at
 * (-1 with error), ignores and keeps unknown keys.
 */
json_t *ump_message_to_json(const struct ump_message *msg);
int ump_message_from_json(const json_t *json, struct ump_message **msg, GError **error);
char *ump_message_to_json_text(const struct ump_message *msg); /* compact; g_free */
