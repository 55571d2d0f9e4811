/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/settler.h"

#include <pthread.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/db.h"
#include "core/log.h"
#include "lmtp/underway.h"

/* So long the first waits for others.  Whoever lost our answer needs longer to come again. */
#define GATHER_US 20000
/* In one statement. */
#define MAX_ROWS 256

struct row {
    char *key, *reply;
    gint64 at; /* monotonic: when the store answered */
    bool turn;
};

struct settler {
    struct db *db;
    struct underway *underway;
    unsigned wait_ms;
    settler_kept kept;
    void *data;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    GArray *rows; /* of struct row */
    bool stop;
};

static void row_clear(void *data)
{
    struct row *row = data;

    g_free(row->key);
    g_free(row->reply);
}

static GArray *rows_new(void)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct row));

    g_array_set_clear_func(rows, row_clear);
    return rows;
}

static struct row *row_at(GArray *rows, guint i)
{
    return &g_array_index(rows, struct row, i);
}

static struct db_params *params_of(GArray *rows, guint from, guint to)
{
    struct db_params *params = db_params_new();
    g_autofree const char **keys = g_new0(const char *, to - from + 1);
    g_autofree const char **replies = g_new0(const char *, to - from + 1);
    g_autofree gint64 *ages = g_new(gint64, to - from);
    gint64 now = ump_clock_mono_us();

    for (guint i = 0; i < to - from; i++) {
        const struct row *row = row_at(rows, from + i);
        keys[i] = row->key;
        replies[i] = row->reply;
        ages[i] = (now - row->at) / 1000;
    }
    db_params_texts(params, keys);
    db_params_texts(params, replies);
    db_params_ints(params, ages, to - from);
    return params;
}

static void settle(struct settler *settler, GArray *rows, guint from, guint to)
{
    g_autoptr(GError) error = NULL;
    bool done = db_write_within(settler->db, DB_STMT_MAIL_DELIVERED, params_of(rows, from, to), NULL, settler->wait_ms,
                                NULL, &error) == 0;

    if (!done)
        log_warning("deliveries", LOG_INT((gint64)(to - from)), "error", error->message, "status", "settled-later");
    for (guint i = from; i < to; i++) {
        const struct row *row = row_at(rows, i);
        if (!done)
            settler->kept(settler->data, row->key, row->reply);
        if (row->turn)
            underway_drop(settler->underway, row->key);
    }
}

/* With the lock: waits for the first row, and a moment for more of them. */
static void gather(struct settler *settler)
{
    gint64 until;

    while (!settler->stop && settler->rows->len == 0)
        pthread_cond_wait(&settler->wake, &settler->lock);
    until = ump_clock_mono_us() + GATHER_US;
    while (!settler->stop && settler->rows->len < MAX_ROWS && cond_wait_until(&settler->wake, &settler->lock, until))
        ;
}

static void *settler_thread(void *data)
{
    struct settler *settler = data;

    pthread_mutex_lock(&settler->lock);
    for (;;) {
        gather(settler);
        if (settler->rows->len == 0)
            break;
        GArray *rows = g_steal_pointer(&settler->rows);
        settler->rows = rows_new();
        pthread_mutex_unlock(&settler->lock);
        for (guint from = 0; from < rows->len; from += MAX_ROWS)
            settle(settler, rows, from, MIN(from + MAX_ROWS, rows->len));
        g_array_unref(rows);
        pthread_mutex_lock(&settler->lock);
    }
    pthread_mutex_unlock(&settler->lock);
    return NULL;
}

struct settler *settler_new(struct db *db, struct underway *underway, unsigned wait_ms, settler_kept kept, void *data)
{
    struct settler *settler = g_new0(struct settler, 1);

    *settler = (struct settler){.db = db, .underway = underway, .wait_ms = wait_ms, .kept = kept, .data = data};
    settler->rows = rows_new();
    pthread_mutex_init(&settler->lock, NULL);
    cond_init(&settler->wake);
    pthread_create(&settler->thread, NULL, settler_thread, settler);
    return settler;
}

void settler_free(struct settler *settler)
{
    if (!settler)
        return;
    pthread_mutex_lock(&settler->lock);
    settler->stop = true;
    pthread_cond_signal(&settler->wake);
    pthread_mutex_unlock(&settler->lock);
    pthread_join(settler->thread, NULL);
    g_array_unref(settler->rows);
    pthread_cond_destroy(&settler->wake);
    pthread_mutex_destroy(&settler->lock);
    g_free(settler);
}

void settler_add(struct settler *settler, const char *key, const char *reply, bool turn)
{
    const struct row row = {g_strdup(key), g_strdup(reply), ump_clock_mono_us(), turn};

    pthread_mutex_lock(&settler->lock);
    g_array_append_val(settler->rows, row);
    if (settler->rows->len == 1 || settler->rows->len == MAX_ROWS)
        pthread_cond_signal(&settler->wake);
    pthread_mutex_unlock(&settler->lock);
}
