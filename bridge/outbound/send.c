/* SPDX-License-Identifier: Apache-2.0 */
/* From a free slot to the provider's answer. */
#include <string.h>

#include "bridge/metrics.h"
#include "bridge/outbound/internal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#define MARK_BATCH 64
#define MARK_TIMEOUT_MS 5000

/* Jobs whose outbox_sending is under way. */
struct mark {
    struct outbound *outbound;
    GPtrArray *jobs;
};

/* The job is over for us, one way or another. */
static void drop(struct job *job, enum sched_end end)
{
    struct outbound *outbound = job->outbound;
    bool opened;
    g_autofree char *endpoint = g_strdup(job->place->id);

    outbound_lock(outbound);
    opened = sched_job_done(outbound->sched, job->place, outbound_now(), end);
    g_queue_delete_link(&outbound->held, job->link);
    outbound_unlock(outbound);
    if (opened)
        log_warning("endpoint", endpoint, "error", "the provider does not take requests", "status", "circuit-open");
    job_free(job);
}

/* ---- The answer ---- */

static void hold_done(void *data, struct db_rows *rows, const GError *error)
{
    struct outbound *outbound = data;

    db_rows_free(rows);
    if (error)
        log_warning("what", "endpoint_hold", "error", error->message, "status", "failed");
    outbound_lock(outbound);
    outbound->writes--;
    outbound_unlock(outbound);
    outbound_changed(outbound);
}

/* The whole sender must wait: nothing is claimed for it, and what is here goes back.  Unless it was changed while the
 * request was under way: then what was wrong with it may be mended. */
static void hold_endpoint(struct job *job, gint64 hold_us, const char *why)
{
    struct outbound *outbound = job->outbound;
    g_autoptr(endpoint_t) now = endpoints_get(outbound->bridge->endpoints, job->endpoint->channel.id);
    g_autoptr(GError) error = NULL;
    GQueue waiting;

    if (now && now->version != job->endpoint->version) {
        log_notice("endpoint", job->endpoint->channel.id, "error", why, "status", "changed-since");
        return;
    }
    struct db_params *params = db_params_new();
    log_error("endpoint", job->endpoint->channel.id, "for", LOG_MS(hold_us), "error", why, "status", "held");
    db_params_int(params, job->endpoint->channel.account_id);
    db_params_uuid(params, job->endpoint->channel.id);
    db_params_int(params, job->endpoint->version);
    db_params_interval(params, hold_us);
    db_params_text(params, why);
    outbound_lock(outbound);
    outbound->writes++;
    waiting = sched_take_jobs(outbound->sched, job->place);
    sched_pause(outbound->sched, job->place, outbound_now() + MIN(hold_us, CLOCK_MINUTE));
    outbound_unlock(outbound);
    if (db_write_async(outbound->bridge->db, DB_STMT_ENDPOINT_HOLD, params, NULL, 0, hold_done, outbound, &error) < 0)
        hold_done(outbound, NULL, error);
    send_release(outbound, &waiting, 0);
}

static void count(const struct verdict *verdict, gint64 took)
{
    metrics_add(METRIC_OUTBOUND_IN_FLIGHT, -1);
    metrics_add(METRIC_OUTBOUND_US, took);
    if (verdict->hold_us > 0)
        metrics_inc(METRIC_OUTBOUND_HELD);
    else if (verdict->outcome == CHANNEL_ACCEPTED)
        metrics_inc(METRIC_OUTBOUND_ACCEPTED);
    else if (verdict->outcome == CHANNEL_FAILED)
        metrics_inc(METRIC_OUTBOUND_FAILED);
    else if (verdict->outcome == CHANNEL_RETRY)
        metrics_inc(METRIC_OUTBOUND_RETRY);
    else
        metrics_inc(METRIC_OUTBOUND_UNCERTAIN);
}

