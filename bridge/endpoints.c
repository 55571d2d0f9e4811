/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of endpoints: one loader thread, readers that only take a reference. */
#include "bridge/endpoints.h"

#include <pthread.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/endpoint_secrets.h"
#include "core/error.h"
#include "core/hmac.h"
#include "core/log.h"

#define SNAPSHOT "endpoints.json"
#define RELOAD_AFTER (5 * CLOCK_MINUTE)
#define MISSES_PER_SECOND 5
#define MISS_TIMEOUT_MS 500

struct endpoints {
    struct db *db;
    const struct secrets *secrets;
    char *snapshot;

    pthread_rwlock_t lock; /* guards map, loaded */
    GHashTable *map;       /* id → struct endpoint * */
    bool loaded;

    pthread_mutex_t loading; /* held from the question to the map, so that what was read earlier replaces nothing later */
    gint64 refreshed;        /* monotonic µs; under loading */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    bool all;              /* everything may have changed */
    GHashTable *changed;   /* ids */
    bool stop;
    gint64 miss_second;
    guint misses;
    pthread_t thread;
};

/* --- one endpoint --- */

static void endpoint_free(struct endpoint *endpoint)
{
    struct channel_endpoint *c = &endpoint->channel;

    if (c->prepared && c->ops->dispose)
        c->ops->dispose(c->prepared);
    g_free(c->id);
    g_free(c->channel);
    g_free(c->provider);
    g_free(c->address);
    g_free(c->domain);
    g_free(c->region);
    g_free(c->unusable);
    json_decref(c->settings);
    endpoint_secrets_wipe(c->secrets);
    json_decref(c->account_settings);
    g_free(endpoint->owner_kind);
    g_free(endpoint->owner_id);
    g_free(endpoint);
}

struct endpoint *endpoint_ref(struct endpoint *endpoint)
{
    __atomic_add_fetch(&endpoint->refs, 1, __ATOMIC_RELAXED);
    return endpoint;
}

void endpoint_unref(struct endpoint *endpoint)
{
    if (endpoint && __atomic_sub_fetch(&endpoint->refs, 1, __ATOMIC_ACQ_REL) == 0)
        endpoint_free(endpoint);
}

static char *dup_of(const json_t *row, const char *key)
{
    return g_strdup(json_string_value(json_object_get(row, key)));
}

static json_t *object_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;

    if (json_is_object(object))
        return object;
    json_decref(object);
    return json_object();
}

static void open_secrets(const struct endpoints *endpoints, struct channel_endpoint *c, const json_t *row)
{
    const char *hex = json_string_value(json_object_get(row, "secrets"));
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stored = NULL;

    if (!hex)
        return;
    size_t size = strlen(hex) / 2;
    g_autofree uint8_t *bytes = g_malloc(size + 1);
    if (hmac_unhex(hex, strlen(hex), bytes, &size))
        stored = g_bytes_new(bytes, size);
    c->secrets = stored && endpoints->secrets ? endpoint_secrets_open(endpoints->secrets, c->id, stored, &error) : NULL;
    if (!c->secrets) {
        c->unusable = g_strdup_printf("its secrets cannot be opened: %s", error ? error->message : "no key");
        log_error("endpoint", c->id, "error", c->unusable, "status", "unusable");
    }
}

/* row: the columns of endpoint_get as text, as in the snapshot. */
static struct endpoint *endpoint_make(const struct endpoints *endpoints, const json_t *row)
{
    struct endpoint *endpoint = g_new0(struct endpoint, 1);
    struct channel_endpoint *c = &endpoint->channel;
    const char *status = json_string_value(json_object_get(row, "status"));
    g_autoptr(GError) error = NULL;

