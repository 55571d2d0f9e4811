/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: see db_conn.h. */
#include "core/db_conn.h"

#include "core/db_error.h"
#include "core/db_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t db_now(void)
{
    return g_get_monotonic_time();
}

/* ---- waiting ---- */

static int poll_ms(int64_t until)
{
    int64_t left = until - db_now();
    if (left <= 0)
        return 0;
    return left > 60 * G_USEC_PER_SEC ? 60000 : (int)((left + 999) / 1000);
}

int db_wait(int fd, short events, int64_t deadline, const struct db_waiter *waiter)
{
    for (;;) {
        int64_t next = waiter ? waiter->tick(waiter->data) : INT64_MAX;
        if (next < 0)
            return -1;
        struct pollfd fds[2] = { { .fd = fd, .events = events }, { .fd = waiter ? waiter->wake_fd : -1, .events = POLLIN } };
        int n = poll(fds, 2, poll_ms(MIN(deadline, next)));
        if (n > 0 && fds[1].revents) {
            uint64_t count;
            if (read(fds[1].fd, &count, sizeof count) < 0 && errno != EAGAIN)
                g_warning("eventfd: %s", g_strerror(errno));
            if (!fds[0].revents)
                return 2;
        }
        if (n > 0 && fds[0].revents)
            return 1;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            g_error("poll: %s", g_strerror(errno));
        if (db_now() >= deadline)
            return 0;
    }
}

static int waited(int outcome, GError **error)
{
    if (outcome > 0)
        return 0;
    g_set_error_literal(error, DB_ERROR, outcome ? DB_ERROR_CLOSED : DB_ERROR_TIMEOUT,
                        outcome ? "given up" : "no answer from the database in time");
    return -1;
}

static int lost(struct db_conn *conn, GError **error)
{
    g_autofree char *text = db_conn_message(conn->pg);
    g_set_error(error, DB_ERROR, DB_ERROR_CONNECTION, "connection lost: %s", text);
    return -1;
}

/* ---- opening ---- */

static struct db_conn *conn_new(PGconn *pg, unsigned nstmts)
{
    struct db_conn *conn = g_new0(struct db_conn, 1);
    conn->pg = pg;
    conn->nstmts = nstmts;
    conn->prepared = g_new0(guint8, nstmts + 1);
    return conn;
}

void db_conn_free(struct db_conn *conn)
{
    if (!conn)
        return;
    PQfinish(conn->pg);
    g_free(conn->prepared);
    g_free(conn);
}

static void quiet(void *data, const char *message)
{
}

/* 0 connected; -1 error. */
static int finish_connecting(struct db_conn *conn, int64_t deadline, const struct db_waiter *waiter, GError **error)
{
    short events = POLLOUT; /* as libpq asks: before the first PQconnectPoll, as if it had wanted to write */
    while (PQstatus(conn->pg) != CONNECTION_BAD) {
        int w = db_wait(PQsocket(conn->pg), events, deadline, waiter);
        if (waited(w, error) < 0)
            return -1;
        if (w == 2) /* PQconnectPoll must not be called too early */
            continue;
        switch (PQconnectPoll(conn->pg)) {
        case PGRES_POLLING_OK:
            return 0;
        case PGRES_POLLING_READING:
            events = POLLIN;
            break;
        case PGRES_POLLING_WRITING:
            events = POLLOUT;
            break;
        default:
            return lost(conn, error);
        }
    }
    return lost(conn, error);
}

static struct db_conn *open_host(const struct db_host *host, unsigned nstmts, int64_t deadline,
                                 const struct db_waiter *waiter, GError **error)
{
    struct db_conn *conn = conn_new(PQconnectStartParams(host->keywords, (const char *const *)host->values, 0), nstmts);
    if (!conn->pg)
        g_error("out of memory");
    PQsetNoticeProcessor(conn->pg, quiet, NULL);
    if (finish_connecting(conn, deadline, waiter, error) == 0 && PQsetnonblocking(conn->pg, 1) == 0)
        return conn;
    if (error && !*error)
        lost(conn, error);
    db_conn_free(conn);
    return NULL;
}

struct db_conn *db_conn_open(const struct db_target *target, unsigned nstmts, unsigned attempt_ms, int64_t deadline,
                             const struct db_waiter *waiter, GError **error)
{
    GError *last = NULL;
    for (guint i = 0; i < target->hosts->len; i++) {
        int64_t until = MIN(deadline, db_now() + (int64_t)attempt_ms * 1000);
        g_clear_error(&last);
        struct db_conn *conn = open_host(target->hosts->pdata[i], nstmts, until, waiter, &last);
        if (conn)
            return conn;
        if (last->code == DB_ERROR_CLOSED || db_now() >= deadline)
            break;
    }
    if (last->code == DB_ERROR_TIMEOUT)
        last->code = DB_ERROR_CONNECTION;
    g_propagate_error(error, last);
    return NULL;
}

bool db_conn_is_stale(const struct db_conn *conn)
{
    struct pollfd fd = { .fd = PQsocket(conn->pg), .events = POLLIN };
    return PQstatus(conn->pg) != CONNECTION_OK || poll(&fd, 1, 0) != 0;
}

/* ---- statements ---- */

void db_conn_unprepare(struct db_conn *conn)
{
    memset(conn->prepared, 0, conn->nstmts);
    conn->generation++;
}

void db_conn_stmt_name(const struct db_conn *conn, unsigned stmt, char name[DB_STMT_NAME_SIZE])
{
    g_snprintf(name, DB_STMT_NAME_SIZE, "s%u_%u", stmt, conn->generation);
}

