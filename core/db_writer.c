/* SPDX-License-Identifier: Apache-2.0 */
/* The group commit writer: a queue, one thread, one pipelined connection (DESIGN, "Group commit").
 *
 * Locking: `lock` guards the queue and the settled/rows/error/refs fields of every request.  Everything
 * else belongs to the writer's thread.  Callbacks run without the lock. */
#include "core/db_batch.h"
#include "core/cond.h"
#include "core/db_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How often deadlines are looked at, at most. */
#define TICK_US 2000
/* A batch of so many statements says that several callers write at the same time, */
#define CROWD 4
/* and of so many, that its commit is shared well enough without waiting for more. */
#define CROWD_ENOUGH 16
/* So many smaller batches later nobody is waited for any more. */
#define CROWD_MEMORY 16
/* So often in a row a single statement may meet the end of the connection. */
#define MAX_LOSSES 8

struct db_writer {
    struct db *db;
    pthread_t thread;
    int wake_fd;

    pthread_mutex_t lock;
    GQueue queue; /* of struct db_request, each with a reference */
    uint64_t sequence;
    int64_t next_deadline; /* of callbacks waiting, or earlier */
    int64_t wakes_at;      /* when the thread next looks at the deadlines by itself */
    bool idle;             /* it found the queue empty: whoever adds to it wakes the thread */
    int64_t stop_at;       /* INT64_MAX: not stopping */

    /* The thread's own. */
    struct db_conn *conn;
    GPtrArray *flying; /* what the current batch consists of, references included */
    GPtrArray *group;  /* the part of it that is being attempted, borrowed; NULL: none */
    GQueue groups;     /* of GPtrArray, borrowed requests: what is still to be attempted, in order */
    unsigned backoff;
    unsigned losses; /* of the connection during an attempt, since the last success */
    int64_t last_tick;
    int64_t began;   /* when the last batch was gathered */
    guint gathered;  /* statements in it */
    unsigned crowd;  /* batches for which a neighbour is still expected */
    struct db_waiter waiter;
};

/* ---- requests ---- */

static struct db_request *request_new(struct db_writer *w, unsigned stmt, struct db_params *params, const char *key,
                                      unsigned timeout_ms)
{
    const struct db_stmt *s = &w->db->options.stmts[stmt];
    struct db_request *r = g_new0(struct db_request, 1);
    g_assert(stmt < w->db->nstmts && db_params_count(params) == s->nparams);
    r->refs = 1;
    r->stmt = stmt;
    r->params = params;
    r->key = g_strdup(key ? key : s->lock_param ? db_params_peek(params, s->lock_param - 1) : NULL);
    r->deadline = db_now() + 1000 * (int64_t)(timeout_ms ? timeout_ms : w->db->options.write_timeout_ms);
    cond_init(&r->cond);
    return r;
}

static void request_free(struct db_request *r)
{
    db_params_free(r->params);
    db_rows_free(r->rows);
    g_clear_error(&r->error);
    pthread_cond_destroy(&r->cond);
    g_free(r->key);
    g_free(r);
}

static void unref_locked(struct db_request *r)
{
    if (--r->refs == 0)
        request_free(r);
}

/* Takes rows and error.  Returns true when the caller of this has to run the callback. */
static bool settle_locked(struct db_request *r, struct db_rows *rows, GError *error)
{
    if (r->settled) {
        db_rows_free(rows);
        g_clear_error(&error);
        return false;
    }
    r->settled = true;
    r->rows = rows;
    r->error = error;
    if (r->callback)
        return true;
    pthread_cond_signal(&r->cond);
    return false;
}

/* Writer's thread, without the lock; nobody else touches a settled request with a callback. */
static void run_callback(struct db_request *r)
{
    r->callback(r->data, g_steal_pointer(&r->rows), r->error);
}

static void settle(struct db_writer *w, struct db_request *r, struct db_rows *rows, GError *error)
{
    pthread_mutex_lock(&w->lock);
    bool call = settle_locked(r, rows, error);
    pthread_mutex_unlock(&w->lock);
    if (call)
        run_callback(r);
}

static bool is_settled(struct db_writer *w, struct db_request *r)
{
    pthread_mutex_lock(&w->lock);
    bool settled = r->settled;
    pthread_mutex_unlock(&w->lock);
    return settled;
}

/* ---- deadlines of callbacks (those who wait on a condition look after themselves) ---- */