static void log_outcome(const struct job *job, const struct http_response *response, const struct channel_result *result,
                        const char *text, const struct verdict *verdict, gint64 took)
{
    log_event(verdict->outcome == CHANNEL_UNCERTAIN || result->config ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "id",
              job->message_id, "endpoint", job->endpoint->channel.id, "to", LOG_NUMBER(job->recipient), "part",
              job->part > 0 ? LOG_INT(job->part) : NULL, "attempt", job->attempt, "http", response->status ? LOG_INT(response->status) : NULL, "provider_id",
              result->provider_id, "code", result->code, "error", verdict->outcome == CHANNEL_ACCEPTED ? NULL : text,
              "again", verdict->after_us > 0 ? LOG_MS(verdict->after_us) : NULL, "took", LOG_MS(took), "status",
              channel_outcome_name(verdict->outcome));
}

static void keep_result(struct job *job, const struct http_response *response, const struct channel_result *result,
                        const char *text, const struct verdict *verdict)
{
    const struct channel_error *known = channel_error_find(job->endpoint->channel.ops, result->code);
    struct result_record record = {
        .id = job->id,
        .fence = job->fence,
        .account = job->endpoint->channel.account_id,
        .attempt = job->attempt,
        .outcome = channel_outcome_name(verdict->outcome),
        .http = (int)response->status,
        .provider_id = verdict->outcome == CHANNEL_ACCEPTED || verdict->outcome == CHANNEL_UNCERTAIN ? result->provider_id : NULL,
        .code = result->code,
        .text = text,
        .segments = result->segments,
        .cost = result->cost,
        .currency = result->currency,
        .alias = result->alias,
        .members = result->members,
        .opt_out = verdict->outcome == CHANNEL_FAILED && known && known->opted_out && !job->group,
        .after_us = verdict->after_us,
    };
    results_put(job->outbound, &record);
}

/* The last word on this attempt. */
static void conclude(struct job *job, const struct http_response *response, struct channel_result *result,
                     enum http_class class)
{
    struct outbound *outbound = job->outbound;
    const struct channel_error *known = channel_error_find(job->endpoint->channel.ops, result->code);
    gint64 took = outbound_now() - job->sent_at;
    struct verdict verdict;
    const char *text;

    verdict_decide(class, result, (int)response->status, job->attempts, &outbound->limits, g_random_double(), &verdict);
    text = known && known->opted_out ? known->reason : result->text ? result->text : response->error;
    keep_result(job, response, result, text, &verdict);
    log_outcome(job, response, result, text, &verdict, took);
    count(&verdict, took);
    if (verdict.hold_us > 0)
        hold_endpoint(job, verdict.hold_us, text ? text : "refused");
    drop(job, verdict.provider_down ? SCHED_END_SAFE : SCHED_END_GOOD);
    results_flush(outbound);
    send_start(outbound);
    outbound_changed(outbound);
}

static void on_answer(void *data, const struct http_response *response)
{
    struct job *job = data;
    const struct channel_endpoint *channel = &job->endpoint->channel;
    g_auto(channel_result_t) result;
    enum http_class class;

    channel_result_init(&result);
    channel->ops->parse_response(response, channel, &result);
    class = http_outcome(response, result.outcome != CHANNEL_UNCERTAIN, channel->ops->safe_503);
    if (class == HTTP_AMBIGUOUS && channel->ops->idempotent)
        class = HTTP_SAFE; /* the provider drops the second of two with the same attempt id */
    conclude(job, response, &result, class);
}

static void send_request(struct job *job);

/* Nothing has gone to the recipient yet: what is not clear may be done again. */
static void on_uploaded(void *data, const struct http_response *response)
{
    struct job *job = data;
    const struct channel_endpoint *channel = &job->endpoint->channel;
    g_auto(channel_result_t) result;
    char *id;

    channel_result_init(&result);
    id = channel->ops->parse_upload(response, channel, &result);
    channel_request_clear(&job->request);
    if (id) {
        g_ptr_array_add(job->media_ids, id);
        channel_request_init(&job->request);
        send_request(job);
        return;
    }
    conclude(job, response, &result, result.outcome == CHANNEL_UNCERTAIN ? HTTP_SAFE : HTTP_DEFINITE);
}

