/* SPDX-License-Identifier: Apache-2.0 */
/* Leased connections: at most pool_size, one transaction per lease, idle ones kept on a stack. */
#include "core/cond.h"
#include "core/db_error.h"
#include "core/db_internal.h"

#define DEFAULT_TIMEOUT_MS 5000
/* Behind the server's answer to a statement that ran into its own timeout. */
#define GRACE_US (2 * G_USEC_PER_SEC)

struct db_pool {
    struct db *db;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    GPtrArray *idle; /* of struct db_conn */
    unsigned leased;
};

struct db_lease {
    struct db *db;
    struct db_conn *conn;
    int64_t deadline;    /* of the lease's start; each statement has a time of its own */
    bool in_transaction; /* started, neither committed nor rolled back */
    bool lost;
};

struct db_pool *db_pool_new(struct db *db)
{
    struct db_pool *pool = g_new0(struct db_pool, 1);
    pool->db = db;
    pthread_mutex_init(&pool->lock, NULL);
    cond_init(&pool->freed);
    pool->idle = g_ptr_array_new();
    return pool;
}

void db_pool_free(struct db_pool *pool)
{
    g_assert(pool->leased == 0);
    for (guint i = 0; i < pool->idle->len; i++)
        db_conn_free(pool->idle->pdata[i]);
    g_ptr_array_unref(pool->idle);
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->lock);
    g_free(pool);
}

/* A permit for one connection, and an idle one if there is. 0, or -1. */
static int take(struct db_pool *pool, int64_t deadline, struct db_conn **conn, GError **error)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->leased >= pool->db->options.pool_size && cond_wait_until(&pool->freed, &pool->lock, deadline))
        ;
    bool ok = pool->leased < pool->db->options.pool_size;
    if (ok) {
        pool->leased++;
        *conn = pool->idle->len ? g_ptr_array_steal_index(pool->idle, pool->idle->len - 1) : NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    if (ok)
        return 0;
    g_set_error_literal(error, DB_ERROR, DB_ERROR_TIMEOUT, "all database connections are in use");
    return -1;
}

