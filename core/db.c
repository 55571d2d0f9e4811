/* SPDX-License-Identifier: Apache-2.0 */
/* The handle: options, state, and the parts that it holds together. */
#include "core/db.h"

#include "core/cond.h"
#include "core/db_internal.h"

#include <string.h>

static void fill_in(struct db_options *o, const struct db_options *from)
{
    *o = *from;
    o->uri = g_strdup(from->uri);
    o->user = g_strdup(from->user);
    o->application = g_strdup(from->application);
    o->pool_size = from->pool_size ? from->pool_size : 4;
    o->batch_statements = from->batch_statements ? from->batch_statements : 64;
    o->batch_bytes = from->batch_bytes ? from->batch_bytes : 4 << 20;
    o->queue_statements = from->queue_statements ? from->queue_statements : 20000;
    o->connect_timeout_ms = from->connect_timeout_ms ? from->connect_timeout_ms : 2000;
    o->statement_timeout_ms = from->statement_timeout_ms ? from->statement_timeout_ms : 5000;
    o->lock_timeout_ms = from->lock_timeout_ms ? from->lock_timeout_ms : 2000;
    o->write_timeout_ms = from->write_timeout_ms ? from->write_timeout_ms : 20000;
    o->stmts = from->stmts ? from->stmts : db_stmts;
}

static void options_clear(struct db_options *o)
{
    g_free((char *)o->uri);
    g_free((char *)o->user);
    g_free((char *)o->application);
}

struct db *db_open(const struct db_options *options, GError **error)
{
    struct db *db = g_new0(struct db, 1);
    fill_in(&db->options, options);
    db->target = db_target_new(&db->options, NULL, error);
    if (!db->target) {
        options_clear(&db->options);
        g_free(db);
        return NULL;
    }
    while (db->options.stmts[db->nstmts].name)
        db->nstmts++;
    pthread_mutex_init(&db->up_lock, NULL);
    cond_init(&db->up_cond);
    db->pool = db_pool_new(db);
    db->listener = db_listener_new(db);
    if (!options->no_writer)
        db->writer = db_writer_start(db);
    return db;
}

void db_close(struct db *db, unsigned grace_ms)
{
    if (!db)
        return;
    db_listener_free(db->listener);
    if (db->writer)
        db_writer_stop(db->writer, grace_ms);
    db_pool_free(db->pool);
    db_target_free(db->target);
    pthread_cond_destroy(&db->up_cond);
    pthread_mutex_destroy(&db->up_lock);
    options_clear(&db->options);
    g_free(db);
}

void db_notice(struct db *db, const char *who, const char *what, const char *detail)
{
    if (db->options.notice)
        db->options.notice(db->options.notice_data, who, what, detail);
}

bool db_is_up(struct db *db)
{
    return atomic_load(&db->up);
}

void db_set_up(struct db *db, bool up)
{
    pthread_mutex_lock(&db->up_lock);
    atomic_store(&db->up, up);
    pthread_cond_broadcast(&db->up_cond);
    pthread_mutex_unlock(&db->up_lock);
}

int db_wait_up(struct db *db, unsigned timeout_ms, GError **error)
{
    int64_t deadline = db_now() + (int64_t)timeout_ms * 1000;
    if (!db->writer) { /* nobody connects by himself: do it here */
        struct db_lease *lease = db_lease(db, DB_READ, 0, timeout_ms, error);
        db_release(lease);
        return lease ? 0 : -1;
    }
    pthread_mutex_lock(&db->up_lock);
    while (!atomic_load(&db->up) && cond_wait_until(&db->up_cond, &db->up_lock, deadline))
        ;
    bool up = atomic_load(&db->up);
    pthread_mutex_unlock(&db->up_lock);
    if (up)
        return 0;
    g_set_error_literal(error, DB_ERROR, DB_ERROR_CONNECTION, "no connection to the database");
    return -1;
}

void db_get_stats(struct db *db, struct db_stats *stats)
{
    stats->writes = atomic_load(&db->stats.writes);
    stats->batches = atomic_load(&db->stats.batches);
    stats->retries = atomic_load(&db->stats.retries);
    stats->reconnects = atomic_load(&db->stats.reconnects);
    stats->failures = atomic_load(&db->stats.failures);
    stats->timeouts = atomic_load(&db->stats.timeouts);
    stats->queued = atomic_load(&db->stats.queued);
    stats->in_flight = atomic_load(&db->stats.in_flight);
}

int64_t db_backoff(unsigned *state)
{
    int64_t base = 50000LL << MIN(*state, 5U);
    if (*state < 5)
        (*state)++;
    base = MIN(base, G_USEC_PER_SEC);
    return base - base / 4 + g_random_int_range(0, (gint32)(base / 2));
}
