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
    GPtrArray *gathered; /* take.c: read and not stored yet, struct gathered * */
};

/* Must the connection end? */
static inline bool stream_over(const struct stream_reader *reader)
{
    return atomic_load(&reader->stop) || !atomic_load(&reader->leased);
}

/* stream.c: a wake-up has been heard. */
void stream_heard(const struct stream_reader *reader);

/* take.c.  What one read of the connection brought is gathered, and stored together before the next read: a commit for
 * each event would make a round trip to the disk the pace of the stream. */
void stream_sink_init(struct stream_sink *sink, struct stream_reader *reader, const struct channel_stream *spec);
void stream_sink_clear(struct stream_sink *sink);
/* One body is copied. */
void stream_gather(struct stream_sink *sink, const char *body, size_t length);
/* An event that was longer than it may be: its beginning is kept. */
void stream_gather_long(struct stream_sink *sink, const char *begin, size_t length);
/* Stores the events of all that was gathered, in order, and returns when each is durable.  False: they could not be
 * before we were told to stop. */
bool stream_store(struct stream_sink *sink);

#define STREAM_READ 16384 /* bytes at most that are read before they are stored */

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
