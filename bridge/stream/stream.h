/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: providers that send no webhooks but tell over a connection that we open.  Each event goes the way of a
 * webhook's, into the database or the journal, before the next one is read.  One program of the fleet reads an
 * endpoint's stream, under a lease; it belongs to the role web.
 */
#pragma once

#include "bridge/bridge.h"
#include "bridge/event_store.h"

struct stream_room;

struct stream_room *stream_room_start(struct bridge *bridge, struct event_store *store);
/* What is being stored is stored, subscriptions are ended, leases given back. */
void stream_room_stop(struct stream_room *room);
void stream_room_free(struct stream_room *room); /* stopped; NULL is fine */
