/* SPDX-License-Identifier: Apache-2.0 */
/* The thread and its multi handle.  Jobs come through a queue; everything else happens on the thread. */
#include "core/http_client.h"

#include "core/clock.h"
#include "core/http_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct http_client {
    CURLM *multi;
    pthread_t thread;
    char *user_agent, *ca_file;
    pthread_mutex_t lock;
    GQueue incoming; /* of struct http_job */
    int64_t stop_at; /* INT64_MAX: not stopping */
    GHashTable *active; /* the thread's: set of struct http_job */
};

static void initialise(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        g_error("curl_global_init failed");
}

/* ---- completion ---- */

/* Seconds, or a date: relative to the server's own clock where it says what that is. */
static int64_t retry_after_us(const struct http_response *response)
{
    const char *text = response->retry_after, *date = http_response_header(response, "date");
    if (!text)
        return -1;
    if (g_ascii_isdigit(*text)) {
        char *end;
        guint64 seconds = g_ascii_strtoull(text, &end, 10);
        return *end ? -1 : (int64_t)MIN(seconds, 30 * 86400) * G_USEC_PER_SEC;
    }
    time_t then = curl_getdate(text, NULL), now = date ? curl_getdate(date, NULL) : -1;
    if (then < 0)
        return -1;
    int64_t us = then * G_USEC_PER_SEC - (now >= 0 ? now * G_USEC_PER_SEC : ump_clock_now_us());
    return CLAMP(us, 0, 30 * 86400 * (int64_t)G_USEC_PER_SEC);
}

static char *media_type(const struct http_response *response)
{
    const char *value = http_response_header(response, "content-type");
    if (!value)
        return NULL;
    g_autofree char *type = g_strndup(value, strcspn(value, ";"));
    return g_ascii_strdown(g_strstrip(type), -1);
}

static void complete(struct http_job *job, CURLcode code)
{
    struct http_response *r = job->response;
    curl_off_t total = 0;
    curl_easy_getinfo(job->easy, CURLINFO_REQUEST_SIZE, &r->request_size);
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &r->status);
    curl_easy_getinfo(job->easy, CURLINFO_TOTAL_TIME_T, &total);
    r->duration_us = total;
    r->curl_code = code;
    if (code != CURLE_OK && !r->error)
        r->error = g_strdup(*job->curl_error ? job->curl_error : curl_easy_strerror(code));
    r->refused = r->refused && code != CURLE_OK;
    r->retry_after = g_strdup(http_response_header(r, "retry-after"));
    r->retry_after_us = retry_after_us(r);
    r->content_type = media_type(r);
    r->body = g_byte_array_free_to_bytes(g_steal_pointer(&job->body));
    job->done(job->data, r);
    http_job_free(job);
}

static void start(struct http_client *client, struct http_job *job)
{
    CURL *e = job->easy;
    http_set(e, curl_easy_setopt(e, CURLOPT_USERAGENT, client->user_agent));
    if (client->ca_file)
        http_set(e, curl_easy_setopt(e, CURLOPT_CAINFO, client->ca_file));
    g_hash_table_add(client->active, job);
    CURLMcode code = curl_multi_add_handle(client->multi, e);
    if (code != CURLM_OK)
        g_error("curl_multi_add_handle: %s", curl_multi_strerror(code));
}

static void finish(struct http_client *client, struct http_job *job, CURLcode code)
{
    curl_multi_remove_handle(client->multi, job->easy);
    g_hash_table_remove(client->active, job);
    if (job->media && code != CURLE_ABORTED_BY_CALLBACK && http_media_continue(job, code))
        start(client, job);
    else
        complete(job, job->response->error && code == CURLE_OK ? CURLE_COULDNT_CONNECT : code);
}

/* ---- the thread ---- */

static struct http_job *next_incoming(struct http_client *client)
{
    pthread_mutex_lock(&client->lock);
    struct http_job *job = g_queue_pop_head(&client->incoming);
    pthread_mutex_unlock(&client->lock);
    return job;
}

static void finish_all(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct http_job *job = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&job);
        finish(client, job, code);
    }
}

static void abort_all(struct http_client *client)
{
    struct http_job *job;
    g_autoptr(GList) jobs = g_hash_table_get_keys(client->active);
    for (GList *l = jobs; l; l = l->next)
        finish(client, l->data, CURLE_ABORTED_BY_CALLBACK);
    while ((job = next_incoming(client)))
        complete(job, CURLE_ABORTED_BY_CALLBACK);
}