    endpoint->refs = 1;
    endpoint->status = status && strcmp(status, "enabled") == 0 ? ENDPOINT_ENABLED : ENDPOINT_DISABLED;
    endpoint->owner_kind = dup_of(row, "owner_kind");
    endpoint->owner_id = dup_of(row, "owner_id");
    endpoint->version = (int)json_integer_value(json_object_get(row, "version"));
    c->account_id = json_integer_value(json_object_get(row, "account_id"));
    c->id = dup_of(row, "id");
    c->channel = dup_of(row, "channel");
    c->provider = dup_of(row, "provider");
    c->address = dup_of(row, "address");
    c->domain = dup_of(row, "domain");
    c->region = dup_of(row, "region");
    c->settings = object_of(row, "settings");
    c->account_settings = object_of(row, "account_settings");
    c->ops = channel_find(c->provider);
    open_secrets(endpoints, c, row);
    if (!c->ops) {
        g_free(c->unusable);
        c->unusable = g_strdup_printf("no provider is called %s", c->provider ? c->provider : "");
    } else if (c->ops->prepare && !c->unusable) {
        c->prepared = c->ops->prepare(c, &error);
        if (!c->prepared) {
            c->unusable = g_strdup(error ? error->message : "its settings are not complete");
            log_warning("endpoint", c->id, "error", c->unusable, "status", "unusable");
        }
    }
    return endpoint;
}

/* --- rows, snapshot --- */

static json_t *row_of(struct db_rows *rows, unsigned r)
{
    static const char *const texts[] = { "id", "channel", "provider", "address", "owner_kind", "owner_id", "settings",
                                         "status", "account_settings", "region", "domain" };
    json_t *row = json_object();
    g_autoptr(GBytes) secrets = db_rows_bytea(rows, r, (unsigned)MAX(0, db_rows_column(rows, "secrets")));

    json_object_set_new(row, "account_id", json_integer(db_rows_int_of(rows, r, "account_id")));
    json_object_set_new(row, "version", json_integer(db_rows_int_of(rows, r, "version")));
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text = db_rows_text_of(rows, r, texts[i]);
        if (text)
            json_object_set_new(row, texts[i], json_string(text));
    }
    if (secrets) {
        gsize size;
        const void *data = g_bytes_get_data(secrets, &size);
        g_autofree char *hex = hmac_hex(data, size);
        json_object_set_new(row, "secrets", json_string(hex));
    }
    return row;
}

/* What the snapshot holds is what the database holds: settings in clear, secrets sealed; mode 0600. */
static void snapshot_write(struct endpoints *endpoints, const json_t *rows)
{
    char *text = json_dumps(rows, JSON_COMPACT);
    g_autoptr(GError) error = NULL;

    if (text && !g_file_set_contents_full(endpoints->snapshot, text, -1,
                                          G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &error))
        log_warning("file", endpoints->snapshot, "error", error->message, "status", "not-written");
    g_free(text);
}

static void take_all(struct endpoints *endpoints, const json_t *rows)
{
    GHashTable *map = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)endpoint_unref), *old;
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row) {
        const char *id = json_string_value(json_object_get(row, "id"));
        if (id) {
            struct endpoint *endpoint = endpoint_make(endpoints, row);
            g_hash_table_replace(map, endpoint->channel.id, endpoint);
        }
    }
    pthread_rwlock_wrlock(&endpoints->lock);
    old = endpoints->map;
    endpoints->map = map;
    endpoints->loaded = true;
    pthread_rwlock_unlock(&endpoints->lock);
    g_hash_table_unref(old);
}

/* With loading held. */
static bool read_all(struct endpoints *endpoints, unsigned timeout_ms, json_t *list)
{
    g_autoptr(db_params) params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_null(params);
    if (db_query_once(endpoints->db, DB_STMT_ENDPOINT_GET, g_steal_pointer(&params), timeout_ms, &rows, &error) < 0) {
        log_debug("error", error->message, "status", "endpoints-not-read");
        return false;
    }
    for (unsigned r = 0; r < db_rows_count(rows); r++)
        json_array_append_new(list, row_of(rows, r));
    take_all(endpoints, list);
    return true;
}

