/* SPDX-License-Identifier: Apache-2.0 */
/* Start and end of the outbound room. */
#include "bridge/outbound/outbound.h"

#include "bridge/outbound/internal.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/error.h"
#include "core/log.h"

gint64 outbound_now(void)
{
    return ump_clock_mono_us();
}

void outbound_lock(struct outbound *outbound)
{
    pthread_mutex_lock(&outbound->lock);
}

void outbound_unlock(struct outbound *outbound)
{
    pthread_mutex_unlock(&outbound->lock);
}

void outbound_changed(struct outbound *outbound)
{
    pthread_cond_broadcast(&outbound->changed);
}

static void init_locks(struct outbound *outbound)
{
    pthread_mutex_init(&outbound->lock, NULL);
    cond_init(&outbound->changed);
    cond_init(&outbound->care);
}

static void read_config(struct outbound *outbound, const struct config *config)
{
    outbound->lease = config_get_duration(config, "outbound", "lease");
    outbound->heartbeat = MIN(config_get_duration(config, "outbound", "heartbeat"), outbound->lease / 3);
    outbound->poll = config_get_duration(config, "outbound", "poll");
    outbound->uncertain_notice = config_get_duration(config, "outbound", "uncertain_notice");
    outbound->media_ttl = config_get_duration(config, "media", "url_ttl");
    outbound->request_timeout_ms = (unsigned)config_get_duration_ms(config, "outbound", "request_timeout");
    outbound->connect_timeout_ms = (unsigned)config_get_duration_ms(config, "outbound", "connect_timeout");
    outbound->limits.retry_min = config_get_duration(config, "outbound", "retry_min");
    outbound->limits.retry_max = config_get_duration(config, "outbound", "retry_max");
    outbound->limits.uncertain_first = outbound->uncertain_notice / LOOKUP_FIRST;
}

static int open_parts(struct outbound *outbound, GError **error)
{
    guint slots = (guint)config_get_int(outbound->bridge->config, "outbound", "concurrency");
    guint batch = (guint)config_get_int(outbound->bridge->config, "outbound", "claim_batch");
    struct http_client_options http = {.max_per_host = slots, .max_total = slots};
    g_autofree char *dir = g_build_filename(outbound->bridge->state_dir, "results", NULL);
    struct journal_options journal = {.dir = dir, .segment_size = 1024 * 1024, .reserve_size = 1024 * 1024};

    outbound->sched = sched_new(slots, batch);
    outbound->journal = journal_open(&journal, error);
    if (!outbound->journal)
        return -1;
    outbound->http = http_client_new(&http, error);
    return outbound->http ? 0 : -1;
}

static int start_threads(struct outbound *outbound, GError **error)
{
    int code = pthread_create(&outbound->carer, NULL, care_run, outbound);

    if (code != 0)
        return ump_error_errno(error, code, "a thread cannot be started");
    code = pthread_create(&outbound->dispatcher, NULL, claim_run, outbound);
    if (code == 0) {
        outbound->running = true;
        return 0;
    }
    outbound_lock(outbound);
    outbound->stopped = true;
    pthread_cond_signal(&outbound->care);
    outbound_unlock(outbound);
    pthread_join(outbound->carer, NULL);
    return ump_error_errno(error, code, "a thread cannot be started");
}

struct outbound *outbound_start(struct bridge *bridge, GError **error)
{
    struct outbound *outbound = g_new0(struct outbound, 1);

    outbound->bridge = bridge;
    init_locks(outbound);
    g_queue_init(&outbound->held);
    g_queue_init(&outbound->results);
    lookup_init(outbound);
    read_config(outbound, bridge->config);
    if (open_parts(outbound, error) < 0 || start_threads(outbound, error) < 0) {
        outbound_free(outbound);
        return NULL;
    }
    if (!bridge->public_url)
        log_warning("what", "public_url", "error",
                    "not set: providers can neither report statuses of single messages nor fetch attachments", "status",
                    "limited");
    db_listen(bridge->db, "ump_outbox", care_listen, outbound);
    db_listen(bridge->db, "ump_endpoints", care_listen, outbound);
    return outbound;
}

/* ---- The end ---- */

/* Everything that was claimed but not begun goes back. */
static void release_waiting(struct outbound *outbound)
{
    GQueue waiting = G_QUEUE_INIT;

    outbound_lock(outbound);
    sched_take_all(outbound->sched, &waiting);
    outbound_unlock(outbound);
    send_release(outbound, &waiting, 0);
}

static bool is_quiet(struct outbound *outbound)
{
    return sched_flying(outbound->sched) == 0 && outbound->writes == 0 && g_queue_is_empty(&outbound->results);
}

/* Waits, at most until then, for quiet; with db_only just for what the database is to answer. */
static void wait_quiet(struct outbound *outbound, gint64 until, bool db_only)
{
    outbound_lock(outbound);
    while (db_only ? outbound->writes > 0 : !is_quiet(outbound))
        if (!cond_wait_until(&outbound->changed, &outbound->lock, until))
            break;
    outbound_unlock(outbound);
}

void outbound_stop(struct outbound *outbound, unsigned grace_ms)
{
    gint64 until = outbound_now() + (gint64)grace_ms * 1000;

    if (!outbound || !outbound->running)
        return;
    outbound_lock(outbound);
    outbound->stopping = true;
    pthread_cond_broadcast(&outbound->changed);
    outbound_unlock(outbound);
    pthread_join(outbound->dispatcher, NULL);
    release_waiting(outbound);
    wait_quiet(outbound, until, false);
    outbound_lock(outbound);
    outbound->stopped = true;
    pthread_cond_signal(&outbound->care);
    outbound_unlock(outbound);
    pthread_join(outbound->carer, NULL);
    outbound->running = false;
    wait_quiet(outbound, outbound_now() + 6 * CLOCK_SECOND, true); /* a request begins only after its mark */
    http_client_free(g_steal_pointer(&outbound->http), 0);         /* what is in flight is now uncertain */
    results_flush(outbound);
    wait_quiet(outbound, outbound_now() + 6 * CLOCK_SECOND, true);
    results_spill(outbound);
    journal_close(g_steal_pointer(&outbound->journal));
}

void outbound_free(struct outbound *outbound)
{
    if (!outbound)
        return;
    http_client_free(outbound->http, 0);
    if (outbound->journal)
        journal_close(outbound->journal);
    sched_free(outbound->sched);
    g_queue_clear_full(&outbound->results, g_free);
    g_queue_clear(&outbound->held);
    lookup_clear(outbound);
    pthread_cond_destroy(&outbound->changed);
    pthread_cond_destroy(&outbound->care);
    pthread_mutex_destroy(&outbound->lock);
    g_free(outbound);
}
