/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must happen from time to time: leases renewed, those of the dead rescued, endpoints looked at
 * that no notification named, uncertain messages resolved, old ones given up, journaled results stored.
 */
#include <string.h>

#include "bridge/outbound/internal.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/log.h"

#define TICK (CLOCK_SECOND / 4)
#define QUERY_TIMEOUT_MS 5000
#define RESCUE_EVERY CLOCK_SECOND
#define UNCERTAIN_EVERY (2 * CLOCK_SECOND)
#define EXPIRE_EVERY CLOCK_MINUTE
#define SINCE_MARGIN (10 * CLOCK_MINUTE)
#define LOOK_AGAIN CLOCK_MINUTE

struct care {
    struct outbound *outbound;
    gint64 since; /* the database's clock, µs: what ended before it is dealt with; 0: nothing is */
    gint64 next_heartbeat, next_rescue, next_scan, next_uncertain, next_expire;
};

int care_query(struct outbound *outbound, unsigned stmt, struct db_params *params, struct db_rows **rows)
{
    g_autoptr(GError) error = NULL;

    if (db_query_once(outbound->bridge->db, stmt, params, QUERY_TIMEOUT_MS, rows, &error) == 0)
        return 0;
    log_warning("what", db_stmts[stmt].name, "error", error->message, "status", "deferred");
    return -1;
}

/* ---- Notifications ---- */

/* "account/endpoint" or "account/endpoint/lowest id". */
static void note_outbox(struct outbound *outbound, const char *payload)
{
    g_auto(GStrv) parts = g_strsplit(payload, "/", 3);

    if (!parts[0] || !parts[1])
        return;
    sched_notify(outbound->sched, g_ascii_strtoll(parts[0], NULL, 10), parts[1],
                 parts[2] ? g_ascii_strtoll(parts[2], NULL, 10) : 0);
}

void care_listen(void *data, const char *channel, const char *payload)
{
    struct outbound *outbound = data;

    outbound_lock(outbound);
    if (!payload) {
        sched_notify_all(outbound->sched);
        outbound->scan = true;
        pthread_cond_signal(&outbound->care);
    } else if (strcmp(channel, "ump_endpoints") == 0) {
        sched_resume(outbound->sched, payload);
    } else {
        note_outbox(outbound, payload);
    }
    outbound_unlock(outbound);
    outbound_changed(outbound);
}

/* ---- Leases ---- */

static void heartbeat(struct outbound *outbound)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    gint64 before = outbound_now() - outbound->heartbeat / 2;
    struct db_params *params;

    outbound_lock(outbound);
    for (GList *l = outbound->held.head; l; l = l->next) {
        const struct job *job = l->data;
        if (job->leased_at <= before)
            g_array_append_val(ids, job->id);
    }
    outbound_unlock(outbound);
    if (ids->len == 0)
        return;
    params = db_params_new();
    db_params_text(params, outbound->bridge->worker);
    db_params_ints(params, (const int64_t *)(void *)ids->data, ids->len);
    db_params_interval(params, outbound->lease);
    care_query(outbound, DB_STMT_OUTBOX_HEARTBEAT, params, NULL);
}

/* own: what this worker held before it started again.  1: there is more to do. */
static int rescue(struct care *care, bool own)
{
    struct outbound *outbound = care->outbound;
    g_autoptr(db_rows) rows = NULL;
    struct db_params *params = db_params_new();
    bool more = false;

    db_params_text(params, own ? outbound->bridge->worker : NULL);
    db_params_interval(params, outbound->limits.uncertain_first);
    db_params_time_or_null(params, own ? 0 : care->since);
    if (care_query(outbound, DB_STMT_OUTBOX_RESCUE, params, &rows) < 0)
        return -1;
    outbound_lock(outbound);
    for (unsigned row = 0; row < db_rows_count(rows); row++) {
        const char *endpoint = db_rows_text_of(rows, row, "endpoint_id");
        if (endpoint) {
            sched_notify(outbound->sched, db_rows_int_of(rows, row, "account_id"), endpoint,
                         db_rows_int_of(rows, row, "lowest"));
            continue;
        }
        more = db_rows_bool_of(rows, row, "more");
        if (!more)
            care->since = db_rows_time_of(rows, row, "clock") - SINCE_MARGIN;
        if (db_rows_int_of(rows, row, "uncertain") > 0)
            log_warning("what", "outbox", "requests", LOG_INT(db_rows_int_of(rows, row, "uncertain")), "error",
                        "their sender died with them under way", "status", "uncertain");
    }
    outbound_unlock(outbound);
    outbound_changed(outbound);
    return more;
}

