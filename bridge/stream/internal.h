/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the stream room share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "bridge/stream/stream.h"

struct stream_room {
    struct bridge *bridge;
    struct event_store *store;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool running, stop;
    GHashTable *readers; /* endpoint id → struct stream_reader *; the room's thread alone */
};

/* One endpoint's stream, in a thread of its own. */
struct stream_reader {
    struct stream_room *room;
    struct endpoint *endpoint;
    pthread_t thread;
    int wake_fd;             /* eventfd: stop, or the lease has changed */
    atomic_bool stop, leased, ended;
    gint64 lease_at;         /* monotonic µs, the room's: when to renew */
};

/* What a connection hands its events to. */
struct stream_sink {
    struct stream_reader *reader;
    const struct channel_stream *spec;
    void (*stuck)(void *data); /* an event can be stored nowhere: ask for no more; NULL */
    void *data;
    guint events;
};

/* Must the connection end? */
static inline bool stream_over(const struct stream_reader *reader)
{
    return atomic_load(&reader->stop) || !atomic_load(&reader->leased);
}

/* stream.c: a wake-up has been heard. */
void stream_heard(const struct stream_reader *reader);

/* take.c: stores the events of one body, and returns when each is durable.  False: it could not be before we were
 * told to stop. */
bool stream_take(struct stream_sink *sink, const char *body, size_t length);
/* An event that was longer than it may be: its beginning is kept. */
bool stream_take_long(struct stream_sink *sink, const char *begin, size_t length);

/* sse.c, lines.c: one connection, from its beginning to its end.  0: it ended as connections do; -1 with error. */
int stream_sse(struct stream_sink *sink, GError **error);
int stream_lines(struct stream_sink *sink, GError **error);

/* sse_parse.c: pure. */
struct sse_parser {
    GString *line, *data;
    size_t max;
    bool cr, overlong;
    /* each event's data; false: stop */
    bool (*event)(void *context, const char *data, size_t length, bool overlong);
    void *context;
};
void sse_parser_init(struct sse_parser *parser, size_t max);
void sse_parser_clear(struct sse_parser *parser);
/* False: event said so. */
bool sse_parser_feed(struct sse_parser *parser, const char *bytes, size_t length);
