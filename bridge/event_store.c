/* SPDX-License-Identifier: Apache-2.0 */
/* Storing: the database, in statements that gather what comes meanwhile; else the journal. */
#include "bridge/event_store_internal.h"

#include "core/cond.h"
#include "core/log.h"

#define CHUNK_EVENTS 64
#define CHUNK_BYTES (1024 * 1024)

struct db_params *event_store_params(const struct stored_event *event)
{
    struct db_params *params = db_params_new();

    db_params_int(params, event->account_id);
    db_params_uuid(params, event->endpoint_id);
    db_params_text(params, event->key);
    db_params_text(params, event->kind);
    db_params_text(params, event->lane);
    db_params_bytes(params, event->body);
    db_params_int(params, event->keep_days);
    db_params_text(params, event->identifier ? event->opt : NULL);
    db_params_text(params, event->channel);
    db_params_text(params, event->identifier);
    if (event->attempt) {
        g_autofree char *payload = g_strdup_printf("{\"attempt\":\"%s\"}", event->attempt);
        db_params_text(params, payload);
    } else {
        db_params_null(params);
    }
    return params;
}

static void putting_end(struct putting *putting, enum event_outcome outcome)
{
    event_done_func *done = putting->done;
    void *data = putting->data;

    stored_event_free(putting->event);
    g_free(putting);
    done(data, outcome);
}

/* --- the journal --- */

static void on_journaled(bool ok, void *data)
{
    struct putting *putting = data;
    struct event_store *store = putting->store;

    if (ok) {
        pthread_mutex_lock(&store->mutex);
        store->journaled = true;
        pthread_cond_broadcast(&store->wake);
        pthread_mutex_unlock(&store->mutex);
    }
    putting_end(putting, ok ? EVENT_JOURNALED : EVENT_LOST);
}

static void to_journal(struct putting *putting)
{
    g_autoptr(GBytes) record = stored_event_encode(putting->event);
    gsize size;
    const void *data = g_bytes_get_data(record, &size);

    journal_append_async(putting->store->bridge->journal, EVENT_RECORD, data, size, on_journaled, putting);
}

/* --- the database: one event alone --- */

static void on_written(void *data, struct db_rows *rows, const GError *error)
{
    struct putting *putting = data;

    if (error) {
        if (!db_error_is_temporary(error))
            log_error("endpoint", putting->event->endpoint_id, "error", error->message, "status", "not-stored");
        to_journal(putting);
        return;
    }
    bool new = db_rows_bool_of(rows, 0, "is_new");
    db_rows_free(rows);
    putting_end(putting, new ? EVENT_NEW : EVENT_REPEATED);
}

static void write_one(struct putting *putting)
{
    struct event_store *store = putting->store;

    if (db_write_async(store->bridge->db, DB_STMT_ACCEPT_EVENT, event_store_params(putting->event), NULL,
                       store->journal_after_ms, on_written, putting, NULL) < 0)
        to_journal(putting);
}

/* --- the database: many in one statement --- */

struct chunk {
    struct event_store *store;
    GPtrArray *puttings;
};

static void chunk_next(struct event_store *store);

static void add_texts(struct db_params *params, const GPtrArray *puttings, const char *(*text)(const struct stored_event *))
{
    const char *list[CHUNK_EVENTS + 1];

    for (guint i = 0; i < puttings->len; i++) {
        const char *value = text(((const struct putting *)puttings->pdata[i])->event);
        list[i] = value ? value : "";
    }
    list[puttings->len] = NULL;
    db_params_texts(params, list);
}

static void add_ints(struct db_params *params, const GPtrArray *puttings, gint64 (*number)(const struct stored_event *))
{
    int64_t list[CHUNK_EVENTS];

    for (guint i = 0; i < puttings->len; i++)
        list[i] = number(((const struct putting *)puttings->pdata[i])->event);
    db_params_ints(params, list, puttings->len);
}

#define FIELD_TEXT(name)                                                                                             \
    static const char *text_##name(const struct stored_event *event) { return event->name; }
