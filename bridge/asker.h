/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that asks providers now and then: each endpoint in its turn, one request at a time, and an end
 * at any moment, with the request under way aborted.
 */
#pragma once

#include "bridge/bridge.h"
#include "bridge/channels/channel.h"

struct asker;

/* One endpoint's turn may have come: it is at most a fourth of `every` (µs) too early, and several programs
 * may be at it, so that the database decides. */
typedef void asker_look_func(struct asker *asker, const struct channel_endpoint *endpoint, gint64 every);
/* Before a round: finds out whose turn it is where the database knows that of all at once.  False: nobody's. */
typedef bool asker_begin_func(struct asker *asker);

struct asker_duty {
    const char *setting; /* of the endpoint, how often (seconds); 0: never.  NULL: it has no say */
    gint64 every;        /* seconds, where the endpoint does not say */
    gint64 tick;         /* µs: how often we see whose turn it is, while the database is up */
    asker_begin_func *begin; /* NULL: look finds out */
    asker_look_func *look;
    void *data;          /* of asker_data */
};

/* Keeps the duty; NULL with error when there can be no requests. */
struct asker *asker_start(struct bridge *bridge, const struct asker_duty *duty, GError **error);
/* The request under way is answered as failed.  NULL is fine. */
void asker_stop(struct asker *asker);
void asker_free(struct asker *asker); /* stopped; NULL is fine */

struct bridge *asker_bridge(const struct asker *asker);
void *asker_data(const struct asker *asker);
/* To be asked between two steps of a look. */
bool asker_is_stopped(struct asker *asker);

/* Sends and waits: answer is called once, in another thread, before this returns.  False: it was not sent,
 * we are to stop.  The request's headers are ended by this. */
typedef void asker_answer_func(void *data, const struct http_response *response);
bool asker_ask(struct asker *asker, const struct channel_endpoint *endpoint, struct channel_request *request,
               asker_answer_func *answer, void *data);