/* The message cannot be said to this provider after all, or the endpoint cannot send now. */
static void on_unbuilt(struct job *job, const GError *error)
{
    const struct http_response none = {0};
    g_auto(channel_result_t) result;

    channel_result_init(&result);
    result.outcome = g_error_matches(error, UMP_ERROR, UMP_ERROR_INVALID) ? CHANNEL_FAILED : CHANNEL_RETRY;
    result.code = g_strdup("unsendable");
    result.text = g_strdup(error->message);
    conclude(job, &none, &result, HTTP_DEFINITE);
}

static void transmit(struct job *job, http_done_cb *done)
{
    struct outbound *outbound = job->outbound;
    const struct channel_endpoint *channel = &job->endpoint->channel;
    struct http_request request;

    g_ptr_array_add(job->request.headers, NULL);
    request = (struct http_request){
        .method = job->request.method,
        .url = job->request.url,
        .base_url = channel_base_url_is_own(channel) ? channel_base_url(channel) : NULL,
        .headers = (const char *const *)job->request.headers->pdata,
        .body = job->request.body,
        .timeout_ms = job->request.timeout_ms ? job->request.timeout_ms : outbound->request_timeout_ms,
        .connect_timeout_ms = outbound->connect_timeout_ms,
    };
    http_send(outbound->http, &request, done, job);
}

/* No answer, or none that is understood: the template goes, as it would without the question. */
static void on_window(void *data, const struct http_response *response)
{
    struct job *job = data;
    enum channel_window window = job->endpoint->channel.ops->parse_window(response);
    static const char *const words[] = {"unknown", "open", "closed"};

    log_info("id", job->message_id, "endpoint", job->endpoint->channel.id, "to", LOG_NUMBER(job->recipient), "window",
             words[window], "status", "window-asked");
    job_window_is(job, window);
    send_request(job);
}

static void send_request(struct job *job)
{
    g_autoptr(GError) error = NULL;
    bool last = false, asks = job_wants_window(job);

    if ((asks ? job_ask_window(job, &error) : job_next_request(job, &last, &error)) < 0)
        on_unbuilt(job, error);
    else
        transmit(job, asks ? on_window : last ? on_answer : on_uploaded);
}

static void start_request(struct job *job)
{
    job->sent_at = outbound_now();
    metrics_add(METRIC_OUTBOUND_IN_FLIGHT, 1);
    send_request(job);
}

/* ---- Marking ---- */

/* Nothing was sent, and whether it was marked is not known: both is undone. */
static void unmark(struct job *job, const GError *error)
{
    struct outbound *outbound = job->outbound;
    struct result_record record = {
        .id = job->id, .fence = job->fence, .account = job->endpoint->channel.account_id, .attempt = job->attempt,
        .outcome = "retry", .text = "the database did not answer", .segments = -1, .cost = -1,
        .after_us = outbound->limits.retry_min,
    };
    GQueue again = G_QUEUE_INIT;

    log_warning("id", job->message_id, "error", error->message, "status", "deferred");
    results_put(outbound, &record);
    outbound_lock(outbound);
    sched_job_done(outbound->sched, job->place, outbound_now(), SCHED_END_NOTHING);
    outbound_unlock(outbound);
    g_queue_push_tail(&again, job);
    send_release(outbound, &again, outbound->limits.retry_min);
}

static const char *verdict_of(const struct db_rows *rows, gint64 id)
{
    for (unsigned row = 0; row < db_rows_count(rows); row++)
        if (db_rows_int(rows, row, 0) == id)
            return db_rows_text(rows, row, 1);
    return "stale";
}

