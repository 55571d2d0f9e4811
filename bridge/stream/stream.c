/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The room: which endpoints have a stream, who in the fleet reads it, and what is done when it breaks.  The room's
 * thread keeps the leases; each reader connects, again and again, while it has one.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bridge/metrics.h"
#include "bridge/stream/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/log.h"

#define TICK (CLOCK_SECOND / 2)
#define LEASE (15 * CLOCK_SECOND)
#define RENEW (5 * CLOCK_SECOND)
#define BACKOFF_MIN (CLOCK_SECOND / 5)
#define BACKOFF_MAX (30 * CLOCK_SECOND)
#define QUERY_TIMEOUT_MS 3000

/* ---- One reader ---- */

/* Sleeps until the time has come, or the wake-up. */
static void reader_wait(struct stream_reader *reader, gint64 us)
{
    struct stream_room *room = reader->room;
    gint64 at = ump_clock_mono_us() + us;
    bool leased = atomic_load(&reader->leased);

    pthread_mutex_lock(&room->mutex);
    while (!atomic_load(&reader->stop) && atomic_load(&reader->leased) == leased &&
           cond_wait_until(&room->wake, &room->mutex, at))
        ;
    pthread_mutex_unlock(&room->mutex);
}

static guint connect_once(struct stream_reader *reader, const struct channel_stream *spec)
{
    struct stream_sink sink;
    const char *id = reader->endpoint->channel.id;
    g_autoptr(GError) error = NULL;

    stream_sink_init(&sink, reader, spec);
    metrics_add(METRIC_STREAMS_CONNECTED, 1);
    if ((spec->kind == CHANNEL_STREAM_SSE ? stream_sse(&sink, &error) : stream_lines(&sink, &error)) < 0)
        log_warning("endpoint", id, "events", LOG_INT(sink.events), "error", error ? error->message : NULL, "status", "stream-broken");
    else
        log_notice("endpoint", id, "events", LOG_INT(sink.events), "status", "stream-closed");
    metrics_add(METRIC_STREAMS_CONNECTED, -1);
    stream_sink_clear(&sink);
    return sink.events;
}

void stream_heard(const struct stream_reader *reader)
{
    eventfd_t value;

    (void)!eventfd_read(reader->wake_fd, &value);
}

static void *reader_run(void *data)
{
    struct stream_reader *reader = data;
    const struct channel_endpoint *endpoint = &reader->endpoint->channel;
    g_auto(channel_stream_t) spec = {0};
    g_autoptr(GError) error = NULL;
    gint64 backoff = BACKOFF_MIN;

    pthread_setname_np(pthread_self(), "stream");
    if (endpoint->ops->open_stream(endpoint, &spec, &error) < 0) {
        log_error("endpoint", endpoint->id, "error", error->message, "status", "no-stream");
        while (!atomic_load(&reader->stop))
            reader_wait(reader, CLOCK_MINUTE);
    }
    reader->source = g_strdup(spec.url);
    while (!atomic_load(&reader->stop)) {
        stream_heard(reader);
        if (!atomic_load(&reader->leased)) {
            reader->position_known = false;
            reader_wait(reader, CLOCK_MINUTE);
            continue;
        }
        if (spec.kind == CHANNEL_STREAM_SSE && !stream_position_load(reader)) {
            reader_wait(reader, BACKOFF_MIN);
            continue;
        }
        gint64 began = ump_clock_mono_us();
        guint events = connect_once(reader, &spec);
        if (stream_over(reader))
            continue;
        if (events > 0 || ump_clock_mono_us() - began > BACKOFF_MAX)
            backoff = BACKOFF_MIN;
        reader_wait(reader, backoff / 2 + (gint64)(g_random_double() * (double)(backoff / 2)));
        backoff = MIN(2 * backoff, BACKOFF_MAX);
    }
    atomic_store(&reader->ended, true);
    return NULL;
}

static void wake_reader(struct stream_reader *reader)
{
    struct stream_room *room = reader->room;

    (void)!eventfd_write(reader->wake_fd, 1);
    pthread_mutex_lock(&room->mutex);
    pthread_cond_broadcast(&room->wake);
    pthread_mutex_unlock(&room->mutex);
}

static struct stream_reader *reader_new(struct stream_room *room, struct endpoint *endpoint)
{
    struct stream_reader *reader = g_new0(struct stream_reader, 1);

    reader->room = room;
    reader->endpoint = endpoint_ref(endpoint);
    reader->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (reader->wake_fd < 0 || pthread_create(&reader->thread, NULL, reader_run, reader) != 0) {
        log_error("endpoint", endpoint->channel.id, "error", "no thread for its stream", "status", "failed");
        cleanup_close_fd(&reader->wake_fd);
        endpoint_unref(reader->endpoint);
        g_free(reader);
        return NULL;
    }
    return reader;
}

static void reader_stop(struct stream_reader *reader)
{
    atomic_store(&reader->stop, true);
    wake_reader(reader);
}

static void reader_free(struct stream_reader *reader)
{
    cleanup_close_fd(&reader->wake_fd);
    endpoint_unref(reader->endpoint);
    g_free(reader->position);
    g_free(reader->source);
    g_free(reader);
}

/* ---- Leases ---- */

static struct db_params *lease_params(const struct stream_reader *reader)
{
    struct db_params *params = db_params_new();

    db_params_int(params, reader->endpoint->channel.account_id);
    db_params_uuid(params, reader->endpoint->channel.id);
    db_params_text(params, reader->room->bridge->worker);
    return params;
}

