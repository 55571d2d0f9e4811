/* SPDX-License-Identifier: Apache-2.0 */
/* The receipts room: its queue, delivery, digests and summaries. */
#include "bridge/receipts/receipts.h"

#include <string.h>

#include "bridge/metrics.h"
#include "bridge/receipts/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"

#define GATHER "gather/"
#define SOON CLOCK_SECOND
#define RETRY_MIN (30 * CLOCK_SECOND)
#define EXPIRE (14 * CLOCK_DAY)
#define MAX_FAULTS 5

static gint64 pause_of(const struct queue_job *job)
{
    return CLAMP(ump_clock_now_us() - ump_clock_offset() - job->created_at, RETRY_MIN, CLOCK_HOUR);
}

static void fault(struct queue_job *job, const char *why)
{
    if (job->attempts >= MAX_FAULTS) {
        log_error("id", job->message_id, "kind", job->kind, "error", why, "status", "dead");
        metrics_inc(METRIC_REPORTS_DEAD);
        queue_dead(job, why);
    } else {
        queue_retry(job, RETRY_MIN, why, true);
    }
}

/* True: the report is on its way or will never be; false: the job was put back. */
static bool open_job(struct receipts *receipts, struct queue_job *job, struct report *report)
{
    g_autoptr(GError) error = NULL;
    int result = report_open(receipts, job, report, &error);

    if (result == 0)
        return true;
    report_close(report);
    if (result > 0)
        queue_retry(job, SOON, error->message, false);
    else
        fault(job, error->message);
    return false;
}

/* --- delivery --- */

static void deliver(struct receipts *receipts, const struct report *report, GBytes *mail, const char *to,
                    struct deliver_result *result)
{
    if (deliver_is_local(receipts->bridge, to))
        deliver_local(receipts->bridge, receipts->lmtp, mail, report->id, report->job->account_id, "", to, report->at,
                      result);
    else
        deliver_smtp(receipts->bridge, mail, to, result);
}

static void mark_sent(struct receipts *receipts, const struct queue_job *job, const char *recipient)
{
    struct db_params *params = db_params_new();

    db_params_int(params, job->account_id);
    db_params_uuid(params, job->message_id);
    db_params_text(params, recipient);
    db_params_text(params, job->kind);
    db_write(receipts->bridge->db, DB_STMT_NOTICE_SENT, params, NULL, NULL, NULL);
}

static void settle(struct queue_job *job, const char *to, struct deliver_result *result)
{
    gint64 age = ump_clock_now_us() - ump_clock_offset() - job->created_at;

    log_info("id", job->message_id, "report", job->kind, "to", LOG_ADDRESS(to), "reply", result->reply, "status",
             result->outcome == DELIVERED      ? "reported"
             : result->outcome == DELIVER_LATER ? "deferred"
                                                : "refused");
    if (result->outcome == DELIVERED) {
        queue_done(job);
    } else if (result->outcome == DELIVER_REFUSED || age > EXPIRE) {
        metrics_inc(METRIC_REPORTS_DEAD);
        queue_dead(job, result->reply);
    } else {
        queue_retry(job, result->unreachable ? CLAMP(age / 4, SOON, CLOCK_MINUTE) : pause_of(job), result->reply, false);
    }
}

/* --- gathering --- */

static bool is_failure(const struct queue_job *job)
{
    return strcmp(job->kind, "failed") == 0 || strcmp(job->kind, "expired") == 0;
}

/* How many failures this mailbox was told of in this hour; -1: the database does not say. */
static gint64 count(struct receipts *receipts, const struct report *report)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;

    db_params_int(params, report->job->account_id);
    db_params_text(params, report->to);
    if (db_write(receipts->bridge->db, DB_STMT_REPORT_COUNT, params, NULL, &rows, NULL) < 0)
        return -1;
    return db_rows_int(rows, 0, 0);
}

/* Until the next of the instants that lie interval apart, counted from base: all that are gathered
 * until then are told of together. */
static gint64 until_next(gint64 base, gint64 interval)
{
    gint64 since = ump_clock_now_us() - base;

    return interval > 0 ? interval - since % interval : 0;
}

/* True: the job went to a lane where its like are gathered into one mail. */
static bool gather(struct receipts *receipts, const struct report *report)
{
    struct queue_job *job = report->job;
    gint64 recipients = json_integer_value(json_object_get(report->metadata, "recipients"));
    const char *txn = report_meta(report, "txn");
    g_autofree char *lane = NULL;
    gint64 wait;

    if (!is_failure(job) || !report_is_wanted(report, "FAILURE"))
        return false;
    if (recipients > receipts->summary_above && txn) {
        lane = g_strdup_printf(GATHER "%" G_GINT64_FORMAT "/mail/%s", job->account_id, txn);
        wait = until_next(json_integer_value(json_object_get(report->metadata, "arrived")), receipts->summary_wait);
    } else if (count(receipts, report) > receipts->digest_above) {
        lane = g_strdup_printf(GATHER "%" G_GINT64_FORMAT "/to/%s", job->account_id, report->to);
        wait = until_next(0, receipts->digest_interval);
    } else {
        return false;
    }
    metrics_inc(METRIC_REPORTS_DIGESTED);
    queue_move(job, job->kind, lane, json_object(), wait);
    return true;
}

