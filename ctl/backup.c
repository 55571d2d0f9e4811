/* SPDX-License-Identifier: Apache-2.0 */
/*
 * umpctl backup and restore: every table of the schema as PostgreSQL's COPY text, read in one snapshot, in one file
 * with a checksum.  It holds no key files, no media files, no mail and no journal; both commands say so.
 *
 *   UMP-BACKUP 1 <schema version>
 *   TABLE <name> <column>…
 *   …COPY text…
 *   \.
 *   END <sha256 of all before this line>
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cleanup.h"
#include "core/error.h"
#include "ctl/ctl.h"

#define MAGIC "UMP-BACKUP 1 "
#define NOT_HELD                                                                                                       \
    "not in it: the key files ([gateway] *_key_file; without them credentials and ids are lost), media files ([media] dir), " \
    "journals ([gateway] state_dir), and the mail itself (Dovecot's)"

struct sink {
    FILE *file;
    GChecksum *sum;
};

static PGconn *connect_owner(struct ctl *ctl)
{
    const char *uri = config_get_string(ctl->config, "ctl", "database_uri");
    const char *keywords[] = {"dbname", "user", "application_name", NULL};
    const char *own[] = {uri, NULL, "umpctl", NULL};
    const char *shared[] = {config_get_string(ctl->config, "database", "uri"), "ump", "umpctl", NULL};
    PGconn *conn = PQconnectdbParams(keywords, uri != NULL ? own : shared, 1);
    if (PQstatus(conn) == CONNECTION_OK)
        return conn;
    ctl_fail(CTL_TEMPORARY, "the database does not answer: %s", PQerrorMessage(conn));
    PQfinish(conn);
    return NULL;
}

static int sql(PGconn *conn, const char *text, ExecStatusType wanted, PGresult **result)
{
    g_autoptr(PGresult) r = PQexec(conn, text);
    if (PQresultStatus(r) != wanted)
        return ctl_fail(CTL_REFUSED, "%s", PQresultErrorMessage(r));
    if (result != NULL)
        *result = g_steal_pointer(&r);
    return 0;
}

static char *first_value(PGconn *conn, const char *text)
{
    g_autoptr(PGresult) r = NULL;
    if (sql(conn, text, PGRES_TUPLES_OK, &r) != 0 || PQntuples(r) == 0)
        return NULL;
    return g_strdup(PQgetvalue(r, 0, 0));
}

static const char tables_sql[] =
    "SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "WHERE n.nspname = 'ump' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'schema_version' "
    "GROUP BY c.oid, c.relname ORDER BY c.relname";

static bool put(struct sink *sink, const char *data, size_t length)
{
    g_checksum_update(sink->sum, (const guchar *)data, (gssize)length);
    return fwrite(data, 1, length, sink->file) == length;
}

/* One table's rows; the number of them, or -1. */
static gint64 copy_out(PGconn *conn, struct sink *sink, const char *table, const char *columns)
{
    g_autofree char *head = g_strdup_printf("TABLE %s %s\n", table, columns);
    g_autofree char *text = g_strdup_printf("COPY (SELECT %s FROM ump.%s) TO STDOUT", columns, table);
    if (!put(sink, head, strlen(head)) || sql(conn, text, PGRES_COPY_OUT, NULL) != 0)
        return -1;
    gint64 rows = 0;
    char *row = NULL;
    int length;
    bool ok = true;
    while ((length = PQgetCopyData(conn, &row, 0)) > 0) {
        ok = ok && put(sink, row, (size_t)length);
        PQfreemem(row);
        rows++;
    }
    g_autoptr(PGresult) end = PQgetResult(conn);
    bool done = length == -1 && PQresultStatus(end) == PGRES_COMMAND_OK;
    for (PGresult *more; (more = PQgetResult(conn)) != NULL;)
        PQclear(more);
    if (!done || !ok || !put(sink, "\\.\n", 3)) {
        ctl_fail(CTL_REFUSED, "%s: %s", table, ok ? PQerrorMessage(conn) : g_strerror(errno));
        return -1;
    }
    return rows;
}

