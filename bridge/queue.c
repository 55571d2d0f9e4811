/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One claimer thread per queue: it claims, renews leases, rescues, and says again what the database
 * did not take.  A pool of workers runs lanes and tasks.
 */
#include "bridge/queue.h"

#include <pthread.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/log.h"

#define FLOOR_LAG (5 * CLOCK_SECOND)  /* ids may become visible that much later than higher ones */
#define SCAN_MIN (5 * CLOCK_SECOND)   /* between two claims from the very bottom */
#define SCAN_SHARE 20                 /* at most 1/20 of the time is spent on them */
#define FLOOR_MARKS 16
#define RESCUE_MEMORY (30 * CLOCK_SECOND)
#define END_TIMEOUT_MS 10000

struct task {
    queue_task_func *func;
    void *data;
    GPtrArray *jobs; /* a lane; then func is NULL */
};

/* What is to be said of a job: kept until the database has it. */
struct ending {
    struct queue *queue;
    struct queue_job *job;
    unsigned stmt;
    gint64 after_us;
    bool counts;
    char *text; /* why; kind */
    char *lane;
    char *payload;
};

struct floor_mark {
    gint64 at, id;
};

struct queue {
    struct bridge *bridge;
    struct queue_options options;
    char *name;

    pthread_mutex_t mutex;
    pthread_cond_t claimer_wake, worker_wake, idle;
    bool stop, end;         /* claim no more; threads end */
    bool dirty;             /* claim now */
    bool behind;            /* jobs may stand behind those that are under way: claim when one of them ends */
    guint64 notified;       /* notifications so far */
    GQueue tasks;           /* struct task * */
    GHashTable *in_flight;  /* id → struct queue_job *, from claim to committed end */
    GQueue again;           /* struct ending *: the database did not take it */
    guint busy;             /* workers at work */
    guint64 rescued;        /* generation of bridge_rescues that the floor knows */

    /* the claimer's own */
    gint64 floor;
    struct floor_mark marks[FLOOR_MARKS];
    guint mark;
    gint64 next_scan, next_beat, next_rescue;

    pthread_t claimer;
    pthread_t *workers;
};

/* What both queues of a process share: leases of an earlier run are taken back once, before any claim. */
static struct {
    pthread_mutex_t mutex;
    bool own_leases_back;
    guint64 generation; /* rises when something became ready again */
    gint64 low;         /* lowest such id of the last seconds */
    gint64 at;
} rescue_state = { .mutex = PTHREAD_MUTEX_INITIALIZER, .low = G_MAXINT64 };

static void job_free(struct queue_job *job)
{
    g_free(job->endpoint_id);
    g_free(job->lane);
    g_free(job->kind);
    g_free(job->event_key);
    g_clear_pointer(&job->body, g_bytes_unref);
    g_free(job->message_id);
    json_decref(job->payload);
    g_free(job);
}

/* --- endings --- */

static void ending_free(struct ending *ending)
{
    g_free(ending->text);
    g_free(ending->lane);
    g_free(ending->payload);
    g_free(ending);
}

/* With the mutex held. */
static void ended(struct queue *queue, struct ending *ending)
{
    gint64 id = ending->job->id;

    if (queue->behind || queue->notified != ending->job->notified)
        queue->dirty = true; /* perhaps one that this job stood before */
    g_hash_table_remove(queue->in_flight, &id);
    ending_free(ending);
    if (queue->dirty || queue->stop)
        pthread_cond_signal(&queue->claimer_wake);
    pthread_cond_broadcast(&queue->idle);
}

static void on_ended(void *data, struct db_rows *rows, const GError *error)
{
    struct ending *ending = data;
    struct queue *queue = ending->queue;

    db_rows_free(rows);
    pthread_mutex_lock(&queue->mutex);
    if (error && db_error_is_temporary(error)) {
        g_queue_push_tail(&queue->again, ending);
    } else {
        if (error)
            log_error("job", LOG_INT(ending->job->id), "error", error->message, "status", "job-not-ended");
        ended(queue, ending);
    }
    pthread_mutex_unlock(&queue->mutex);
}

/* It may rise while the job is under way: see hand_out. */
static gint64 fence_of(struct queue_job *job)
{
    pthread_mutex_lock(&job->queue->mutex);
    gint64 fence = job->fence;
    pthread_mutex_unlock(&job->queue->mutex);
    return fence;
}

static struct db_params *ending_params(const struct ending *ending)
{
    struct db_params *params = db_params_new();