static void expire_one(struct db_request *r, int64_t now, int64_t *next, GPtrArray *due)
{
    if (r->settled || !r->callback)
        return;
    if (r->deadline > now) {
        *next = MIN(*next, r->deadline);
        return;
    }
    GError *error = g_error_new_literal(DB_ERROR, DB_ERROR_TIMEOUT, "not committed in time");
    if (settle_locked(r, NULL, error)) {
        r->refs++;
        g_ptr_array_add(due, r);
    }
}

static void expire(struct db_writer *w, int64_t now)
{
    g_autoptr(GPtrArray) due = g_ptr_array_new();
    pthread_mutex_lock(&w->lock);
    if (w->next_deadline <= now) {
        int64_t next = INT64_MAX;
        for (GList *l = w->queue.head; l; l = l->next)
            expire_one(l->data, now, &next, due);
        for (guint i = 0; i < w->flying->len; i++)
            expire_one(w->flying->pdata[i], now, &next, due);
        w->next_deadline = next;
    }
    pthread_mutex_unlock(&w->lock);
    atomic_fetch_add(&w->db->stats.timeouts, due->len);
    for (guint i = 0; i < due->len; i++) {
        run_callback(due->pdata[i]);
        pthread_mutex_lock(&w->lock);
        unref_locked(due->pdata[i]);
        pthread_mutex_unlock(&w->lock);
    }
}

/* Nobody waits for any of the group any more. */
static bool abandoned_locked(const GPtrArray *group)
{
    for (guint i = 0; i < group->len; i++)
        if (!((struct db_request *)group->pdata[i])->settled)
            return false;
    return true;
}

/* For db_wait.  Also called between batches. */
static int64_t tick(void *data)
{
    struct db_writer *w = data;
    int64_t now = db_now();
    if (now - w->last_tick >= TICK_US) {
        w->last_tick = now;
        expire(w, now);
    }
    pthread_mutex_lock(&w->lock);
    int64_t next = MAX(w->next_deadline, w->last_tick + TICK_US);
    bool give_up = now >= w->stop_at || (w->group && abandoned_locked(w->group));
    next = MIN(next, w->stop_at);
    if (w->group) /* so that an abandoned group is noticed within a second */
        next = MIN(next, now + G_USEC_PER_SEC);
    w->wakes_at = next;
    pthread_mutex_unlock(&w->lock);
    return give_up ? -1 : next;
}

/* ---- the connection ---- */

static void disconnect(struct db_writer *w, const char *why)
{
    if (!w->conn)
        return;
    g_clear_pointer(&w->conn, db_conn_free);
    db_set_up(w->db, false);
    db_notice(w->db, "writer", "connection lost", why);
}

static bool stopping(struct db_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool over = w->stop_at != INT64_MAX;
    pthread_mutex_unlock(&w->lock);
    return over;
}

static void pause_for(struct db_writer *w, int64_t us)
{
    int64_t until = db_now() + us;
    while (db_wait(-1, 0, until, &w->waiter) > 0)
        ;
}

static bool connect_once(struct db_writer *w)
{
    g_autoptr(GError) error = NULL;
    w->conn = db_conn_open(w->db->target, w->db->nstmts, w->db->options.connect_timeout_ms, INT64_MAX, &w->waiter,
                           &error);
    if (w->conn && PQenterPipelineMode(w->conn->pg)) {
        w->backoff = 0;
        atomic_fetch_add(&w->db->stats.reconnects, 1);
        db_set_up(w->db, true);
        db_notice(w->db, "writer", "connected", NULL);
        return true;
    }
    g_clear_pointer(&w->conn, db_conn_free);
    if (w->backoff % 4 == 0 && !g_error_matches(error, DB_ERROR, DB_ERROR_CLOSED))
        db_notice(w->db, "writer", "cannot connect", error ? error->message : NULL);
    return false;
}

/* False when there is no more reason to wait: stopping, or everyone of the group has gone. */
static bool ensure_connected(struct db_writer *w)
{
    while (!w->conn && !connect_once(w)) {
        if (tick(w) < 0)
            return false;
        pause_for(w, db_backoff(&w->backoff));
        if (tick(w) < 0)
            return false;
    }
    return true;
}

/* ---- batches ---- */

static int by_key(const void *a, const void *b)
{
    const struct db_request *x = *(struct db_request *const *)a, *y = *(struct db_request *const *)b;
    int order = g_strcmp0(x->key, y->key);
    return order ? order : x->sequence < y->sequence ? -1 : 1;
}

/* Leaves time for others to come, where others have been coming: commits cost more than their statements.  A caller
 * who writes alone does not wait here, once the crowd is forgotten.  The queue does not wake us meanwhile; deadlines and
 * db_writer_stop do. */
