/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/db/db_fixture.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

const struct db_stmt test_stmts[] = {
    [T_PUT] = { "put", 2, NULL, 1,
                "INSERT INTO t AS x (id, v) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = x.v RETURNING v" },
    [T_APPEND] = { "append", 2, NULL, 2,
                   "INSERT INTO log AS x (id, key) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET key = x.key"
                   " RETURNING n" },
    [T_RAISE] = { "raise", 1, NULL, 0, "SELECT raise_um($1)" },
    [T_UNIQUE] = { "unique", 1, NULL, 0, "INSERT INTO t (id, v) VALUES ($1, 'u')" },
    [T_DEFERRED] = { "deferred", 1, NULL, 0,
                     "INSERT INTO d (id) VALUES ($1) ON CONFLICT (id) DO NOTHING RETURNING id" },
    [T_BUMP] = { "bump", 2, NULL, 2, "SELECT bump($1, $2)" },
    [T_BUMP2] = { "bump2", 3, NULL, 0, "SELECT bump($1 || 'a', $2), pg_sleep(0.005), bump($1 || 'b', $3)" },
    [T_SLEEP] = { "sleep", 1, NULL, 0, "SELECT pg_sleep($1::float8)" },
    [T_TYPES] = { "types", 10, NULL, 0,
                  "SELECT $1::text, $2::int8, $3::bool, $4::uuid, $5::bytea, $6::timestamptz, $7::text[], $8::int8[],"
                  " $9::float8, $10::interval = interval '1.5 s' AS same" },
    [T_WIDE] = { "wide", 0, NULL, 0, "SELECT * FROM wide" },
    [T_BROKEN] = { "broken", 0, NULL, 0, "SELECT nothing FROM nowhere" },
    [T_ECHO] = { "echo", 1, NULL, 0, "SELECT length($1::bytea), md5($1::bytea)" },
    [T_READONLY] = { "readonly", 0, NULL, 0, "INSERT INTO t (id, v) VALUES ('readonly', '')" },
    [T_SUICIDE] = { "suicide", 0, NULL, 0, "SELECT pg_terminate_backend(pg_backend_pid())" },
    [T_NOTIFY] = { "notify", 2, NULL, 0, "SELECT pg_notify($1, $2)" },
    { NULL, 0, NULL, 0, NULL },
};

static const char schema[] =
    "DROP TABLE IF EXISTS t, log, d, hot, bumps, wide CASCADE;"
    "CREATE TABLE t (id text PRIMARY KEY, v text);"
    "CREATE TABLE log (id text PRIMARY KEY, key text, n bigserial);"
    "CREATE TABLE d (id int PRIMARY KEY);"
    "CREATE TABLE hot (id text PRIMARY KEY, n int NOT NULL DEFAULT 0);"
    "INSERT INTO hot SELECT 'row' || lpad(g::text, 2, '0') FROM generate_series(0, 19) g;"
    "CREATE TABLE bumps (id text PRIMARY KEY);"
    "CREATE TABLE wide (a int); INSERT INTO wide VALUES (1);"
    "CREATE OR REPLACE FUNCTION raise_um(what text) RETURNS int LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION '%', what USING ERRCODE = 'UM042', DETAIL = 'why'; END $$;"
    "CREATE OR REPLACE FUNCTION check_d() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN IF NEW.id < 0 THEN RAISE EXCEPTION 'late' USING ERRCODE = '23514'; END IF; RETURN NULL; END $$;"
    "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON d DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION check_d();"
    "CREATE OR REPLACE FUNCTION bump(bump_id text, row_id text) RETURNS int LANGUAGE plpgsql AS"
    " $$ DECLARE m int; BEGIN"
    " PERFORM 1 FROM hot WHERE id = row_id FOR UPDATE;"
    " INSERT INTO bumps VALUES (bump_id) ON CONFLICT DO NOTHING;"
    " IF FOUND THEN UPDATE hot SET n = n + 1 WHERE id = row_id; END IF;"
    " SELECT n INTO m FROM hot WHERE id = row_id; RETURN m; END $$;";

const char *test_uri(void)
{
    const char *uri = getenv("DB_TEST_URI");
    if (!uri) {
        fprintf(stderr, "DB_TEST_URI is not set\n");
        exit(2);
    }
    return uri;
}

char *test_sql(const char *sql)
{
    PGconn *conn = PQconnectdb(test_uri());
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(conn));
        exit(2);
    }
    char *value = PQntuples(result) ? g_strdup(PQgetvalue(result, 0, 0)) : NULL;
    PQclear(result);
    PQfinish(conn);
    return value;
}

void test_schema(void)
{
    g_free(test_sql(schema));
}

static void notice(void *data, const char *who, const char *what, const char *detail)
{
    if (getenv("DB_TEST_VERBOSE"))
        fprintf(stderr, "  [%s: %s%s%s]\n", who, what, detail ? ": " : "", detail ? detail : "");
}

struct db *test_open(unsigned pool_size)
{
    struct db_options options = { .uri = test_uri(),
                                  .application = "db_test",
                                  .pool_size = pool_size,
                                  .stmts = test_stmts,
                                  .notice = notice };
    GError *error = NULL;
    struct db *db = db_open(&options, &error);
    if (!db || db_wait_up(db, 10000, &error) < 0) {
        fprintf(stderr, "%s\n", error->message);
        exit(2);
    }
    return db;
}
