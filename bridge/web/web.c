/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: connections, routing, limits. */
#include "bridge/web/web.h"

#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "bridge/metrics.h"
#include "bridge/stream/stream.h"
#include "bridge/web/web_check.h"
#include "bridge/web/web_internal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#define IDLE_SECONDS 75u /* libmicrohttpd's own, for peers that are wholly silent */
#define REPLAY_WAIT_MS 5000

/* --- answers --- */

enum MHD_Result web_reply_text(struct MHD_Connection *connection, unsigned status, const char *type, char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), g_strdup(text), MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    g_free(text);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result web_reply(struct MHD_Connection *connection, unsigned status, const char *text, bool close)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
    if (close)
        MHD_add_response_header(response, "Connection", "close");
    if (status == 405)
        MHD_add_response_header(response, "Allow", "GET, HEAD, POST");
    if (status == 503)
        MHD_add_response_header(response, "Retry-After", "5");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* --- one request --- */

static enum MHD_Result add_header(void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
    web_head_add(data, key, value);
    return MHD_YES;
}

static struct web_guard_connection *guarded_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static enum MHD_Result refuse_head(struct MHD_Connection *connection, enum web_check check)
{
    static const char *const texts[] = { "", "the length of the body is not clear\n", "too many or too long headers\n",
                                         "no Content-Encoding is accepted\n", "the body is too large\n",
                                         "only chunked is known as Transfer-Encoding\n" };

    metrics_inc(METRIC_WEBHOOK_REFUSED);
    return web_reply(connection, web_check_status(check), texts[check], true);
}

static enum MHD_Result route_get(struct web *web, struct MHD_Connection *connection, const char *url)
{
    char id[37];

    if (web_path_uuid(url, "/webhooks/", id))
        return webhook_challenge(web, connection, id);
    if (g_str_has_prefix(url, "/media/"))
        return web_media(web, connection, url + strlen("/media/"));
    if (strcmp(url, "/healthz") == 0)
        return web_healthz(web, connection);
    if (strcmp(url, "/metrics") == 0)
        return web_metrics(web, connection);
    return web_reply(connection, 404, "nothing is here\n", false);
}

/* The head is there. */
static enum MHD_Result begin(struct web_request *request, const char *url, const char *method)
{
    struct MHD_Connection *connection = request->connection;
    struct web *web = request->web;
    struct web_head head = { 0 };
    enum web_check check;
    char id[37];

    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &head);
    if (request->guarded &&
        !web_guard_request(web->guard, request->guarded,
                           MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Forwarded-For")))
        return web_reply(connection, 429, "too many requests at a time from your address\n", true);
    check = web_head_check(&head, web->max_signed_body);
    if (check != WEB_CHECK_OK)
        return refuse_head(connection, check);
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        if (head.content_length > 0 || head.transfer_encodings > 0)
            return web_reply(connection, 400, "a GET has no body\n", true);
        web_guard_working(web->guard, request->guarded);
        return route_get(web, connection, url);
    }
    if (strcmp(method, "POST") != 0)
        return web_reply(connection, 405, "GET and POST alone are known\n", true);
    if (web_dovecot_begin(request, url))
        return MHD_YES;
    if (!web_path_uuid(url, "/webhooks/", id))
        return web_reply(connection, 404, "nothing is here\n", true);
    return webhook_begin(request, id);
}

/* More of the body. */
static void append(struct web_request *request, const char *data, size_t size)
{
    struct web *web = request->web;

    web_guard_bytes(web->guard, request->guarded, size);
    if (request->too_large)
        return;
    if (request->body->len + size > web->max_signed_body ||
        __atomic_add_fetch(&web->buffered, (gint64)size, __ATOMIC_RELAXED) > web->buffer_limit) {
        request->too_large = true;
        return;
    }
    request->accounted += size;
    g_string_append_len(request->body, data, (gssize)size);
}

/* The request line is there: signatures may be over what libmicrohttpd decodes next.  The result is the
 * context of on_request and on_completed. */
