/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: opening it, waiting on it, statements on it outside the pipeline.  Inside the layer.
 * Times are µs of the monotonic clock. */
#pragma once

#include "core/db.h"

#include <libpq-fe.h>

/* Where to connect: one set of keywords per host of the URI, so that one that swallows packets does not
 * keep us from the next. */
struct db_target {
    GPtrArray *hosts; /* of struct db_host */
};

/* NULL: the uri cannot be read.  session: more settings for the `options` keyword, or NULL. */
struct db_target *db_target_new(const struct db_options *options, const char *session, GError **error);
void db_target_free(struct db_target *target);

/* Lets a thread see to other things while it waits. */
struct db_waiter {
    int wake_fd;                 /* an eventfd; read empty here */
    int64_t (*tick)(void *data); /* does what is due; returns when it wants to be called next, or -1: give up */
    void *data;
};

struct db_conn {
    PGconn *pg;
    unsigned nstmts;
    guint8 *prepared;    /* per statement: 1 when the server knows it */
    unsigned generation; /* part of the statements' names: a new one after 0A000 and 26000 */
    int64_t idle_since;
};

/* Tries each host, each for at most attempt_ms.  NULL: error DB_ERROR_CONNECTION, or DB_ERROR_TIMEOUT. */
struct db_conn *db_conn_open(const struct db_target *target, unsigned nstmts, unsigned attempt_ms, int64_t deadline,
                             const struct db_waiter *waiter, GError **error);
void db_conn_free(struct db_conn *conn);

/* Forgets what is prepared: everything gets a new name at its next use. */
void db_conn_unprepare(struct db_conn *conn);

#define DB_STMT_NAME_SIZE 32
void db_conn_stmt_name(const struct db_conn *conn, unsigned stmt, char name[DB_STMT_NAME_SIZE]);

/* The server has closed it, or sent something unasked (idle connections only). */
bool db_conn_is_stale(const struct db_conn *conn);

/* Waits for events on fd (-1: only the time).  1 ready, 2 woken, 0 deadline, -1 the waiter gave up. */
int db_wait(int fd, short events, int64_t deadline, const struct db_waiter *waiter);

/* Sends what is buffered, reading meanwhile.  0, or -1: DB_ERROR_CONNECTION, DB_ERROR_TIMEOUT. */
int db_conn_flush(struct db_conn *conn, int64_t deadline, const struct db_waiter *waiter, GError **error);

/* The next result as PQgetResult has it (NULL: end).  0, or -1 as above. */
int db_conn_result(struct db_conn *conn, int64_t deadline, const struct db_waiter *waiter, PGresult **result,
                   GError **error);

/* One prepared statement, outside the pipeline; prepared first if it is not yet.
 * 0; -1: DB_ERROR.  *lost (may be NULL): the connection is of no use any more. */
int db_conn_execute(struct db_conn *conn, const struct db_stmt *stmts, unsigned stmt, const struct db_params *params,
                    int64_t deadline, struct db_rows **rows, bool *lost, GError **error);

/* A text without parameters, any number of statements in it. */
int db_conn_run(struct db_conn *conn, const char *sql, const char *name, int64_t deadline, struct db_rows **rows,
                bool *lost, GError **error);

int64_t db_now(void);
