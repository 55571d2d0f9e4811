/* SPDX-License-Identifier: Apache-2.0 */
/* The inbound room: its queue, and what is done with each kind of event. */
#include "bridge/inbound/internal.h"

#include <string.h>

#include "bridge/metrics.h"
#include "core/clock.h"
#include "core/log.h"

#define CRASHES 4 /* times the attempts that a job gets which never came to an end */

gint64 inbound_pause(const struct inbound *inbound, const struct queue_job *job)
{
    gint64 age = ump_clock_now_us() - job->event_at;

    return CLAMP(age, inbound->retry_min, inbound->retry_max);
}

enum inbound_step inbound_fault(struct inbound *inbound, struct queue_job *job, const char *why)
{
    if (job->attempts >= inbound->attempts) {
        log_error("job", LOG_INT(job->id), "endpoint", job->endpoint_id, "event", job->event_key, "error", why,
                  "status", "dead");
        metrics_inc(METRIC_INBOUND_DEAD);
        queue_dead(job, why);
        return STEP_DONE;
    }
    log_warning("job", LOG_INT(job->id), "endpoint", job->endpoint_id, "error", why, "status", "failed");
    queue_retry(job, inbound->retry_min / 10 * job->attempts, why, true);
    return STEP_WAIT;
}

/* Signed events that we could not read were answered 200: they are kept, and the operator is told. */
static enum inbound_step odd_event(struct queue_job *job)
{
    log_error("job", LOG_INT(job->id), "endpoint", job->endpoint_id, "event", job->event_key, "bytes",
              LOG_INT(job->body ? (gint64)g_bytes_get_size(job->body) : 0), "error", job->kind, "status", "set-aside");
    metrics_inc(METRIC_INBOUND_DEAD);
    queue_dead(job, job->kind);
    return STEP_DONE;
}

static enum inbound_step step(struct lane *lane, struct queue_job *job)
{
    struct inbound *inbound = lane->inbound;

    if (job->attempts > inbound->attempts * CRASHES)
        return inbound_fault(inbound, job, "the program ended each time while it was worked on");
    if (strcmp(job->kind, "message") == 0 || strcmp(job->kind, "media") == 0)
        return inbound_message(lane, job);
    if (strcmp(job->kind, "status") == 0)
        return inbound_status(inbound, job);
    if (strcmp(job->kind, "template") == 0)
        return inbound_template(inbound, job);
    if (strcmp(job->kind, "other") == 0) {
        queue_done(job);
        return STEP_DONE;
    }
    return odd_event(job);
}

void inbound_lane_run(struct lane *lane)
{
    enum inbound_step result = STEP_DONE;

    if (lane->item) { /* back from its media */
        struct inbound_item *item = lane->item;
        lane->item = NULL;
        result = inbound_media_there(item);
        inbound_item_free(item);
    }
    while (result == STEP_DONE && lane->next < lane->jobs->len) {
        struct queue_job *job = lane->jobs->pdata[lane->next++];
        result = step(lane, job);
    }
    if (result == STEP_ASYNC)
        return;
    while (lane->next < lane->jobs->len)
        queue_release(lane->jobs->pdata[lane->next++]);
    g_ptr_array_unref(lane->jobs);
    g_free(lane);
}

static void work(void *data, GPtrArray *jobs)
{
    struct lane *lane = g_new0(struct lane, 1);

    lane->inbound = data;
    lane->jobs = g_ptr_array_ref(jobs);
    inbound_lane_run(lane);
}

static void read_config(struct inbound *inbound, const struct config *config)
{
    inbound->media_wait = config_get_duration(config, "inbound", "media_wait");
    inbound->media_give_up = config_get_duration(config, "inbound", "media_give_up");
    inbound->retry_min = config_get_duration(config, "inbound", "retry_min");
    inbound->retry_max = config_get_duration(config, "inbound", "retry_max");
    inbound->expire = config_get_duration(config, "inbound", "expire");
    inbound->attempts = config_get_int(config, "inbound", "attempts");
    inbound->media_max = config_get_size(config, "media", "max_size");
    inbound->mail_room = config_get_size(config, "lmtp", "max_size") / 10 * 7; /* as base64 in lines, text and headers beside it */
    inbound->fetch_timeout = config_get_duration(config, "media", "fetch_timeout");
    inbound->fetch_max = (guint)config_get_int(config, "media", "fetch_concurrency");
    inbound->window = config_get_duration(config, "conversation", "window");
    inbound->segment_messages = config_get_int(config, "conversation", "segment_messages");
    inbound->segment_silence = config_get_duration(config, "conversation", "segment_silence");
}

struct inbound *inbound_start(struct bridge *bridge, GError **error)
{
    const struct config *config = bridge->config;
    struct inbound *inbound = g_new0(struct inbound, 1);
    const guint workers = (guint)config_get_int(config, "inbound", "workers");
    const struct queue_options options = {
        .name = "inbound",
        .workers = workers,
        .batch = (guint)config_get_int(config, "inbound", "claim_batch"),
        .lease = config_get_duration(config, "inbound", "lease"),
        .heartbeat = config_get_duration(config, "inbound", "heartbeat"),
        .poll = config_get_duration(config, "inbound", "poll"),
        .work = work,
        .data = inbound,
    };

    inbound->bridge = bridge;
    read_config(inbound, config);
    const struct http_client_options http = { .max_total = inbound->fetch_max };
    inbound->lmtp = deliver_client_new(bridge, workers, error);
    inbound->groups = group_memory_new();
    inbound->http = inbound->lmtp ? http_client_new(&http, error) : NULL;
    inbound->poller = inbound->http ? asker_start(bridge, &inbound_poll, error) : NULL;
    inbound->watch = inbound->poller ? asker_start(bridge, &inbound_watch, error) : NULL;
    if (!inbound->watch) {
        asker_stop(inbound->poller);
        inbound_free(inbound);
        return NULL;
    }
    inbound->queue = queue_start(bridge, &options);
    return inbound;
}

void inbound_stop(struct inbound *inbound, unsigned grace_ms)
{
    asker_stop(inbound->watch);
    asker_stop(inbound->poller);
    queue_stop(inbound->queue, grace_ms);
}

void inbound_free(struct inbound *inbound)
{
    if (!inbound)
        return;
    asker_free(inbound->watch);
    asker_free(inbound->poller);
    group_memory_free(inbound->groups);
    http_client_free(inbound->http, 0);
    queue_free(inbound->queue);
    lmtp_client_free(inbound->lmtp);
    g_free(inbound);
}