/* While the database is down things stay as they are: who reads goes on, into the journal; nobody else can begin. */
static void lease(struct stream_reader *reader)
{
    struct stream_room *room = reader->room;
    struct db_params *params;
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;
    bool has;

    if (!db_is_up(room->bridge->db))
        return;
    params = lease_params(reader);
    db_params_interval(params, LEASE);
    if (db_write_within(room->bridge->db, DB_STMT_STREAM_LEASE, params, reader->endpoint->channel.id, QUERY_TIMEOUT_MS, &rows,
                        &error) < 0) {
        log_warning("endpoint", reader->endpoint->channel.id, "error", error->message, "status", "lease-deferred");
        return;
    }
    has = db_rows_bool(rows, 0, 0);
    reader->lease_at = ump_clock_mono_us() + RENEW;
    if (has == atomic_exchange(&reader->leased, has))
        return;
    log_notice("endpoint", reader->endpoint->channel.id, "status", has ? "stream-leased" : "stream-elsewhere");
    wake_reader(reader);
}

static void release(struct stream_reader *reader)
{
    g_autoptr(GError) error = NULL;

    if (!atomic_load(&reader->leased) || !db_is_up(reader->room->bridge->db))
        return;
    if (db_write_within(reader->room->bridge->db, DB_STMT_STREAM_RELEASE, lease_params(reader), reader->endpoint->channel.id,
                        QUERY_TIMEOUT_MS, NULL, &error) < 0)
        log_warning("endpoint", reader->endpoint->channel.id, "error", error->message, "status", "lease-runs-out");
}

/* ---- The room ---- */

static bool is_stopped(struct stream_room *room)
{
    pthread_mutex_lock(&room->mutex);
    bool stop = room->stop;
    pthread_mutex_unlock(&room->mutex);
    return stop;
}

static bool has_stream(const struct endpoint *endpoint)
{
    return endpoint->channel.ops && endpoint->channel.ops->open_stream && endpoint->status == ENDPOINT_ENABLED &&
           !endpoint->channel.unusable;
}

static const struct endpoint *find(const GPtrArray *endpoints, const char *id)
{
    for (guint i = 0; i < endpoints->len; i++)
        if (strcmp(((const struct endpoint *)endpoints->pdata[i])->channel.id, id) == 0)
            return endpoints->pdata[i];
    return NULL;
}

/* Those whose endpoint is gone or has changed end; a new one begins at the next turn. */
static void end_some(struct stream_room *room, const GPtrArray *endpoints)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, room->readers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct stream_reader *reader = value;
        const struct endpoint *now = find(endpoints, reader->endpoint->channel.id);
        bool changed = !now || !has_stream(now) || now->version != reader->endpoint->version;
        if (changed && !atomic_load(&reader->stop))
            reader_stop(reader);
        if (atomic_load(&reader->ended)) {
            pthread_join(reader->thread, NULL);
            stream_position_save(reader);
            if (!now || !has_stream(now))
                release(reader);
            reader_free(reader);
            g_hash_table_iter_remove(&iter);
        }
    }
}

static void begin_some(struct stream_room *room, const GPtrArray *endpoints)
{
    for (guint i = 0; i < endpoints->len; i++) {
        struct endpoint *endpoint = endpoints->pdata[i];
        struct stream_reader *reader;
        if (!has_stream(endpoint) || g_hash_table_contains(room->readers, endpoint->channel.id))
            continue;
        reader = reader_new(room, endpoint);
        if (reader)
            g_hash_table_insert(room->readers, reader->endpoint->channel.id, reader);
    }
}

static void renew(struct stream_room *room)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, room->readers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct stream_reader *reader = value;
        bool due = ump_clock_mono_us() >= reader->lease_at;
        if (atomic_load(&reader->stop) || (!due && atomic_load(&reader->leased)))
            continue;
        stream_position_save(reader);
        lease(reader);
    }
}

static void end_all(struct stream_room *room)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, room->readers);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        reader_stop(value);
    g_hash_table_iter_init(&iter, room->readers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct stream_reader *reader = value;
        pthread_join(reader->thread, NULL);
        stream_position_save(reader);
        release(reader);
        reader_free(reader);
    }
    g_hash_table_remove_all(room->readers);
}

static void *run(void *data)
{
    struct stream_room *room = data;

    pthread_setname_np(pthread_self(), "streams");
    while (!is_stopped(room)) {
        g_autoptr(GPtrArray) endpoints = endpoints_list(room->bridge->endpoints);
        end_some(room, endpoints);
        begin_some(room, endpoints);
        renew(room);
        gint64 wake = ump_clock_mono_us() + TICK;
        pthread_mutex_lock(&room->mutex);
        while (!room->stop && cond_wait_until(&room->wake, &room->mutex, wake))
            ;
        pthread_mutex_unlock(&room->mutex);
    }
    end_all(room);
    return NULL;
}

struct stream_room *stream_room_start(struct bridge *bridge, struct event_store *store)
{
    struct stream_room *room = g_new0(struct stream_room, 1);

    room->bridge = bridge;
    room->store = store;
    room->readers = g_hash_table_new(g_str_hash, g_str_equal); /* keys belong to the values */
    pthread_mutex_init(&room->mutex, NULL);
    cond_init(&room->wake);
    room->running = pthread_create(&room->thread, NULL, run, room) == 0;
    return room;
}

void stream_room_stop(struct stream_room *room)
{
    pthread_mutex_lock(&room->mutex);
    room->stop = true;
    pthread_cond_broadcast(&room->wake);
    pthread_mutex_unlock(&room->mutex);
    if (room->running)
        pthread_join(room->thread, NULL);
    room->running = false;
}

void stream_room_free(struct stream_room *room)
{
    if (!room)
        return;
    g_hash_table_unref(room->readers);
    pthread_mutex_destroy(&room->mutex);
    pthread_cond_destroy(&room->wake);
    g_free(room);
}
