/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that disappear on the network, and here as well (endpoint setting disappearing = expire).  The network's clock
 * begins when a message is read: a mail that has been read goes when the time since its arrival is over; one that has
 * not stays, is looked at again and again, and goes that time after it was found read.  Nothing goes unread.  With the
 * mail go the text and the media that are stored here.
 */
#include <string.h>

#include "bridge/receipts/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/media_store.h"

#define LOOK_MIN (10 * CLOCK_SECOND)
#define LOOK_MAX CLOCK_HOUR
#define AGAIN (30 * CLOCK_SECOND) /* Dovecot or the database cannot be asked */

static const char *payload_text(const struct queue_job *job, const char *key)
{
    return json_string_value(json_object_get(job->payload, key));
}

static bool payload_true(const struct queue_job *job, const char *key)
{
    return json_is_true(json_object_get(job->payload, key));
}

bool expiry_is(const struct queue_job *job)
{
    return strcmp(job->kind, "expire") == 0;
}

/* One command about the mail in whatever folder it is; with a flag: only if it has that. */
static json_t *command(const struct queue_job *job, const char *name, const char *flag)
{
    json_t *query = json_pack("[s, s, s, s, s]", "mailbox", "*", "header", "Message-ID", payload_text(job, "mail_id"));

    if (flag)
        json_array_append_new(query, json_string(flag));
    return json_pack("[s, {s:s, s:o}, s]", name, "user", payload_text(job, "user"), "query", query, flag ? flag : "all");
}

/* The row was there when the job was made; the job, if it is repeated, puts it back again. */
static void look_again(struct receipts *receipts, struct queue_job *job, gint64 after, bool ripe)
{
    struct db_params *params = db_params_new();
    const char *created = payload_text(job, "created");
    g_autoptr(GError) error = NULL;
    gint64 at = 0;

    db_params_int(params, job->account_id);
    db_params_uuid(params, job->message_id);
    db_params_text(params, payload_text(job, "user"));
    db_params_int(params, json_integer_value(json_object_get(job->payload, "seconds")));
    db_params_interval(params, after);
    db_params_bool(params, ripe);
    if (created && db_time_parse(created, &at))
        db_params_time(params, at);
    else
        db_params_null(params);
    if (db_write(receipts->bridge->db, DB_STMT_EXPIRY_SET, params, NULL, NULL, &error) < 0)
        queue_retry(job, AGAIN, error->message, false);
    else
        queue_done(job);
}

static void remove_media(struct receipts *receipts, const struct queue_job *job, const struct db_rows *rows)
{
    for (unsigned row = 0; row < db_rows_count(rows); row++) {
        g_autoptr(GError) error = NULL;
        if (media_store_remove(receipts->bridge->media, db_rows_text(rows, row, 0), &error) < 0)
            log_error("id", job->message_id, "error", error->message, "status", "media-not-removed");
    }
}

static void forget(struct receipts *receipts, struct queue_job *job, const char *status)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, job->account_id);
    db_params_uuid(params, job->message_id);
    if (db_write(receipts->bridge->db, DB_STMT_MESSAGE_EXPIRE, params, NULL, &rows, &error) < 0) {
        queue_retry(job, AGAIN, error->message, !db_error_is_temporary(error));
        return;
    }
    remove_media(receipts, job, rows);
    log_info("id", job->message_id, "to", LOG_ADDRESS(payload_text(job, "user")), "status", status);
    queue_done(job);
}

/* NULL: Dovecot cannot be asked, and the job was put back. */
static json_t *ask(struct receipts *receipts, struct queue_job *job, json_t *commands)
{
    g_autoptr(GError) error = NULL;
    json_t *results = doveadm_run(receipts->doveadm, commands, &error);

    if (!results) {
        log_warning("id", job->message_id, "error", error->message, "status", "doveadm-failed");
        queue_retry(job, AGAIN, error->message, false);
    }
    return results;
}

static void expunge(struct receipts *receipts, struct queue_job *job)
{
    g_autoptr(json_t) results = ask(receipts, job, json_pack("[o]", command(job, "expunge", "seen")));

    if (results)
        forget(receipts, job, "expired");
}

void expiry_work(struct receipts *receipts, struct queue_job *job)
{
    gint64 age = json_integer_value(json_object_get(job->payload, "age")) * CLOCK_SECOND;
    gint64 timer = json_integer_value(json_object_get(job->payload, "seconds")) * CLOCK_SECOND;
    g_autoptr(json_t) results = NULL;

    if (!receipts->doveadm) { /* the setting has gone since, or never was */
        forget(receipts, job, "mail-stays");
        return;
    }
    results = ask(receipts, job, json_pack("[o, o]", command(job, "search", NULL), command(job, "search", "seen")));
    if (!results)
        return;
    if (json_array_size(json_array_get(results, 0)) == 0)
        forget(receipts, job, "expired"); /* the user was faster */
    else if (json_array_size(json_array_get(results, 1)) == 0)
        look_again(receipts, job, CLAMP(age / 8, LOOK_MIN, LOOK_MAX), false);
    else if (payload_true(job, "late") && !payload_true(job, "ripe"))
        look_again(receipts, job, timer, true);
    else
        expunge(receipts, job);
}