static bool load_all(struct endpoints *endpoints)
{
    g_autoptr(json_t) list = json_array();

    pthread_mutex_lock(&endpoints->loading);
    bool read = read_all(endpoints, 0, list);
    pthread_mutex_unlock(&endpoints->loading);
    if (read)
        snapshot_write(endpoints, list);
    return read;
}

static bool load_one(struct endpoints *endpoints, const char *id, unsigned timeout_ms)
{
    g_autoptr(db_params) params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    struct endpoint *endpoint = NULL;

    db_params_uuid(params, id);
    if (db_query_once(endpoints->db, DB_STMT_ENDPOINT_GET, g_steal_pointer(&params), timeout_ms, &rows, NULL) < 0)
        return false;
    if (db_rows_count(rows) > 0) {
        g_autoptr(json_t) row = row_of(rows, 0);
        endpoint = endpoint_make(endpoints, row);
    }
    pthread_rwlock_wrlock(&endpoints->lock);
    if (endpoint)
        g_hash_table_replace(endpoints->map, endpoint->channel.id, endpoint);
    else
        g_hash_table_remove(endpoints->map, id);
    pthread_rwlock_unlock(&endpoints->lock);
    return true;
}

static void snapshot_read(struct endpoints *endpoints)
{
    g_autoptr(json_t) rows = json_load_file(endpoints->snapshot, 0, NULL);

    if (json_is_array(rows) && !endpoints->loaded)
        take_all(endpoints, rows);
}

/* --- the loader --- */

static void on_notify(void *data, const char *channel, const char *payload)
{
    struct endpoints *endpoints = data;

    pthread_mutex_lock(&endpoints->mutex);
    if (payload && *payload)
        g_hash_table_add(endpoints->changed, g_strdup(payload));
    endpoints->all = true; /* also after one: the snapshot is of all */
    pthread_cond_signal(&endpoints->wake);
    pthread_mutex_unlock(&endpoints->mutex);
}

static void wait_for_change(struct endpoints *endpoints, gint64 us)
{
    gint64 until = ump_clock_mono_us() + us;

    while (!endpoints->stop && !endpoints->all && cond_wait_until(&endpoints->wake, &endpoints->mutex, until))
        ;
}

static void *loader(void *data)
{
    struct endpoints *endpoints = data;
    gint64 pause = 0;

    pthread_mutex_lock(&endpoints->mutex);
    while (!endpoints->stop) {
        if (pause > 0) {
            wait_for_change(endpoints, pause);
            if (endpoints->stop)
                break;
        }
        GHashTable *changed = endpoints->changed;
        endpoints->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        endpoints->all = false;
        pthread_mutex_unlock(&endpoints->mutex);

        GHashTableIter iter;
        gpointer id;
        g_hash_table_iter_init(&iter, changed);
        if (g_hash_table_size(changed) <= 3)
            while (g_hash_table_iter_next(&iter, &id, NULL))
                load_one(endpoints, id, 0);
        g_hash_table_unref(changed);
        pause = load_all(endpoints) ? RELOAD_AFTER : CLOCK_SECOND;
        pthread_mutex_lock(&endpoints->mutex);
    }
    pthread_mutex_unlock(&endpoints->mutex);
    return NULL;
}

struct endpoints *endpoints_new(struct db *db, const struct secrets *secrets, const char *state_dir)
{
    struct endpoints *endpoints = g_new0(struct endpoints, 1);

    endpoints->db = db;
    endpoints->secrets = secrets;
    endpoints->snapshot = g_build_filename(state_dir, SNAPSHOT, NULL);
    endpoints->map = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)endpoint_unref);
    endpoints->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pthread_rwlock_init(&endpoints->lock, NULL);
    pthread_mutex_init(&endpoints->mutex, NULL);
    pthread_mutex_init(&endpoints->loading, NULL);
    cond_init(&endpoints->wake);
    snapshot_read(endpoints);
    db_listen(db, "ump_endpoints", on_notify, endpoints);
    pthread_create(&endpoints->thread, NULL, loader, endpoints);
    return endpoints;
}

