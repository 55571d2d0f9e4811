/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the WhatsApp Cloud API adapter share; nobody else includes it.  Facts from the
 * provider's OpenAPI description (v23.0) and its documentation of webhooks, error codes, templates,
 * coexistence and business-scoped user ids.
 */
#pragma once

#include "bridge/channels/channel_common.h"

/* ---- Settings (whatsapp_cloud.c) ---- */

void whatsapp_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace);

/* ---- Errors (whatsapp_cloud_errors.c) ---- */

extern const struct channel_error whatsapp_errors[];
extern const struct channel_refusals whatsapp_refusals;

/* ---- Webhooks: keys (whatsapp_cloud_verify.c) ---- */

void *whatsapp_prepare(const struct channel_endpoint *endpoint, GError **error);
void whatsapp_dispose(void *prepared);
enum channel_verify whatsapp_verify_webhook(const struct channel_webhook *webhook,
                                            const struct channel_endpoint *endpoint, gint64 now);
enum channel_verify whatsapp_verify_challenge(const struct channel_header *query, size_t count,
                                              const struct channel_endpoint *endpoint, char **answer);

/* ---- Webhooks: events (whatsapp_cloud_events.c) ---- */

enum channel_parse whatsapp_parse_webhook(const struct channel_webhook *webhook,
                                          const struct channel_endpoint *endpoint, GPtrArray *events, GError **error);
void whatsapp_webhook_addresses(const struct channel_webhook *webhook, GPtrArray *names);

/* One message object of the network into message, whose people and time are set already: type, text, media,
 * what it quotes (whatsapp_cloud_kinds.c). */
void whatsapp_read_kind(const json_t *object, const struct channel_endpoint *endpoint, struct ump_message *message);

/* ---- Values (whatsapp_cloud_values.c) ---- */

/* "16505551234" → "+16505551234"; ids of people without a number stay as they are; NULL for NULL. */
char *whatsapp_identifier(const char *id);
/* A number, or a string that is one. */
bool whatsapp_number(const json_t *object, const char *key, double *number);
/* {code, title, message, error_data: {details}} → code and words, owned; false: none. */
bool whatsapp_error(const json_t *error, char **code, char **text);

/* ---- Sending (whatsapp_cloud_send.c, whatsapp_cloud_media.c) ---- */

int whatsapp_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                           struct channel_request *request, GError **error);
int whatsapp_build_read(const char *provider_id, bool typing, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error);
/* The headers of every request. */
int whatsapp_authorize(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
/* "<base>/<phone number id>/<what>"; NULL with error. */
char *whatsapp_url(const struct channel_endpoint *endpoint, const char *what, GError **error);
/* "image", "video", "audio", "sticker", "document": as what the network takes a file of this type, size and
 * company; with a text only what can carry one. */
const char *whatsapp_media_kind(const struct ump_media *media, bool with_text);
int whatsapp_build_upload(const struct ump_media *media, const struct channel_endpoint *endpoint,
                          struct channel_request *request, GError **error);
char *whatsapp_parse_upload(const struct http_response *response, const struct channel_endpoint *endpoint,
                            struct channel_result *result);
char *whatsapp_parse_media_location(const char *body, size_t length, GError **error);
int whatsapp_media_auth(const struct channel_endpoint *endpoint, GPtrArray *headers, const char *const **auth_hosts);

/* ---- Answers (whatsapp_cloud_answer.c) ---- */

void whatsapp_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                             struct channel_result *result);
/* An answer that is no success into *result. */
void whatsapp_read_refusal(const struct http_response *response, const struct channel_endpoint *endpoint,
                           const json_t *root, struct channel_result *result);
int whatsapp_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
int whatsapp_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                          const char *webhook_url, GPtrArray *findings);
/* "sent", "delivered", "read", "played", "failed". */
enum channel_status whatsapp_status(const char *word);

/* ---- Templates (whatsapp_cloud_template.c) ---- */

int whatsapp_build_templates(const char *cursor, const struct channel_endpoint *endpoint,
                             struct channel_request *request, GError **error);
int whatsapp_parse_templates(const struct http_response *response, GPtrArray *templates, char **next, GError **error);