/* ---- Endpoints that no notification named ---- */

static int scan(struct outbound *outbound)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free), names = g_ptr_array_new();
    g_autoptr(GArray) floors = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(db_rows) rows = NULL;
    struct db_params *params = db_params_new();

    outbound_lock(outbound);
    sched_slow_floors(outbound->sched, names, floors);
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(ids, g_strdup(names->pdata[i]));
    outbound_unlock(outbound);
    g_ptr_array_add(ids, NULL);
    db_params_texts(params, (const char *const *)ids->pdata);
    db_params_ints(params, (const int64_t *)(void *)floors->data, floors->len);
    if (care_query(outbound, DB_STMT_OUTBOX_ENDPOINTS, params, &rows) < 0)
        return -1;
    outbound_lock(outbound);
    for (unsigned row = 0; row < db_rows_count(rows); row++)
        sched_notify(outbound->sched, db_rows_int(rows, row, 0), db_rows_text(rows, row, 1), db_rows_int(rows, row, 2));
    outbound_unlock(outbound);
    outbound_changed(outbound);
    return 0;
}

/* ---- Uncertain messages ---- */

static void look_at_uncertain(struct outbound *outbound)
{
    g_autoptr(db_rows) rows = NULL;
    struct db_params *params = db_params_new();

    db_params_int(params, 200);
    db_params_interval(params, LOOK_AGAIN);
    db_params_interval(params, outbound->uncertain_notice);
    if (care_query(outbound, DB_STMT_OUTBOX_UNCERTAIN, params, &rows) < 0)
        return;
    for (unsigned row = 0; row < db_rows_count(rows); row++)
        lookup_begin(outbound, rows, row);
}

static void expire(struct outbound *outbound)
{
    struct db_params *params = db_params_new();

    db_params_int(params, 1000);
    care_query(outbound, DB_STMT_OUTBOX_EXPIRE, params, NULL);
}

/* ---- The thread ---- */

/* What an earlier run left, in this order: first what it knew, then what it did not. */
static bool take_over(struct care *care)
{
    struct outbound *outbound = care->outbound;
    int more;

    if (!db_is_up(outbound->bridge->db) || results_replay(outbound) < 0)
        return false;
    while ((more = rescue(care, true)) > 0)
        ;
    if (more < 0)
        return false;
    outbound_lock(outbound);
    outbound->rescued = true;
    outbound->scan = true;
    outbound_unlock(outbound);
    return true;
}

static bool is_due(gint64 *next, gint64 now, gint64 every)
{
    if (*next > now)
        return false;
    *next = now + every;
    return true;
}

static void round_of_care(struct care *care)
{
    struct outbound *outbound = care->outbound;
    gint64 now = outbound_now();
    bool journaled, scan_now;

    outbound_lock(outbound);
    journaled = outbound->journaled;
    scan_now = outbound->scan;
    outbound->scan = false;
    outbound_unlock(outbound);
    if (!db_is_up(outbound->bridge->db)) {
        outbound_lock(outbound);
        outbound->scan |= scan_now;
        outbound_unlock(outbound);
        return;
    }
    results_flush(outbound);
    if (journaled)
        results_replay(outbound); /* before the rescue, which would call them uncertain */
    if (is_due(&care->next_heartbeat, now, outbound->heartbeat))
        heartbeat(outbound);
    if (is_due(&care->next_rescue, now, RESCUE_EVERY) && rescue(care, false) > 0)
        care->next_rescue = 0;
    if ((is_due(&care->next_scan, now, outbound->poll) || scan_now) && scan(outbound) < 0)
        care->next_scan = now + CLOCK_SECOND;
    if (is_due(&care->next_uncertain, now, UNCERTAIN_EVERY))
        look_at_uncertain(outbound);
    lookup_settle(outbound);
    if (is_due(&care->next_expire, now, EXPIRE_EVERY))
        expire(outbound);
}

void *care_run(void *data)
{
    struct outbound *outbound = data;
    struct care care = {.outbound = outbound};
    bool ready = false;

    outbound_lock(outbound);
    while (!outbound->stopped) {
        outbound_unlock(outbound);
        if (!ready)
            ready = take_over(&care);
        if (ready)
            round_of_care(&care);
        outbound_lock(outbound);
        if (outbound->stopped || (ready && outbound->scan && db_is_up(outbound->bridge->db)))
            continue;
        cond_wait_until(&outbound->care, &outbound->lock, outbound_now() + TICK);
    }
    outbound_unlock(outbound);
    return NULL;
}
