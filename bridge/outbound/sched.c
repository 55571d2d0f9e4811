/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/outbound/sched.h"

#include <string.h>

#include "core/clock.h"

#define TURN_FAST (500 * (CLOCK_SECOND / 1000))
#define TURN_SLOW (30 * CLOCK_SECOND)
#define BREAK_AFTER 5
#define BREAK_FIRST (2 * CLOCK_SECOND)
#define BREAK_LAST (30 * CLOCK_SECOND)

struct sched {
    guint slots, batch;
    guint flying, leased;
    GHashTable *accounts;  /* gint64 * → struct sched_account */
    GHashTable *endpoints; /* id → struct sched_endpoint */
    GHashTable *behind;    /* struct sched_endpoint *: a set */
    GQueue active;         /* struct sched_endpoint *, in turn */
    guint active_accounts;
};

static void free_endpoint(gpointer data)
{
    struct sched_endpoint *endpoint = data;

    g_queue_clear(&endpoint->jobs);
    g_free(endpoint->id);
    g_free(endpoint);
}

struct sched *sched_new(guint slots, guint batch)
{
    struct sched *sched = g_new0(struct sched, 1);

    sched->slots = MAX(slots, 1);
    sched->batch = MAX(batch, 1);
    sched->accounts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    sched->endpoints = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_endpoint);
    sched->behind = g_hash_table_new(NULL, NULL);
    g_queue_init(&sched->active);
    return sched;
}

void sched_free(struct sched *sched)
{
    if (!sched)
        return;
    g_queue_clear(&sched->active);
    g_hash_table_unref(sched->behind);
    g_hash_table_unref(sched->endpoints);
    g_hash_table_unref(sched->accounts);
    g_free(sched);
}

struct sched_endpoint *sched_find(struct sched *sched, const char *id)
{
    return g_hash_table_lookup(sched->endpoints, id);
}

struct sched_endpoint *sched_endpoint(struct sched *sched, gint64 account, const char *id)
{
    struct sched_endpoint *endpoint = sched_find(sched, id);
    struct sched_account *owner;

    if (endpoint)
        return endpoint;
    owner = g_hash_table_lookup(sched->accounts, &account);
    if (!owner) {
        owner = g_new0(struct sched_account, 1);
        owner->id = account;
        g_hash_table_insert(sched->accounts, &owner->id, owner);
    }
    endpoint = g_new0(struct sched_endpoint, 1);
    endpoint->id = g_strdup(id);
    endpoint->account = owner;
    g_queue_init(&endpoint->jobs);
    g_hash_table_insert(sched->endpoints, endpoint->id, endpoint);
    return endpoint;
}

/* --- the list of those with something to do --- */

static void list(struct sched *sched, struct sched_endpoint *endpoint)
{
    if (endpoint->listed)
        return;
    endpoint->listed = true;
    g_queue_push_tail(&sched->active, endpoint);
    if (endpoint->account->active++ == 0)
        sched->active_accounts++;
}

/* Takes the head out of the list; idle ones stay out, others go to the end. */
static void rotate(struct sched *sched)
{
    struct sched_endpoint *endpoint = g_queue_pop_head(&sched->active);

    if (endpoint->ready || endpoint->claiming || endpoint->flying > 0 || !g_queue_is_empty(&endpoint->jobs)) {
        g_queue_push_tail(&sched->active, endpoint);
        return;
    }
    endpoint->listed = false;
    if (--endpoint->account->active == 0)
        sched->active_accounts--;
}

static void mark_ready(struct sched *sched, struct sched_endpoint *endpoint)
{
    endpoint->ready = true;
    list(sched, endpoint);
}

/* --- floors --- */

static void turn_floors(struct sched_endpoint *endpoint, gint64 now)
{
    if (now - endpoint->turned_s >= TURN_FAST) {
        endpoint->floor[2] = endpoint->floor[1];
        endpoint->floor[1] = endpoint->floor[0];
        endpoint->turned_s = now;
    }
    if (now - endpoint->turned_m >= TURN_SLOW) {
        endpoint->slow[1] = endpoint->slow[0];
        endpoint->slow[0] = endpoint->floor[2];
        endpoint->turned_m = now;
    }
}

