/* SPDX-License-Identifier: Apache-2.0 */
/* The database layer.  One handle per program holds
 *   - the group commit writer (DESIGN, "Group commit"): one thread, one pipelined connection;
 *   - a pool of connections that are leased for one transaction (reads, queue claims, administration);
 *   - one connection that listens for notifications.
 * Everything waits out a stopped or failed-over PostgreSQL by reconnecting with a capped backoff, and
 * every wait ends at a deadline.  All functions may be called from any thread.
 *
 * Statements come from sql/queries (enum db_stmt_id); they are prepared on a connection at their first
 * use there.  A statement that is *written* (db_write…) must be idempotent and return the same row when
 * it is repeated: after a lost connection, a deadlock or a neighbour's error it runs again. */
#pragma once

#include "core/db_params.h"
#include "core/db_rows.h"
#include "core/db_stmt.h"

struct db;
struct db_lease;
typedef struct db_lease db_lease_t; /* for g_autoptr(db_lease_t) */

/* ---- Errors ---- */

#define DB_ERROR db_error_quark()
GQuark db_error_quark(void);

enum db_error {
    /* Temporary: the caller answers 451 or 503, or tries later. */
    DB_ERROR_CONNECTION, /* no connection within the deadline */
    DB_ERROR_TIMEOUT,    /* deadline passed; a write may still have been, or be, committed */
    DB_ERROR_BUSY,       /* lock or statement timeout, deadlock that did not end, out of resources; not committed */
    DB_ERROR_OVERLOAD,   /* the writer's queue is full; not committed */
    DB_ERROR_CLOSED,     /* the handle is being closed; not committed */
    /* Lasting: the same statement will fail again.  Nothing was committed. */
    DB_ERROR_RAISED,     /* our function said no: SQLSTATE UMxxx, message is the function's */
    DB_ERROR_UNIQUE,     /* unique violation; db_error_constraint names it */
    DB_ERROR_CONSTRAINT, /* any other of class 23 */
    DB_ERROR_STATEMENT,  /* any other error of the server */
    DB_ERROR_SCHEMA,     /* the schema is not one that this program knows */
};

/* True when the same may succeed later: every code above the second comment.  Other domains: false. */
bool db_error_is_temporary(const GError *error);
/* Five characters; "" when there is none.  Of a DB_ERROR only. */
const char *db_error_sqlstate(const GError *error);
/* The constraint that was violated, or the DETAIL of a raised exception; "" when there is none. */
const char *db_error_constraint(const GError *error);
const char *db_error_detail(const GError *error);

/* ---- The handle ---- */

/* Something to log: `what` is a constant ("connected", "connection lost", "retry", "statement failed"),
 * `who` is "writer", "reader" or "listener", detail a sentence or NULL.  Called on any thread. */
typedef void db_notice_cb(void *data, const char *who, const char *what, const char *detail);

struct db_options {
    const char *uri;             /* libpq URI or key=value string; may name several hosts */
    const char *user;            /* used when uri names no user; NULL: libpq's default */
    const char *application;     /* application_name */
    unsigned pool_size;          /* leases at a time; 0: 4 */
    unsigned batch_statements;   /* 0: 64 */
    size_t batch_bytes;          /* 0: 4 MiB */
    unsigned batch_gap_us;       /* while batches are shared, one begins no sooner than this after the one before it,
                                    so that more share its commit; 0: at once */
    unsigned queue_statements;   /* waiting writes at most; 0: 20000 */
    unsigned connect_timeout_ms; /* per attempt and host; 0: 2000 */
    unsigned statement_timeout_ms; /* 0: 5000 */
    unsigned lock_timeout_ms;      /* 0: 2000 */
    unsigned write_timeout_ms;     /* db_write without a deadline; 0: 20000 */
    bool no_writer;                /* no writer thread: db_write is refused (umpctl, tests) */
    int64_t clock_offset_us;       /* what ump.now() adds (tests) */
    const struct db_stmt *stmts;   /* NULL: db_stmts */
    db_notice_cb *notice;
    void *notice_data;
};

/* Starts the threads; does not wait for a connection.  Only a malformed uri fails. */
struct db *db_open(const struct db_options *options, GError **error);

/* Writes still queued are done or fail by their deadlines, at the latest after grace_ms; then ends all
 * threads.  Leases must have been released.  NULL is accepted. */
void db_close(struct db *db, unsigned grace_ms);

/* The writer's connection is up (without a writer: the last lease got one). */
bool db_is_up(struct db *db);

