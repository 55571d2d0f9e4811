/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the Telnyx adapter share; nobody else includes it.  Facts from the provider's
 * OpenAPI description (v2) and its guides "receiving webhooks", "error codes", "rate limiting",
 * "group messaging", "opt-in and opt-out", "send WhatsApp messages", "WhatsApp coexistence".
 */
#pragma once

#include "bridge/channels/whatsapp.h"

#define TELNYX_MAX_KEYS 4

extern const struct channel_error telnyx_errors[];
/* How long a sender is held for this code; 0: it is not one that concerns the sender. */
gint64 telnyx_hold_us(const char *code);
/* How long to wait before this code is worth another try; -1: the usual backoff. */
gint64 telnyx_retry_us(const char *code);

void *telnyx_prepare(const struct channel_endpoint *endpoint, GError **error);
void telnyx_dispose(void *prepared);
enum channel_verify telnyx_verify_webhook(const struct channel_webhook *webhook,
                                          const struct channel_endpoint *endpoint, gint64 now);
enum channel_parse telnyx_parse_webhook(const struct channel_webhook *webhook,
                                        const struct channel_endpoint *endpoint, GPtrArray *events,
                                        GError **error);

/* What a message says of STOP, START and HELP: the provider's word, else the text itself. */
enum channel_opt telnyx_opt(const struct channel_endpoint *endpoint, const json_t *payload, const char *text);

/* The headers of every request. */
int telnyx_authorize(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
int telnyx_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                         struct channel_request *request, GError **error);
void telnyx_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                           struct channel_result *result);
int telnyx_build_lookup(const struct channel_send *send, const char *provider_id,
                        const struct channel_endpoint *endpoint, struct channel_request *request,
                        GError **error);
enum channel_lookup telnyx_parse_lookup(const struct channel_send *send, const struct http_response *response,
                                        const struct channel_endpoint *endpoint, GPtrArray *found);
int telnyx_build_cancel(const char *provider_id, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error);
int telnyx_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
int telnyx_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                        const char *webhook_url, GPtrArray *findings);
void telnyx_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace);

/* --- Lists: lost webhooks, opt-outs (telnyx_poll.c) --- */

#define TELNYX_OPT_OUT "messaging.optout" /* our word, of the event that an entry becomes */

int telnyx_build_poll(const struct channel_endpoint *endpoint, gint64 since, GPtrArray *requests, GError **error);
int telnyx_parse_poll(const struct http_response *response, const struct channel_poll *poll,
                      const struct channel_endpoint *endpoint, GPtrArray *bodies, GPtrArray *more, GError **error);
void telnyx_add_opt_out(GPtrArray *events, const json_t *payload, const char *key, const struct channel_endpoint *endpoint);

/* --- WhatsApp: webhooks (telnyx_whatsapp.c) --- */

/* data: of the body. */
bool telnyx_is_whatsapp(const json_t *data);
const char *telnyx_webhook_channel(const struct channel_webhook *webhook);
void telnyx_webhook_addresses(const struct channel_webhook *webhook, GPtrArray *names);
/* It is about another number of the same business. */
bool telnyx_whatsapp_is_elsewhere(const json_t *data, const struct channel_endpoint *endpoint);
/* It says that it is about this endpoint's number. */
bool telnyx_whatsapp_is_about(const json_t *data, const struct channel_endpoint *endpoint);
/* The events of a body that is about WhatsApp; false: it is nothing of WhatsApp's own form (a status …). */
bool telnyx_whatsapp_events(const json_t *root, const char *event_type, const char *key,
                            const struct channel_endpoint *endpoint, GPtrArray *events);
/* 40008 stands for all that Meta refuses: its own number, where the words have it; *code is replaced. */
void telnyx_whatsapp_error(const struct channel_endpoint *endpoint, char **code, const char *text);

/* --- WhatsApp: requests (telnyx_whatsapp_send.c) --- */

int telnyx_whatsapp_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                                  struct channel_request *request, GError **error);
int telnyx_build_window(const char *recipient, const struct channel_endpoint *endpoint, struct channel_request *request,
                        GError **error);
enum channel_window telnyx_parse_window(const struct http_response *response);
int telnyx_whatsapp_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
/* Of an answer that lets the key pass. */
int telnyx_whatsapp_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                                 const char *webhook_url, GPtrArray *findings);
int telnyx_build_templates(const char *cursor, const struct channel_endpoint *endpoint, struct channel_request *request,
                           GError **error);
int telnyx_parse_templates(const struct http_response *response, GPtrArray *templates, char **next, GError **error);

/* --- JSON as it comes: null or absent, numbers as strings, strings as numbers (telnyx_json.c) --- */

/* {"amount": "0.0051", "currency": "USD"} → 5100 and "USD"; -1 when there is none. */
gint64 telnyx_json_cost(const json_t *object, const char *key, char **currency);
/* RFC 3339 → µs; 0 when there is none. */
gint64 telnyx_json_time(const json_t *object, const char *key);
/* The first of errors[] that the table knows, else the first: code and words, owned; false: none. */
bool telnyx_json_error(const json_t *object, char **code, char **text);
/* "+1555…" of a string, or of an object's phone_number (or address, agent_id); NULL. */
char *telnyx_json_party(const json_t *party);
enum channel_status telnyx_status(const char *word);