/* conn NULL: it was closed. */
static void give_back(struct db_pool *pool, struct db_conn *conn)
{
    pthread_mutex_lock(&pool->lock);
    pool->leased--;
    if (conn)
        g_ptr_array_add(pool->idle, conn);
    pthread_cond_signal(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
}

/* One attempt; with a writer, `up` is its connection's affair. */
static struct db_conn *open_one(struct db *db, int64_t deadline, GError **error)
{
    struct db_conn *conn =
        db_conn_open(db->target, db->nstmts, db->options.connect_timeout_ms, deadline, NULL, error);
    if (!db->writer)
        db_set_up(db, conn != NULL);
    return conn;
}

static void sleep_us(int64_t us)
{
    g_usleep((gulong)us);
}

/* A connection, waiting out a server that is away. */
static struct db_conn *acquire(struct db *db, int64_t deadline, GError **error)
{
    struct db_conn *conn = NULL;
    unsigned backoff = 0;
    if (take(db->pool, deadline, &conn, error) < 0)
        return NULL;
    if (conn && db_conn_is_stale(conn))
        g_clear_pointer(&conn, db_conn_free);
    while (!conn) {
        g_autoptr(GError) failure = NULL;
        conn = open_one(db, deadline, &failure);
        if (conn)
            break;
        int64_t pause = db_backoff(&backoff);
        if (db_now() + pause >= deadline) {
            g_propagate_error(error, g_steal_pointer(&failure));
            give_back(db->pool, NULL);
            return NULL;
        }
        sleep_us(pause);
    }
    return conn;
}

static void put_back(struct db *db, struct db_conn *conn, bool lost)
{
    if (lost || PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
        g_clear_pointer(&conn, db_conn_free);
    give_back(db->pool, conn);
}

static int64_t deadline_of(unsigned timeout_ms)
{
    return db_now() + 1000LL * (timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS);
}

static int64_t statement_deadline(struct db *db)
{
    return db_now() + 1000LL * db->options.statement_timeout_ms + GRACE_US;
}

static int begin(struct db_lease *lease, enum db_lease_mode mode, int64_t account, GError **error)
{
    g_autoptr(GString) sql = g_string_new(mode == DB_READ ? "BEGIN READ ONLY" : "BEGIN");
    if (account)
        g_string_append_printf(sql, "; SELECT set_config('ump.account_id', '%" G_GINT64_FORMAT "', true)", account);
    return db_conn_run(lease->conn, sql->str, "begin", lease->deadline, NULL, &lease->lost, error);
}

struct db_lease *db_lease(struct db *db, enum db_lease_mode mode, int64_t account, unsigned timeout_ms,
                          GError **error)
{
    int64_t deadline = deadline_of(timeout_ms);
    for (;;) {
        GError *failure = NULL;
        struct db_conn *conn = acquire(db, deadline, error);
        if (!conn)
            return NULL;
        struct db_lease *lease = g_new0(struct db_lease, 1);
        *lease = (struct db_lease){ .db = db, .conn = conn, .deadline = deadline };
        if (begin(lease, mode, account, &failure) == 0) {
            lease->in_transaction = true;
            return lease;
        }
        bool again = lease->lost && db_now() < deadline; /* nothing has happened yet: a fresh connection */
        db_release(lease);
        if (!again) {
            g_propagate_error(error, failure);
            return NULL;
        }
        g_clear_error(&failure);
        sleep_us(10000);
    }
}

int db_query(struct db_lease *lease, unsigned stmt, struct db_params *params, struct db_rows **rows, GError **error)
{
    g_autoptr(db_params) owned = params;
    struct db *db = lease->db;
    g_assert(stmt < db->nstmts && lease->in_transaction);
    if (lease->lost) {
        g_set_error_literal(error, DB_ERROR, DB_ERROR_CONNECTION, "connection lost");
        return -1;
    }
    return db_conn_execute(lease->conn, db->options.stmts, stmt, owned, statement_deadline(db), rows, &lease->lost,
                           error);
}

/* COMMIT of a failed transaction reports success and rolls back: only "COMMIT" itself is one. */
int db_commit(struct db_lease *lease, GError **error)
{
    bool failed = PQtransactionStatus(lease->conn->pg) != PQTRANS_INTRANS;
    if (lease->lost || failed) {
        g_set_error_literal(error, DB_ERROR, lease->lost ? DB_ERROR_CONNECTION : DB_ERROR_STATEMENT,
                            lease->lost ? "connection lost" : "the transaction had failed");
        return -1;
    }
    lease->in_transaction = false;
    /* Synchronous replication may take its time: no statement timeout here, but not for ever. */
    return db_conn_run(lease->conn, "COMMIT", "commit", db_now() + 30 * G_USEC_PER_SEC, NULL, &lease->lost, error);
}

void db_release(struct db_lease *lease)
{
    if (!lease)
        return;
    if (lease->in_transaction && !lease->lost &&
        db_conn_run(lease->conn, "ROLLBACK", "rollback", db_now() + GRACE_US, NULL, &lease->lost, NULL) < 0)
        lease->lost = true;
    put_back(lease->db, lease->conn, lease->lost);
    g_free(lease);
}

int db_query_once(struct db *db, unsigned stmt, struct db_params *params, unsigned timeout_ms, struct db_rows **rows,
                  GError **error)
{
    g_autoptr(db_params) owned = params;
    int64_t deadline = deadline_of(timeout_ms);
    g_assert(stmt < db->nstmts);
    for (;;) {
        g_autoptr(GError) failure = NULL;
        bool lost = false;
        struct db_conn *conn = acquire(db, deadline, error);
        if (!conn)
            return -1;
        int r = db_conn_execute(conn, db->options.stmts, stmt, owned, deadline, rows, &lost, &failure);
        put_back(db, conn, lost);
        if (r == 0)
            return 0;
        if (!lost || db_now() + 10000 >= deadline) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return -1;
        }
        sleep_us(10000);
    }
}

struct db_conn *db_lease_conn(struct db_lease *lease)
{
    return lease->conn;
}
