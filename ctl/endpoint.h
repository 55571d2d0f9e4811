/* SPDX-License-Identifier: Apache-2.0 */
/* One endpoint as its row says, for the commands that work on it. */
#pragma once

#include "ctl/ctl.h"

struct ctl_endpoint {
    char *id, *provider, *channel, *address, *status;
    json_t *settings;
    GBytes *secrets; /* sealed; NULL: none */
};

/* By id, ADDRESS or CHANNEL:ADDRESS.  0, or an exit code, and it was said why. */
int ctl_endpoint_load(struct ctl *ctl, struct db_lease *lease, const char *name, struct ctl_endpoint *out);
void ctl_endpoint_clear(struct ctl_endpoint *endpoint);
typedef struct ctl_endpoint ctl_endpoint;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ctl_endpoint, ctl_endpoint_clear)

int ctl_endpoint_add(struct ctl *ctl, int argc, char **argv);
/* Writes the limits of this version's adapters into the endpoints that there are, of every account.  0, or an exit code. */
int ctl_endpoint_limits(struct ctl *ctl);
int ctl_endpoint_test(struct ctl *ctl, int argc, char **argv); /* endpoint_test.c */
int ctl_endpoint_link(struct ctl *ctl, int argc, char **argv); /* endpoint_link.c */

struct channel_endpoint;
struct channel_request;
struct http_client;
/* Its credentials in clear; endpoint_secrets_wipe().  NULL with error. */
json_t *ctl_endpoint_secrets(struct ctl *ctl, const struct ctl_endpoint *endpoint, GError **error);
/* Sends a request of its adapter's; http_response_free(). */
struct http_response *ctl_endpoint_ask(struct http_client *client, const struct channel_endpoint *endpoint,
                                       struct channel_request *request);
