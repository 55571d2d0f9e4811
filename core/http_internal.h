/* SPDX-License-Identifier: Apache-2.0 */
/* One request in flight; what http_*.c share.  Not for others. */
#pragma once

#include "core/http_client.h"

#include <curl/curl.h>
#include <pthread.h>

struct http_job {
    struct http_client *client;
    CURL *easy;
    char curl_error[CURL_ERROR_SIZE];
    struct http_response *response;
    http_done_cb *done;
    void *data;
    struct curl_slist *headers;
    GByteArray *body; /* of the response */
    size_t max_body;

    /* send */
    GBytes *upload;
    size_t uploaded;

    /* media */
    struct http_media *media; /* NULL: profile send */
};

/* What a URL leads to. */
struct http_target {
    char *scheme, *host, *port;
    bool has_user;
};

/* False: not an absolute http or https URL. */
bool http_target_parse(const char *url, struct http_target *target);
void http_target_clear(struct http_target *target);
bool http_target_equal(const struct http_target *a, const struct http_target *b);

/* A job with an easy handle that has what both profiles share.  NULL headers: none. */
struct http_job *http_job_new(struct http_client *client, http_done_cb *done, void *data);
void http_job_free(struct http_job *job);

/* False, error text set: one has CR or LF. */
bool http_job_add_headers(struct http_job *job, const char *const *headers);

/* Never made: error is what to say; takes the job.  Runs done at once, on the caller's thread. */
void http_job_refuse(struct http_job *job, const char *error);

/* Gives the job to the client's thread. */
void http_client_submit(struct http_client *client, struct http_job *job);

/* Media: the transfer is over; true: it goes on elsewhere (the handle is ready to be added again). */
bool http_media_continue(struct http_job *job, CURLcode code);
void http_media_free(struct http_media *media);

/* May this URL be fetched (NULL), or what forbids it?  at_base: it is on the configured base (base->host NULL:
 * there is none); auth: credentials may be sent.  hosts NULL: any.  Pure; the address is checked later. */
const char *http_media_policy(const char *url, const struct http_target *base, char *const *hosts,
                              char *const *auth_hosts, bool *at_base, bool *auth);

void http_set(CURL *easy, CURLcode code);
