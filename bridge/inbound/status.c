/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's status moves a delivery along (journey 4). */
#include <string.h>

#include "bridge/doveadm.h"
#include "bridge/doveadm.h"
#include "bridge/inbound/internal.h"
#include "bridge/metrics.h"
#include "core/clock.h"
#include "core/log.h"

#define PARK_FOR CLOCK_DAY
#define READ_PARK_FOR CLOCK_MINUTE

static void opt_int(struct db_params *params, gint64 value)
{
    if (value < 0)
        db_params_null(params);
    else
        db_params_int(params, value);
}

static struct db_params *params_of(const struct queue_job *job, const struct channel_event *event, const char *attempt)
{
    struct db_params *params = db_params_new();

    db_params_int(params, job->account_id);
    db_params_uuid(params, job->endpoint_id);
    db_params_uuid(params, attempt);
    db_params_text(params, event->provider_id);
    db_params_text(params, event->recipient);
    db_params_text(params, channel_status_name(event->status));
    db_params_time(params, event->at > 0 ? event->at : job->event_at);
    db_params_text(params, event->error_code);
    db_params_text(params, event->error_text);
    opt_int(params, event->segments);
    opt_int(params, event->cost);
    db_params_text(params, event->currency);
    return params;
}

/* Of a message that we do not know yet: it may have come before our own commit (FAILURES I13). */
static enum inbound_step park(struct queue_job *job, const struct channel_event *event)
{
    gint64 age = ump_clock_now_us() - job->event_at;

    if (age > PARK_FOR) {
        log_warning("provider_id", event->provider_id, "endpoint", job->endpoint_id, "status", "orphaned");
        metrics_inc(METRIC_STATUS_ORPHANED);
        queue_done(job);
        return STEP_DONE;
    }
    metrics_inc(METRIC_STATUS_PARKED);
    queue_retry(job, CLAMP(age, CLOCK_SECOND / 2, CLOCK_HOUR), "no such message yet", false);
    return STEP_WAIT;
}

/* The copy in Sent shows it, where Dovecot may be asked to; it is no loss when that fails. */
static void show(struct inbound *inbound, const struct queue_job *job, const char *status, const char *message_id)
{
    const char *keyword = g_strcmp0(status, "read") == 0 ? "$Read" : g_strcmp0(status, "delivered") == 0 ? "$Delivered" : NULL;
    struct db_params *params;
    g_autoptr(GError) error = NULL;

    if (!keyword || !doveadm_is_set(inbound->bridge->config))
        return;
    params = db_params_new();
    db_params_int(params, job->account_id);
    db_params_uuid(params, message_id);
    db_params_text(params, keyword);
    if (db_write(inbound->bridge->db, DB_STMT_KEYWORD_ADD, params, NULL, NULL, &error) < 0)
        log_warning("id", message_id, "keyword", keyword, "error", error->message, "status", "keyword-not-set");
}

static int apply(struct inbound *inbound, const struct queue_job *job, const struct channel_event *event, const char *attempt,
                 struct db_rows **rows, GError **error)
{
    return db_write(inbound->bridge->db, DB_STMT_APPLY_STATUS, params_of(job, event, attempt), event->provider_id, rows, error);
}

/* Of a request whose answer was lost nothing is known but when it was made: that tells which it was. */
static int apply_by_time(struct inbound *inbound, const struct queue_job *job, const struct channel_event *event,
                         struct db_rows **rows, GError **error)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) found = NULL;

    db_params_int(params, job->account_id);
    db_params_uuid(params, job->endpoint_id);
    db_params_text(params, event->recipient);
    db_params_text(params, event->provider_id);
    db_params_time(params, event->sent_at);
    if (db_write(inbound->bridge->db, DB_STMT_SENT_MATCH, params, event->provider_id, &found, error) < 0)
        return -1;
    if (!db_rows_text(found, 0, 0))
        return 0;
    g_clear_pointer(rows, db_rows_free);
    return apply(inbound, job, event, db_rows_text(found, 0, 0), rows, error);
}

static int apply_status(struct inbound *inbound, const struct queue_job *job, const struct channel_event *event,
                        struct db_rows **rows, GError **error)
{
    if (apply(inbound, job, event, json_string_value(json_object_get(job->payload, "attempt")), rows, error) < 0)
        return -1;
    if (event->sent_at == 0 || !event->recipient || g_strcmp0(db_rows_text_of(*rows, 0, "outcome"), "unknown") != 0)
        return 0;
    return apply_by_time(inbound, job, event, rows, error);
}

/* Read with the user's own phone: it is \Seen in his mailbox, and the network needs no receipt of ours. */
static enum inbound_step read_by_us(struct inbound *inbound, struct queue_job *job, const struct channel_event *event)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, job->account_id);
    db_params_uuid(params, job->endpoint_id);
    db_params_text(params, event->provider_id);
    db_params_bool(params, doveadm_is_set(inbound->bridge->config));
    if (db_write(inbound->bridge->db, DB_STMT_READ_BY_US, params, event->provider_id, &rows, &error) < 0) {
        if (!db_error_is_temporary(error))
            return inbound_fault(inbound, job, error->message);
        queue_retry(job, CLOCK_SECOND, error->message, false);
        return STEP_WAIT;
    }
    if (!db_rows_bool(rows, 0, 0) && ump_clock_now_us() - job->event_at < READ_PARK_FOR) { /* it may be on its way */
        queue_retry(job, 2 * CLOCK_SECOND, "no such message yet", false);
        return STEP_WAIT;
    }
    log_info("provider_id", event->provider_id, "endpoint", job->endpoint_id, "status",
             db_rows_bool(rows, 0, 0) ? "read-by-us" : "read-unknown");
    queue_done(job);
    return STEP_DONE;
}

enum inbound_step inbound_status(struct inbound *inbound, struct queue_job *job)
{
    g_autoptr(endpoint_t) endpoint = endpoints_get(inbound->bridge->endpoints, job->endpoint_id);
    g_autoptr(GError) error = NULL;
    g_autoptr(db_rows) rows = NULL;
    struct channel_event *event;
    enum inbound_step result = STEP_DONE;
    const char *outcome;

    if (!endpoint || !endpoint->channel.ops || !job->body)
        return inbound_fault(inbound, job, "its endpoint is not known");
    event = inbound_event(endpoint, job, &error);
    if (!event)
        return inbound_fault(inbound, job, error->message);
    if (event->status == CHANNEL_STATUS_NONE || !(event->provider_id || job->payload)) {
        queue_done(job);
    } else if (event->by_us) {
        result = read_by_us(inbound, job, event);
    } else if (apply_status(inbound, job, event, &rows, &error) < 0) {
        if (db_error_is_temporary(error)) {
            queue_retry(job, CLOCK_SECOND, error->message, false);
            result = STEP_WAIT;
        } else {
            result = inbound_fault(inbound, job, error->message);
        }
    } else {
        outcome = db_rows_text_of(rows, 0, "outcome");
        if (g_strcmp0(outcome, "unknown") == 0) {
            result = park(job, event);
        } else {
            metrics_inc(g_strcmp0(outcome, "applied") == 0 ? METRIC_STATUS_APPLIED : METRIC_STATUS_STALE);
            log_info("id", db_rows_text_of(rows, 0, "message_id"), "provider_id", event->provider_id, "code",
                     event->error_code, "provider_status", channel_status_name(event->status), "status", outcome);
            show(inbound, job, db_rows_text_of(rows, 0, "shown"), db_rows_text_of(rows, 0, "message_id"));
            queue_done(job);
        }
    }
    channel_event_free(event);
    return result;
}