FIELD_TEXT(endpoint_id)
FIELD_TEXT(key)
FIELD_TEXT(kind)
FIELD_TEXT(lane)
FIELD_TEXT(channel)
FIELD_TEXT(identifier)
FIELD_TEXT(attempt)
#undef FIELD_TEXT

static const char *text_opt(const struct stored_event *event)
{
    return event->identifier ? event->opt : NULL;
}

static gint64 number_account(const struct stored_event *event)
{
    return event->account_id;
}

static gint64 number_keep(const struct stored_event *event)
{
    return event->keep_days;
}

static gint64 number_length(const struct stored_event *event)
{
    return (gint64)g_bytes_get_size(event->body);
}

static struct db_params *chunk_params(const GPtrArray *puttings)
{
    struct db_params *params = db_params_new();
    g_autoptr(GByteArray) bodies = g_byte_array_new();

    for (guint i = 0; i < puttings->len; i++) {
        gsize size;
        const guint8 *body = g_bytes_get_data(((struct putting *)puttings->pdata[i])->event->body, &size);
        g_byte_array_append(bodies, body, (guint)size);
    }
    add_ints(params, puttings, number_account);
    add_texts(params, puttings, text_endpoint_id);
    add_texts(params, puttings, text_key);
    add_texts(params, puttings, text_kind);
    add_texts(params, puttings, text_lane);
    add_ints(params, puttings, number_length);
    db_params_bytea(params, bodies->data, bodies->len);
    add_ints(params, puttings, number_keep);
    add_texts(params, puttings, text_opt);
    add_texts(params, puttings, text_channel);
    add_texts(params, puttings, text_identifier);
    add_texts(params, puttings, text_attempt);
    return params;
}

/* The database does not answer: neither will it for those who wait behind. */
static void chunk_to_journal(struct event_store *store, GPtrArray *puttings)
{
    struct putting *putting;
    GQueue behind = G_QUEUE_INIT;

    pthread_mutex_lock(&store->gathering);
    while ((putting = g_queue_pop_head(&store->waiting)))
        g_queue_push_tail(&behind, putting);
    pthread_mutex_unlock(&store->gathering);
    for (guint i = 0; i < puttings->len; i++)
        to_journal(puttings->pdata[i]);
    while ((putting = g_queue_pop_head(&behind)))
        to_journal(putting);
}

static void chunk_stored(GPtrArray *puttings, struct db_rows *rows)
{
    g_auto(GStrv) fresh = db_rows_texts(rows, 0, 0);
    bool new[CHUNK_EVENTS] = { false };

    for (gsize i = 0; fresh && fresh[i]; i++) {
        gint64 place = g_ascii_strtoll(fresh[i], NULL, 10);
        if (place >= 1 && place <= (gint64)puttings->len)
            new[place - 1] = true;
    }
    for (guint i = 0; i < puttings->len; i++)
        putting_end(puttings->pdata[i], new[i] ? EVENT_NEW : EVENT_REPEATED);
}

static void on_chunk(void *data, struct db_rows *rows, const GError *error)
{
    struct chunk *chunk = data;
    struct event_store *store = chunk->store;

    if (!error)
        chunk_stored(chunk->puttings, rows);
    else if (db_error_is_temporary(error))
        chunk_to_journal(store, chunk->puttings);
    else /* one of them is at fault: each alone */
        for (guint i = 0; i < chunk->puttings->len; i++)
            write_one(chunk->puttings->pdata[i]);
    db_rows_free(rows);
    g_ptr_array_unref(chunk->puttings);
    g_free(chunk);
    chunk_next(store);
}

static void on_single(void *data, struct db_rows *rows, const GError *error)
{
    struct event_store *store = ((struct putting *)data)->store;

    on_written(data, rows, error);
    chunk_next(store);
}

