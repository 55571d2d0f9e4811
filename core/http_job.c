/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request: what both profiles share, and the profile send. */
#include "core/http_internal.h"

#include "core/clock.h"

#include <string.h>

#define MAX_HEADERS 64
#define MAX_HEADER_BYTES 8192

/* Options are ours: one that libcurl refuses is a bug, or a libcurl too old. */
void http_set(CURL *easy, CURLcode code)
{
    if (code != CURLE_OK)
        g_error("curl_easy_setopt: %s", curl_easy_strerror(code));
}

/* ---- targets ---- */

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL, *copy = NULL;
    if (curl_url_get(url, part, &text, flags) == CURLUE_OK)
        copy = g_ascii_strdown(text, -1);
    curl_free(text);
    return copy;
}

bool http_target_parse(const char *text, struct http_target *target)
{
    CURLU *url = curl_url();
    bool ok = false;
    *target = (struct http_target){ 0 };
    if (url && text && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        target->scheme = url_part(url, CURLUPART_SCHEME, 0);
        target->host = url_part(url, CURLUPART_HOST, 0);
        target->port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        g_autofree char *user = url_part(url, CURLUPART_USER, 0), *password = url_part(url, CURLUPART_PASSWORD, 0);
        target->has_user = user || password;
        ok = target->scheme && target->host && target->port &&
             (!strcmp(target->scheme, "https") || !strcmp(target->scheme, "http"));
    }
    curl_url_cleanup(url);
    if (!ok)
        http_target_clear(target);
    return ok;
}

void http_target_clear(struct http_target *target)
{
    g_free(target->scheme);
    g_free(target->host);
    g_free(target->port);
    *target = (struct http_target){ 0 };
}

bool http_target_equal(const struct http_target *a, const struct http_target *b)
{
    return !g_strcmp0(a->scheme, b->scheme) && !g_strcmp0(a->host, b->host) && !g_strcmp0(a->port, b->port);
}

/* ---- the response ---- */

static void note_header(struct http_response *response, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    if (!colon || length > MAX_HEADER_BYTES || g_hash_table_size(response->headers) >= MAX_HEADERS)
        return;
    g_autofree char *name = g_ascii_strdown(line, colon - line);
    g_autofree char *raw = g_strndup(colon + 1, length - (size_t)(colon - line) - 1);
    if (!g_hash_table_contains(response->headers, name))
        g_hash_table_insert(response->headers, g_steal_pointer(&name), g_utf8_make_valid(g_strstrip(raw), -1));
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct http_job *job = data;
    size_t length = size * count;
    if (length >= 5 && !memcmp(line, "HTTP/", 5)) /* also after 100 Continue */
        g_hash_table_remove_all(job->response->headers);
    else
        note_header(job->response, line, length);
    return length;
}

/* What is too long is read and dropped, so that the connection stays of use; the timeout ends it. */
static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct http_job *job = data;
    size_t length = size * count, room = job->max_body - job->body->len;
    if (length > room)
        job->response->truncated = true;
    g_byte_array_append(job->body, (const guint8 *)bytes, (guint)MIN(length, room));
    return length;
}

struct http_job *http_job_new(struct http_client *client, http_done_cb *done, void *data)
{
    struct http_job *job = g_new0(struct http_job, 1);
    job->client = client;
    job->done = done;
    job->data = data;
    job->body = g_byte_array_new();
    job->response = g_new0(struct http_response, 1);
    job->response->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    job->response->retry_after_us = -1;
    CURL *e = job->easy = curl_easy_init();
    if (!e)
        g_error("out of memory");
    http_set(e, curl_easy_setopt(e, CURLOPT_PRIVATE, job));
    http_set(e, curl_easy_setopt(e, CURLOPT_ERRORBUFFER, job->curl_error));
    http_set(e, curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header));
    http_set(e, curl_easy_setopt(e, CURLOPT_HEADERDATA, job));
    http_set(e, curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L));
    http_set(e, curl_easy_setopt(e, CURLOPT_PROXY, ""));
    http_set(e, curl_easy_setopt(e, CURLOPT_NOPROXY, "*"));
    http_set(e, curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED));
    http_set(e, curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
    http_set(e, curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L));
    http_set(e, curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L));
    http_set(e, curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
    http_set(e, curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L));
    http_set(e, curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, 15L));
    http_set(e, curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L));
    return job;
}

void http_job_free(struct http_job *job)
{
    curl_easy_cleanup(job->easy);
    curl_slist_free_all(job->headers);
    g_clear_pointer(&job->upload, g_bytes_unref);
    g_clear_pointer(&job->body, g_byte_array_unref);
    http_media_free(job->media);
    http_response_free(job->response);
    g_free(job);
}