int db_conn_flush(struct db_conn *conn, int64_t deadline, const struct db_waiter *waiter, GError **error)
{
    int left;
    while ((left = PQflush(conn->pg)) > 0) {
        if (waited(db_wait(PQsocket(conn->pg), POLLIN | POLLOUT, deadline, waiter), error) < 0)
            return -1;
        if (!PQconsumeInput(conn->pg))
            return lost(conn, error);
    }
    return left < 0 ? lost(conn, error) : 0;
}

int db_conn_result(struct db_conn *conn, int64_t deadline, const struct db_waiter *waiter, PGresult **result,
                   GError **error)
{
    while (PQisBusy(conn->pg)) {
        if (waited(db_wait(PQsocket(conn->pg), POLLIN, deadline, waiter), error) < 0)
            return -1;
        if (!PQconsumeInput(conn->pg))
            return lost(conn, error);
    }
    *result = PQgetResult(conn->pg);
    return 0;
}

/* Reads all results of one command; the last one counts, unless an earlier one is an error. */
static int collect(struct db_conn *conn, const char *name, int64_t deadline, struct db_rows **rows, bool *is_lost,
                   GError **error)
{
    PGresult *result = NULL, *kept = NULL;
    *is_lost = true;
    for (;;) {
        if (db_conn_result(conn, deadline, NULL, &result, error) < 0) {
            PQclear(kept);
            return -1;
        }
        if (!result)
            break;
        if (!kept || PQresultStatus(kept) == PGRES_TUPLES_OK || PQresultStatus(kept) == PGRES_COMMAND_OK) {
            PQclear(kept);
            kept = result;
        } else {
            PQclear(result);
        }
    }
    ExecStatusType status = PQresultStatus(kept);
    if (!kept || PQstatus(conn->pg) != CONNECTION_OK) {
        PQclear(kept);
        return lost(conn, error);
    }
    *is_lost = false;
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (rows)
            *rows = db_rows_new(kept);
        else
            PQclear(kept);
        return 0;
    }
    /* Anything but an error here is a protocol that we do not speak (COPY …). */
    *is_lost = status != PGRES_FATAL_ERROR || db_result_fault(conn->pg, kept) == DB_FAULT_LOST;
    g_propagate_error(error, db_error_from_result(kept, name));
    PQclear(kept);
    return -1;
}

static int prepare(struct db_conn *conn, const struct db_stmt *stmts, unsigned stmt, int64_t deadline, bool *is_lost,
                   GError **error)
{
    char name[DB_STMT_NAME_SIZE];
    const struct db_stmt *s = &stmts[stmt];
    if (conn->prepared[stmt])
        return 0;
    *is_lost = true;
    db_conn_stmt_name(conn, stmt, name);
    if (!PQsendPrepare(conn->pg, name, s->sql, s->types ? (int)s->nparams : 0, s->types))
        return lost(conn, error);
    if (db_conn_flush(conn, deadline, NULL, error) < 0 || collect(conn, s->name, deadline, NULL, is_lost, error) < 0)
        return -1;
    conn->prepared[stmt] = 1;
    return 0;
}

static int execute_once(struct db_conn *conn, const struct db_stmt *stmts, unsigned stmt,
                        const struct db_params *params, int64_t deadline, struct db_rows **rows, bool *is_lost,
                        GError **error)
{
    char name[DB_STMT_NAME_SIZE];
    unsigned n = db_params_count(params);
    g_autofree const char **values = g_new(const char *, n + 1);
    g_autofree int *lengths = g_new(int, n + 1), *formats = g_new(int, n + 1);
    g_assert(n == stmts[stmt].nparams);
    if (prepare(conn, stmts, stmt, deadline, is_lost, error) < 0)
        return -1;
    db_params_pointers(params, values, lengths, formats);
    db_conn_stmt_name(conn, stmt, name);
    *is_lost = true;
    if (!PQsendQueryPrepared(conn->pg, name, (int)n, values, lengths, formats, 0))
        return lost(conn, error);
    if (db_conn_flush(conn, deadline, NULL, error) < 0)
        return -1;
    return collect(conn, stmts[stmt].name, deadline, rows, is_lost, error);
}

int db_conn_execute(struct db_conn *conn, const struct db_stmt *stmts, unsigned stmt, const struct db_params *params,
                    int64_t deadline, struct db_rows **rows, bool *is_lost, GError **error)
{
    bool gone = false;
    g_autoptr(GError) first = NULL;
    int r = execute_once(conn, stmts, stmt, params, deadline, rows, &gone, &first);
    /* Within a transaction that is now failed, a second attempt would fail too. */
    if (r < 0 && !gone && PQtransactionStatus(conn->pg) == PQTRANS_IDLE &&
        db_fault_of(db_error_sqlstate(first), NULL) == DB_FAULT_PREPARE) {
        g_clear_error(&first);
        db_conn_unprepare(conn);
        r = execute_once(conn, stmts, stmt, params, deadline, rows, &gone, &first);
    } else if (r < 0 && db_fault_of(db_error_sqlstate(first), NULL) == DB_FAULT_PREPARE) {
        db_conn_unprepare(conn);
    }
    if (is_lost)
        *is_lost = gone;
    if (r < 0)
        g_propagate_error(error, g_steal_pointer(&first));
    return r;
}

int db_conn_run(struct db_conn *conn, const char *sql, const char *name, int64_t deadline, struct db_rows **rows,
                bool *is_lost, GError **error)
{
    bool gone = true;
    int r = -1;
    if (!PQsendQuery(conn->pg, sql))
        lost(conn, error);
    else if (db_conn_flush(conn, deadline, NULL, error) == 0)
        r = collect(conn, name, deadline, rows, &gone, error);
    if (is_lost)
        *is_lost = gone;
    return r;
}