static int64_t stop_time(struct http_client *client)
{
    pthread_mutex_lock(&client->lock);
    int64_t at = client->stop_at;
    pthread_mutex_unlock(&client->lock);
    return at;
}

static void *client_main(void *arg)
{
    struct http_client *client = arg;
    pthread_setname_np(pthread_self(), "http-client");
    for (;;) {
        struct http_job *job;
        int running;
        while ((job = next_incoming(client)))
            start(client, job);
        CURLMcode code = curl_multi_perform(client->multi, &running);
        if (code != CURLM_OK)
            g_error("curl_multi_perform: %s", curl_multi_strerror(code));
        finish_all(client);
        int64_t stop_at = stop_time(client), now = g_get_monotonic_time();
        if (stop_at != INT64_MAX && (now >= stop_at || !g_hash_table_size(client->active)))
            break;
        int wait = stop_at == INT64_MAX ? 1000 : (int)MIN(1000, (stop_at - now) / 1000 + 1);
        code = curl_multi_poll(client->multi, NULL, 0, wait, NULL);
        if (code != CURLM_OK)
            g_error("curl_multi_poll: %s", curl_multi_strerror(code));
    }
    abort_all(client);
    return NULL;
}

/* ---- the callers' side ---- */

struct http_client *http_client_new(const struct http_client_options *options, GError **error)
{
    static const struct http_client_options defaults;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialise);
    options = options ? options : &defaults;
    struct http_client *client = g_new0(struct http_client, 1);
    long per_host = options->max_per_host ? (long)options->max_per_host : 64;
    long total = options->max_total ? (long)options->max_total : 256;
    client->multi = curl_multi_init();
    if (!client->multi)
        g_error("out of memory");
    curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, total);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, total);
    client->user_agent = g_strdup(options->user_agent ? options->user_agent : "ump/" UMP_VERSION);
    client->ca_file = g_strdup(options->ca_file);
    client->active = g_hash_table_new(NULL, NULL);
    client->stop_at = INT64_MAX;
    g_queue_init(&client->incoming);
    pthread_mutex_init(&client->lock, NULL);
    int r = pthread_create(&client->thread, NULL, client_main, client);
    if (r)
        g_error("pthread_create: %s", g_strerror(r));
    return client;
}

void http_client_submit(struct http_client *client, struct http_job *job)
{
    pthread_mutex_lock(&client->lock);
    g_queue_push_tail(&client->incoming, job);
    pthread_mutex_unlock(&client->lock);
    curl_multi_wakeup(client->multi);
}

void http_client_free(struct http_client *client, unsigned grace_ms)
{
    if (!client)
        return;
    pthread_mutex_lock(&client->lock);
    client->stop_at = g_get_monotonic_time() + 1000LL * grace_ms;
    pthread_mutex_unlock(&client->lock);
    curl_multi_wakeup(client->multi);
    pthread_join(client->thread, NULL);
    curl_multi_cleanup(client->multi);
    g_hash_table_unref(client->active);
    pthread_mutex_destroy(&client->lock);
    g_free(client->user_agent);
    g_free(client->ca_file);
    g_free(client);
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct http_response *response;
};

static void copy_header(gpointer name, gpointer value, gpointer copy)
{
    g_hash_table_insert(copy, g_strdup(name), g_strdup(value));
}

static void wake_waiting(void *data, const struct http_response *r)
{
    struct waiting *w = data;
    struct http_response *copy = g_memdup2(r, sizeof *r);
    copy->error = g_strdup(r->error);
    copy->content_type = g_strdup(r->content_type);
    copy->retry_after = g_strdup(r->retry_after);
    copy->final_url = g_strdup(r->final_url);
    copy->body = g_bytes_ref(r->body);
    copy->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_foreach(r->headers, copy_header, copy->headers);
    pthread_mutex_lock(&w->lock);
    w->response = copy;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

struct http_response *http_send_wait(struct http_client *client, const struct http_request *request)
{
    struct waiting w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL };
    http_send(client, request, wake_waiting, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.response)
        pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.cond);
    pthread_mutex_destroy(&w.lock);
    return w.response;
}