bool http_job_add_headers(struct http_job *job, const char *const *headers)
{
    for (; headers && *headers; headers++) {
        if (strpbrk(*headers, "\r\n"))
            return false;
        struct curl_slist *longer = curl_slist_append(job->headers, *headers);
        if (!longer)
            g_error("out of memory");
        job->headers = longer;
    }
    return true;
}

void http_job_refuse(struct http_job *job, const char *error)
{
    struct http_response *r = job->response;
    r->curl_code = CURLE_URL_MALFORMAT;
    r->error = g_strdup(error);
    r->refused = true;
    r->body = g_bytes_new(NULL, 0);
    job->done(job->data, r);
    http_job_free(job);
}

/* ---- profile send ---- */

static size_t on_upload(char *buffer, size_t size, size_t count, void *data)
{
    struct http_job *job = data;
    gsize length;
    const char *bytes = g_bytes_get_data(job->upload, &length);
    size_t n = MIN(size * count, length - job->uploaded);
    if (n)
        memcpy(buffer, bytes + job->uploaded, n);
    job->uploaded += n;
    return n;
}

/* libcurl asks for this when a reused connection broke and it wants to send the request once more by itself:
 * the first may have arrived.  Refused, it gives up with CURLE_SEND_FAIL_REWIND (FAILURES, decision 3). */
static int on_rewind(void *data, curl_off_t offset, int origin)
{
    return CURL_SEEKFUNC_FAIL;
}

static void set_upload(struct http_job *job, GBytes *body)
{
    CURL *e = job->easy;
    job->upload = body ? g_bytes_ref(body) : g_bytes_new(NULL, 0);
    http_set(e, curl_easy_setopt(e, CURLOPT_POST, 1L));
    http_set(e, curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)g_bytes_get_size(job->upload)));
    http_set(e, curl_easy_setopt(e, CURLOPT_READFUNCTION, on_upload));
    http_set(e, curl_easy_setopt(e, CURLOPT_READDATA, job));
    http_set(e, curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_rewind));
    http_set(e, curl_easy_setopt(e, CURLOPT_SEEKDATA, job));
}

static void set_method(struct http_job *job, const struct http_request *request)
{
    CURL *e = job->easy;
    bool has_body = request->body && g_bytes_get_size(request->body) > 0;
    const char *method = request->method ? request->method : request->body ? "POST" : "GET";
    bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    if (has_body || !strcmp(method, "POST"))
        set_upload(job, request->body);
    if (!strcmp(method, "HEAD"))
        http_set(e, curl_easy_setopt(e, CURLOPT_NOBODY, 1L));
    else if (has_body ? strcmp(method, "POST") != 0 : !reads && strcmp(method, "POST") != 0)
        http_set(e, curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method));
    /* Without a body there is nothing to rewind, and libcurl would repeat the request on its own. */
    if (!has_body && !reads)
        http_set(e, curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L));
}

/* https, or exactly the configured base. */
static const char *url_fault(const struct http_request *request)
{
    struct http_target target, base = { 0 };
    if (!http_target_parse(request->url, &target))
        return "the URL cannot be used";
    bool plain = !strcmp(target.scheme, "http");
    bool known = request->base_url && http_target_parse(request->base_url, &base) && http_target_equal(&target, &base);
    http_target_clear(&target);
    http_target_clear(&base);
    return plain && !known ? "the URL is not https" : NULL;
}

void http_send(struct http_client *client, const struct http_request *request, http_done_cb *done, void *data)
{
    struct http_job *job = http_job_new(client, done, data);
    CURL *e = job->easy;
    const char *fault = url_fault(request);
    if (!fault && !http_job_add_headers(job, request->headers))
        fault = "a header has a line end in it";
    if (fault) {
        http_job_refuse(job, fault);
        return;
    }
    static const char *const no_expect[] = { "Expect:", NULL };
    http_job_add_headers(job, no_expect);
    job->max_body = request->max_body ? request->max_body : 1 << 20;
    http_set(e, curl_easy_setopt(e, CURLOPT_URL, request->url));
    http_set(e, curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, g_str_has_prefix(request->url, "https:") ? "https"
                                                                                                   : "http,https"));
    http_set(e, curl_easy_setopt(e, CURLOPT_HTTPHEADER, job->headers));
    http_set(e, curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body));
    http_set(e, curl_easy_setopt(e, CURLOPT_WRITEDATA, job));
    http_set(e, curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ms ? request->timeout_ms : 20000)));
    if (request->timeout_ms > 20000) /* what may take long may be silent as long */
        http_set(e, curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)(request->timeout_ms / 1000)));
    http_set(e, curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                                 (long)(request->connect_timeout_ms ? request->connect_timeout_ms : 5000)));
    http_set(e, curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, 30L)); /* idle longer: do not trust it */
    set_method(job, request);
    http_client_submit(client, job);
}
