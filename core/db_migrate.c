/* SPDX-License-Identifier: Apache-2.0 */
/* The schema's version: bringing it up to date, and refusing one that the program does not know. */
#include "core/db_error.h"
#include "core/db_internal.h"

#define MINUTE_US (60 * (int64_t)G_USEC_PER_SEC)
/* A migration may rewrite a large table. */
#define SCRIPT_US (24 * 60 * MINUTE_US)

/* Two migrations at a time run one after the other: the key is the ASCII of "ump". */
static const char bootstrap[] =
    "SELECT pg_advisory_lock(7695728);"
    "CREATE SCHEMA IF NOT EXISTS ump;"
    "CREATE TABLE IF NOT EXISTS ump.schema_version ("
    " version integer PRIMARY KEY,"
    " oldest_program integer NOT NULL,"
    " name text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now());"
    "COMMENT ON TABLE ump.schema_version IS"
    " 'One row per migration. oldest_program: the newest migration that a program must know to use this schema.';";

static const char version_sql[] = "SELECT coalesce(max(version), 0), coalesce((SELECT oldest_program FROM"
                                  " ump.schema_version ORDER BY version DESC LIMIT 1), 0) FROM ump.schema_version";

static int read_version(struct db_conn *conn, unsigned *version, unsigned *oldest, GError **error)
{
    g_autoptr(db_rows) rows = NULL;
    if (db_conn_run(conn, version_sql, "schema version", db_now() + MINUTE_US, &rows, NULL, error) < 0)
        return -1;
    *version = (unsigned)db_rows_int(rows, 0, 0);
    *oldest = (unsigned)db_rows_int(rows, 0, 1);
    return 0;
}

static int run_in_transaction(struct db_conn *conn, const char *prologue, const char *name, const char *sql,
                              GError **error)
{
    g_autofree char *start = g_strdup_printf("BEGIN; %s", prologue);
    if (db_conn_run(conn, start, name, db_now() + MINUTE_US, NULL, NULL, error) < 0 ||
        db_conn_run(conn, sql, name, db_now() + SCRIPT_US, NULL, NULL, error) < 0 ||
        db_conn_run(conn, "COMMIT", name, db_now() + MINUTE_US, NULL, NULL, error) < 0) {
        db_conn_run(conn, "ROLLBACK", name, db_now() + MINUTE_US, NULL, NULL, NULL);
        return -1;
    }
    return 0;
}

static int apply_migrations(struct db_conn *conn, unsigned from, db_migrate_cb *callback, void *data, GError **error)
{
    for (const struct db_script *m = db_migrations; m->name; m++) {
        if (m->version <= from)
            continue;
        g_autofree char *row = g_strdup_printf("INSERT INTO ump.schema_version (version, oldest_program, name)"
                                               " VALUES (%u, %u, '%s')",
                                               m->version, m->oldest_program, m->name);
        if (callback)
            callback(data, "migration", m->version, m->name);
        if (run_in_transaction(conn, row, m->name, m->sql, error) < 0)
            return -1;
    }
    return 0;
}

static int apply_routines(struct db_conn *conn, db_migrate_cb *callback, void *data, GError **error)
{
    if (!db_routines[0].name)
        return 0;
    if (db_conn_run(conn, "BEGIN", "routines", db_now() + MINUTE_US, NULL, NULL, error) < 0)
        return -1;
    for (const struct db_script *r = db_routines; r->name; r++) {
        if (callback)
            callback(data, "routine", 0, r->name);
        if (db_conn_run(conn, r->sql, r->name, db_now() + MINUTE_US, NULL, NULL, error) < 0)
            return -1; /* the connection is closed next: rolled back */
    }
    return db_conn_run(conn, "COMMIT", "routines", db_now() + MINUTE_US, NULL, NULL, error);
}

static int too_new(unsigned version, unsigned oldest, GError **error)
{
    g_set_error(error, DB_ERROR, DB_ERROR_SCHEMA,
                "the database schema has version %u and needs programs that know version %u; this program knows %d:"
                " upgrade it",
                version, oldest, DB_SCHEMA_VERSION);
    return -1;
}

static int migrate(struct db_conn *conn, db_migrate_cb *callback, void *data, unsigned *before, GError **error)
{
    unsigned version, oldest;
    if (db_conn_run(conn, bootstrap, "bootstrap", db_now() + 10 * MINUTE_US, NULL, NULL, error) < 0 ||
        read_version(conn, &version, &oldest, error) < 0)
        return -1;
    if (before)
        *before = version;
    if (version > DB_SCHEMA_VERSION) /* also when it is compatible: its functions must not be put back */
        return too_new(version, oldest, error);
    if (apply_migrations(conn, version, callback, data, error) < 0)
        return -1;
    return apply_routines(conn, callback, data, error);
}

int db_migrate(const char *uri, const char *user, db_migrate_cb *callback, void *data, unsigned *version,
               GError **error)
{
    struct db_options options = { .uri = uri,
                                  .user = user,
                                  .application = "umpctl migrate",
                                  .statement_timeout_ms = 0,
                                  .lock_timeout_ms = 0 };
    struct db_target *target = db_target_new(&options, NULL, error);
    if (!target)
        return -1;
    struct db_conn *conn = db_conn_open(target, 0, 5000, db_now() + MINUTE_US, NULL, error);
    db_target_free(target);
    if (!conn)
        return -1;
    int r = migrate(conn, callback, data, version, error);
    db_conn_free(conn);
    return r;
}

int db_check_schema(struct db *db, GError **error)
{
    unsigned version = 0, oldest = 0;
    g_autoptr(GError) failure = NULL;
    struct db_lease *lease = db_lease(db, DB_READ, 0, 0, error);
    if (!lease)
        return -1;
    int r = read_version(db_lease_conn(lease), &version, &oldest, &failure);
    db_release(lease);
    const char *state = db_error_sqlstate(failure);
    if (r < 0 && !g_str_equal(state, "42P01") && !g_str_equal(state, "3F000") && !g_str_equal(state, "42501")) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return -1;
    }
    if (r < 0 || version < DB_SCHEMA_VERSION) {
        g_set_error(error, DB_ERROR, DB_ERROR_SCHEMA,
                    "the database schema has version %u%s, this program needs %d: run \"umpctl migrate\"", version,
                    r < 0 ? " (none that this role can read)" : "", DB_SCHEMA_VERSION);
        return -1;
    }
    return oldest > DB_SCHEMA_VERSION ? too_new(version, oldest, error) : 0;
}