static void linger(struct db_writer *w)
{
    int64_t until = w->began + w->db->options.batch_gap_us;
    if (!w->db->options.batch_gap_us || !w->crowd || w->gathered >= CROWD_ENOUGH)
        return;
    while (!stopping(w) && db_now() < until && db_wait(-1, 0, until, &w->waiter) > 0)
        ;
}

static void note_crowd(struct db_writer *w)
{
    if (!w->flying->len)
        return;
    w->began = db_now();
    w->gathered = w->flying->len;
    if (w->flying->len >= CROWD)
        w->crowd = CROWD_MEMORY;
    else if (w->crowd)
        w->crowd--;
}

/* Takes from the queue, in order of arrival, what fits into a batch. */
static void gather(struct db_writer *w)
{
    size_t bytes = 0;
    pthread_mutex_lock(&w->lock);
    while (w->flying->len < w->db->options.batch_statements && w->queue.length) {
        struct db_request *r = w->queue.head->data;
        size_t size = db_params_size(r->params) + 128;
        if (w->flying->len && bytes + size > w->db->options.batch_bytes)
            break;
        g_queue_pop_head(&w->queue);
        if (r->settled) {
            unref_locked(r);
            continue;
        }
        bytes += size;
        g_ptr_array_add(w->flying, r);
    }
    w->idle = w->flying->len == 0;
    atomic_store(&w->db->stats.queued, w->queue.length);
    pthread_mutex_unlock(&w->lock);
    atomic_store(&w->db->stats.in_flight, w->flying->len);
    note_crowd(w);
    if (w->flying->len > 1)
        qsort(w->flying->pdata, w->flying->len, sizeof *w->flying->pdata, by_key);
}

static void push_part(struct db_writer *w, const GPtrArray *group, guint from, guint to)
{
    if (from >= to)
        return;
    GPtrArray *part = g_ptr_array_sized_new(to - from);
    for (guint i = from; i < to; i++)
        g_ptr_array_add(part, group->pdata[i]);
    g_queue_push_head(&w->groups, part);
}

static void halve(struct db_writer *w, const GPtrArray *group)
{
    push_part(w, group, group->len / 2, group->len);
    push_part(w, group, 0, group->len / 2);
}

/* The others first, together; then the one that failed, alone. */
static void single_out(struct db_writer *w, const GPtrArray *group, guint culprit)
{
    push_part(w, group, culprit, culprit + 1);
    GPtrArray *others = g_ptr_array_sized_new(group->len);
    for (guint i = 0; i < group->len; i++)
        if (i != culprit)
            g_ptr_array_add(others, group->pdata[i]);
    g_queue_push_head(&w->groups, others);
}

/* A group of one has failed by itself. */
static void fail_one(struct db_writer *w, struct db_request *r, GError *error)
{
    atomic_fetch_add(&w->db->stats.failures, 1);
    if (error->code != DB_ERROR_RAISED)
        db_notice(w->db, "writer", "statement failed", error->message);
    settle(w, r, NULL, error);
}

static void after_error(struct db_writer *w, const GPtrArray *group, struct db_outcome *out)
{
    struct db_request *culprit = out->culprit >= 0 ? group->pdata[out->culprit] : NULL;
    atomic_fetch_add(&w->db->stats.retries, 1);
    if (culprit && out->fault == DB_FAULT_PREPARE && !culprit->reprepared) {
        culprit->reprepared = true;
        db_conn_unprepare(w->conn);
        push_part(w, group, 0, group->len);
    } else if (group->len == 1 && out->fault == DB_FAULT_SERIAL) {
        push_part(w, group, 0, 1); /* until its deadline */
        pause_for(w, g_random_int_range(500, 10000));
    } else if (group->len == 1) {
        fail_one(w, group->pdata[0], g_steal_pointer(&out->error));
    } else if (!culprit || out->fault == DB_FAULT_SERIAL) {
        halve(w, group);
    } else {
        single_out(w, group, (guint)out->culprit);
    }
}

static void after_loss(struct db_writer *w, const GPtrArray *group, bool stalled, const GError *error)
{
    atomic_fetch_add(&w->db->stats.retries, 1);
    disconnect(w, error ? error->message : NULL);
    w->losses++;
    /* Perhaps it is too much at a time, or one statement brings the server down: the others must get through. */
    if ((stalled || w->losses > 1) && group->len > 1)
        halve(w, group);
    else if (w->losses > MAX_LOSSES)
        settle(w, group->pdata[0], NULL,
               g_error_new(DB_ERROR, DB_ERROR_TIMEOUT, "the connection breaks whenever \"%s\" is run",
                           w->db->options.stmts[((struct db_request *)group->pdata[0])->stmt].name));
    else
        push_part(w, group, 0, group->len);
    if (tick(w) >= 0)
        pause_for(w, db_backoff(&w->backoff));
}

