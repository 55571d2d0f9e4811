/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work of one queue of ump.jobs ("inbound", "receipts"): woken by LISTEN ump_jobs, claimed in lanes,
 * leased, renewed, worked on by a pool of threads, ended in the group commit.
 *
 * A lane's jobs come to one worker in their order.  Each must be ended by one of queue_done, _retry,
 * _dead, _move, or be given back with queue_release; these do not block, and free the job.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "bridge/bridge.h"

struct queue;

struct queue_job {
    gint64 id, fence;
    gint64 account_id;
    char *endpoint_id; /* uuid; NULL */
    char *lane, *kind;
    gint64 attempts;   /* this one included; what waited for others is not counted */
    char *event_key;   /* NULL: no event */
    gint64 event_at;   /* µs; when the event was stored */
    GBytes *body;      /* raw event; NULL: none, or dropped with its day */
    char *message_id;  /* uuid; NULL */
    json_t *payload;   /* object or NULL */
    gint64 created_at; /* µs, clock of the database */
    /* the queue's own */
    struct queue *queue;
    guint64 notified;
};

/* One lane's jobs; the array frees none of them.  On a worker's thread. */
typedef void queue_work_func(void *data, GPtrArray *jobs);

struct queue_options {
    const char *name; /* of the queue */
    guint workers;
    guint batch;      /* claimed at once */
    gint64 lease, heartbeat, poll; /* µs */
    queue_work_func *work;
    void *data;
};

struct queue *queue_start(struct bridge *bridge, const struct queue_options *options);
/* Claims no more; waits until what is claimed is ended, at most grace_ms; then ends the threads. */
void queue_stop(struct queue *queue, unsigned grace_ms);
void queue_free(struct queue *queue);
bool queue_stopping(struct queue *queue);

void queue_done(struct queue_job *job);
/* After a pause.  counts: the job itself is at fault. */
void queue_retry(struct queue_job *job, gint64 after_us, const char *why, bool counts);
void queue_dead(struct queue_job *job, const char *why);
/* Goes on as another kind in another lane; payload is taken and merged into the job's. */
void queue_move(struct queue_job *job, const char *kind, const char *lane, json_t *payload, gint64 after_us);
/* Not begun: back to the lane, behind a predecessor that waits. */
void queue_release(struct queue_job *job);

/* Runs func(data) on a worker's thread: a job goes on that waited for something.  Any thread. */
typedef void queue_task_func(void *data);
void queue_task(struct queue *queue, queue_task_func *func, void *data);
