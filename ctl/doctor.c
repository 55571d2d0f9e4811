/* SPDX-License-Identifier: Apache-2.0 */
/* umpctl doctor: looks at everything that must work together, and says what to mend. */
#include "ctl/doctor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "bridge/channels/channel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/endpoint_secrets.h"

#define FREE_WARN (1024.0 * 1024 * 1024)
#define SKEW_WARN 2.0
#define SNAPSHOT_WARN 600
#define BACKLOG_WARN 900

void doctor_note(struct doctor *doctor, enum doctor_verdict verdict, const char *check, const char *mend, const char *format, ...)
{
    static const char *const names[] = {"ok", "warning", "wrong"};
    va_list args;
    va_start(args, format);
    g_autofree char *detail = g_strdup_vprintf(format, args);
    va_end(args);
    json_t *row = json_object();
    json_object_set_new(row, "check", json_string(check));
    json_object_set_new(row, "status", json_string(names[verdict]));
    json_object_set_new(row, "detail", json_string(detail));
    json_object_set_new(row, "mend", verdict == DOCTOR_OK || mend == NULL ? json_null() : json_string(mend));
    json_array_append_new(doctor->rows, row);
    doctor->worst = MAX(doctor->worst, verdict);
    if (!doctor->ctl->json) {
        g_autofree char *safe = ctl_safe(detail, true);
        printf("%-8s %-22s %s\n", names[verdict], check, safe);
        if (verdict != DOCTOR_OK && mend != NULL)
            printf("         %-22s → %s\n", "", mend);
        fflush(stdout);
    }
}

static void check_files(struct doctor *doctor)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    config_check_files(doctor->ctl->config, NULL, problems);
    for (guint i = 0; i < problems->len; i++)
        doctor_note(doctor, DOCTOR_WRONG, "files", "umpctl key create makes key files; mode 0640, group ump", "%s", (char *)problems->pdata[i]);
    if (problems->len == 0)
        doctor_note(doctor, DOCTOR_OK, "files", NULL, "key files and directories are there");
    const char *state = config_get_string(doctor->ctl->config, "gateway", "state_dir");
    struct statvfs fs;
    if (statvfs(state, &fs) == 0) {
        double free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
        doctor_note(doctor, free_bytes < FREE_WARN ? DOCTOR_WARNING : DOCTOR_OK, "disk",
                    "make room: the journal and media need it, and webhooks are answered 503 without", "%.1f GiB free in %s",
                    free_bytes / FREE_WARN, state);
    }
}

/* ump-convert starts, and can do nothing but compute. */
static void check_convert(struct doctor *doctor)
{
    const char *program = config_get_string(doctor->ctl->config, "media", "convert");
    g_autofree char *said = NULL, *complaint = NULL;
    g_autoptr(GError) error = NULL;
    int status = 0;
    if (program == NULL || *program == '\0')
        return;
    char *argv[] = {(char *)program, (char *)"--check", NULL};
    bool ran = g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &said, &complaint, &status, &error);
    if (ran && g_spawn_check_wait_status(status, NULL)) {
        doctor_note(doctor, DOCTOR_OK, "conversion", NULL, "%s starts, and its sandbox holds", program);
        return;
    }
    const char *why = !ran ? error->message : *complaint != '\0' ? complaint : said;
    doctor_note(doctor, DOCTOR_WRONG, "conversion", "pictures and sounds do not fit their channels without it; [media] convert names it", "%.*s",
                (int)strcspn(why, "\n"), why);
}