/* Everyone of the group gets his rows, at once. */
static void deliver(struct db_writer *w, const GPtrArray *group, struct db_outcome *out)
{
    g_autoptr(GPtrArray) calls = g_ptr_array_new();
    atomic_fetch_add(&w->db->stats.writes, group->len); /* who has his rows finds them counted */
    atomic_fetch_add(&w->db->stats.batches, 1);
    pthread_mutex_lock(&w->lock);
    for (guint i = 0; i < group->len; i++) {
        struct db_request *r = group->pdata[i];
        if (settle_locked(r, db_rows_new(g_steal_pointer(&out->results[i])), NULL))
            g_ptr_array_add(calls, r);
    }
    pthread_mutex_unlock(&w->lock);
    for (guint i = 0; i < calls->len; i++)
        run_callback(calls->pdata[i]);
    w->backoff = w->losses = 0;
}

/* Without those who have stopped waiting: they were told that the outcome is not known. */
static GPtrArray *next_group(struct db_writer *w)
{
    GPtrArray *group = g_queue_pop_head(&w->groups);
    for (guint i = 0; i < group->len;)
        if (is_settled(w, group->pdata[i]))
            g_ptr_array_remove_index(group, i);
        else
            i++;
    return group;
}

static void run_group(struct db_writer *w, GPtrArray *group)
{
    struct db_outcome out = { 0 };
    w->group = group;
    if (!ensure_connected(w)) { /* stopping, or all have gone: the caller of this sees to them */
        w->group = NULL;
        push_part(w, group, 0, group->len);
        return;
    }
    int64_t stall = db_now() + 1000LL * w->db->options.statement_timeout_ms + 10 * G_USEC_PER_SEC;
    enum db_attempt result =
        db_batch_attempt(w->conn, w->db->options.stmts, group, stall, &w->waiter, &out);
    w->group = NULL;
    if (result == DB_ATTEMPT_DONE)
        deliver(w, group, &out);
    else if (result == DB_ATTEMPT_ERROR)
        after_error(w, group, &out);
    else
        after_loss(w, group, result == DB_ATTEMPT_STALLED, out.error);
    db_outcome_clear(&out);
}

static void settle_closed(struct db_writer *w, struct db_request *r)
{
    settle(w, r, NULL, g_error_new_literal(DB_ERROR, DB_ERROR_CLOSED, "the program is ending"));
}

static bool time_is_up(struct db_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool up = db_now() >= w->stop_at;
    pthread_mutex_unlock(&w->lock);
    return up;
}

static void run_batch(struct db_writer *w)
{
    push_part(w, w->flying, 0, w->flying->len);
    while (w->groups.length) {
        GPtrArray *group = next_group(w);
        if (group->len && time_is_up(w))
            for (guint i = 0; i < group->len; i++)
                settle_closed(w, group->pdata[i]);
        else if (group->len)
            run_group(w, group);
        g_ptr_array_unref(group);
    }
    pthread_mutex_lock(&w->lock);
    for (guint i = 0; i < w->flying->len; i++)
        unref_locked(w->flying->pdata[i]);
    g_ptr_array_set_size(w->flying, 0);
    pthread_mutex_unlock(&w->lock);
    atomic_store(&w->db->stats.in_flight, 0);
}

/* ---- the thread ---- */

/* Nothing to do: sleeps until there is, keeping the connection, or trying to get one. */
static void idle(struct db_writer *w)
{
    if (!w->conn) {
        if (!connect_once(w))
            pause_for(w, db_backoff(&w->backoff));
        return;
    }
    if (db_wait(PQsocket(w->conn->pg), POLLIN, db_now() + 60 * G_USEC_PER_SEC, &w->waiter) != 1)
        return;
    /* A parameter that changed, or the end: PQisBusy makes libpq look at what has come. */
    if (!PQconsumeInput(w->conn->pg) || PQisBusy(w->conn->pg) || PQstatus(w->conn->pg) != CONNECTION_OK)
        disconnect(w, "closed by the server");
}

static bool finished(struct db_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool over = w->stop_at != INT64_MAX && w->queue.length == 0;
    pthread_mutex_unlock(&w->lock);
    return over;
}