    db_params_int(params, ending->job->id);
    db_params_int(params, fence_of(ending->job));
    switch (ending->stmt) {
    case DB_STMT_JOB_RETRY:
        db_params_interval(params, ending->after_us);
        db_params_text(params, ending->text);
        db_params_bool(params, ending->counts);
        break;
    case DB_STMT_JOB_DEAD:
        db_params_text(params, ending->text);
        break;
    case DB_STMT_JOB_MOVE:
        db_params_text(params, ending->text);
        db_params_text(params, ending->lane);
        db_params_text(params, ending->payload);
        db_params_interval(params, ending->after_us);
        break;
    default:
        break;
    }
    return params;
}

static void say(struct ending *ending)
{
    struct queue *queue = ending->queue;

    if (db_write_async(queue->bridge->db, ending->stmt, ending_params(ending), NULL, END_TIMEOUT_MS, on_ended, ending,
                       NULL) < 0) {
        pthread_mutex_lock(&queue->mutex);
        g_queue_push_tail(&queue->again, ending);
        pthread_mutex_unlock(&queue->mutex);
    }
}

static struct ending *ending_new(struct queue_job *job, unsigned stmt)
{
    struct ending *ending = g_new0(struct ending, 1);

    ending->queue = job->queue;
    ending->job = job;
    ending->stmt = stmt;
    return ending;
}

void queue_done(struct queue_job *job)
{
    say(ending_new(job, DB_STMT_JOB_DONE));
}

void queue_retry(struct queue_job *job, gint64 after_us, const char *why, bool counts)
{
    struct ending *ending = ending_new(job, DB_STMT_JOB_RETRY);

    ending->after_us = after_us;
    ending->text = g_strdup(why);
    ending->counts = counts;
    say(ending);
}

void queue_release(struct queue_job *job)
{
    queue_retry(job, 0, NULL, false);
}

void queue_dead(struct queue_job *job, const char *why)
{
    struct ending *ending = ending_new(job, DB_STMT_JOB_DEAD);

    ending->text = g_strdup(why);
    say(ending);
}

void queue_move(struct queue_job *job, const char *kind, const char *lane, json_t *payload, gint64 after_us)
{
    struct ending *ending = ending_new(job, DB_STMT_JOB_MOVE);
    char *text = json_dumps(payload, JSON_COMPACT);

    ending->text = g_strdup(kind);
    ending->lane = g_strdup(lane);
    ending->payload = g_strdup(text ? text : "{}");
    ending->after_us = after_us;
    g_free(text);
    json_decref(payload);
    say(ending);
}

/* --- workers --- */

void queue_task(struct queue *queue, queue_task_func *func, void *data)
{
    struct task *task = g_new0(struct task, 1);

    task->func = func;
    task->data = data;
    pthread_mutex_lock(&queue->mutex);
    g_queue_push_head(&queue->tasks, task); /* what is half done goes first */
    pthread_cond_signal(&queue->worker_wake);
    pthread_mutex_unlock(&queue->mutex);
}

static void *worker(void *data)
{
    struct queue *queue = data;

    pthread_mutex_lock(&queue->mutex);
    for (;;) {
        struct task *task = g_queue_pop_head(&queue->tasks);
        if (!task) {
            if (queue->end)
                break;
            pthread_cond_wait(&queue->worker_wake, &queue->mutex);
            continue;
        }
        queue->busy++;
        pthread_mutex_unlock(&queue->mutex);
        if (task->func) {
            task->func(task->data);
        } else {
            queue->options.work(queue->options.data, task->jobs);
            g_ptr_array_unref(task->jobs);
        }
        g_free(task);
        pthread_mutex_lock(&queue->mutex);
        queue->busy--;
    }
    pthread_mutex_unlock(&queue->mutex);
    return NULL;
}

/* --- the claimer --- */

static struct queue_job *job_of(struct queue *queue, struct db_rows *rows, unsigned r, guint64 notified)
{
    struct queue_job *job = g_new0(struct queue_job, 1);
    const char *payload = db_rows_text_of(rows, r, "payload");
    int body = db_rows_column(rows, "body");

    job->queue = queue;
    job->notified = notified;
    job->id = db_rows_int_of(rows, r, "id");
    job->fence = db_rows_int_of(rows, r, "fence");
    job->account_id = db_rows_int_of(rows, r, "account_id");
    job->endpoint_id = g_strdup(db_rows_text_of(rows, r, "endpoint_id"));
    job->lane = g_strdup(db_rows_text_of(rows, r, "lane"));
    job->kind = g_strdup(db_rows_text_of(rows, r, "kind"));
    job->attempts = db_rows_int_of(rows, r, "attempts");
    job->event_key = g_strdup(db_rows_text_of(rows, r, "event_key"));
    job->event_at = db_rows_time_of(rows, r, "event_at");
    job->body = body >= 0 ? db_rows_bytea(rows, r, (unsigned)body) : NULL;
    job->message_id = g_strdup(db_rows_text_of(rows, r, "message_id"));
    job->payload = payload ? json_loads(payload, 0, NULL) : NULL;
    job->created_at = db_rows_time_of(rows, r, "created_at");
    return job;
}

