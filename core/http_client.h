/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP client for providers: one libcurl multi handle in one thread, many requests in flight, callbacks on
 * completion.  Two profiles (FAILURES 6.4):
 *   send   a request to the provider's API.  Connections are reused.  The body comes from a read callback
 *          with a seek callback that refuses, so that libcurl can never send it a second time by itself.
 *   media  GET of a URL that a stranger may have chosen: new connection each time, no proxy, no credentials
 *          but to exact hosts, only public addresses, redirects followed and checked here, size counted.
 * A program that does both makes two clients, so that slow media delay no send. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client;

struct http_client_options {
    unsigned max_per_host;   /* connections of the send profile to one host; 0: 64 */
    unsigned max_total;      /* connections at a time; 0: 256 */
    const char *user_agent;  /* NULL: "ump/<version>" */
    const char *ca_file;     /* NULL: the system's */
};

/* options may be NULL. */
struct http_client *http_client_new(const struct http_client_options *options, GError **error);

/* Ends the thread.  What is in flight after grace_ms is aborted; its callbacks run with curl_code 42, outcome
 * by request_size as always.  NULL is accepted. */
void http_client_free(struct http_client *client, unsigned grace_ms);

/* ---- Results ---- */

struct http_response {
    int curl_code;        /* CURLcode */
    char *error;          /* a sentence for the log; NULL if curl_code is 0 */
    long request_size;    /* CURLINFO_REQUEST_SIZE: bytes of requests written; 0: none ever left */
    long status;          /* HTTP status; 0: none */
    GBytes *body;         /* never NULL; at most max_body (send profile) */
    bool truncated;       /* the body was longer (send: cut; media: aborted) */
    char *content_type;   /* without parameters, lower case; NULL: none */
    char *retry_after;    /* as sent; NULL: none */
    GHashTable *headers;  /* lower-case name → value of the last response, first of equals, at most 64 */
    int64_t retry_after_us; /* Retry-After as a duration (seconds, or a date minus now); -1: none or unreadable */
    int64_t duration_us;    /* whole request */
    uint64_t length;        /* media: bytes handed to the sink */
    char *final_url;        /* media: after redirects */
    bool refused;           /* our own policy said no (address, scheme, host, redirects): do not try again */
};

/* NULL if there is none.  name in lower case ("x-ratelimit-reset"). */
const char *http_response_header(const struct http_response *response, const char *name);

/* May the request have been processed?  (FAILURES 4.)  Pure. */
enum http_class {
    HTTP_SAFE,      /* certainly not processed: repeat with backoff */
    HTTP_DEFINITE,  /* the provider has answered: yes (2xx) or no (4xx) */
    HTTP_AMBIGUOUS, /* may have been processed: reconcile, never repeat on a guess */
};

/* understood: the adapter could read the body as the provider's answer (the id of a 2xx; for 4xx it does not
 * matter).  safe_503: the provider documents that 503 with Retry-After was not processed. */
enum http_class http_outcome(const struct http_response *response, bool understood, bool safe_503);

/* The same for bare values, for tests and tables. */
enum http_class http_classify(int curl_code, long request_size, long status, bool has_retry_after, bool understood,
                              bool safe_503);

const char *http_class_name(enum http_class class); /* "safe", "definite", "ambiguous" */

/* Runs once, on the client's thread; must not block.  response is borrowed until it returns. */
typedef void http_done_cb(void *data, const struct http_response *response);

/* ---- Profile send ---- */

struct http_request {
    const char *method;         /* NULL: "POST" with a body, else "GET" */
    const char *url;            /* https; http only if base_url is http and its scheme, host and port are this url's */
    const char *base_url;       /* the configured base of the provider; NULL: https only */
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL; CR or LF in one fails the request */
    GBytes *body;               /* NULL: none */
    unsigned timeout_ms;        /* 0: 20000; beyond that the answer may be silent as long, else 15 s */
    unsigned connect_timeout_ms; /* 0: 5000 */
    size_t max_body;            /* of the response; 0: 1 MiB */
};

/* Copies what it needs.  done is always called, also for a request that cannot be made (curl_code 3,
 * request_size 0). */
void http_send(struct http_client *client, const struct http_request *request, http_done_cb *done, void *data);

/* The same, blocking (umpctl endpoint test).  http_response_free. */
struct http_response *http_send_wait(struct http_client *client, const struct http_request *request);
void http_response_free(struct http_response *response);

/* ---- Profile media ---- */

/* Bytes of the body in order, on the client's thread.  false: abort (curl_code 23).  Bytes of responses that
 * are no 2xx never come here. */
typedef bool http_sink_cb(void *data, const void *bytes, size_t length);

struct http_fetch {
    const char *url;
    const char *base_url;            /* its scheme://host:port may be plain http and of any address (a simulator,
                                        a daemon on this machine); NULL: none */
    const char *const *hosts;        /* if not NULL: only these hosts (exact, or ".example.org" for what is below)
                                        and base_url's */
    const char *const *headers;      /* credentials: sent only to auth_hosts over https, or to base_url's */
    const char *const *auth_hosts;   /* exact host names, port 443; may be NULL */
    uint64_t max_size;               /* 0: 25 MiB */
    unsigned timeout_ms;             /* 0: 60000 */
    unsigned connect_timeout_ms;     /* 0: 5000 */
};

/* Done: status 2xx, curl_code 0, not truncated.  A response larger than max_size is aborted (truncated). */
void http_fetch(struct http_client *client, const struct http_fetch *fetch, http_sink_cb *sink, http_done_cb *done,
                void *data);