static void *writer_main(void *arg)
{
    struct db_writer *w = arg;
    pthread_setname_np(pthread_self(), "db-writer");
    while (!finished(w)) {
        tick(w);
        linger(w);
        gather(w);
        if (w->flying->len)
            run_batch(w);
        else if (!finished(w))
            idle(w);
    }
    g_clear_pointer(&w->conn, db_conn_free);
    db_set_up(w->db, false);
    return NULL;
}

struct db_writer *db_writer_start(struct db *db)
{
    struct db_writer *w = g_new0(struct db_writer, 1);
    w->db = db;
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake_fd < 0)
        g_error("eventfd: %s", g_strerror(errno));
    pthread_mutex_init(&w->lock, NULL);
    g_queue_init(&w->queue);
    g_queue_init(&w->groups);
    w->next_deadline = w->stop_at = INT64_MAX;
    w->flying = g_ptr_array_new();
    w->waiter = (struct db_waiter){ w->wake_fd, tick, w };
    if (pthread_create(&w->thread, NULL, writer_main, w))
        g_error("pthread_create: %s", g_strerror(errno));
    return w;
}

static void wake(struct db_writer *w)
{
    uint64_t one = 1;
    if (write(w->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        g_warning("eventfd: %s", g_strerror(errno));
}

void db_writer_stop(struct db_writer *w, unsigned grace_ms)
{
    pthread_mutex_lock(&w->lock);
    w->stop_at = db_now() + 1000LL * grace_ms;
    pthread_mutex_unlock(&w->lock);
    wake(w);
    pthread_join(w->thread, NULL);
    g_ptr_array_unref(w->flying);
    close(w->wake_fd);
    pthread_mutex_destroy(&w->lock);
    g_free(w);
}

/* ---- the callers' side ---- */

/* Takes a reference for the queue.  0, or -1. */
static int enqueue(struct db_writer *w, struct db_request *r, GError **error)
{
    pthread_mutex_lock(&w->lock);
    bool closed = w->stop_at != INT64_MAX, full = w->queue.length >= w->db->options.queue_statements;
    bool asleep = false;
    if (!closed && !full) {
        r->refs++;
        r->sequence = ++w->sequence;
        g_queue_push_tail(&w->queue, r);
        asleep = w->idle;
        w->idle = false;
        if (r->callback && r->deadline < w->next_deadline) {
            asleep = asleep || r->deadline < w->wakes_at;
            w->next_deadline = r->deadline;
        }
    }
    pthread_mutex_unlock(&w->lock);
    if (asleep)
        wake(w);
    if (!closed && !full)
        return 0;
    g_set_error_literal(error, DB_ERROR, closed ? DB_ERROR_CLOSED : DB_ERROR_OVERLOAD,
                        closed ? "the program is ending" : "too many writes are waiting");
    return -1;
}

int db_write_within(struct db *db, unsigned stmt, struct db_params *params, const char *lock_key,
                    unsigned timeout_ms, struct db_rows **rows, GError **error)
{
    struct db_writer *w = db->writer;
    g_assert(w);
    struct db_request *r = request_new(w, stmt, params, lock_key, timeout_ms);
    int result = enqueue(w, r, error);
    pthread_mutex_lock(&w->lock);
    while (result == 0 && !r->settled)
        if (!cond_wait_until(&r->cond, &w->lock, r->deadline) && !r->settled) {
            atomic_fetch_add(&db->stats.timeouts, 1);
            settle_locked(r, NULL, g_error_new_literal(DB_ERROR, DB_ERROR_TIMEOUT, "not committed in time"));
        }
    if (r->error) {
        g_propagate_error(error, g_steal_pointer(&r->error));
        result = -1;
    } else if (result == 0 && rows) {
        *rows = g_steal_pointer(&r->rows);
    }
    unref_locked(r);
    pthread_mutex_unlock(&w->lock);
    return result;
}

int db_write(struct db *db, unsigned stmt, struct db_params *params, const char *lock_key, struct db_rows **rows,
             GError **error)
{
    return db_write_within(db, stmt, params, lock_key, 0, rows, error);
}

int db_write_async(struct db *db, unsigned stmt, struct db_params *params, const char *lock_key,
                   unsigned timeout_ms, db_write_cb *callback, void *data, GError **error)
{
    struct db_writer *w = db->writer;
    g_assert(w && callback);
    struct db_request *r = request_new(w, stmt, params, lock_key, timeout_ms);
    r->callback = callback;
    r->data = data;
    int result = enqueue(w, r, error);
    pthread_mutex_lock(&w->lock);
    unref_locked(r);
    pthread_mutex_unlock(&w->lock);
    return result;
}
