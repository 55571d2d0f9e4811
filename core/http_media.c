/* SPDX-License-Identifier: Apache-2.0 */
/* Profile media: a URL that a stranger may have chosen (FAILURES T26–T28). */
#include "core/http_internal.h"
#include "core/ip_policy.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_REDIRECTS 3
/* Of an answer that is not the file. */
#define MAX_OTHER_BYTES (1 << 20)

struct http_media {
    char *url; /* of the current hop */
    struct http_target base;
    bool at_base; /* the current hop is the configured base */
    GStrv hosts, auth_hosts, headers;
    uint64_t max_size;
    uint64_t other; /* bytes that did not go to the sink */
    int64_t deadline;
    unsigned connect_timeout_ms, redirects;
    http_sink_cb *sink;
};

void http_media_free(struct http_media *m)
{
    if (!m)
        return;
    g_free(m->url);
    http_target_clear(&m->base);
    g_strfreev(m->hosts);
    g_strfreev(m->auth_hosts);
    g_strfreev(m->headers);
    g_free(m);
}

/* ---- policy ---- */

static bool in_exactly(char *const *hosts, const char *host)
{
    for (char *const *h = hosts; *h; h++)
        if (!g_ascii_strcasecmp(host, *h))
            return true;
    return false;
}

/* "host", or ".example.org" for every host below. */
static bool in_hosts(char *const *hosts, const char *host)
{
    for (char *const *h = hosts; *h; h++)
        if (**h == '.' ? g_str_has_suffix(host, *h) && strlen(host) > strlen(*h) : !g_ascii_strcasecmp(host, *h))
            return true;
    return false;
}

const char *http_media_policy(const char *url, const struct http_target *base, char *const *hosts,
                              char *const *auth_hosts, bool *at_base, bool *auth)
{
    struct http_target t;
    const char *fault = NULL;
    *at_base = *auth = false;
    if (!http_target_parse(url, &t))
        return "the media URL cannot be used";
    *at_base = base->host && http_target_equal(&t, base);
    bool https = !strcmp(t.scheme, "https");
    if (t.has_user)
        fault = "the media URL carries a user name";
    else if (!*at_base && !https)
        fault = "the media URL is not https";
    else if (!*at_base && hosts && !in_hosts(hosts, t.host))
        fault = "the media URL's host is not the provider's";
    else
        *auth = *at_base || (https && !strcmp(t.port, "443") && auth_hosts && in_exactly(auth_hosts, t.host));
    http_target_clear(&t);
    return fault;
}

/* Sees the address itself, after every kind of name resolution, at every connect. */
static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_job *job = data;
    g_clear_pointer(&job->response->error, g_free);
    job->response->refused = false;
    if (!job->media->at_base && !ip_is_global(&address->addr)) {
        char host[NI_MAXHOST] = "?";
        getnameinfo(&address->addr, address->addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST);
        job->response->error = g_strdup_printf("address %s is not public", host);
        job->response->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- bytes ---- */

static size_t on_media(char *bytes, size_t size, size_t count, void *data)
{
    struct http_job *job = data;
    struct http_media *m = job->media;
    size_t length = size * count;
    long status = 0;
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 != 2) {
        m->other += length;
        return m->other > MAX_OTHER_BYTES ? 0 : length;
    }
    if (length > m->max_size - job->response->length) {
        job->response->truncated = true;
        return 0;
    }
    job->response->length += length;
    return m->sink(job->data, bytes, length) ? length : 0;
}

/* ---- hops ---- */

/* Sets the handle up for m->url.  False: refused, response.error says why. */
static bool prepare_hop(struct http_job *job)
{
    struct http_media *m = job->media;
    CURL *e = job->easy;
    int64_t left = (m->deadline - g_get_monotonic_time()) / 1000;
    bool auth;
    const char *fault = http_media_policy(m->url, &m->base, m->hosts, m->auth_hosts, &m->at_base, &auth);
    if (fault) {
        g_free(job->response->error);
        job->response->error = g_strdup(fault);
        job->response->refused = true;
        return false;
    }
    g_clear_pointer(&job->headers, curl_slist_free_all);
    if (auth)
        http_job_add_headers(job, (const char *const *)m->headers);
    http_set(e, curl_easy_setopt(e, CURLOPT_URL, m->url));
    http_set(e, curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, m->at_base && !strcmp(m->base.scheme, "http") ? "http"
                                                                                                        : "https"));
    http_set(e, curl_easy_setopt(e, CURLOPT_HTTPHEADER, job->headers));
    http_set(e, curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)MAX(left, 1)));
    http_set(e, curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)m->connect_timeout_ms));
    return true;
}

/* Takes response.error and refused as prepare_hop left them. */
bool http_media_continue(struct http_job *job, CURLcode code)
{
    struct http_media *m = job->media;
    long status = 0;
    char *location = NULL;
    g_free(job->response->final_url);
    job->response->final_url = g_strdup(m->url);
    if (code == CURLE_FILESIZE_EXCEEDED)
        job->response->truncated = true;
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status < 301 || status > 308 || (status > 303 && status < 307))
        return false;
    curl_easy_getinfo(job->easy, CURLINFO_REDIRECT_URL, &location);
    if (!location || ++m->redirects > MAX_REDIRECTS) {
        job->response->error = g_strdup(location ? "too many redirects" : "a redirect without a usable target");
        job->response->refused = true;
        return false;
    }
    g_autofree char *next = g_strdup(location); /* libcurl's own goes with the next option */
    g_free(m->url);
    m->url = g_steal_pointer(&next);
    m->other = 0;
    return prepare_hop(job);
}

void http_fetch(struct http_client *client, const struct http_fetch *fetch, http_sink_cb *sink, http_done_cb *done,
                void *data)
{
    struct http_job *job = http_job_new(client, done, data);
    struct http_media *m = job->media = g_new0(struct http_media, 1);
    CURL *e = job->easy;
    m->url = g_strdup(fetch->url ? fetch->url : "");
    m->hosts = g_strdupv((GStrv)fetch->hosts);
    m->auth_hosts = g_strdupv((GStrv)fetch->auth_hosts);
    m->headers = g_strdupv((GStrv)fetch->headers);
    m->max_size = fetch->max_size ? fetch->max_size : 25 << 20;
    m->deadline = g_get_monotonic_time() + 1000LL * (fetch->timeout_ms ? fetch->timeout_ms : 60000);
    m->connect_timeout_ms = fetch->connect_timeout_ms ? fetch->connect_timeout_ms : 5000;
    m->sink = sink;
    if (fetch->base_url)
        http_target_parse(fetch->base_url, &m->base);
    for (char **h = m->headers; h && *h; h++)
        if (strpbrk(*h, "\r\n")) {
            http_job_refuse(job, "a header has a line end in it");
            return;
        }
    http_set(e, curl_easy_setopt(e, CURLOPT_HTTPGET, 1L));
    http_set(e, curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L));
    http_set(e, curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L));
    http_set(e, curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket));
    http_set(e, curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, job));
    http_set(e, curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_media));
    http_set(e, curl_easy_setopt(e, CURLOPT_WRITEDATA, job));
    http_set(e, curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)m->max_size));
    if (!prepare_hop(job)) {
        g_autofree char *fault = g_steal_pointer(&job->response->error);
        http_job_refuse(job, fault);
        return;
    }
    http_client_submit(client, job);
}
