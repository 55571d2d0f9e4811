/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting the events of a stream: nobody sends them a second time, so they are kept here until the database or the
 * journal has them, and nothing is read meanwhile.  After a broken connection some may come again: their keys are the same.
 */
#include <string.h>

#include "bridge/event_make.h"
#include "bridge/metrics.h"
#include "bridge/stream/internal.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/log.h"

#define KEEP_LONG 65536 /* of what is longer than it may be */

/* One body as it came. */
struct gathered {
    char *body; /* with a 0 behind it */
    size_t length;
    const char *odd; /* static; NULL: it can be parsed */
};

/* The events of what was gathered, under way. */
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
    event_store_put_all(sink->reader->room->store, events, on_stored, &taking);
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

/* The events of one body, added to events. */
static void add_events(const struct channel_endpoint *endpoint, const struct gathered *from, GPtrArray *events)
{
    g_autoptr(GPtrArray) parsed = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    const struct channel_webhook webhook = {.body = from->body, .length = from->length};
    g_autoptr(GBytes) bytes = g_bytes_new(from->body, from->length);
    g_autoptr(GError) error = NULL;
    const char *odd = from->odd;
    enum channel_parse result = odd ? CHANNEL_OVER_LIMIT : endpoint->ops->parse_webhook(&webhook, endpoint, parsed, &error);

    if (!odd && result != CHANNEL_PARSED)
        odd = result == CHANNEL_OVER_LIMIT ? "overlimit" : "unparsed";
    if (odd) {
        metrics_inc(METRIC_WEBHOOK_ODD);
        log_error("endpoint", endpoint->id, "bytes", LOG_INT((gint64)from->length), "error", error ? error->message : NULL,
                  "status", odd);
        g_ptr_array_add(events, event_make_odd(endpoint, bytes, odd));
    }
    for (guint i = 0; i < parsed->len && !odd; i++)
        g_ptr_array_add(events, event_make(endpoint, bytes, parsed->pdata[i]));
}

/* Until it is worth another try, or we are to stop. */
static void pause_for(struct stream_reader *reader, gint64 us)
{
    struct stream_room *room = reader->room;
    gint64 at = ump_clock_mono_us() + us;

    pthread_mutex_lock(&room->mutex);
    while (!room->stop && !atomic_load(&reader->stop) && cond_wait_until(&room->wake, &room->mutex, at))
        ;
    pthread_mutex_unlock(&room->mutex);
}

bool stream_store(struct stream_sink *sink)
{
    const struct channel_endpoint *endpoint = &sink->reader->endpoint->channel;
    GPtrArray *gathered = sink->gathered;

    for (guint tries = 0; gathered->len > 0; tries++) {
        g_autoptr(GPtrArray) events = g_ptr_array_new();
        for (guint i = 0; i < gathered->len; i++)
            add_events(endpoint, gathered->pdata[i], events);
        if (store_all(sink, events) == 0) {
            sink->events += gathered->len;
            g_ptr_array_set_size(gathered, 0);
            break;
        }
        metrics_inc(METRIC_STREAMED_STUCK);
        if (tries == 0 && sink->stuck)
            sink->stuck(sink->data);
        log_error("endpoint", endpoint->id, "error", "neither the database nor the journal takes the event", "status", "stuck");
        if (atomic_load(&sink->reader->stop)) {
            log_error("endpoint", endpoint->id, "events", LOG_INT(gathered->len), "status", "lost");
            g_ptr_array_set_size(gathered, 0);
            return false;
        }
        pause_for(sink->reader, CLOCK_SECOND);
    }
    if (sink->position)
        stream_position_set(sink->reader, sink->position);
    g_clear_pointer(&sink->position, g_free);
    return true;
}

static void gather(struct stream_sink *sink, const char *body, size_t length, const char *odd)
{
    struct gathered *one = g_new(struct gathered, 1);

    *one = (struct gathered){.body = g_strndup(body, length), .length = length, .odd = odd};
    g_ptr_array_add(sink->gathered, one);
}

void stream_gather(struct stream_sink *sink, const char *body, size_t length)
{
    gather(sink, body, length, NULL);
}

void stream_gather_long(struct stream_sink *sink, const char *begin, size_t length)
{
    gather(sink, begin, MIN(length, KEEP_LONG), "oversize");
}

static void gathered_free(void *data)
{
    struct gathered *gathered = data;

    g_free(gathered->body);
    g_free(gathered);
}

void stream_sink_init(struct stream_sink *sink, struct stream_reader *reader, const struct channel_stream *spec)
{
    *sink = (struct stream_sink){.reader = reader, .spec = spec, .gathered = g_ptr_array_new_with_free_func(gathered_free)};
}

void stream_sink_clear(struct stream_sink *sink)
{
    g_clear_pointer(&sink->gathered, g_ptr_array_unref);
    g_clear_pointer(&sink->position, g_free);
}
