/* SPDX-License-Identifier: Apache-2.0 */
/* The product's schema: db_schema migrate | check | prepare (every named statement) with DB_TEST_URI. */
#include "core/db.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(void *data, const char *kind, unsigned version, const char *name)
{
    printf("%s %u %s\n", kind, version, name);
}

static int migrate(const char *uri)
{
    g_autoptr(GError) error = NULL;
    unsigned before = 0;
    if (db_migrate(uri, NULL, tell, NULL, &before, &error) == 0)
        return 0;
    printf("error: %s\n", error->message);
    return 1;
}

static int check(const char *uri)
{
    g_autoptr(GError) error = NULL;
    struct db_options options = { .uri = uri, .no_writer = true };
    struct db *db = db_open(&options, &error);
    int r = db ? db_check_schema(db, &error) : -1;
    db_close(db, 0);
    if (r < 0)
        printf("error %d: %s\n", error->code, error->message);
    return r < 0;
}

/* A statement that does not fit the schema is found here and not by a user. */
static int prepare(const char *uri)
{
    PGconn *conn = PQconnectdb(uri);
    int failed = 0;
    for (unsigned i = 0; i < DB_STMT_COUNT; i++) {
        const struct db_stmt *s = &db_stmts[i];
        PGresult *result = PQprepare(conn, s->name, s->sql, s->types ? (int)s->nparams : 0, s->types);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            printf("%s: %s", s->name, PQerrorMessage(conn));
            failed = 1;
        }
        PQclear(result);
        result = PQdescribePrepared(conn, s->name);
        if (!failed && PQnparams(result) != (int)s->nparams) {
            printf("%s: %d parameters, the table says %u\n", s->name, PQnparams(result), s->nparams);
            failed = 1;
        }
        PQclear(result);
    }
    PQfinish(conn);
    return failed;
}

int main(int argc, char **argv)
{
    const char *uri = getenv("DB_TEST_URI"), *what = argc > 1 ? argv[1] : "";
    if (!uri)
        return 64;
    return !strcmp(what, "migrate") ? migrate(uri) : !strcmp(what, "check") ? check(uri)
         : !strcmp(what, "prepare") ? prepare(uri) : 64;
}