static void on_marked(void *data, struct db_rows *rows, const GError *error)
{
    struct mark *mark = data;
    struct outbound *outbound = mark->outbound;

    for (guint i = 0; i < mark->jobs->len; i++) {
        struct job *job = mark->jobs->pdata[i];
        const char *verdict = error ? NULL : verdict_of(rows, job->id);
        if (error) {
            unmark(job, error);
        } else if (strcmp(verdict, "send") == 0) {
            start_request(job);
        } else {
            log_info("id", job->message_id, "endpoint", job->endpoint->channel.id, "to", LOG_NUMBER(job->recipient),
                     "status", verdict);
            outbound_lock(outbound);
            sched_lanes_moved(outbound->sched);
            outbound_unlock(outbound);
            drop(job, SCHED_END_NOTHING);
        }
    }
    db_rows_free(rows);
    g_ptr_array_unref(mark->jobs);
    g_free(mark);
    outbound_lock(outbound);
    outbound->marking--;
    outbound->writes--;
    outbound_unlock(outbound);
    results_flush(outbound);
    send_start(outbound);
    outbound_changed(outbound);
}

/* With the lock: the next jobs, each with its slot; NULL: none. */
static GPtrArray *take_jobs(struct outbound *outbound)
{
    GPtrArray *jobs = NULL;
    gint64 now = outbound_now(), wake = G_MAXINT64;

    if (outbound->marking > 0 || outbound->stopping)
        return NULL; /* one at a time: meanwhile the next ones gather */
    for (guint n = 0; n < MARK_BATCH; n++) {
        struct sched_endpoint *place;
        struct job *job = sched_next_job(outbound->sched, now, &place, &wake);
        if (!job)
            break;
        if (!jobs)
            jobs = g_ptr_array_new();
        g_ptr_array_add(jobs, job);
    }
    if (jobs) {
        outbound->marking++;
        outbound->writes++;
    }
    return jobs;
}

void send_start(struct outbound *outbound)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *jobs;
    struct mark *mark;

    outbound_lock(outbound);
    jobs = take_jobs(outbound);
    outbound_unlock(outbound);
    if (!jobs)
        return;
    mark = g_new0(struct mark, 1);
    mark->outbound = outbound;
    mark->jobs = jobs;
    struct db_params *params = db_params_new();
    g_autofree gint64 *ids = g_new(gint64, jobs->len), *fences = g_new(gint64, jobs->len);
    g_autoptr(GPtrArray) attempts = g_ptr_array_new();
    for (guint i = 0; i < jobs->len; i++) {
        const struct job *job = jobs->pdata[i];
        ids[i] = job->id;
        fences[i] = job->fence;
        g_ptr_array_add(attempts, job->attempt);
    }
    g_ptr_array_add(attempts, NULL);
    db_params_ints(params, ids, jobs->len);
    db_params_ints(params, fences, jobs->len);
    db_params_texts(params, (const char *const *)attempts->pdata);
    if (db_write_async(outbound->bridge->db, DB_STMT_OUTBOX_SENDING, params, NULL, MARK_TIMEOUT_MS, on_marked, mark,
                       &error) < 0)
        on_marked(mark, NULL, error);
}

/* ---- Giving back ---- */

static void on_released(void *data, struct db_rows *rows, const GError *error)
{
    struct outbound *outbound = data;

    db_rows_free(rows);
    if (error)
        log_warning("what", "outbox_release", "error", error->message, "status", "deferred"); /* the leases run out */
    outbound_lock(outbound);
    outbound->writes--;
    outbound_unlock(outbound);
    outbound_changed(outbound);
}

void send_release(struct outbound *outbound, GQueue *jobs, gint64 after_us)
{
    g_autoptr(GError) error = NULL;
    guint n = jobs->length;
    g_autofree gint64 *ids = g_new(gint64, n + 1), *fences = g_new(gint64, n + 1);
    struct db_params *params;
    struct job *job;

    if (n == 0)
        return;
    outbound_lock(outbound);
    for (guint i = 0; (job = g_queue_pop_head(jobs)); i++) {
        ids[i] = job->id;
        fences[i] = job->fence;
        g_queue_delete_link(&outbound->held, job->link);
        job_free(job);
    }
    outbound->writes++;
    outbound_unlock(outbound);
    params = db_params_new();
    db_params_ints(params, ids, n);
    db_params_ints(params, fences, n);
    db_params_interval(params, after_us);
    if (db_write_async(outbound->bridge->db, DB_STMT_OUTBOX_RELEASE, params, NULL, 0, on_released, outbound, &error) < 0)
        on_released(outbound, NULL, error);
}