static void *on_target(void *data, const char *target, struct MHD_Connection *connection)
{
    struct web_request *request = g_new0(struct web_request, 1);

    request->target = g_strdup(target);
    return request;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct web *web = data;
    struct web_request *request = *context;

    if (!request->connection) {
        request->web = web;
        request->connection = connection;
        request->guarded = guarded_of(connection);
        request->began = ump_clock_mono_us();
        return begin(request, url, method);
    }
    if (!request->body)
        return MHD_NO; /* answered at its head */
    if (*upload_size > 0) {
        append(request, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (request->answered)
        return webhook_answer(request);
    web_guard_working(web->guard, request->guarded);
    if (request->too_large) {
        bool body = request->body->len + 1 > web->max_signed_body;
        metrics_inc(METRIC_WEBHOOK_REFUSED);
        return web_reply(connection, body ? 413 : 503, body ? "the body is too large\n" : "busy\n", true);
    }
    return request->dovecot ? web_dovecot_take(request) : webhook_take(request);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct web *web = data;
    struct web_request *request = *context;

    if (!request)
        return;
    *context = NULL;
    if (request->guarded)
        web_guard_answered(web->guard, request->guarded);
    __atomic_sub_fetch(&web->buffered, (gint64)request->accounted, __ATOMIC_RELAXED);
    endpoint_unref(request->endpoint);
    g_free(request->attempt);
    g_free(request->target);
    if (request->body)
        g_string_free(request->body, TRUE);
    g_free(request);
}

/* --- connections --- */

static enum MHD_Result on_accept(void *data, const struct sockaddr *address, socklen_t length)
{
    struct web *web = data;

    return web_guard_may_connect(web->guard, address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct web *web = data;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        const union MHD_ConnectionInfo *peer =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        *context = web_guard_open(web->guard, fd ? fd->connect_fd : -1, peer ? peer->client_addr : NULL);
    } else if (*context) {
        web_guard_close(web->guard, *context);
        *context = NULL;
    }
}

/* --- start and stop --- */

static struct addrinfo *resolve(const char *listen, GError **error)
{
    const char *colon = strrchr(listen, ':');
    g_autofree char *host = colon ? g_strndup(listen, (gsize)(colon - listen)) : NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST };
    struct addrinfo *found = NULL;
    char *bare = host;
    int code;

    if (host && host[0] == '[' && strlen(host) > 2 && host[strlen(host) - 1] == ']') {
        host[strlen(host) - 1] = '\0';
        bare = host + 1;
    }
    code = colon ? getaddrinfo(bare && *bare && strcmp(bare, "*") != 0 ? bare : NULL, colon + 1, &hints, &found)
                 : EAI_NONAME;
    if (code != 0)
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[web] listen = %s: %s", listen, gai_strerror(code));
    return found;
}

static void log_mhd(void *data, const char *format, va_list list) G_GNUC_PRINTF(2, 0);
static void log_mhd(void *data, const char *format, va_list list)
{
    g_autofree char *text = g_strdup_vprintf(format, list);

    log_debug("http", g_strchomp(text), "status", "note");
}

static struct MHD_Daemon *start_daemon(struct web *web, const struct addrinfo *address)
{
    const struct config *config = web->bridge->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    unsigned threads = (unsigned)config_get_int(config, "web", "threads");
    unsigned limit = (unsigned)config_get_int(config, "web", "max_connections");

    return MHD_start_daemon(flags, 0, on_accept, web, on_request, web, MHD_OPTION_SOCK_ADDR, address->ai_addr,
                            MHD_OPTION_EXTERNAL_LOGGER, log_mhd, web, MHD_OPTION_URI_LOG_CALLBACK, on_target, web, MHD_OPTION_NOTIFY_COMPLETED, on_completed, web,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, web, MHD_OPTION_CONNECTION_LIMIT, limit,
                            MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)(32 * 1024), MHD_OPTION_LISTEN_BACKLOG_SIZE, 2048u, MHD_OPTION_STRICT_FOR_CLIENT,
                            1, threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, MHD_OPTION_END);
}

struct web *web_start(struct bridge *bridge, GError **error)
{
    const struct config *config = bridge->config;
    const char *listen = config_get_string(config, "web", "listen");
    struct addrinfo *address = resolve(listen, error);
    struct web *web;

    if (!address)
        return NULL;
    const struct web_guard_options guard = {
        .header_timeout = config_get_duration(config, "web", "header_timeout"),
        .request_timeout = config_get_duration(config, "web", "request_timeout"),
        .keepalive = config_get_duration(config, "web", "keepalive"),
        .min_rate = (uint64_t)config_get_size(config, "web", "min_rate"),
        .per_address = (unsigned)config_get_int(config, "web", "max_connections_per_address"),
        .trusted = config_get_list(config, "web", "trusted_proxies"),
    };
    web = g_new0(struct web, 1);
    web->bridge = bridge;
    pthread_mutex_init(&web->mutex, NULL);
    pthread_cond_init(&web->idle, NULL);
    web->max_body = (uint64_t)config_get_size(config, "web", "max_body");
    web->max_signed_body = MAX(web->max_body, (uint64_t)config_get_size(config, "web", "max_signed_body"));
    web->buffer_limit = config_get_size(config, "web", "buffer");
    web->store = event_store_new(bridge);
    event_store_start(web->store, REPLAY_WAIT_MS);
    web->guard = web_guard_new(&guard);
    bool ready = web_dovecot_open(web, error) == 0;
    if (ready && !(web->daemon = start_daemon(web, address))) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_IO, "cannot listen on %s: %s", listen, g_strerror(errno));
        ready = false;
    }
    freeaddrinfo(address);
    if (!ready) {
        web_stop(web);
        web_free(web);
        return NULL;
    }
    web->streams = stream_room_start(bridge, web->store);
    log_notice("listen", listen, "status", "listening");
    return web;
}

bool web_enter(struct web *web)
{
    pthread_mutex_lock(&web->mutex);
    bool enters = !web->stopping;
    if (enters)
        web->waiting++;
    pthread_mutex_unlock(&web->mutex);
    return enters;
}

void web_leave(struct web *web)
{
    pthread_mutex_lock(&web->mutex);
    if (--web->waiting == 0)
        pthread_cond_signal(&web->idle);
    pthread_mutex_unlock(&web->mutex);
}

/* libmicrohttpd must not be stopped while a request is suspended; each one ends, in the journal at the latest. */
static void wait_for_suspended(struct web *web)
{
    pthread_mutex_lock(&web->mutex);
    web->stopping = true;
    while (web->waiting > 0)
        pthread_cond_wait(&web->idle, &web->mutex);
    pthread_mutex_unlock(&web->mutex);
}

void web_stop(struct web *web)
{
    if (web->streams)
        stream_room_stop(web->streams);
    if (web->daemon) {
        MHD_socket listener = MHD_quiesce_daemon(web->daemon);
        wait_for_suspended(web);
        MHD_stop_daemon(web->daemon);
        web->daemon = NULL;
        if (listener != MHD_INVALID_SOCKET)
            close(listener);
    }
    event_store_stop(web->store);
}

void web_free(struct web *web)
{
    if (!web)
        return;
    stream_room_free(web->streams);
    web_guard_free(web->guard);
    event_store_free(web->store);
    pthread_mutex_destroy(&web->mutex);
    pthread_cond_destroy(&web->idle);
    g_free(web->dovecot_word);
    g_free(web);
}