static void check_server(struct doctor *doctor, const struct db_rows *rows)
{
    gint64 server = db_rows_int_of(rows, 0, "server");
    doctor_note(doctor, server >= 150000 ? DOCTOR_OK : DOCTOR_WRONG, "PostgreSQL", "use PostgreSQL 15 or later", "version %d.%d",
                (int)(server / 10000), (int)(server % 10000));
    double skew = fabs(db_rows_double(rows, 0, (unsigned)db_rows_column(rows, "clock")) -
                       (double)ump_clock_now_us() / G_USEC_PER_SEC);
    doctor_note(doctor, skew > SKEW_WARN ? DOCTOR_WARNING : DOCTOR_OK, "clock", "run an NTP client on both machines",
                "%.1f s between this machine and the database", skew);
    const char *sync = db_rows_text_of(rows, 0, "synchronous_commit");
    bool durable = strcmp(sync, "off") != 0 && strcmp(db_rows_text_of(rows, 0, "fsync"), "on") == 0;
    doctor_note(doctor, durable ? DOCTOR_OK : DOCTOR_WRONG, "durability", "set synchronous_commit = on and fsync = on in postgresql.conf",
                "synchronous_commit = %s, fsync = %s", sync, db_rows_text_of(rows, 0, "fsync"));
    const char *standbys = db_rows_text_of(rows, 0, "synchronous_standby_names");
    if (standbys != NULL && *standbys != '\0')
        doctor_note(doctor, DOCTOR_OK, "replication", NULL, "synchronous: %s", standbys);
    if (strcmp(db_rows_text_of(rows, 0, "checksums"), "on") != 0)
        doctor_note(doctor, DOCTOR_WARNING, "checksums", "pg_checksums --enable, with the server stopped", "data checksums are off");
}

static void check_queues(struct doctor *doctor, const struct db_rows *rows)
{
    gint64 dead = db_rows_int_of(rows, 0, "dead"), age = db_rows_int_of(rows, 0, "outbox_age");
    gint64 snapshot = db_rows_int_of(rows, 0, "oldest_snapshot");
    doctor_note(doctor, dead > 0 ? DOCTOR_WARNING : DOCTOR_OK, "dead jobs", "umpctl queue list tells why; umpctl queue retry tries again",
                "%" G_GINT64_FORMAT, dead);
    doctor_note(doctor, age > BACKLOG_WARN ? DOCTOR_WARNING : DOCTOR_OK, "outbox", "is ump-bridge running, with role outbound? umpctl queue list outbox",
                "the oldest waits for %" G_GINT64_FORMAT " s; %" G_GINT64_FORMAT " uncertain", age, db_rows_int_of(rows, 0, "uncertain"));
    doctor_note(doctor, snapshot > SNAPSHOT_WARN ? DOCTOR_WARNING : DOCTOR_OK, "old snapshots",
                "end the transaction (pg_stat_activity): the queues cannot be cleaned behind it", "%" G_GINT64_FORMAT " s", snapshot);
    gint64 roles = db_rows_int_of(rows, 0, "roles");
    doctor_note(doctor, roles == 3 ? DOCTOR_OK : DOCTOR_WRONG, "roles", "umpctl migrate makes them", "%" G_GINT64_FORMAT " of 3 program roles", roles);
    if (db_rows_int_of(rows, 0, "accounts") == 0)
        doctor_note(doctor, DOCTOR_WRONG, "account", "umpctl account add NAME --domain DOMAIN", "there is none");
    else if (db_rows_int_of(rows, 0, "users") == 0)
        doctor_note(doctor, DOCTOR_WARNING, "users", "umpctl user add ADDRESS", "there are none");
}

static bool has_doveadm(const struct doctor *doctor)
{
    const char *url = config_get_string(doctor->ctl->config, "dovecot", "doveadm_url");

    return url && *url;
}

static void check_endpoint(struct doctor *doctor, const struct db_rows *rows, unsigned r, const struct secrets *keys)
{
    const char *name = db_rows_text_of(rows, r, "name"), *status = db_rows_text_of(rows, r, "status");
    g_autoptr(GBytes) sealed = db_rows_bytea(rows, r, (unsigned)db_rows_column(rows, "secrets"));
    g_autoptr(GError) error = NULL;
    json_t *plain = keys != NULL ? endpoint_secrets_open(keys, db_rows_text_of(rows, r, "id"), sealed, &error) : NULL;
    if (strcmp(status, "enabled") != 0)
        doctor_note(doctor, DOCTOR_WARNING, name, "umpctl endpoint enable", "it is %s", status);
    else if (channel_find(db_rows_text_of(rows, r, "provider")) == NULL)
        doctor_note(doctor, DOCTOR_WRONG, name, "update this program", "provider %s is not known here", db_rows_text_of(rows, r, "provider"));
    else if (keys != NULL && plain == NULL)
        doctor_note(doctor, DOCTOR_WRONG, name, "give its credentials again: umpctl endpoint set ENDPOINT --secret …", "%s", error->message);
    else if (db_rows_bool_of(rows, r, "held"))
        doctor_note(doctor, DOCTOR_WARNING, name, "mend it at the provider, then: umpctl endpoint enable", "held: %s", db_rows_text_of(rows, r, "held_why"));
    else
        doctor_note(doctor, DOCTOR_OK, name, NULL, "credentials can be read (umpctl endpoint test asks the provider)");
    if (db_rows_bool_of(rows, r, "expires") && !has_doveadm(doctor))
        doctor_note(doctor, DOCTOR_WARNING, name, "set [dovecot] doveadm_url (conf/dovecot/91-ump-receipts.conf)",
                    "disappearing=expire, but mail cannot be removed without Dovecot's doveadm API");
    endpoint_secrets_wipe(plain);
}

