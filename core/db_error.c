/* SPDX-License-Identifier: Apache-2.0 */
/* The GError domain of the database layer. */
#include "core/db_error.h"

#include <string.h>

typedef struct {
    char *sqlstate;
    char *constraint;
    char *detail;
} DbErrorPrivate;

static void db_error_private_init(DbErrorPrivate *priv)
{
}

static void db_error_private_copy(const DbErrorPrivate *from, DbErrorPrivate *to)
{
    to->sqlstate = g_strdup(from->sqlstate);
    to->constraint = g_strdup(from->constraint);
    to->detail = g_strdup(from->detail);
}

static void db_error_private_clear(DbErrorPrivate *priv)
{
    g_free(priv->sqlstate);
    g_free(priv->constraint);
    g_free(priv->detail);
}

G_DEFINE_EXTENDED_ERROR(DbError, db_error)

/* Before any thread: the macro's own first look is a data race. */
__attribute__((constructor)) static void know_quark(void)
{
    db_error_quark();
}

static const DbErrorPrivate *private_of(const GError *error)
{
    return error && error->domain == DB_ERROR ? db_error_get_private(error) : NULL;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

bool db_error_is_temporary(const GError *error)
{
    return error && error->domain == DB_ERROR && error->code < DB_ERROR_RAISED;
}

const char *db_error_sqlstate(const GError *error)
{
    const DbErrorPrivate *priv = private_of(error);
    return priv ? or_empty(priv->sqlstate) : "";
}

const char *db_error_constraint(const GError *error)
{
    const DbErrorPrivate *priv = private_of(error);
    return priv ? or_empty(priv->constraint) : "";
}

const char *db_error_detail(const GError *error)
{
    const DbErrorPrivate *priv = private_of(error);
    return priv ? or_empty(priv->detail) : "";
}

/* Prefix → meaning; the first that fits counts. */
static const struct {
    const char *prefix;
    enum db_fault fault;
} faults[] = {
    { "40001", DB_FAULT_SERIAL },
    { "40P01", DB_FAULT_SERIAL },
    { "0A000", DB_FAULT_PREPARE },
    { "26000", DB_FAULT_PREPARE },
    { "08", DB_FAULT_LOST },    /* connection exception */
    { "57P", DB_FAULT_LOST },   /* shutdown, crash, cannot connect now, database dropped, idle timeout */
    { "25006", DB_FAULT_LOST }, /* read only: no longer, or not yet, the primary */
    { "25P03", DB_FAULT_LOST }, /* idle in transaction timeout */
    { "57014", DB_FAULT_BUSY }, /* statement timeout */
    { "55P03", DB_FAULT_BUSY }, /* lock timeout */
    { "53", DB_FAULT_BUSY },    /* insufficient resources */
    { "58", DB_FAULT_BUSY },    /* system error outside PostgreSQL */
};

enum db_fault db_fault_of(const char *sqlstate, const char *severity)
{
    if (severity && (!strcmp(severity, "FATAL") || !strcmp(severity, "PANIC")))
        return DB_FAULT_LOST;
    for (size_t i = 0; sqlstate && i < G_N_ELEMENTS(faults); i++)
        if (!strncmp(sqlstate, faults[i].prefix, strlen(faults[i].prefix)))
            return faults[i].fault;
    return DB_FAULT_LASTING;
}

enum db_fault db_result_fault(const PGconn *conn, const PGresult *result)
{
    if (PQstatus(conn) != CONNECTION_OK)
        return DB_FAULT_LOST;
    return db_fault_of(PQresultErrorField(result, PG_DIAG_SQLSTATE),
                       PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED));
}

static enum db_error code_of(const char *sqlstate, const char *severity)
{
    switch (db_fault_of(sqlstate, severity)) {
    case DB_FAULT_SERIAL:
    case DB_FAULT_BUSY:
        return DB_ERROR_BUSY;
    case DB_FAULT_LOST:
        return DB_ERROR_CONNECTION;
    case DB_FAULT_PREPARE:
    case DB_FAULT_LASTING:
        break;
    }
    if (!sqlstate) /* libpq's own word, not the server's verdict on the statement: never a reason to give it up */
        return DB_ERROR_CONNECTION;
    if (g_str_has_prefix(sqlstate, "UM"))
        return DB_ERROR_RAISED;
    if (!strcmp(sqlstate, "23505"))
        return DB_ERROR_UNIQUE;
    return g_str_has_prefix(sqlstate, "23") ? DB_ERROR_CONSTRAINT : DB_ERROR_STATEMENT;
}

GError *db_error_from_result(const PGresult *result, const char *name)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    int code = (int)code_of(sqlstate, severity);
    g_autofree char *whole = primary ? NULL : g_strchomp(g_strdelimit(g_strdup(PQresultErrorMessage(result)), "\n", ' '));
    const char *text = primary ? primary : whole;
    GError *error = code == DB_ERROR_RAISED ? g_error_new_literal(DB_ERROR, code, text)
                                            : g_error_new(DB_ERROR, code, "%s: %s", name, text);
    DbErrorPrivate *priv = db_error_get_private(error);
    priv->sqlstate = g_strdup(sqlstate);
    priv->constraint = g_strdup(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    priv->detail = g_strdup(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
    return error;
}

char *db_conn_message(const PGconn *conn)
{
    return g_strchomp(g_strdelimit(g_strdup(conn ? PQerrorMessage(conn) : "out of memory"), "\n", ' '));
}