void endpoints_stop(struct endpoints *endpoints)
{
    pthread_mutex_lock(&endpoints->mutex);
    endpoints->stop = true;
    pthread_cond_signal(&endpoints->wake);
    pthread_mutex_unlock(&endpoints->mutex);
    pthread_join(endpoints->thread, NULL);
}

void endpoints_free(struct endpoints *endpoints)
{
    if (!endpoints)
        return;
    g_hash_table_unref(endpoints->map);
    g_hash_table_unref(endpoints->changed);
    pthread_rwlock_destroy(&endpoints->lock);
    pthread_mutex_destroy(&endpoints->mutex);
    pthread_mutex_destroy(&endpoints->loading);
    pthread_cond_destroy(&endpoints->wake);
    g_free(endpoints->snapshot);
    g_free(endpoints);
}

/* --- readers --- */

static struct endpoint *look_up(struct endpoints *endpoints, const char *id)
{
    struct endpoint *endpoint;

    pthread_rwlock_rdlock(&endpoints->lock);
    endpoint = g_hash_table_lookup(endpoints->map, id);
    if (endpoint)
        endpoint_ref(endpoint);
    pthread_rwlock_unlock(&endpoints->lock);
    return endpoint;
}

/* Ids that we do not know cost a query: a few a second, so that guessing them costs nothing. */
static bool may_ask(struct endpoints *endpoints)
{
    gint64 second = ump_clock_mono_us() / CLOCK_SECOND;
    bool may;

    pthread_mutex_lock(&endpoints->mutex);
    if (endpoints->miss_second != second) {
        endpoints->miss_second = second;
        endpoints->misses = 0;
    }
    may = endpoints->misses++ < MISSES_PER_SECOND;
    pthread_mutex_unlock(&endpoints->mutex);
    return may;
}

struct endpoint *endpoints_get(struct endpoints *endpoints, const char *id)
{
    struct endpoint *endpoint = look_up(endpoints, id);

    if (endpoint || !db_is_up(endpoints->db) || !may_ask(endpoints))
        return endpoint;
    load_one(endpoints, id, MISS_TIMEOUT_MS);
    return look_up(endpoints, id);
}

bool endpoints_refresh(struct endpoints *endpoints)
{
    g_autoptr(json_t) list = json_array();
    bool fresh = true; /* read by somebody else within the last second: as good */

    if (!db_is_up(endpoints->db))
        return false;
    pthread_mutex_lock(&endpoints->loading);
    gint64 now = ump_clock_mono_us();
    if (now - endpoints->refreshed >= CLOCK_SECOND) {
        fresh = read_all(endpoints, MISS_TIMEOUT_MS, list);
        if (fresh)
            endpoints->refreshed = now;
    }
    pthread_mutex_unlock(&endpoints->loading);
    return fresh;
}

bool endpoints_loaded(struct endpoints *endpoints)
{
    bool loaded;

    pthread_rwlock_rdlock(&endpoints->lock);
    loaded = endpoints->loaded;
    pthread_rwlock_unlock(&endpoints->lock);
    return loaded;
}

guint endpoints_count(struct endpoints *endpoints)
{
    guint count;

    pthread_rwlock_rdlock(&endpoints->lock);
    count = g_hash_table_size(endpoints->map);
    pthread_rwlock_unlock(&endpoints->lock);
    return count;
}

GPtrArray *endpoints_list(struct endpoints *endpoints)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)endpoint_unref);
    GHashTableIter iter;
    gpointer endpoint;

    pthread_rwlock_rdlock(&endpoints->lock);
    g_hash_table_iter_init(&iter, endpoints->map);
    while (g_hash_table_iter_next(&iter, NULL, &endpoint))
        if (((struct endpoint *)endpoint)->status == ENDPOINT_ENABLED)
            g_ptr_array_add(list, endpoint_ref(endpoint));
    pthread_rwlock_unlock(&endpoints->lock);
    return list;
}
