/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the web role share.
 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>

#include "bridge/event_store.h"
#include "bridge/web/web_guard.h"

struct web {
    struct bridge *bridge;
    struct MHD_Daemon *daemon;
    struct web_guard *guard;
    struct event_store *store;
    struct stream_room *streams;
    uint64_t max_body, max_signed_body;
    gint64 buffer_limit;
    char *dovecot_word; /* of the URL to which Dovecot posts; NULL: nothing is taken there */
    gint64 buffered; /* atomic: bytes of bodies */
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t idle;
    int waiting;           /* requests that are suspended, or not yet wholly resumed */
    bool stopping;
};

/* A request is about to be suspended; false: not any more, the web stops. web_leave when it was resumed. */
bool web_enter(struct web *web);
void web_leave(struct web *web);

/* One request, from its head to its answer. */
struct web_request {
    struct web *web;
    struct MHD_Connection *connection;
    struct web_guard_connection *guarded;
    gint64 began;
    char *target;              /* path and query as they were sent */
    struct endpoint *endpoint; /* of a webhook */
    bool dovecot;              /* an event of Dovecot's */
    char *attempt;             /* uuid out of ?a=, verified; NULL */
    GString *body;
    size_t accounted;          /* of web->buffered */
    bool too_large;            /* 413 at the end of the body */
    /* a suspended webhook */
    int pending;               /* atomic: events without an outcome, and one while they are handed over */
    int lost, journaled, repeated; /* atomic */
    bool answered;             /* the outcome stands; queue it when the handler is called again */
};

/* Queues a plain text answer; close: and ends the connection. */
enum MHD_Result web_reply(struct MHD_Connection *connection, unsigned status, const char *text, bool close);
enum MHD_Result web_reply_text(struct MHD_Connection *connection, unsigned status, const char *type, char *text);

/* webhook.c: at the head: MHD_YES to read on, or the refusal is queued. */
enum MHD_Result webhook_begin(struct web_request *request, const char *id);
/* GET: the provider asks whether the address is ours. */
enum MHD_Result webhook_challenge(struct web *web, struct MHD_Connection *connection, const char *id);
/* At the end of the body: verifies, parses, suspends and stores; or queues an answer. */
enum MHD_Result webhook_take(struct web_request *request);
/* Once resumed. */
enum MHD_Result webhook_answer(struct web_request *request);

/* web_dovecot.c: reads the word; 0, also when none is set; -1 with error. */
int web_dovecot_open(struct web *web, GError **error);
/* At the head: is this where Dovecot posts?  Then: read on. */
bool web_dovecot_begin(struct web_request *request, const char *url);
/* At the end of the body. */
enum MHD_Result web_dovecot_take(struct web_request *request);

/* web_media.c, web_status.c */
enum MHD_Result web_media(struct web *web, struct MHD_Connection *connection, const char *token);
enum MHD_Result web_healthz(struct web *web, struct MHD_Connection *connection);
enum MHD_Result web_metrics(struct web *web, struct MHD_Connection *connection);