static void send_digest(struct receipts *receipts, struct report *reports, guint n)
{
    g_autofree struct mail_report_recipient *list = g_new0(struct mail_report_recipient, n);
    g_autofree struct report_words *words = g_new0(struct report_words, n);
    struct mail_report_context context;
    struct deliver_result result;
    g_autoptr(GBytes) mail = NULL;

    for (guint i = 0; i < n; i++)
        report_recipient(&reports[i], MAIL_REPORT_FAILED, &words[i], &list[i]);
    report_context(&reports[0], receipts->bridge, &context);
    if (strstr(reports[0].job->lane, "/mail/")) {
        mail = mail_report_dsn(&context, list, n);
    } else {
        context.anchor = context.original_id = context.conversation_id = NULL; /* of many threads */
        mail = mail_report_digest(&context, list, n);
    }
    deliver(receipts, &reports[0], mail, reports[0].to, &result);
    for (guint i = 0; i < n; i++) {
        if (result.outcome == DELIVERED)
            mark_sent(receipts, reports[i].job, reports[i].recipient);
        settle(reports[i].job, reports[i].to, &result);
        report_words_clear(&words[i]);
    }
    if (result.outcome == DELIVERED)
        metrics_inc(METRIC_REPORTS_SENT);
    g_free(result.reply);
}

static void work_gathered(struct receipts *receipts, GPtrArray *jobs)
{
    g_autofree struct report *reports = g_new0(struct report, jobs->len);
    guint n = 0;

    for (guint i = 0; i < jobs->len; i++)
        if (open_job(receipts, jobs->pdata[i], &reports[n]))
            n++;
    if (n > 0 && reports[0].to)
        send_digest(receipts, reports, n);
    else
        for (guint i = 0; i < n; i++)
            queue_done(reports[i].job);
    for (guint i = 0; i < n; i++)
        report_close(&reports[i]);
}

/* --- one by one --- */

static void work_one(struct receipts *receipts, struct queue_job *job)
{
    struct report report;
    struct deliver_result result;
    g_autoptr(GBytes) mail = NULL;
    const char *to;

    if (!open_job(receipts, job, &report))
        return;
    if (!report.to || gather(receipts, &report)) {
        if (!report.to)
            queue_done(job);
        report_close(&report);
        return;
    }
    mail = report_compose(receipts, &report);
    to = strcmp(job->kind, "team-copy") == 0 ? report_text(&report, "owner_mailbox") : report.to;
    if (strcmp(job->kind, "read") == 0 && report_meta(&report, "read_report_to"))
        to = report_meta(&report, "read_report_to");
    if (!mail || !to) {
        queue_done(job); /* not asked for */
    } else {
        deliver(receipts, &report, mail, to, &result);
        if (result.outcome == DELIVERED) {
            mark_sent(receipts, job, report.recipient);
            metrics_inc(METRIC_REPORTS_SENT);
        }
        settle(job, to, &result);
        g_free(result.reply);
    }
    report_close(&report);
}

static void work_alarm(struct receipts *receipts, struct queue_job *job)
{
    if (alarm_work(receipts, job))
        queue_done(job);
    else
        queue_retry(job, pause_of(job), "a mailbox could not be reached", false);
}

static void work(void *data, GPtrArray *jobs)
{
    struct receipts *receipts = data;
    struct queue_job *first = jobs->pdata[0];

    if (g_str_has_prefix(first->lane, GATHER)) {
        work_gathered(receipts, jobs);
        return;
    }
    for (guint i = 0; i < jobs->len; i++) { /* different kinds of one message: none waits for another */
        struct queue_job *job = jobs->pdata[i];
        if (alarm_is(job))
            work_alarm(receipts, job);
        else if (keyword_is(job))
            keyword_work(receipts, job);
        else if (expiry_is(job))
            expiry_work(receipts, job);
        else
            work_one(receipts, job);
    }
}

struct receipts *receipts_start(struct bridge *bridge, GError **error)
{
    const struct config *config = bridge->config;
    struct receipts *receipts = g_new0(struct receipts, 1);
    const guint workers = (guint)config_get_int(config, "receipts", "workers");
    const struct queue_options options = {
        .name = "receipts",
        .workers = workers,
        .batch = 64,
        .lease = config_get_duration(config, "inbound", "lease"),
        .heartbeat = config_get_duration(config, "inbound", "heartbeat"),
        .poll = config_get_duration(config, "inbound", "poll"),
        .work = work,
        .data = receipts,
    };

    receipts->bridge = bridge;
    receipts->digest_above = config_get_int(config, "receipts", "digest_above");
    receipts->digest_interval = config_get_duration(config, "receipts", "digest_interval");
    receipts->summary_above = config_get_int(config, "receipts", "summary_above");
    receipts->summary_wait = config_get_duration(config, "receipts", "summary_wait");
    receipts->notice_ttl = config_get_duration(config, "receipts", "notice_ttl");
    receipts->lmtp = deliver_client_new(bridge, workers, error);
    if (receipts->lmtp && doveadm_is_set(config))
        receipts->doveadm = doveadm_new(config, error);
    if (!receipts->lmtp || (doveadm_is_set(config) && !receipts->doveadm) || read_out_start(receipts, error) < 0) {
        receipts_free(receipts);
        return NULL;
    }
    receipts->queue = queue_start(bridge, &options);
    return receipts;
}

void receipts_stop(struct receipts *receipts, unsigned grace_ms)
{
    asker_stop(receipts->read_out);
    queue_stop(receipts->queue, grace_ms);
}

void receipts_free(struct receipts *receipts)
{
    if (!receipts)
        return;
    asker_free(receipts->read_out);
    g_clear_pointer(&receipts->read_due, g_hash_table_unref);
    queue_free(receipts->queue);
    doveadm_free(receipts->doveadm);
    lmtp_client_free(receipts->lmtp);
    g_free(receipts);
}
