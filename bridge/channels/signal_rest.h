/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the signal_rest adapter share; nobody else includes it. */
#pragma once

#include "bridge/channels/signal.h"

extern const struct channel_capabilities signal_rest_capabilities[];

int signal_rest_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                              struct channel_request *request, GError **error);
void signal_rest_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                                struct channel_result *result);
int signal_rest_build_read(const char *provider_id, bool typing, const struct channel_endpoint *endpoint,
                           struct channel_request *request, GError **error);
int signal_rest_build_group(const char *group_id, const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
int signal_rest_parse_group(const struct http_response *response, const struct channel_endpoint *endpoint, struct ump_group *group,
                            GError **error);
int signal_rest_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
int signal_rest_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                             const char *webhook_url, GPtrArray *findings);
