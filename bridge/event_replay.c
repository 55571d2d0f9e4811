/* SPDX-License-Identifier: Apache-2.0 */
/* Replaying: what the journal holds goes into the database, at start and when it is back. */
#include <string.h>

#include "bridge/event_store_internal.h"
#include "bridge/metrics.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/error.h"
#include "core/log.h"

#define ALWAYS_EVERY (60 * CLOCK_SECOND) /* journal_always: how often segments are replayed and dropped */
#define REPLAY_WRITE_MS 20000

static void on_replayed(void *data, struct db_rows *rows, const GError *error)
{
    struct putting *putting = data;
    struct event_store *store = putting->store;

    pthread_mutex_lock(&store->mutex);
    if (error && db_error_is_temporary(error)) {
        store->failed++;
    } else if (error) {
        /* It will never go in: it must not hold up the others, and must not be lost. */
        g_autofree char *name = g_strdup_printf("%s/rejected-%s", store->bridge->state_dir, putting->event->key);
        g_strdelimit(name + strlen(store->bridge->state_dir) + 1, "/", '_');
        gsize size;
        const char *body = g_bytes_get_data(putting->event->body, &size);
        if (!g_file_set_contents_full(name, body, (gssize)size, G_FILE_SET_CONTENTS_DURABLE, 0600, NULL))
            store->failed++;
        log_error("endpoint", putting->event->endpoint_id, "error", error->message, "file", name, "status",
                  "event-rejected");
    } else {
        metrics_inc(METRIC_JOURNAL_REPLAYED);
    }
    store->in_flight--;
    pthread_cond_broadcast(&store->wake);
    pthread_mutex_unlock(&store->mutex);
    db_rows_free(rows);
    stored_event_free(putting->event);
    g_free(putting);
}

static int replay_record(const struct journal_record *record, void *data, GError **error)
{
    struct event_store *store = data;
    struct stored_event *event;
    struct putting *putting;

    if (record->type != EVENT_RECORD)
        return 0;
    event = stored_event_decode(record->payload, record->length);
    if (!event) {
        log_error("bytes", LOG_INT((gint64)record->length), "status", "journal-record-unreadable");
        return 0;
    }
    putting = g_new0(struct putting, 1);
    putting->store = store;
    putting->event = event;
    pthread_mutex_lock(&store->mutex);
    while (store->in_flight >= 1000)
        pthread_cond_wait(&store->wake, &store->mutex);
    store->in_flight++;
    pthread_mutex_unlock(&store->mutex);
    if (db_write_async(store->bridge->db, DB_STMT_ACCEPT_EVENT, event_store_params(event), NULL, REPLAY_WRITE_MS, on_replayed,
                       putting, error) < 0) {
        pthread_mutex_lock(&store->mutex);
        store->in_flight--;
        pthread_mutex_unlock(&store->mutex);
        stored_event_free(event);
        g_free(putting);
        return -1;
    }
    return 0;
}

static int replay_flush(void *data, GError **error)
{
    struct event_store *store = data;
    guint failed;

    pthread_mutex_lock(&store->mutex);
    while (store->in_flight > 0)
        pthread_cond_wait(&store->wake, &store->mutex);
    failed = store->failed;
    store->failed = 0;
    pthread_mutex_unlock(&store->mutex);
    if (failed == 0)
        return 0;
    g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%u events are not in the database yet", failed);
    return -1;
}

void event_store_replay(struct event_store *store)
{
    const struct journal_handler handler = { .record = replay_record, .flush = replay_flush, .data = store };
    g_autoptr(GError) error = NULL;
    guint64 count = 0;
    int result = journal_replay(store->bridge->journal, &handler, &count, &error);

    replay_flush(store, NULL); /* what was in flight when it stopped */
    if (result < 0)
        log_warning("events", LOG_INT((gint64)count), "error", error->message, "status", "replay-stopped");
    else if (count > 0)
        log_notice("events", LOG_INT((gint64)count), "status", "replayed");
}

static bool due(struct event_store *store)
{
    struct journal_stats stats;
    bool waits;

    if (!db_is_up(store->bridge->db))
        return false;
    pthread_mutex_lock(&store->mutex);
    waits = store->always && !store->journaled && ump_clock_mono_us() - store->last_replay < ALWAYS_EVERY;
    pthread_mutex_unlock(&store->mutex);
    if (waits)
        return false;
    journal_stats(store->bridge->journal, &stats);
    return stats.bytes > 0 && stats.segments > 0;
}

static void *replayer(void *data)
{
    struct event_store *store = data;

    pthread_mutex_lock(&store->mutex);
    while (!store->stop) {
        cond_wait_until(&store->wake, &store->mutex, ump_clock_mono_us() + CLOCK_SECOND);
        if (store->stop)
            break;
        pthread_mutex_unlock(&store->mutex);
        if (due(store)) {
            pthread_mutex_lock(&store->mutex);
            store->journaled = false;
            store->last_replay = ump_clock_mono_us();
            pthread_mutex_unlock(&store->mutex);
            event_store_replay(store);
        }
        pthread_mutex_lock(&store->mutex);
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

void event_store_start(struct event_store *store, unsigned timeout_ms)
{
    struct journal_stats stats;

    journal_stats(store->bridge->journal, &stats);
    if (stats.segments > 0 && stats.bytes > 0 && db_wait_up(store->bridge->db, timeout_ms, NULL) == 0)
        event_store_replay(store);
    pthread_create(&store->thread, NULL, replayer, store);
    store->running = true;
}

void event_store_stop(struct event_store *store)
{
    if (!store->running)
        return;
    pthread_mutex_lock(&store->mutex);
    store->stop = true;
    pthread_cond_broadcast(&store->wake);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
    store->running = false;
}
