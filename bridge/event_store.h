/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a verified event durable: in PostgreSQL, or, when that has not committed in time, in the
 * journal, from where it is replayed (FAILURES decision 5).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "bridge/bridge.h"

struct event_store;

/* One event as accept_event takes it; strings owned. */
struct stored_event {
    gint64 account_id;
    char *endpoint_id;
    char *key, *kind, *lane;
    int keep_days;
    const char *opt;  /* "stop", "start" or NULL; static */
    char *channel;
    char *identifier; /* who opted; NULL */
    char *attempt;    /* uuid from the callback URL; NULL */
    GBytes *body;
};
void stored_event_free(struct stored_event *event);

enum event_outcome {
    EVENT_NEW,       /* committed */
    EVENT_REPEATED,  /* was there already */
    EVENT_JOURNALED, /* on disk, to be replayed */
    EVENT_LOST       /* nowhere: the sender must keep it */
};
/* Once per event, on any thread; must not block. */
typedef void event_done_func(void *data, enum event_outcome outcome);

struct event_store *event_store_new(struct bridge *bridge);
/* Replays what an earlier run left, when the database is there within timeout_ms; then starts the
 * thread that does so later.  Call before readiness. */
void event_store_start(struct event_store *store, unsigned timeout_ms);
void event_store_stop(struct event_store *store);
void event_store_free(struct event_store *store);

/* All of events (struct stored_event *, each taken; the array is the caller's), in their order and, up to what one
 * statement holds, in one commit; done is called for each. */
void event_store_put_all(struct event_store *store, const GPtrArray *events, event_done_func *done, void *data);

/* The journal's record: one line of JSON, then the raw body.  Pure.  Decode: NULL when it is none. */
GBytes *stored_event_encode(const struct stored_event *event);
struct stored_event *stored_event_decode(const uint8_t *data, size_t length);

#define EVENT_RECORD 1 /* type of the journal's record */
