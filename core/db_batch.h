/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt to run a group of writes as one transaction, and the requests that it consists of.
 * Inside the layer: db_writer.c decides what runs when, db_batch.c speaks the pipeline. */
#pragma once

#include "core/db_conn.h"
#include "core/db_error.h"

#include <pthread.h>

struct db_request {
    unsigned refs;
    unsigned stmt;
    struct db_params *params;
    char *key; /* NULL: none */
    uint64_t sequence;
    int64_t deadline;
    bool reprepared; /* 0A000/26000 has had its second chance */

    /* Under the writer's lock. */
    bool settled; /* the caller has, or will not wait for, the outcome */
    struct db_rows *rows;
    GError *error;
    pthread_cond_t cond;

    db_write_cb *callback; /* NULL: somebody waits on cond */
    void *data;
};

enum db_attempt {
    DB_ATTEMPT_DONE,  /* committed; results are filled in */
    DB_ATTEMPT_ERROR, /* rolled back: fault, culprit, error */
    DB_ATTEMPT_LOST,  /* the connection is gone; what became of the transaction is not known */
    DB_ATTEMPT_STALLED, /* the same, because the server did not answer */
};

struct db_outcome {
    PGresult **results; /* one per request, NULL-terminated; DONE only */
    int culprit;        /* index, or -1: no statement's (commit time) */
    enum db_fault fault;
    GError *error; /* ERROR, LOST, STALLED */
};

/* requests: GPtrArray of struct db_request, at least one.  stall: when to take silence for loss. */
enum db_attempt db_batch_attempt(struct db_conn *conn, const struct db_stmt *stmts, const GPtrArray *requests,
                                 int64_t stall, const struct db_waiter *waiter, struct db_outcome *outcome);

void db_outcome_clear(struct db_outcome *outcome);
