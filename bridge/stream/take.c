/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting an event of a stream: nobody sends it a second time, so it is kept here until the database or the journal
 * has it, and nothing is read meanwhile.  After a broken connection some may come again: their keys are the same.
 */
#include <string.h>

#include "bridge/event_make.h"
#include "bridge/metrics.h"
#include "bridge/stream/internal.h"
#include "core/clock.h"
#include "core/log.h"

#define KEEP_LONG 65536 /* of what is longer than it may be */

/* The events of one body under way. */
struct taking {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    guint pending, fresh, repeated, journaled, lost;
};

static void on_stored(void *data, enum event_outcome outcome)
{
    struct taking *taking = data;

    pthread_mutex_lock(&taking->mutex);
    taking->fresh += outcome == EVENT_NEW;
    taking->repeated += outcome == EVENT_REPEATED;
    taking->journaled += outcome == EVENT_JOURNALED;
    taking->lost += outcome == EVENT_LOST;
    if (--taking->pending == 0)
        pthread_cond_signal(&taking->done);
    pthread_mutex_unlock(&taking->mutex);
}

/* How many could be stored nowhere. */
static guint store_all(struct stream_sink *sink, GPtrArray *events)
{
    struct taking taking = {.pending = events->len};

    if (events->len == 0)
        return 0;
    pthread_mutex_init(&taking.mutex, NULL);
    pthread_cond_init(&taking.done, NULL);
    for (guint i = 0; i < events->len; i++)
        event_store_put(sink->reader->room->store, events->pdata[i], on_stored, &taking);
    pthread_mutex_lock(&taking.mutex);
    while (taking.pending > 0)
        pthread_cond_wait(&taking.done, &taking.mutex);
    pthread_mutex_unlock(&taking.mutex);
    pthread_cond_destroy(&taking.done);
    pthread_mutex_destroy(&taking.mutex);
    metrics_add(METRIC_STREAMED_NEW, taking.fresh);
    metrics_add(METRIC_STREAMED_REPEATED, taking.repeated);
    metrics_add(METRIC_STREAMED_JOURNALED, taking.journaled);
    return taking.lost;
}

static GPtrArray *events_of(const struct channel_endpoint *endpoint, const char *body, size_t length, const char *odd)
{
    g_autoptr(GPtrArray) parsed = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    g_autofree char *copy = g_strndup(body, length); /* with a 0 behind it */
    const struct channel_webhook webhook = {.body = copy, .length = length};
    g_autoptr(GBytes) bytes = g_bytes_new(body, length);
    g_autoptr(GError) error = NULL;
    GPtrArray *events = g_ptr_array_new();
    enum channel_parse result = odd ? CHANNEL_OVER_LIMIT : endpoint->ops->parse_webhook(&webhook, endpoint, parsed, &error);

    if (!odd && result != CHANNEL_PARSED)
        odd = result == CHANNEL_OVER_LIMIT ? "overlimit" : "unparsed";
    if (odd) {
        metrics_inc(METRIC_WEBHOOK_ODD);
        log_error("endpoint", endpoint->id, "bytes", LOG_INT((gint64)length), "error", error ? error->message : NULL, "status", odd);
        g_ptr_array_add(events, event_make_odd(endpoint, bytes, odd));
    }
    for (guint i = 0; i < parsed->len && !odd; i++)
        g_ptr_array_add(events, event_make(endpoint, bytes, parsed->pdata[i]));
    return events;
}

/* Until it is worth another try, or we are to stop. */
static void pause_for(struct stream_reader *reader, gint64 us)
{
    struct stream_room *room = reader->room;
    gint64 at = ump_clock_mono_us() + us;
    const struct timespec until = {.tv_sec = at / CLOCK_SECOND, .tv_nsec = at % CLOCK_SECOND * 1000};

    pthread_mutex_lock(&room->mutex);
    while (!room->stop && !atomic_load(&reader->stop) && ump_clock_mono_us() < at)
        pthread_cond_timedwait(&room->wake, &room->mutex, &until);
    pthread_mutex_unlock(&room->mutex);
}

static bool take(struct stream_sink *sink, const char *body, size_t length, const char *odd)
{
    const struct channel_endpoint *endpoint = &sink->reader->endpoint->channel;

    for (guint tries = 0;; tries++) {
        g_autoptr(GPtrArray) events = events_of(endpoint, body, length, odd);
        if (store_all(sink, events) == 0) {
            sink->events++;
            return true;
        }
        metrics_inc(METRIC_STREAMED_STUCK);
        if (tries == 0 && sink->stuck)
            sink->stuck(sink->data);
        log_error("endpoint", endpoint->id, "error", "neither the database nor the journal takes the event", "status", "stuck");
        if (atomic_load(&sink->reader->stop)) {
            log_error("endpoint", endpoint->id, "bytes", LOG_INT((gint64)length), "status", "lost");
            return false;
        }
        pause_for(sink->reader, CLOCK_SECOND);
    }
}

bool stream_take(struct stream_sink *sink, const char *body, size_t length)
{
    return take(sink, body, length, NULL);
}

bool stream_take_long(struct stream_sink *sink, const char *begin, size_t length)
{
    return take(sink, begin, MIN(length, KEEP_LONG), "oversize");
}
