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
    /* Where server-sent events go on, as the server names the place (position.c). */
    char *position;          /* of the last event that is durable; NULL: none; under the room's mutex */
    char *source;            /* the server's address; set before there is a position */
    bool position_known;     /* the reader's: it has asked the database since it has the lease */
    bool position_moved;     /* the database has not got it; under the room's mutex */
    bool position_stored;    /* it has got one; under the room's mutex */
};

/* What a connection hands its events to. */
struct stream_sink {
    struct stream_reader *reader;
    const struct channel_stream *spec;
    void (*stuck)(void *data); /* an event can be stored nowhere: ask for no more; NULL */
    void *data;
    guint events;
    GPtrArray *gathered; /* take.c: read and not stored yet, struct gathered * */
    char *position;      /* the server's id of the last of them; NULL: as before */
};

/* Must the connection end? */
static inline bool stream_over(const struct stream_reader *reader)
{
    return atomic_load(&reader->stop) || !atomic_load(&reader->leased);
}

/* stream.c: a wake-up has been heard. */
void stream_heard(const struct stream_reader *reader);

/* position.c: what an earlier connection of the fleet came to, once per lease.  False: the database does not say. */
bool stream_position_load(struct stream_reader *reader);
/* An event with this id is durable; "": ids begin anew. */
void stream_position_set(struct stream_reader *reader, const char *id);
char *stream_position_get(struct stream_reader *reader); /* NULL: none; g_free */
/* Tells the database, if there is something new. */
void stream_position_save(struct stream_reader *reader);

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
    GString *line, *data, *id;
    size_t max;
    bool cr, overlong, has_id;
    /* each event's data; false: stop */
    bool (*event)(void *context, const char *data, size_t length, bool overlong);
    /* the server's id of what was taken so far; "": none any more; NULL: nobody asks */
    void (*taken)(void *context, const char *id);
    void *context;
};
#define SSE_MAX_ID 200 /* bytes; a longer one is no id */
void sse_parser_init(struct sse_parser *parser, size_t max);
void sse_parser_clear(struct sse_parser *parser);
/* False: event said so. */
bool sse_parser_feed(struct sse_parser *parser, const char *bytes, size_t length);