/*
 * With the mutex held.  A job whose lease ran out while it is under way here (the database was away for
 * longer) comes back from a claim: the one that is under way goes on, under the new lease.
 */
static bool adopt_lease(struct queue *queue, struct queue_job *job)
{
    struct queue_job *mine = g_hash_table_lookup(queue->in_flight, &job->id);

    if (!mine)
        return false;
    log_notice("job", LOG_INT(job->id), "queue", queue->name, "status", "lease-renewed");
    mine->fence = job->fence;
    job_free(job);
    return true;
}

/* To the lane's task, a new one at first.  With the mutex held. */
static void to_lane(struct queue *queue, GHashTable *lanes, struct queue_job *job)
{
    struct task *task = g_hash_table_lookup(lanes, job->lane);

    if (!task) {
        task = g_new0(struct task, 1);
        task->jobs = g_ptr_array_new();
        g_hash_table_insert(lanes, job->lane, task);
        g_queue_push_tail(&queue->tasks, task);
        pthread_cond_signal(&queue->worker_wake);
    }
    g_ptr_array_add(task->jobs, job);
}

/* Jobs of one lane to one task.  Those behind one that is under way here already wait for it in the database. */
static void hand_out(struct queue *queue, GPtrArray *jobs)
{
    g_autoptr(GHashTable) lanes = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) fresh = g_ptr_array_new(), behind = g_ptr_array_new();

    pthread_mutex_lock(&queue->mutex);
    for (guint i = 0; i < jobs->len; i++) {
        struct queue_job *job = jobs->pdata[i];
        g_autofree char *lane = g_strdup(job->lane);
        if (adopt_lease(queue, job))
            g_hash_table_add(busy, g_steal_pointer(&lane));
        else
            g_ptr_array_add(fresh, job);
    }
    for (guint i = 0; i < fresh->len; i++) {
        struct queue_job *job = fresh->pdata[i];
        g_hash_table_insert(queue->in_flight, &job->id, job);
        if (g_hash_table_contains(busy, job->lane))
            g_ptr_array_add(behind, job);
        else
            to_lane(queue, lanes, job);
    }
    pthread_mutex_unlock(&queue->mutex);
    for (guint i = 0; i < behind->len; i++)
        queue_release(behind->pdata[i]);
}

/* The floor lags behind what was claimed: an id below may still become visible. */
static void raise_floor(struct queue *queue, gint64 highest)
{
    gint64 now = ump_clock_mono_us();
    struct floor_mark *last = &queue->marks[queue->mark % FLOOR_MARKS];

    if (highest > 0 && now - last->at > FLOOR_LAG / (FLOOR_MARKS / 2)) {
        queue->mark++;
        queue->marks[queue->mark % FLOOR_MARKS] = (struct floor_mark){ now, highest };
    }
    for (guint i = 0; i < FLOOR_MARKS; i++) {
        const struct floor_mark *m = &queue->marks[i];
        if (m->at > 0 && now - m->at > FLOOR_LAG && m->id > queue->floor)
            queue->floor = m->id;
    }
}

static void lower_floor(struct queue *queue, gint64 lowest)
{
    queue->floor = MIN(queue->floor, lowest - 1);
    memset(queue->marks, 0, sizeof queue->marks);
}

/* What is ready below the floor: rescued since.  Under rescue_state.mutex nothing else is taken. */
static void lower_to_rescued(struct queue *queue)
{
    pthread_mutex_lock(&rescue_state.mutex);
    if (queue->rescued != rescue_state.generation) {
        queue->rescued = rescue_state.generation;
        lower_floor(queue, rescue_state.low);
    }
    pthread_mutex_unlock(&rescue_state.mutex);
}

