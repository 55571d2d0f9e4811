/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the outbound room.  A job goes
 *
 *     outbox_claim → waits here → slot, outbox_sending → request → answer → outbox_finish
 *
 * and is at every moment in one hand: the dispatcher's (claim.c), the database writer's, the HTTP
 * client's (send.c), the store of results' (results.c).  `lock` guards everything in struct outbound;
 * no call that can block is made under it.
 */
#pragma once

#include <pthread.h>

#include "bridge/outbound/outbound.h"
#include "bridge/outbound/sched.h"
#include "bridge/outbound/verdict.h"

struct db_rows;
struct db_params;

struct job {
    struct outbound *outbound;
    struct sched_endpoint *place;
    struct endpoint *endpoint;
    gint64 id, fence;
    guint attempts; /* before this one */
    char *message_id, *recipient, *conversation_id;
    guint part;     /* of the messages that the mail goes out as, from 1; 0: it is one */
    char *attempt;  /* uuid of this one */
    gint64 leased_at, sent_at; /* monotonic µs */
    bool group;
    bool window_asked; /* does free text go after all? */
    struct channel_request request; /* the next one; url NULL: to be built */
    /* until the message's own request is built: what it is made of */
    struct ump_message *message;
    json_t *metadata;
    char *callback, *target, *target_text;
    GStrv media_urls;
    GPtrArray *media_ids; /* char *: of the uploads so far; NULL: there are none to be made */
    GList *link; /* in outbound->held */
};

struct outbound {
    struct bridge *bridge;
    struct http_client *http;
    struct journal *journal; /* results that the database has not taken; NULL until it is open */
    struct verdict_limits limits;
    gint64 lease, heartbeat, poll, media_ttl, uncertain_notice;
    unsigned request_timeout_ms, connect_timeout_ms;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* for the dispatcher, and for who waits for the end */
    pthread_cond_t care;
    struct sched *sched;
    GQueue held;          /* struct job *: all that are leased to us and not yet answered */
    guint marking;        /* outbox_sending statements under way */
    GQueue results;       /* char *: JSON of results to be stored */
    guint storing;        /* outbox_finish statements under way */
    gint64 results_wait;  /* monotonic µs: neither database nor disk took them, not before then again */
    guint writes;         /* statements of ours under way, of any kind */
    GQueue lookups;       /* struct lookup *: answered, for the carer to settle */
    GHashTable *absent;   /* the carer's own: attempt → how often the provider said that it has not got it */
    bool journaled;       /* the journal holds results */
    bool rescued;         /* what an earlier run held has been taken back: claims may begin */
    bool scan;            /* look at all endpoints soon */
    bool stopping, stopped;
    pthread_t dispatcher, carer;
    bool running;
};

/* outbound.c */
gint64 outbound_now(void);
void outbound_lock(struct outbound *outbound);
void outbound_unlock(struct outbound *outbound);
/* Wakes both threads; with or without the lock. */
void outbound_changed(struct outbound *outbound);

/* job.c */
/* Of a row of outbox_claim.  NULL with error: the message cannot be said to this provider
 * (UMP_ERROR_INVALID), or the endpoint cannot send (anything else). */
struct job *job_new(struct outbound *outbound, struct endpoint *endpoint, const struct db_rows *rows, unsigned row,
                    GError **error);
/* Is the provider to be asked first whether free text goes to the recipient?  Then: its question; -1 as job_new. */
bool job_wants_window(const struct job *job);
int job_ask_window(struct job *job, GError **error);
/* Its answer: an open window lets the text go, in place of the template that carries it. */
void job_window_is(struct job *job, enum channel_window window);
/* Builds the next request: an upload, or the message.  *last: it was the message.  -1 as job_new. */
int job_next_request(struct job *job, bool *last, GError **error);
void job_free(struct job *job);
/* Of a row of outbox_claim or outbox_uncertain; job: endpoint, message_id and recipient alone are used. */
struct ump_message *job_message(const struct job *job, const struct db_rows *rows, unsigned row);

/* claim.c: the dispatcher's thread */
void *claim_run(void *outbound);

/* send.c */
/* Starts what may be started: takes slots and marks the jobs as sending.  Without the lock. */
void send_start(struct outbound *outbound);
/* Gives jobs back to the outbox, free again after after_us; frees them. */
void send_release(struct outbound *outbound, GQueue *jobs, gint64 after_us);

/* results.c */
struct result_record {
    gint64 id, fence, account;
    const char *attempt, *outcome, *provider_id, *code, *text, *currency, *alias;
    int http;
    gint64 segments, cost; /* -1: not known */
    const json_t *members; /* of a group, whom it did not reach; NULL */
    bool opt_out;
    gint64 after_us;
};
/* Keeps one result until the database has it. */
void results_put(struct outbound *outbound, const struct result_record *record);
/* Stores what waits, if it is time.  Without the lock. */
void results_flush(struct outbound *outbound);
/* Replays the journal into the database; blocks.  0: nothing is left in it. */
int results_replay(struct outbound *outbound);
/* Everything that waits goes to the journal (the end of the program). */
void results_spill(struct outbound *outbound);

/* lookup.c: what became of requests whose answer was lost */
#define LOOKUP_FIRST 30 /* uncertain_notice over this: the first look */
void lookup_init(struct outbound *outbound);
void lookup_clear(struct outbound *outbound);
/* Of a row of outbox_uncertain: asks the provider, where it can be asked, else ends what is over. */
void lookup_begin(struct outbound *outbound, const struct db_rows *rows, unsigned row);
/* Draws the conclusions of what was answered; blocks. */
void lookup_settle(struct outbound *outbound);

/* care.c: heartbeat, rescue, slow scan, expiry, reconciliation */
void *care_run(void *outbound);
/* One statement of the carer's, blocking.  0; -1: it is logged. */
int care_query(struct outbound *outbound, unsigned stmt, struct db_params *params, struct db_rows **rows);
void care_listen(void *outbound, const char *channel, const char *payload);
