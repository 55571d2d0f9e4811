/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/maintenance.h"

#include <pthread.h>
#include <string.h>

#include "core/clock.h"
#include "core/cond.h"
#include "core/log.h"

#define TICK CLOCK_SECOND
#define DEPTHS_EVERY (5 * CLOCK_SECOND)
#define SEARCH_EVERY (2 * CLOCK_SECOND)
#define SEARCH_BATCH 500
/* One part of so many of the time. */
#define SEARCH_PARTS_BUSY 30
#define SEARCH_PARTS_QUIET 4
#define MAINTAIN_EVERY (5 * CLOCK_MINUTE)
#define MAINTAIN_ROWS 5000
#define EVENT_DAYS 30
#define DIGESTS_EVERY (10 * CLOCK_SECOND)
#define DIGESTS_BATCH 20 /* owners */
#define EXPIRIES_EVERY CLOCK_SECOND
#define EXPIRIES_BATCH 200

struct maintenance {
    struct bridge *bridge;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop;
    gint64 next_depths, next_search, next_maintain, next_digests, next_expiries;
    pthread_t thread;
};

struct depth {
    char *queue, *state;
    gint64 count;
    double oldest;
};

static struct {
    pthread_mutex_t mutex;
    GPtrArray *rows; /* struct depth * */
    gint64 cut_off;  /* endpoints */
    gint64 at;
} depths = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void depth_free(gpointer data)
{
    struct depth *depth = data;

    g_free(depth->queue);
    g_free(depth->state);
    g_free(depth);
}

static void read_depths(struct bridge *bridge)
{
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(db_rows) faults = NULL;
    GPtrArray *list, *old;

    if (db_query_once(bridge->db, DB_STMT_QUEUE_DEPTHS, db_params_new(), 2000, &rows, NULL) < 0 ||
        db_query_once(bridge->db, DB_STMT_ENDPOINTS_CUT_OFF, db_params_new(), 2000, &faults, NULL) < 0)
        return;
    list = g_ptr_array_new_with_free_func(depth_free);
    for (unsigned r = 0; r < db_rows_count(rows); r++) {
        struct depth *depth = g_new0(struct depth, 1);
        depth->queue = g_strdup(db_rows_text(rows, r, 0));
        depth->state = g_strdup(db_rows_text(rows, r, 1));
        depth->count = db_rows_int(rows, r, 2);
        depth->oldest = db_rows_double(rows, r, 3);
        g_ptr_array_add(list, depth);
    }
    pthread_mutex_lock(&depths.mutex);
    old = depths.rows;
    depths.rows = list;
    depths.cut_off = db_rows_int(faults, 0, 0);
    depths.at = ump_clock_mono_us();
    pthread_mutex_unlock(&depths.mutex);
    if (old)
        g_ptr_array_unref(old);
}

void maintenance_write_depths(GString *out)
{
    g_string_append(out, "# HELP ump_queue_depth Entries of the queues by state\n# TYPE ump_queue_depth gauge\n");
    pthread_mutex_lock(&depths.mutex);
    for (guint i = 0; depths.rows && i < depths.rows->len; i++) {
        const struct depth *d = depths.rows->pdata[i];
        g_string_append_printf(out, "ump_queue_depth{queue=\"%s\",state=\"%s\"} %" G_GINT64_FORMAT "\n", d->queue,
                               d->state, d->count);
    }
    g_string_append(out, "# HELP ump_queue_oldest_seconds Age of the oldest entry\n"
                         "# TYPE ump_queue_oldest_seconds gauge\n");
    for (guint i = 0; depths.rows && i < depths.rows->len; i++) {
        const struct depth *d = depths.rows->pdata[i];
        g_string_append_printf(out, "ump_queue_oldest_seconds{queue=\"%s\",state=\"%s\"} %.1f\n", d->queue, d->state,
                               d->oldest);
    }
    if (depths.rows)
        g_string_append_printf(out, "# HELP ump_endpoints_cut_off Endpoints whose provider is silent or refuses, their owners told\n"
                                    "# TYPE ump_endpoints_cut_off gauge\nump_endpoints_cut_off %" G_GINT64_FORMAT "\n",
                               depths.cut_off);
    pthread_mutex_unlock(&depths.mutex);
}

json_t *maintenance_depths(void)
{
    json_t *all = json_object();

    pthread_mutex_lock(&depths.mutex);
    for (guint i = 0; depths.rows && i < depths.rows->len; i++) {
        const struct depth *d = depths.rows->pdata[i];
        json_t *queue = json_object_get(all, d->queue);
        if (!queue) {
            queue = json_object();
            json_object_set_new(all, d->queue, queue);
        }
        json_object_set_new(queue, d->state, json_integer(d->count));
    }
    pthread_mutex_unlock(&depths.mutex);
    return all;
}

