/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves of the event store share: storing (event_store.c) and replaying (event_replay.c).
 */
#pragma once

#include <pthread.h>

#include "bridge/event_store.h"

struct event_store {
    struct bridge *bridge;
    unsigned journal_after_ms;
    bool always;

    pthread_mutex_t gathering;
    GQueue waiting;      /* struct putting *: while a chunk is on its way, the next gathers */
    bool busy;           /* a chunk is on its way */

    pthread_mutex_t mutex;
    pthread_cond_t wake; /* stop, and the end of what is in flight */
    bool stop, journaled;
    guint in_flight;     /* of the replay */
    guint failed;
    bool running;
    gint64 last_replay;
    pthread_t thread;
};

/* One event on its way; lives until both the database and the journal have had their say. */
struct putting {
    struct event_store *store;
    struct stored_event *event;
    event_done_func *done;
    void *data;
};

/* The parameters of accept_event. */
struct db_params *event_store_params(const struct stored_event *event);
/* Replays once, now. */
void event_store_replay(struct event_store *store);
