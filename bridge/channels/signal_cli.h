/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the signal_cli adapter share; nobody else includes it. */
#pragma once

#include "bridge/channels/signal.h"

/* ---- JSON-RPC over HTTP: POST <base>/api/v1/rpc (signal_cli_send.c, signal_cli_answer.c) ---- */

/* A request of this method; params is taken. */
void signal_cli_call(const struct channel_endpoint *endpoint, const char *id, const char *method, json_t *params,
                     struct channel_request *request);
int signal_cli_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                             struct channel_request *request, GError **error);
int signal_cli_build_read(const char *provider_id, bool typing, const struct channel_endpoint *endpoint,
                          struct channel_request *request, GError **error);
int signal_cli_build_media(const struct ump_media *media, const struct channel_endpoint *endpoint,
                           struct channel_request *request, GError **error);
GBytes *signal_cli_parse_media(const struct http_response *response, bool *gone, GError **error);
void signal_cli_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                               struct channel_result *result);
int signal_cli_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
int signal_cli_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                            const char *webhook_url, GPtrArray *findings);
int signal_cli_build_group(const char *group_id, const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
int signal_cli_parse_group(const struct http_response *response, const struct channel_endpoint *endpoint, struct ump_group *group,
                           GError **error);
int signal_cli_build_link(const struct channel_endpoint *endpoint, const char *uri, struct channel_request *request, GError **error);
int signal_cli_parse_link(const struct http_response *response, const struct channel_endpoint *endpoint, char **uri, char **number,
                          GError **error);

/* ---- The stream of events (signal_cli_stream.c) ---- */

int signal_cli_open_stream(const struct channel_endpoint *endpoint, struct channel_stream *stream, GError **error);
enum channel_line signal_cli_read_line(const char *line, size_t length, const struct channel_endpoint *endpoint, char **farewell,
                                       GError **error);