/* What the statement returns; NULL: the database does not answer. */
static struct db_rows *run(struct bridge *bridge, unsigned stmt, struct db_params *params)
{
    struct db_rows *rows = NULL;
    g_autoptr(GError) error = NULL;

    if (db_query_once(bridge->db, stmt, params, 30000, &rows, &error) < 0) {
        if (!db_error_is_temporary(error))
            log_warning("error", error->message, "status", "maintenance-failed");
        return NULL;
    }
    return rows;
}

/* A backlog is worked off in a small part of the time while messages arrive, and in a larger one when it is quiet:
 * what has just come is not what is searched for.  Returns the time of the next call. */
static gint64 fill_search(struct bridge *bridge, gint64 begun)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    gint64 rest;

    db_params_int(params, SEARCH_BATCH);
    rows = run(bridge, DB_STMT_SEARCH_FILL, params);
    rest = (!rows || db_rows_bool_of(rows, 0, "busy") ? SEARCH_PARTS_BUSY : SEARCH_PARTS_QUIET) * (ump_clock_mono_us() - begun);
    return begun + (rows && db_rows_int(rows, 0, 0) >= SEARCH_BATCH ? rest : MAX(rest, SEARCH_EVERY));
}

/* Owners whose daily digest is due get their jobs.  Returns the time of the next call. */
static gint64 make_digests(struct bridge *bridge, gint64 begun)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;

    db_params_interval(params, config_get_duration(bridge->config, "receipts", "daily_at"));
    db_params_int(params, DIGESTS_BATCH);
    rows = run(bridge, DB_STMT_DAILY_DIGESTS, params);
    return rows && db_rows_int(rows, 0, 0) >= DIGESTS_BATCH ? begun : begun + DIGESTS_EVERY;
}

/* Messages that are to disappear get their jobs.  Returns the time of the next call. */
static gint64 make_expiries(struct bridge *bridge, gint64 begun)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;

    db_params_int(params, EXPIRIES_BATCH);
    rows = run(bridge, DB_STMT_EXPIRIES_DUE, params);
    return rows && db_rows_int(rows, 0, 0) >= EXPIRIES_BATCH ? begun : begun + EXPIRIES_EVERY;
}

static void tick(struct maintenance *m)
{
    gint64 now = ump_clock_mono_us();

    if (!db_is_up(m->bridge->db))
        return;
    if (now >= m->next_depths) {
        read_depths(m->bridge);
        m->next_depths = now + DEPTHS_EVERY;
    }
    if (now >= m->next_search) {
        m->next_search = fill_search(m->bridge, now);
    }
    if (now >= m->next_digests)
        m->next_digests = make_digests(m->bridge, now);
    if (now >= m->next_expiries)
        m->next_expiries = make_expiries(m->bridge, now);
    if (now >= m->next_maintain) {
        struct db_params *params = db_params_new();
        db_params_int(params, EVENT_DAYS);
        db_params_int(params, MAINTAIN_ROWS);
        db_rows_free(run(m->bridge, DB_STMT_MAINTAIN, params));
        m->next_maintain = now + MAINTAIN_EVERY;
    }
}

static void *rounds(void *data)
{
    struct maintenance *m = data;

    pthread_mutex_lock(&m->mutex);
    while (!m->stop) {
        gint64 wait;
        pthread_mutex_unlock(&m->mutex);
        tick(m);
        pthread_mutex_lock(&m->mutex);
        wait = CLAMP(m->next_search - ump_clock_mono_us(), CLOCK_SECOND / 100, TICK);
        if (!m->stop)
            cond_wait_until(&m->wake, &m->mutex, ump_clock_mono_us() + wait);
    }
    pthread_mutex_unlock(&m->mutex);
    return NULL;
}

struct maintenance *maintenance_start(struct bridge *bridge)
{
    struct maintenance *m = g_new0(struct maintenance, 1);

    m->bridge = bridge;
    pthread_mutex_init(&m->mutex, NULL);
    cond_init(&m->wake);
    pthread_create(&m->thread, NULL, rounds, m);
    return m;
}

void maintenance_stop(struct maintenance *m)
{
    pthread_mutex_lock(&m->mutex);
    m->stop = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->mutex);
    pthread_join(m->thread, NULL);
}

void maintenance_free(struct maintenance *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->mutex);
    pthread_cond_destroy(&m->wake);
    g_free(m);
}
