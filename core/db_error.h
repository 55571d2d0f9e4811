/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the server as GError, and what an SQLSTATE means for the one who retries.  Inside the layer. */
#pragma once

#include "core/db.h"

#include <libpq-fe.h>

enum db_fault {
    DB_FAULT_LASTING, /* the statement's own */
    DB_FAULT_SERIAL,  /* 40001, 40P01: the transaction, run it again */
    DB_FAULT_PREPARE, /* 0A000, 26000: prepare again */
    DB_FAULT_BUSY,    /* timeout or resources: this time it did not work */
    DB_FAULT_LOST,    /* the connection is of no use any more */
};

/* By the SQLSTATE (may be NULL or empty: DB_FAULT_LASTING) and the severity that the server wrote. */
enum db_fault db_fault_of(const char *sqlstate, const char *severity);

/* Of a result whose status is PGRES_FATAL_ERROR. */
enum db_fault db_result_fault(const PGconn *conn, const PGresult *result);

/* The result as GError; name is the statement's. */
GError *db_error_from_result(const PGresult *result, const char *name);

/* The connection's message as one line; g_free. */
char *db_conn_message(const PGconn *conn);
