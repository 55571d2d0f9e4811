/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the database layer share.  Not for others. */
#pragma once

#include "core/db_conn.h"

#include <pthread.h>
#include <stdatomic.h>

/* Arrays of db_params_count() elements each, borrowed from params. */
void db_params_pointers(const struct db_params *params, const char **values, int *lengths, int *formats);

struct db_host {
    const char **keywords; /* NULL-terminated, as PQconnectStartParams wants them */
    char **values;
};

struct db_writer;
struct db_pool;
struct db_listener;

struct db {
    struct db_options options; /* strings owned, zeroes replaced by defaults */
    unsigned nstmts;
    struct db_target *target;
    struct db_writer *writer; /* NULL: no_writer */
    struct db_pool *pool;
    struct db_listener *listener;
    atomic_bool up;
    pthread_mutex_t up_lock;
    pthread_cond_t up_cond;
    struct {
        atomic_uint_fast64_t writes, batches, retries, reconnects, failures, timeouts;
        atomic_uint queued, in_flight;
    } stats;
};

void db_notice(struct db *db, const char *who, const char *what, const char *detail);

/* The connection that db_is_up speaks of came or went. */
void db_set_up(struct db *db, bool up);

/* 50 ms, doubling to 1 s, ± a quarter; *state is 0 at the start. */
int64_t db_backoff(unsigned *state);

struct db_writer *db_writer_start(struct db *db);
void db_writer_stop(struct db_writer *writer, unsigned grace_ms);

struct db_pool *db_pool_new(struct db *db);
void db_pool_free(struct db_pool *pool);

/* Borrowed. */
struct db_conn *db_lease_conn(struct db_lease *lease);

struct db_listener *db_listener_new(struct db *db);
void db_listener_free(struct db_listener *listener);
