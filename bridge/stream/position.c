/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a stream of server-sent events goes on (Last-Event-ID).  A reader keeps it in memory, from one connection to the
 * next; the room's thread writes it down when it renews the lease, so that who comes after a crash asks for some seconds
 * too much, whose keys are known, and never for too little.  The first one is written at once: without one nothing is
 * asked for.
 */
#include "bridge/stream/internal.h"
#include "core/cleanup.h"
#include "core/log.h"

#define QUERY_TIMEOUT_MS 3000

/* p_id NULL: only asks. */
static int ask(struct stream_reader *reader, const char *id, struct db_rows **rows, GError **error)
{
    struct db_params *params = db_params_new();

    db_params_int(params, reader->endpoint->channel.account_id);
    db_params_uuid(params, reader->endpoint->channel.id);
    db_params_text(params, reader->room->bridge->worker);
    db_params_text(params, reader->source);
    db_params_text(params, id);
    return db_write_within(reader->room->bridge->db, DB_STMT_STREAM_POSITION, params, reader->endpoint->channel.id, QUERY_TIMEOUT_MS,
                           rows, error);
}

bool stream_position_load(struct stream_reader *reader)
{
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    if (reader->position_known)
        return true;
    if (ask(reader, NULL, &rows, &error) < 0) {
        log_warning("endpoint", reader->endpoint->channel.id, "error", error->message, "status", "position-unknown");
        return false;
    }
    pthread_mutex_lock(&reader->room->mutex);
    g_free(reader->position);
    reader->position = g_strdup(db_rows_text(rows, 0, 0));
    reader->position_moved = false;
    reader->position_stored = reader->position != NULL;
    pthread_mutex_unlock(&reader->room->mutex);
    reader->position_known = true;
    return true;
}

void stream_position_set(struct stream_reader *reader, const char *id)
{
    pthread_mutex_lock(&reader->room->mutex);
    g_free(reader->position);
    reader->position = g_strdup(id);
    reader->position_moved = true;
    bool stored = reader->position_stored;
    pthread_mutex_unlock(&reader->room->mutex);
    if (!stored)
        stream_position_save(reader);
}

char *stream_position_get(struct stream_reader *reader)
{
    pthread_mutex_lock(&reader->room->mutex);
    char *position = reader->position && *reader->position ? g_strdup(reader->position) : NULL;
    pthread_mutex_unlock(&reader->room->mutex);
    return position;
}

void stream_position_save(struct stream_reader *reader)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *position = NULL;

    if (!atomic_load(&reader->leased) || !db_is_up(reader->room->bridge->db))
        return;
    pthread_mutex_lock(&reader->room->mutex);
    if (reader->position_moved)
        position = g_strdup(reader->position);
    reader->position_moved = false;
    pthread_mutex_unlock(&reader->room->mutex);
    if (!position)
        return;
    bool stored = ask(reader, position, NULL, &error) == 0;
    if (!stored)
        log_warning("endpoint", reader->endpoint->channel.id, "error", error->message, "status", "position-deferred");
    pthread_mutex_lock(&reader->room->mutex);
    reader->position_stored = reader->position_stored || stored;
    reader->position_moved = reader->position_moved || !stored;
    pthread_mutex_unlock(&reader->room->mutex);
}
