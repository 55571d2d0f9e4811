/* SPDX-License-Identifier: Apache-2.0 */
/* A group of writes in one pipeline with one Sync, which makes them one transaction.
 *
 * Statements that ran before a failing one report success and are then rolled back: nothing counts until
 * the Sync result has come with no error before it.  The server's error at commit time comes after the
 * last statement's result and belongs to none of them. */
#include "core/db_batch.h"

#include "core/db_internal.h"

#include <string.h>

struct run {
    struct db_conn *conn;
    const struct db_stmt *stmts;
    const GPtrArray *requests;
    int64_t stall;
    const struct db_waiter *waiter;
    struct db_outcome *outcome;
    GArray *owners; /* of int: whose command is the n-th; request index, or -1 - index for its Prepare */
};

static const struct db_request *request_at(const struct run *run, int index)
{
    return run->requests->pdata[index];
}

static bool send_prepare(struct run *run, int index)
{
    unsigned stmt = request_at(run, index)->stmt;
    const struct db_stmt *s = &run->stmts[stmt];
    char name[DB_STMT_NAME_SIZE];
    db_conn_stmt_name(run->conn, stmt, name);
    int owner = -1 - index;
    g_array_append_val(run->owners, owner);
    return PQsendPrepare(run->conn->pg, name, s->sql, s->types ? (int)s->nparams : 0, s->types);
}

static bool send_execute(struct run *run, int index)
{
    const struct db_request *request = request_at(run, index);
    unsigned n = db_params_count(request->params);
    const char *values[64];
    int lengths[64], formats[64];
    char name[DB_STMT_NAME_SIZE];
    g_assert(n <= G_N_ELEMENTS(values));
    db_params_pointers(request->params, values, lengths, formats);
    db_conn_stmt_name(run->conn, request->stmt, name);
    g_array_append_val(run->owners, index);
    return PQsendQueryPrepared(run->conn->pg, name, (int)n, values, lengths, formats, 0);
}

/* Queues everything; with a non-blocking connection little of it has left yet. */
static bool send_all(struct run *run)
{
    g_autofree guint8 *asked = g_new0(guint8, run->conn->nstmts + 1);
    for (guint i = 0; i < run->requests->len; i++) {
        unsigned stmt = request_at(run, (int)i)->stmt;
        if (!run->conn->prepared[stmt] && !asked[stmt]) {
            asked[stmt] = 1;
            if (!send_prepare(run, (int)i))
                return false;
        }
        if (!send_execute(run, (int)i))
            return false;
    }
    return PQpipelineSync(run->conn->pg);
}

static void note_error(struct run *run, guint command, const PGresult *result)
{
    struct db_outcome *out = run->outcome;
    if (out->error) /* the first one is the cause */
        return;
    int owner = command < run->owners->len ? g_array_index(run->owners, int, command) : (int)run->requests->len;
    out->culprit = owner < 0 ? -1 - owner : owner < (int)run->requests->len ? owner : -1;
    const char *name = out->culprit < 0 ? "commit" : run->stmts[request_at(run, out->culprit)->stmt].name;
    out->fault = db_result_fault(run->conn->pg, result);
    out->error = db_error_from_result(result, name);
}

static void note_success(struct run *run, guint command, PGresult *result)
{
    int owner = command < run->owners->len ? g_array_index(run->owners, int, command) : 0;
    if (owner < 0) {
        run->conn->prepared[request_at(run, -1 - owner)->stmt] = 1;
        PQclear(result);
    } else {
        PQclear(run->outcome->results[owner]);
        run->outcome->results[owner] = result;
    }
}

/* Reads up to the Sync result.  0, or -1: the connection cannot be used any more. */
static int read_all(struct run *run)
{
    guint command = 0, ends = 0;
    for (;;) {
        PGresult *result;
        if (db_conn_result(run->conn, run->stall, run->waiter, &result, &run->outcome->error) < 0)
            return -1;
        if (!result) { /* the end of a command's results; twice in a row: there is nothing more to come */
            command++;
            if (++ends > 2 || PQstatus(run->conn->pg) != CONNECTION_OK)
                return -1;
            continue;
        }
        ends = 0;
        switch (PQresultStatus(result)) {
        case PGRES_PIPELINE_SYNC:
            PQclear(result);
            return 0;
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
            note_success(run, command, result);
            continue;
        case PGRES_PIPELINE_ABORTED:
            break;
        case PGRES_FATAL_ERROR:
            note_error(run, command, result);
            break;
        default: /* COPY and the like: not our protocol */
            PQclear(result);
            return -1;
        }
        PQclear(result);
        if (run->outcome->error && run->outcome->fault == DB_FAULT_LOST)
            return -1;
    }
}

static enum db_attempt lost(struct run *run)
{
    struct db_outcome *out = run->outcome;
    bool stalled = out->error && out->error->code == DB_ERROR_TIMEOUT;
    if (!out->error) {
        g_autofree char *text = db_conn_message(run->conn->pg);
        out->error = g_error_new(DB_ERROR, DB_ERROR_CONNECTION, "connection lost: %s", text);
    }
    return stalled ? DB_ATTEMPT_STALLED : DB_ATTEMPT_LOST;
}

static bool complete(const struct run *run)
{
    for (guint i = 0; i < run->requests->len; i++)
        if (!run->outcome->results[i])
            return false;
    return true;
}

static enum db_attempt attempt(struct run *run)
{
    if (!send_all(run) || db_conn_flush(run->conn, run->stall, run->waiter, &run->outcome->error) < 0 ||
        read_all(run) < 0)
        return lost(run);
    if (run->outcome->error)
        return PQtransactionStatus(run->conn->pg) == PQTRANS_IDLE ? DB_ATTEMPT_ERROR : DB_ATTEMPT_LOST;
    return complete(run) && PQtransactionStatus(run->conn->pg) == PQTRANS_IDLE ? DB_ATTEMPT_DONE : lost(run);
}

enum db_attempt db_batch_attempt(struct db_conn *conn, const struct db_stmt *stmts, const GPtrArray *requests,
                                 int64_t stall, const struct db_waiter *waiter, struct db_outcome *outcome)
{
    struct run run = { conn, stmts, requests, stall, waiter, outcome, g_array_new(FALSE, FALSE, sizeof(int)) };
    *outcome = (struct db_outcome){ g_new0(PGresult *, requests->len + 1), -1, DB_FAULT_LASTING, NULL };
    enum db_attempt result = attempt(&run);
    if (result != DB_ATTEMPT_DONE)
        for (guint i = 0; i < requests->len; i++)
            g_clear_pointer(&outcome->results[i], PQclear);
    g_array_unref(run.owners);
    return result;
}

void db_outcome_clear(struct db_outcome *outcome)
{
    for (size_t i = 0; outcome->results && outcome->results[i]; i++)
        PQclear(outcome->results[i]);
    g_clear_pointer(&outcome->results, g_free);
    g_clear_error(&outcome->error);
}
