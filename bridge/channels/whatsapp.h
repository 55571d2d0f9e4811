/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WhatsApp's messages as Meta writes them, for the adapters whose provider passes them on in that form: one
 * message, the "value" that stands around several, what is sent, templates, error codes.  Facts from the
 * description of the Cloud API (v23.0) and its documentation of webhooks, error codes, templates,
 * coexistence and business-scoped user ids.
 */
#pragma once

#include "bridge/channels/channel_common.h"

/* ---- Values (whatsapp_values.c) ---- */

/* "16505551234" → "+16505551234"; ids of people without a number stay as they are; NULL for NULL. */
char *whatsapp_identifier(const char *id);
/* A number, or a string that is one. */
bool whatsapp_number(const json_t *object, const char *key, double *number);
/* {code, title, message, error_data: {details}} → code and words, owned; false: none. */
bool whatsapp_error(const json_t *error, char **code, char **text);
/* "sent", "delivered", "read", "played", "failed". */
enum channel_status whatsapp_status(const char *word);
/* "+1 555-010-4567" and "15550104567" are the same number. */
bool whatsapp_same_digits(const char *one, const char *other);

/* ---- Pace (whatsapp_values.c) ---- */

/* 80 messages a second for a number; to one person one in six seconds, 45 of which may be borrowed from the time to come. */
void whatsapp_pace(struct channel_pace *pace);

/* ---- Errors (whatsapp_errors.c) ---- */

extern const struct channel_error whatsapp_errors[];
extern const struct channel_refusals whatsapp_refusals;

/* ---- Events (whatsapp_events.c) ---- */

/* Where we are in a body. */
struct whatsapp_walk {
    const struct channel_endpoint *endpoint;
    GPtrArray *events;   /* struct channel_event * */
    const json_t *value; /* {"metadata", "contacts", "messages", "message_echoes", "statuses", …} */
    const char *field;   /* the provider's word for what the value is about */
    /* Where a medium is, by its object in a message ({"id", "mime_type", …}): owned; NULL: it does not say. */
    char *(*media_url)(const json_t *medium, const struct channel_endpoint *endpoint);
    /* A whole body around a value (taken over) of one item, so that a batch is not stored as often as it has
     * events; NULL: the body holds one event, and is stored as it is. */
    GBytes *(*wrap)(const struct whatsapp_walk *walk, json_t *value);
    const void *data; /* of wrap's */
};

/* Appends an event for each item of the value; one at least. */
void whatsapp_walk_value(const struct whatsapp_walk *walk);
/* How many events a value is for, at most; 1 for an empty one. */
size_t whatsapp_count_items(const json_t *value);

/* One message object of the network into message, whose people and time are set already: type, text, media,
 * what it quotes (whatsapp_kinds.c). */
void whatsapp_read_kind(const struct whatsapp_walk *walk, const json_t *object, struct ump_message *message);

/* ---- Sending (whatsapp_content.c) ---- */

/* Type, content and context of a message into body; 0, or -1 with a sentence for the sender. */
int whatsapp_put_content(const struct channel_send *send, const struct channel_endpoint *endpoint, json_t *body,
                         GError **error);
/* "image", "video", "audio", "sticker", "document": as what the network takes a file of this type, size and
 * company; with a text only what can carry one. */
const char *whatsapp_media_kind(const struct ump_media *media, bool with_text);

/* ---- Templates (whatsapp_templates.c) ---- */

/* One of a list: {name, language, status, category, components}; NULL: it has no name or language. */
struct channel_template_info *whatsapp_read_template(const json_t *item);