/* Claims once; the number of jobs, -1 when the database does not answer. */
static int claim(struct queue *queue, guint64 notified)
{
    g_autoptr(db_params) params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) jobs = g_ptr_array_new();
    gint64 began = ump_clock_mono_us(), highest = 0, lowest = G_MAXINT64;
    bool scan = began >= queue->next_scan;

    lower_to_rescued(queue);
    db_params_text(params, queue->name);
    db_params_text(params, queue->bridge->worker);
    db_params_int(params, scan ? 0 : queue->floor);
    db_params_int(params, queue->options.batch);
    db_params_interval(params, queue->options.lease);
    if (db_query_once(queue->bridge->db, DB_STMT_JOBS_CLAIM, g_steal_pointer(&params), 0, &rows, &error) < 0) {
        if (!db_error_is_temporary(error))
            log_error("queue", queue->name, "error", error->message, "status", "claim-failed");
        return -1;
    }
    for (unsigned r = 0; r < db_rows_count(rows); r++) {
        struct queue_job *job = job_of(queue, rows, r, notified);
        highest = MAX(highest, job->id);
        lowest = MIN(lowest, job->id);
        g_ptr_array_add(jobs, job);
    }
    if (scan) {
        gint64 now = ump_clock_mono_us();
        queue->next_scan = now + MAX(SCAN_MIN, (now - began) * SCAN_SHARE);
    }
    /* A lane that is longer than the floor lags, while others go on above it: claims go on from where it stands. */
    if (lowest <= queue->floor)
        lower_floor(queue, lowest);
    raise_floor(queue, highest);
    hand_out(queue, jobs);
    return (int)jobs->len;
}

/* What is due, and what a dead worker left; with worker: leases of an earlier run of this instance. */
static bool rescue(struct queue *queue, const char *worker_name)
{
    g_autoptr(db_params) params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    gint64 now = ump_clock_mono_us();

    db_params_text(params, worker_name);
    if (db_query_once(queue->bridge->db, DB_STMT_JOBS_RESCUE, g_steal_pointer(&params), 0, &rows, NULL) < 0)
        return false;
    if (db_rows_count(rows) > 0 && !db_rows_is_null(rows, 0, 0)) {
        pthread_mutex_lock(&rescue_state.mutex);
        if (now - rescue_state.at > RESCUE_MEMORY)
            rescue_state.low = G_MAXINT64; /* every queue has looked since */
        rescue_state.generation++;
        rescue_state.at = now;
        rescue_state.low = MIN(rescue_state.low, db_rows_int(rows, 0, 0));
        pthread_mutex_unlock(&rescue_state.mutex);
        pthread_mutex_lock(&queue->mutex);
        queue->dirty = true;
        pthread_mutex_unlock(&queue->mutex);
    }
    return true;
}

static bool rescue_own(struct queue *queue)
{
    bool done;

    pthread_mutex_lock(&rescue_state.mutex);
    done = rescue_state.own_leases_back;
    pthread_mutex_unlock(&rescue_state.mutex);
    if (done)
        return true;
    if (!rescue(queue, queue->bridge->worker))
        return false;
    pthread_mutex_lock(&rescue_state.mutex);
    rescue_state.own_leases_back = true;
    pthread_mutex_unlock(&rescue_state.mutex);
    return true;
}

static void heartbeat(struct queue *queue)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    GHashTableIter iter;
    gpointer job;

    pthread_mutex_lock(&queue->mutex);
    g_hash_table_iter_init(&iter, queue->in_flight);
    while (g_hash_table_iter_next(&iter, NULL, &job)) {
        int64_t id = ((struct queue_job *)job)->id;
        g_array_append_val(ids, id);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (ids->len == 0)
        return;
    g_autoptr(db_params) params = db_params_new();
    db_params_text(params, queue->bridge->worker);
    db_params_ints(params, (const int64_t *)(void *)ids->data, ids->len);
    db_params_interval(params, queue->options.lease);
    db_query_once(queue->bridge->db, DB_STMT_JOBS_HEARTBEAT, g_steal_pointer(&params), 0, NULL, NULL);
}

static void say_again(struct queue *queue)
{
    struct ending *ending;
    GQueue list = G_QUEUE_INIT;

    pthread_mutex_lock(&queue->mutex);
    while ((ending = g_queue_pop_head(&queue->again)))
        g_queue_push_tail(&list, ending);
    pthread_mutex_unlock(&queue->mutex);
    while ((ending = g_queue_pop_head(&list)))
        say(ending);
}

/* Once a poll: leases, what is due, what was not taken. */
static void upkeep(struct queue *queue)
{
    gint64 now = ump_clock_mono_us();

    if (now >= queue->next_beat) {
        heartbeat(queue);
        queue->next_beat = now + queue->options.heartbeat;
    }
    if (now >= queue->next_rescue) {
        rescue(queue, NULL);
        queue->next_rescue = now + queue->options.poll;
    }
    say_again(queue);
}

