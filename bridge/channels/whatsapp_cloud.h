/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the WhatsApp Cloud API adapter share; nobody else includes it.  Facts from the
 * provider's OpenAPI description (v23.0) and its documentation of webhooks, error codes, templates,
 * coexistence and business-scoped user ids.
 */
#pragma once

#include "bridge/channels/whatsapp.h"

/* ---- Settings (whatsapp_cloud.c) ---- */

void whatsapp_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace);

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

/* ---- Sending (whatsapp_cloud_send.c, whatsapp_cloud_media.c) ---- */

int whatsapp_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                           struct channel_request *request, GError **error);
int whatsapp_build_read(const char *provider_id, bool typing, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error);
/* The headers of every request. */
int whatsapp_authorize(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
/* "<base>/<phone number id>/<what>"; NULL with error. */
char *whatsapp_url(const struct channel_endpoint *endpoint, const char *what, GError **error);
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

/* ---- Templates (whatsapp_cloud_template.c) ---- */

int whatsapp_build_templates(const char *cursor, const struct channel_endpoint *endpoint,
                             struct channel_request *request, GError **error);
int whatsapp_parse_templates(const struct http_response *response, GPtrArray *templates, char **next, GError **error);