static int write_all(struct ctl *ctl, PGconn *conn, struct sink *sink, gint64 *total)
{
    g_autoptr(PGresult) tables = NULL;
    g_autofree char *version = NULL;
    if (sql(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", PGRES_COMMAND_OK, NULL) != 0 ||
        sql(conn, "SET search_path = ump, pg_catalog", PGRES_COMMAND_OK, NULL) != 0 ||
        (version = first_value(conn, "SELECT max(version) FROM ump.schema_version")) == NULL ||
        sql(conn, tables_sql, PGRES_TUPLES_OK, &tables) != 0)
        return CTL_REFUSED;
    g_autofree char *magic = g_strconcat(MAGIC, version, "\n", NULL);
    if (!put(sink, magic, strlen(magic)))
        return ctl_fail(CTL_REFUSED, "%s", g_strerror(errno));
    for (int t = 0; t < PQntuples(tables); t++) {
        gint64 rows = copy_out(conn, sink, PQgetvalue(tables, t, 0), PQgetvalue(tables, t, 1));
        if (rows < 0)
            return CTL_REFUSED;
        ctl_say(ctl, "%-26s %10" G_GINT64_FORMAT " rows", PQgetvalue(tables, t, 0), rows);
        *total += rows;
    }
    fprintf(sink->file, "END %s\n", g_checksum_get_string(sink->sum));
    if (fflush(sink->file) != 0 || fsync(fileno(sink->file)) != 0)
        return ctl_fail(CTL_REFUSED, "%s", g_strerror(errno));
    return 0;
}

static int backup(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autofree char *part = g_strconcat(argv[0], ".part", NULL);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ctl_fail(CTL_REFUSED, "%s: %s", part, g_strerror(errno));
    g_autoptr(FILE) file = fdopen(fd, "w");
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(PGconn) conn = connect_owner(ctl);
    gint64 total = 0;
    status = conn != NULL ? write_all(ctl, conn, &(struct sink){file, sum}, &total) : CTL_TEMPORARY;
    if (status == 0 && rename(part, argv[0]) != 0)
        status = ctl_fail(CTL_REFUSED, "%s: %s", argv[0], g_strerror(errno));
    if (status != 0) {
        unlink(part);
        return status;
    }
    g_autoptr(json_t) record = json_object();
    json_object_set_new(record, "file", json_string(argv[0]));
    json_object_set_new(record, "rows", json_integer(total));
    json_object_set_new(record, "note", json_string(NOT_HELD));
    ctl_show_json(ctl, record);
    return CTL_OK;
}

/* ---- restore ---- */

/* The whole file is read once for its checksum before a row is written. */
static int verify(FILE *file, const char *path, char **version)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    char *line = NULL;
    size_t size = 0;
    ssize_t n = getline(&line, &size, file);
    int status = 1;
    bool rows = false; /* which may begin with any word */
    if (n > 0 && g_str_has_prefix(line, MAGIC)) {
        *version = g_strchomp(g_strdup(line + strlen(MAGIC)));
        do {
            if (!rows && strncmp(line, "END ", 4) == 0) {
                g_strchomp(line);
                status = strcmp(line + 4, g_checksum_get_string(sum)) == 0 ? 0 : 2;
                break;
            }
            rows = rows ? strcmp(line, "\\.\n") != 0 : strncmp(line, "TABLE ", 6) == 0;
            g_checksum_update(sum, (const guchar *)line, n);
        } while ((n = getline(&line, &size, file)) > 0);
    }
    free(line);
    rewind(file);
    if (status != 0)
        return ctl_fail(CTL_REFUSED, status == 2 ? "%s is damaged: its checksum is wrong" : "%s is not a whole backup", path);
    return 0;
}

static int copy_in(PGconn *conn, FILE *file, const char *head)
{
    g_auto(GStrv) words = g_strsplit(head, " ", 3);
    if (words[1] == NULL || words[2] == NULL)
        return ctl_fail(CTL_REFUSED, "unreadable: %s", head);
    if (strspn(words[1], "abcdefghijklmnopqrstuvwxyz_") != strlen(words[1]) || strpbrk(words[2], ";()") != NULL)
        return ctl_fail(CTL_REFUSED, "unreadable: %s", head);
    g_autofree char *wipe = g_strdup_printf("DELETE FROM ump.%s", words[1]);
    g_autofree char *text = g_strdup_printf("COPY ump.%s (%s) FROM STDIN", words[1], words[2]);
    if (sql(conn, wipe, PGRES_COMMAND_OK, NULL) != 0 || sql(conn, text, PGRES_COPY_IN, NULL) != 0)
        return CTL_REFUSED;
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    bool ok = true;
    while (ok && (n = getline(&line, &size, file)) > 0 && strcmp(line, "\\.\n") != 0)
        ok = PQputCopyData(conn, line, (int)n) == 1;
    free(line);
    ok = PQputCopyEnd(conn, NULL) == 1 && ok;
    g_autoptr(PGresult) end = PQgetResult(conn);
    for (PGresult *more; (more = PQgetResult(conn)) != NULL;)
        PQclear(more);
    return ok && PQresultStatus(end) == PGRES_COMMAND_OK ? 0 : ctl_fail(CTL_REFUSED, "%s: %s", words[1], PQerrorMessage(conn));
}

/* Sequences go on behind the highest number that came back. */
static const char sequences_sql[] =
    "SELECT setval(pg_get_serial_sequence('ump.' || t, c), coalesce(m, 0) + 1, false) FROM (VALUES "
    "('accounts', 'id', (SELECT max(id)::bigint FROM ump.accounts)), ('outbox', 'id', (SELECT max(id) FROM ump.outbox)), "
    "('jobs', 'id', (SELECT max(id) FROM ump.jobs)), ('unified_messages', 'seq', (SELECT max(seq) FROM ump.unified_messages)), "
    "('audit_log', 'id', (SELECT max(id) FROM ump.audit_log))) v (t, c, m) "
    "UNION ALL SELECT setval('ump.provider_events_id', greatest((SELECT max(event_id) FROM ump.inbound_keys), "
    "(SELECT max(id) FROM ump.provider_events), 0) + 1, false)";