static void lower_floors(struct sched_endpoint *endpoint, gint64 floor)
{
    for (guint i = 0; i < G_N_ELEMENTS(endpoint->floor); i++)
        endpoint->floor[i] = MIN(endpoint->floor[i], floor);
    for (guint i = 0; i < G_N_ELEMENTS(endpoint->slow); i++)
        endpoint->slow[i] = MIN(endpoint->slow[i], floor);
}

void sched_notify(struct sched *sched, gint64 account, const char *id, gint64 lowest)
{
    struct sched_endpoint *endpoint = sched_endpoint(sched, account, id);

    if (lowest > 0) {
        lower_floors(endpoint, lowest - 1);
        if (endpoint->claiming)
            endpoint->lowered = endpoint->lowered ? MIN(endpoint->lowered, lowest) : lowest;
    }
    mark_ready(sched, endpoint);
}

void sched_notify_all(struct sched *sched)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, sched->endpoints);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct sched_endpoint *endpoint = value;
        sched_notify(sched, endpoint->account->id, endpoint->id, 1);
    }
}

void sched_slow_floors(struct sched *sched, GPtrArray *ids, GArray *floors)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, sched->endpoints);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct sched_endpoint *endpoint = value;
        g_ptr_array_add(ids, endpoint->id);
        g_array_append_val(floors, endpoint->slow[1]);
    }
}

/* --- shares --- */

static guint account_share(const struct sched *sched, guint of)
{
    guint share = sched->active_accounts > 1 ? of / 4 : of - of / 8;
    return MAX(share, 1);
}

static guint endpoint_share(const struct sched *sched, const struct sched_account *account, guint of)
{
    guint share = account_share(sched, of);
    return account->active > 1 ? MAX(share / 2, 1) : share;
}

static bool may_fly(const struct sched *sched, const struct sched_endpoint *endpoint)
{
    if (endpoint->probing && endpoint->flying > 0)
        return false;
    return endpoint->account->flying < account_share(sched, sched->slots) &&
           endpoint->flying < endpoint_share(sched, endpoint->account, sched->slots);
}

/* How many more of this endpoint may be claimed ahead. */
static guint room(const struct sched *sched, const struct sched_endpoint *endpoint)
{
    guint all = 2 * sched->slots;
    guint held = sched->flying + sched->leased;
    guint account_held = endpoint->account->flying + endpoint->account->leased;
    guint own_held = endpoint->flying + endpoint->jobs.length;
    guint account_max = account_share(sched, all), own_max = endpoint_share(sched, endpoint->account, all);
    guint n;

    if (held >= all || account_held >= account_max || own_held >= own_max)
        return 0;
    n = MIN(all - held, MIN(account_max - account_held, own_max - own_held));
    if (endpoint->probing)
        n = own_held > 0 ? 0 : 1;
    return MIN(n, sched->batch);
}

/* --- claims --- */

struct sched_endpoint *sched_next_claim(struct sched *sched, gint64 now, gint64 *floor, guint *limit, gint64 *wake)
{
    for (guint i = sched->active.length; i > 0; i--) {
        struct sched_endpoint *endpoint = g_queue_peek_head(&sched->active);
        rotate(sched);
        if (!endpoint->ready || endpoint->claiming)
            continue;
        if (endpoint->not_before > now) {
            *wake = MIN(*wake, endpoint->not_before);
            continue;
        }
        *limit = room(sched, endpoint);
        if (*limit == 0 || (*limit < sched->batch / 4 && endpoint->jobs.length > *limit))
            continue; /* a small claim can wait while there is enough to do */
        turn_floors(endpoint, now);
        *floor = endpoint->floor[2];
        endpoint->ready = false;
        endpoint->claiming = true;
        endpoint->lowered = 0;
        return endpoint;
    }
    return NULL;
}

void sched_claimed(struct sched *sched, struct sched_endpoint *endpoint, gint64 now, const struct sched_claimed *said)
{
    endpoint->claiming = false;
    if (said->floor >= 0) {
        endpoint->floor[0] = said->floor;
        if (endpoint->lowered)
            lower_floors(endpoint, endpoint->lowered - 1);
        if (said->behind)
            g_hash_table_add(sched->behind, endpoint);
        else
            g_hash_table_remove(sched->behind, endpoint);
    }
    endpoint->lowered = 0;
    if (said->wait_us > 0)
        endpoint->not_before = MAX(endpoint->not_before, now + said->wait_us);
    if (said->floor < 0 || said->more || said->wait_us > 0)
        mark_ready(sched, endpoint);
}