static void check_endpoints(struct doctor *doctor, struct db_lease *lease)
{
    g_autoptr(db_rows) rows = NULL;
    if (ctl_query(doctor->ctl, lease, DB_STMT_CTL_DOCTOR_ENDPOINTS, db_params_new(), &rows) != 0)
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(secrets_t) keys = secrets_load(config_get_string(doctor->ctl->config, "gateway", "secrets_key_file"), &error);
    if (db_rows_count(rows) == 0)
        doctor_note(doctor, DOCTOR_WARNING, "endpoints", "umpctl endpoint add sms telnyx +1… --owner … --secret api_key=…", "there are none");
    for (unsigned r = 0; r < db_rows_count(rows); r++)
        check_endpoint(doctor, rows, r, keys);
}

static void check_database(struct doctor *doctor)
{
    struct db *db = ctl_db(doctor->ctl);
    g_autoptr(GError) error = NULL;
    if (db == NULL)
        return;
    if (db_check_schema(db, &error) != 0) {
        doctor_note(doctor, DOCTOR_WRONG, "database", "is it running, is [database] uri right, was umpctl migrate run?", "%s", error->message);
        return;
    }
    int status;
    g_autoptr(db_lease_t) lease = ctl_lease(doctor->ctl, DB_READ, &status);
    g_autoptr(db_rows) rows = NULL;
    if (lease == NULL || ctl_query(doctor->ctl, lease, DB_STMT_CTL_DOCTOR, db_params_new(), &rows) != 0) {
        doctor_note(doctor, DOCTOR_WRONG, "database", "see the message above", "it cannot be read");
        return;
    }
    doctor_note(doctor, DOCTOR_OK, "database", NULL, "connected, and its schema is one that this program knows");
    check_server(doctor, rows);
    check_queues(doctor, rows);
    check_endpoints(doctor, lease);
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *postfix = NULL;
    gboolean offline = FALSE;
    const GOptionEntry options[] = {
        {"postfix", 0, 0, G_OPTION_ARG_FILENAME, &postfix, "Postfix' configuration directory (default $MAIL_CONFIG, else /etc/postfix)", "DIR"},
        {"offline", 0, 0, G_OPTION_ARG_NONE, &offline, "leave out DNS, certificate and reachability", NULL},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 0, 0);
    if (status != 0)
        return status;
    g_autoptr(json_t) rows = json_array();
    struct doctor doctor = {.ctl = ctl, .rows = rows, .worst = DOCTOR_OK};
    check_files(&doctor);
    check_convert(&doctor);
    check_database(&doctor);
    doctor_check_sockets(&doctor);
    const char *standard = g_getenv("MAIL_CONFIG"); /* as Postfix's own commands know it */
    doctor_check_postfix(&doctor, postfix != NULL ? postfix : standard != NULL ? standard : "/etc/postfix");
    doctor_check_resolver(&doctor);
    if (!offline)
        doctor_check_web(&doctor);
    if (ctl->json)
        ctl_show_json(ctl, rows);
    return doctor.worst == DOCTOR_WRONG ? CTL_REFUSED : CTL_OK;
}

const struct ctl_command ctl_doctor_commands[] = {
    {"doctor", "[--postfix DIR] [--offline]", "checks everything that must work together, and says what to mend", run},
    {NULL, NULL, NULL, NULL}};
