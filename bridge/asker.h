/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that asks providers now and then: rounds, one request at a time within a round, and an end
 * at any moment, with the request under way aborted.
 */
#pragma once

#include "bridge/bridge.h"
#include "bridge/channels/channel.h"

struct asker;

/* Runs once a tick (µs) in a thread of its own, while the database is up. */
typedef void asker_round_func(void *data);
struct asker *asker_new(struct bridge *bridge, gint64 tick, asker_round_func *round, void *data, GError **error);
void asker_start(struct asker *asker);
/* The request under way is answered as failed. */
void asker_stop(struct asker *asker);
void asker_free(struct asker *asker); /* stopped; NULL is fine */

/* To be asked between two steps of a round. */
bool asker_is_stopped(struct asker *asker);

/* Sends and waits: answer is called once, in another thread, before this returns.  False: it was not sent,
 * we are to stop.  The request's headers are ended by this. */
typedef void asker_answer_func(void *data, const struct http_response *response);
bool asker_ask(struct asker *asker, const struct channel_endpoint *endpoint, struct channel_request *request,
               asker_answer_func *answer, void *data);
