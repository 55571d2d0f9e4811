/* SPDX-License-Identifier: Apache-2.0 */
/* What an adapter read out of a body, as accept_event takes it; of webhooks and of polls. */
#pragma once

#include "bridge/channels/channel.h"
#include "bridge/event_store.h"

/* The caller's to hand over or free. */
struct stored_event *event_make(const struct channel_endpoint *endpoint, GBytes *body, const struct channel_event *from);
/* The provider's, but nothing that we can work on: kept under its hash.  kind: "unparsed" … */
struct stored_event *event_make_odd(const struct channel_endpoint *endpoint, GBytes *body, const char *kind);