/* Sends what has gathered; with nothing there, the next event goes at once. */
static void chunk_next(struct event_store *store)
{
    GPtrArray *puttings = g_ptr_array_new();
    struct putting *putting;
    gsize bytes = 0;
    struct chunk *chunk;

    pthread_mutex_lock(&store->gathering);
    while (puttings->len < CHUNK_EVENTS && bytes < CHUNK_BYTES && (putting = g_queue_pop_head(&store->waiting))) {
        g_ptr_array_add(puttings, putting);
        bytes += g_bytes_get_size(putting->event->body);
    }
    store->busy = puttings->len > 0;
    pthread_mutex_unlock(&store->gathering);
    if (puttings->len <= 1) {
        putting = puttings->len == 1 ? puttings->pdata[0] : NULL;
        g_ptr_array_unref(puttings);
        if (putting && db_write_async(store->bridge->db, DB_STMT_ACCEPT_EVENT, event_store_params(putting->event), NULL,
                                      store->journal_after_ms, on_single, putting, NULL) < 0) {
            to_journal(putting);
            chunk_next(store);
        }
        return;
    }
    chunk = g_new0(struct chunk, 1);
    chunk->store = store;
    chunk->puttings = puttings;
    if (db_write_async(store->bridge->db, DB_STMT_ACCEPT_EVENTS, chunk_params(puttings), NULL, store->journal_after_ms,
                       on_chunk, chunk, NULL) < 0) {
        chunk_to_journal(store, puttings);
        g_ptr_array_unref(puttings);
        g_free(chunk);
        chunk_next(store);
    }
}

/* All at once, so that they go together. */
static void to_database(struct event_store *store, struct putting *const *puttings, guint count)
{
    bool first;

    if (!db_is_up(store->bridge->db)) {
        for (guint i = 0; i < count; i++)
            to_journal(puttings[i]);
        return;
    }
    pthread_mutex_lock(&store->gathering);
    for (guint i = 0; i < count; i++)
        g_queue_push_tail(&store->waiting, puttings[i]);
    first = !store->busy;
    store->busy = true;
    pthread_mutex_unlock(&store->gathering);
    if (first)
        chunk_next(store);
}

/* journal_always: first the journal, then the database; one of them is enough. */
static void on_journaled_first(bool ok, void *data)
{
    struct putting *putting = data;

    if (!ok)
        log_warning("status", "journal-refused");
    to_database(putting->store, &putting, 1);
}

static void journal_first(struct putting *putting)
{
    g_autoptr(GBytes) record = stored_event_encode(putting->event);
    gsize size;
    const void *bytes = g_bytes_get_data(record, &size);

    journal_append_async(putting->store->bridge->journal, EVENT_RECORD, bytes, size, on_journaled_first, putting);
}

static struct putting *putting_new(struct event_store *store, struct stored_event *event, event_done_func *done, void *data)
{
    struct putting *putting = g_new0(struct putting, 1);

    putting->store = store;
    putting->event = event;
    putting->done = done;
    putting->data = data;
    return putting;
}

void event_store_put_all(struct event_store *store, const GPtrArray *events, event_done_func *done, void *data)
{
    g_autoptr(GPtrArray) puttings = g_ptr_array_new();

    for (guint i = 0; i < events->len; i++)
        g_ptr_array_add(puttings, putting_new(store, events->pdata[i], done, data));
    if (!store->always)
        to_database(store, (struct putting *const *)puttings->pdata, puttings->len);
    else
        for (guint i = 0; i < puttings->len; i++)
            journal_first(puttings->pdata[i]);
}

struct event_store *event_store_new(struct bridge *bridge)
{
    struct event_store *store = g_new0(struct event_store, 1);

    store->bridge = bridge;
    store->journal_after_ms = (unsigned)config_get_duration_ms(bridge->config, "web", "journal_after");
    store->always = config_get_bool(bridge->config, "web", "journal_always");
    g_queue_init(&store->waiting);
    pthread_mutex_init(&store->gathering, NULL);
    pthread_mutex_init(&store->mutex, NULL);
    cond_init(&store->wake);
    return store;
}

void event_store_free(struct event_store *store)
{
    if (!store)
        return;
    pthread_mutex_destroy(&store->gathering);
    pthread_mutex_destroy(&store->mutex);
    pthread_cond_destroy(&store->wake);
    g_free(store);
}