void sched_lanes_moved(struct sched *sched)
{
    GHashTableIter iter;
    gpointer endpoint;

    g_hash_table_iter_init(&iter, sched->behind);
    while (g_hash_table_iter_next(&iter, &endpoint, NULL))
        mark_ready(sched, endpoint);
}

/* --- jobs and slots --- */

void sched_add_job(struct sched *sched, struct sched_endpoint *endpoint, gpointer job)
{
    g_queue_push_tail(&endpoint->jobs, job);
    endpoint->account->leased++;
    sched->leased++;
    list(sched, endpoint);
}

gpointer sched_next_job(struct sched *sched, gint64 now, struct sched_endpoint **endpoint, gint64 *wake)
{
    if (sched->flying >= sched->slots)
        return NULL;
    for (guint i = sched->active.length; i > 0; i--) {
        struct sched_endpoint *candidate = g_queue_peek_head(&sched->active);
        rotate(sched);
        if (g_queue_is_empty(&candidate->jobs) || !may_fly(sched, candidate))
            continue;
        if (candidate->not_before > now && candidate->failures >= BREAK_AFTER) {
            *wake = MIN(*wake, candidate->not_before);
            continue;
        }
        candidate->flying++;
        candidate->account->flying++;
        candidate->account->leased--;
        sched->flying++;
        sched->leased--;
        *endpoint = candidate;
        return g_queue_pop_head(&candidate->jobs);
    }
    return NULL;
}

GQueue sched_take_jobs(struct sched *sched, struct sched_endpoint *endpoint)
{
    GQueue jobs = endpoint->jobs;

    g_queue_init(&endpoint->jobs);
    endpoint->account->leased -= jobs.length;
    sched->leased -= jobs.length;
    return jobs;
}

void sched_take_all(struct sched *sched, GQueue *jobs)
{
    GHashTableIter iter;
    gpointer endpoint;

    g_hash_table_iter_init(&iter, sched->endpoints);
    while (g_hash_table_iter_next(&iter, NULL, &endpoint)) {
        GQueue some = sched_take_jobs(sched, endpoint);
        gpointer job;
        while ((job = g_queue_pop_head(&some)))
            g_queue_push_tail(jobs, job);
    }
}

static bool count_failure(struct sched_endpoint *endpoint, gint64 now)
{
    gint64 pause = BREAK_FIRST;

    if (++endpoint->failures < BREAK_AFTER)
        return false;
    for (guint i = BREAK_AFTER; i < endpoint->failures && pause < BREAK_LAST; i++)
        pause *= 2;
    endpoint->not_before = MAX(endpoint->not_before, now + MIN(pause, BREAK_LAST));
    endpoint->probing = true;
    return endpoint->failures == BREAK_AFTER;
}

bool sched_job_done(struct sched *sched, struct sched_endpoint *endpoint, gint64 now, enum sched_end end)
{
    endpoint->flying--;
    endpoint->account->flying--;
    sched->flying--;
    if (end == SCHED_END_GOOD) {
        endpoint->failures = 0;
        endpoint->probing = false;
    }
    return end == SCHED_END_SAFE && count_failure(endpoint, now);
}

void sched_pause(struct sched *sched, struct sched_endpoint *endpoint, gint64 until)
{
    endpoint->not_before = MAX(endpoint->not_before, until);
    mark_ready(sched, endpoint);
}

void sched_resume(struct sched *sched, const char *id)
{
    struct sched_endpoint *endpoint = sched_find(sched, id);

    if (!endpoint)
        return;
    endpoint->not_before = 0;
    endpoint->failures = 0;
    endpoint->probing = false;
    mark_ready(sched, endpoint);
}

guint sched_flying(const struct sched *sched)
{
    return sched->flying;
}

guint sched_leased(const struct sched *sched)
{
    return sched->leased;
}

guint sched_free_slots(const struct sched *sched)
{
    return sched->slots - sched->flying;
}