static void *claimer(void *data)
{
    struct queue *queue = data;
    bool ready = false, down = false;

    pthread_mutex_lock(&queue->mutex);
    while (!queue->end) {
        guint room = queue->options.workers * 4 + queue->options.batch;
        bool may = ready && !queue->stop && g_hash_table_size(queue->in_flight) < room;
        if (!(may && queue->dirty) || down) {
            gint64 until = ump_clock_mono_us() + (down ? CLOCK_SECOND / 4 : queue->options.poll);
            if (!cond_wait_until(&queue->claimer_wake, &queue->mutex, until))
                queue->dirty = true; /* the slow scan */
            down = false;
            if (queue->end)
                break;
            may = ready && !queue->stop && g_hash_table_size(queue->in_flight) < room;
        }
        guint64 notified = queue->notified;
        bool go = may && queue->dirty, idle = g_hash_table_size(queue->in_flight) == 0;
        if (go)
            queue->dirty = false;
        pthread_mutex_unlock(&queue->mutex);

        if (!ready) {
            ready = rescue_own(queue);
            down = !ready;
        } else {
            upkeep(queue);
        }
        int n = go ? claim(queue, notified) : 0;

        pthread_mutex_lock(&queue->mutex);
        if (n < 0)
            down = true;
        if (n != 0 && (n < 0 || (guint)n >= queue->options.batch))
            queue->dirty = queue->behind = true;
        else if (go && n == 0 && idle)
            queue->behind = false;
    }
    pthread_mutex_unlock(&queue->mutex);
    return NULL;
}

static void on_notify(void *data, const char *channel, const char *payload)
{
    struct queue *queue = data;

    if (payload && strcmp(payload, queue->name) != 0)
        return;
    pthread_mutex_lock(&queue->mutex);
    queue->notified++;
    queue->dirty = true;
    pthread_cond_signal(&queue->claimer_wake);
    pthread_mutex_unlock(&queue->mutex);
}

/* --- start and stop --- */

struct queue *queue_start(struct bridge *bridge, const struct queue_options *options)
{
    struct queue *queue = g_new0(struct queue, 1);

    queue->bridge = bridge;
    queue->options = *options;
    queue->name = g_strdup(options->name);
    queue->dirty = true;
    queue->in_flight = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)job_free);
    g_queue_init(&queue->tasks);
    g_queue_init(&queue->again);
    pthread_mutex_init(&queue->mutex, NULL);
    cond_init(&queue->claimer_wake);
    cond_init(&queue->worker_wake);
    cond_init(&queue->idle);
    db_listen(bridge->db, "ump_jobs", on_notify, queue);
    queue->workers = g_new0(pthread_t, options->workers);
    for (guint i = 0; i < options->workers; i++)
        pthread_create(&queue->workers[i], NULL, worker, queue);
    pthread_create(&queue->claimer, NULL, claimer, queue);
    return queue;
}

bool queue_stopping(struct queue *queue)
{
    bool stopping;

    pthread_mutex_lock(&queue->mutex);
    stopping = queue->stop;
    pthread_mutex_unlock(&queue->mutex);
    return stopping;
}

void queue_stop(struct queue *queue, unsigned grace_ms)
{
    gint64 until = ump_clock_mono_us() + grace_ms * (CLOCK_SECOND / 1000);

    pthread_mutex_lock(&queue->mutex);
    queue->stop = true;
    while (g_hash_table_size(queue->in_flight) > 0 && cond_wait_until(&queue->idle, &queue->mutex, until))
        ;
    guint left = g_hash_table_size(queue->in_flight);
    queue->end = true;
    pthread_cond_broadcast(&queue->claimer_wake);
    pthread_cond_broadcast(&queue->worker_wake);
    pthread_mutex_unlock(&queue->mutex);
    if (left > 0)
        log_notice("queue", queue->name, "jobs", LOG_INT(left), "status", "left-to-their-leases");
    pthread_join(queue->claimer, NULL);
    for (guint i = 0; i < queue->options.workers; i++)
        pthread_join(queue->workers[i], NULL);
}

void queue_free(struct queue *queue)
{
    struct ending *ending;

    if (!queue)
        return;
    while ((ending = g_queue_pop_head(&queue->again)))
        ending_free(ending);
    g_hash_table_unref(queue->in_flight);
    pthread_mutex_destroy(&queue->mutex);
    pthread_cond_destroy(&queue->claimer_wake);
    pthread_cond_destroy(&queue->worker_wake);
    pthread_cond_destroy(&queue->idle);
    g_free(queue->workers);
    g_free(queue->name);
    g_free(queue);
}