/* asked: how many messages are uncertain now; NULL: what waited is sent. */
static int read_all(struct ctl *ctl, PGconn *conn, FILE *file, const char *version, char **asked)
{
    g_autofree char *here = NULL;
    g_autofree char *messages = NULL;
    if (sql(conn, "BEGIN", PGRES_COMMAND_OK, NULL) != 0 ||
        (here = first_value(conn, "SELECT max(version) FROM ump.schema_version")) == NULL)
        return CTL_REFUSED;
    if (strcmp(here, version) != 0)
        return ctl_fail(CTL_REFUSED, "the backup is of schema %s, this database has %s; restore with the programs of that version, then migrate", version, here);
    messages = first_value(conn, "SELECT (SELECT count(*) FROM ump.accounts) + (SELECT count(*) FROM ump.unified_messages)");
    if (messages == NULL || strcmp(messages, "0") != 0)
        return ctl_fail(CTL_REFUSED, "this database is not empty; restore into a fresh one (createdb, umpctl migrate)");
    /* foreign keys: tables are in order of name, so check them once, at the end */
    if (sql(conn, "DO $$ DECLARE r record; BEGIN FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint "
                  "WHERE contype = 'f' AND connamespace = 'ump'::regnamespace AND conparentid = 0 LOOP "
                  "EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE INITIALLY DEFERRED', r.t, r.conname); END LOOP; END $$",
            PGRES_COMMAND_OK, NULL) != 0)
        return CTL_REFUSED;
    char *line = NULL;
    size_t size = 0;
    int status = 0;
    while (status == 0 && getline(&line, &size, file) > 0) {
        g_strchomp(line);
        if (strncmp(line, "TABLE ", 6) == 0) {
            ctl_say(ctl, "%.*s", (int)strcspn(line + 6, " "), line + 6);
            status = copy_in(conn, file, line);
        }
    }
    free(line);
    if (status != 0 || sql(conn, sequences_sql, PGRES_TUPLES_OK, NULL) != 0 || sql(conn, "SET CONSTRAINTS ALL IMMEDIATE", PGRES_COMMAND_OK, NULL) != 0)
        return CTL_REFUSED;
    if (sql(conn, "DO $$ DECLARE r record; BEGIN FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint "
                  "WHERE contype = 'f' AND connamespace = 'ump'::regnamespace AND conparentid = 0 LOOP "
                  "EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I NOT DEFERRABLE', r.t, r.conname); END LOOP; END $$",
            PGRES_COMMAND_OK, NULL) != 0)
        return CTL_REFUSED;
    if (asked != NULL && (*asked = first_value(conn, "SELECT ump.outbox_restored()")) == NULL)
        return CTL_REFUSED;
    return sql(conn, "COMMIT", PGRES_COMMAND_OK, NULL) != 0 ? CTL_REFUSED : CTL_OK;
}

static int restore(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *queue = NULL, *asked = NULL;
    const GOptionEntry options[] = {{"queue", 0, 0, G_OPTION_ARG_STRING, &queue,
                                     "what becomes of messages that waited to be sent: ask (default: they may have been sent "
                                     "since, so their authors are asked) or send (nothing has run since the backup)", "ask|send"},
                                    G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    bool send = g_strcmp0(queue, "send") == 0;
    if (queue != NULL && !send && strcmp(queue, "ask") != 0)
        return ctl_fail(CTL_USAGE, "restore: --queue is ask or send, not \"%s\"", queue);
    g_autoptr(FILE) file = fopen(argv[0], "re");
    if (file == NULL)
        return ctl_fail(CTL_REFUSED, "%s: %s", argv[0], g_strerror(errno));
    g_autofree char *version = NULL;
    if ((status = verify(file, argv[0], &version)) != 0)
        return status;
    g_autoptr(PGconn) conn = connect_owner(ctl);
    if (conn == NULL)
        return CTL_TEMPORARY;
    if ((status = read_all(ctl, conn, file, version, send ? NULL : &asked)) != 0)
        return status;
    g_autoptr(json_t) record = json_object();
    json_object_set_new(record, "file", json_string(argv[0]));
    json_object_set_new(record, "asked", json_integer(asked != NULL ? g_ascii_strtoll(asked, NULL, 10) : 0));
    json_object_set_new(record, "note", json_string(NOT_HELD "; nor what came since it was written: opt-outs (the providers keep their own), contacts, grants"));
    ctl_show_json(ctl, record);
    return CTL_OK;
}

const struct ctl_command ctl_backup_commands[] = {
    {"backup", "FILE", "writes the whole index into one file", backup},
    {"restore", "FILE [--queue ask|send]", "reads it back into an empty database", restore},
    {NULL, NULL, NULL, NULL}};
