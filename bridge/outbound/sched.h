/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may send next: the endpoints with something to do, fairly over tenants, and from where in the
 * outbox each may claim.  Pure: no I/O, no clock, no lock (the caller holds one).
 *
 * Slots are requests under way.  While others wait, one tenant gets a quarter of them at most; alone
 * it leaves an eighth free, so that who comes next need not wait for its slow provider.  The same
 * holds for the endpoints of one tenant, by halves.  What is claimed ahead is at most as much again.
 *
 * Floors (FAILURES decision 7): a claim starts from where the claims of about a second ago ended, the
 * slow scan from half a minute ago, because ids become visible in the order of commits, not of ids.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct sched;

struct sched_account {
    gint64 id;
    guint active;  /* endpoints with something to do */
    guint leased;  /* claimed and waiting here */
    guint flying;  /* holding a slot */
};

struct sched_endpoint {
    char *id;
    struct sched_account *account;
    GQueue jobs;        /* claimed, oldest first; the caller's */
    guint flying;
    bool ready;         /* worth a claim */
    bool listed;        /* among the active ones */
    bool claiming;
    gint64 not_before;  /* monotonic µs: throttled, held or broken until then */
    gint64 floor[3];    /* now, and at the last two turns of half a second … */
    gint64 slow[2];     /* … and of half a minute */
    gint64 lowered;     /* lowest id announced while a claim was under way; 0: none */
    gint64 turned_s, turned_m;
    guint failures;     /* in a row, that say something about the provider */
    bool probing;       /* the circuit was open: one at a time until it succeeds */
};

struct sched *sched_new(guint slots, guint batch);
void sched_free(struct sched *sched); /* the jobs must be gone */

struct sched_endpoint *sched_endpoint(struct sched *sched, gint64 account, const char *id);
/* NULL when unknown. */
struct sched_endpoint *sched_find(struct sched *sched, const char *id);

/* Something is ready; lowest: an id that became ready again, 0: at the end. */
void sched_notify(struct sched *sched, gint64 account, const char *id, gint64 lowest);
/* Notifications may have been lost: everything is worth a look from the beginning. */
void sched_notify_all(struct sched *sched);

/* The next endpoint to claim from; NULL: none now.  *wake (monotonic µs) is lowered to when one of
 * those that wait may. */
struct sched_endpoint *sched_next_claim(struct sched *sched, gint64 now, gint64 *floor, guint *limit, gint64 *wake);
/* What the claim said.  Its jobs are then given with sched_add_job. */
struct sched_claimed {
    guint jobs;
    gint64 floor;    /* -1: failed, nothing known */
    bool more, behind;
    gint64 wait_us;  /* 0: none */
};
void sched_claimed(struct sched *sched, struct sched_endpoint *endpoint, gint64 now, const struct sched_claimed *said);

void sched_add_job(struct sched *sched, struct sched_endpoint *endpoint, gpointer job);
/* Takes the next job and a slot for it; NULL: no job, no slot, or none that may now. */
gpointer sched_next_job(struct sched *sched, gint64 now, struct sched_endpoint **endpoint, gint64 *wake);
/* All that wait here for an endpoint (it is held, or we stop); the caller's then. */
GQueue sched_take_jobs(struct sched *sched, struct sched_endpoint *endpoint);
/* Those of all endpoints, appended. */
void sched_take_all(struct sched *sched, GQueue *jobs);

enum sched_end {
    SCHED_END_GOOD,   /* the provider answered */
    SCHED_END_SAFE,   /* it did not take the request: count towards opening the circuit */
    SCHED_END_NOTHING /* says nothing about the provider (the message was not to be sent after all) */
};
/* The slot is free again.  True: the circuit has just been opened. */
bool sched_job_done(struct sched *sched, struct sched_endpoint *endpoint, gint64 now, enum sched_end end);
/* Lanes moved on (results are stored): what waits for the head of its lane is worth a claim. */
void sched_lanes_moved(struct sched *sched);
/* Nothing of this endpoint until then. */
void sched_pause(struct sched *sched, struct sched_endpoint *endpoint, gint64 until);
void sched_resume(struct sched *sched, const char *id);

guint sched_flying(const struct sched *sched);
guint sched_leased(const struct sched *sched);
guint sched_free_slots(const struct sched *sched);

/* For the slow scan: ids (borrowed) and floors of all known endpoints. */
void sched_slow_floors(struct sched *sched, GPtrArray *ids, GArray *floors);