/* Waits until a connection is up. 0 done, -1 DB_ERROR_CONNECTION. */
int db_wait_up(struct db *db, unsigned timeout_ms, GError **error);

/* Figures for /metrics. */
struct db_stats {
    uint64_t writes, batches, retries, reconnects, failures, timeouts;
    unsigned queued, in_flight;
};
void db_get_stats(struct db *db, struct db_stats *stats);

/* ---- Writes: group commit ---- */

/* Runs one statement and waits until it is committed.  params is taken.  lock_key orders the batch: the
 * text id of the conversation, else of the contact, that the statement locks first; NULL: the statement's
 * `-- lock:` parameter, else no order.  rows (may be NULL) receives what it returned.
 * 0: committed.  -1: DB_ERROR; nothing was committed, except DB_ERROR_TIMEOUT, where that is not known. */
int db_write(struct db *db, unsigned stmt, struct db_params *params, const char *lock_key, struct db_rows **rows,
             GError **error);

/* The same with a deadline in ms from now. */
int db_write_within(struct db *db, unsigned stmt, struct db_params *params, const char *lock_key,
                    unsigned timeout_ms, struct db_rows **rows, GError **error);

/* Called once, on the writer's thread; must not block and must not call db_write.  rows belongs to the
 * callee and is NULL exactly when error is set; error is borrowed. */
typedef void db_write_cb(void *data, struct db_rows *rows, const GError *error);

/* The same without waiting; timeout_ms 0 is the default.  When the deadline passes, the callback gets
 * DB_ERROR_TIMEOUT at that time even while the statement is under way.
 * 0: callback will be called, perhaps before this returns.  -1: it will not (DB_ERROR_OVERLOAD, _CLOSED). */
int db_write_async(struct db *db, unsigned stmt, struct db_params *params, const char *lock_key,
                   unsigned timeout_ms, db_write_cb *callback, void *data, GError **error);

/* ---- Leases ---- */

enum db_lease_mode {
    DB_READ,       /* a READ ONLY transaction */
    DB_READ_WRITE, /* a transaction; rolled back unless db_commit */
};

/* Leases a connection and starts a transaction on it.  account (0: none) becomes
 * ump.account_id for row-level security.  Waits at most timeout_ms (0: 5000) for a free connection and
 * for the server.  NULL: DB_ERROR. */
struct db_lease *db_lease(struct db *db, enum db_lease_mode mode, int64_t account, unsigned timeout_ms,
                          GError **error);

/* Runs one statement in the lease's transaction.  params is taken; rows may be NULL. */
int db_query(struct db_lease *lease, unsigned stmt, struct db_params *params, struct db_rows **rows, GError **error);

/* Commits.  After it only db_release.  -1: DB_ERROR; DB_ERROR_CONNECTION and _TIMEOUT: outcome unknown. */
int db_commit(struct db_lease *lease, GError **error);

/* Rolls back what was not committed and gives the connection back.  NULL is accepted. */
void db_release(struct db_lease *lease);

/* Leases, runs the one statement as its own transaction (it may write, e.g. claim from a queue), releases:
 * one round trip.  When the connection breaks it is run again, until timeout_ms (0: 5000) has passed: it may
 * have happened twice. */
int db_query_once(struct db *db, unsigned stmt, struct db_params *params, unsigned timeout_ms, struct db_rows **rows,
                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(db_lease_t, db_release)

/* ---- Notifications ---- */

/* payload is NULL after each (re)connect: anything may have been missed.  On the listener's thread; must
 * not block for long. */
typedef void db_listen_cb(void *data, const char *channel, const char *payload);

/* Listens until db_close.  channel is a lower-case SQL name. */
void db_listen(struct db *db, const char *channel, db_listen_cb *callback, void *data);

/* ---- Schema ---- */

/* 0: the schema is one that this program knows.  -1: DB_ERROR_SCHEMA, whose message says what to do, or
 * another DB_ERROR. */
int db_check_schema(struct db *db, GError **error);

/* Called before each script is applied (kind is "migration" or "routine"). */
typedef void db_migrate_cb(void *data, const char *kind, unsigned version, const char *name);

/* Brings the schema to this build's version: migrations that are missing, each in one transaction of its
 * own with its row in ump.schema_version, then functions and grants in one transaction.  Holds an advisory
 * lock, so that two run one after the other.  Refuses a schema that is newer than the build
 * (DB_ERROR_SCHEMA).  version (may be NULL) receives what the schema had before.  uri as in db_options. */
int db_migrate(const char *uri, const char *user, db_migrate_cb *callback, void *data, unsigned *version,
               GError **error);
