/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the Twilio adapter share; nobody else includes it.  Facts from the provider's
 * OpenAPI description of Messages (2010-04-01), its guides "Twilio's request to your webhook URL",
 * "webhooks security", "connection overrides", its error dictionary, and the source of its npm SDK
 * (6.2.0, lib/webhooks).
 */
#pragma once

#include "bridge/channels/channel_common.h"

#define TWILIO_MAX_TOKENS 4

extern const struct channel_error twilio_errors[];
extern const struct channel_refusals twilio_refusals;

void *twilio_prepare(const struct channel_endpoint *endpoint, GError **error);
void twilio_dispose(void *prepared);
enum channel_verify twilio_verify_webhook(const struct channel_webhook *webhook,
                                          const struct channel_endpoint *endpoint, gint64 now);
enum channel_parse twilio_parse_webhook(const struct channel_webhook *webhook,
                                        const struct channel_endpoint *endpoint, GPtrArray *events,
                                        GError **error);

int twilio_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                         struct channel_request *request, GError **error);
void twilio_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                           struct channel_result *result);
int twilio_build_cancel(const char *provider_id, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error);
int twilio_build_lookup(const struct channel_send *send, const char *provider_id,
                        const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
enum channel_lookup twilio_parse_lookup(const struct channel_send *send, const struct http_response *response,
                                        const struct channel_endpoint *endpoint, GPtrArray *found);
int twilio_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
int twilio_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                        const char *webhook_url, GPtrArray *findings);
int twilio_media_auth(const struct channel_endpoint *endpoint, GPtrArray *headers, const char *const **auth_hosts);
int twilio_build_poll(const struct channel_endpoint *endpoint, gint64 since, GPtrArray *requests, GError **error);
int twilio_parse_poll(const struct http_response *response, const struct channel_poll *poll,
                      const struct channel_endpoint *endpoint, GPtrArray *bodies, GPtrArray *more, GError **error);
void twilio_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace);

/* ---- What more than one file needs ---- */

/* "whatsapp:+1555…" → "+1555…": what is behind the channel's prefix; borrowed, NULL for NULL. */
const char *twilio_bare_address(const char *address);
/* The other way round, for To and From; owned. */
char *twilio_full_address(const struct channel_endpoint *endpoint, const char *address);
/* "delivered" …, as MessageStatus and the field status of a Message. */
enum channel_status twilio_status(const char *word);
/* Authorization of the API.  0; -1: a credential is missing. */
int twilio_authorize(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
/* <base>/Accounts/<sid><path>; NULL with error when account_sid is not set. */
char *twilio_account_url(const struct channel_endpoint *endpoint, const char *path, GError **error);
