/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of server-sent events: a GET whose answer does not end. */
#include <string.h>
#include <sys/socket.h>

#include "bridge/stream/internal.h"
#include "core/cleanup.h"
#include "core/error.h"
#include "core/log.h"

#define CONNECT_MS 10000L
#define RECEIVE (2 * STREAM_READ) /* bytes, the kernel's: what waits there is lost with a killed reader */

struct sse {
    struct stream_sink *sink;
    struct sse_parser parser;
    CURL *easy;
    bool answered, refused;
};

static bool on_event(void *context, const char *data, size_t length, bool overlong)
{
    struct sse *sse = context;

    if (overlong)
        stream_gather_long(sse->sink, data, length);
    else
        stream_gather(sse->sink, data, length);
    return true;
}

static void on_taken(void *context, const char *id)
{
    struct sse *sse = context;

    g_free(sse->sink->position);
    sse->sink->position = g_strdup(id);
}

/* Before it connects: the window that is offered depends on it. */
static int on_socket(void *data, curl_socket_t fd, curlsocktype purpose)
{
    const int size = RECEIVE;

    (void)data;
    (void)purpose;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return CURL_SOCKOPT_OK;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
    struct sse *sse = data;
    long status = 0;

    if (!sse->answered) {
        curl_easy_getinfo(sse->easy, CURLINFO_RESPONSE_CODE, &status);
        sse->answered = true;
        sse->refused = status != 200;
    }
    if (sse->refused)
        return size * count;
    return sse_parser_feed(&sse->parser, bytes, size * count) ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct sse *sse = data;

    if (size * count == 2 && line[0] == '\r') { /* the head is whole */
        long status = 0;
        curl_easy_getinfo(sse->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status == 200)
            log_notice("endpoint", sse->sink->reader->endpoint->channel.id, "status", "stream-open");
    }
    return size * count;
}

static int set(CURL *e, struct sse *sse, struct curl_slist *headers, char *problem)
{
    const struct channel_stream *spec = sse->sink->spec;
    CURLcode code = CURLE_OK;
#define SET(option, value) code = code == CURLE_OK ? curl_easy_setopt(e, option, value) : code
    SET(CURLOPT_URL, spec->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_ERRORBUFFER, problem);
    SET(CURLOPT_WRITEFUNCTION, on_bytes);
    SET(CURLOPT_WRITEDATA, sse);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, sse);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    SET(CURLOPT_BUFFERSIZE, (long)STREAM_READ); /* which one perform takes */
    SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    if (spec->idle_ms > 0) {
        SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
        SET(CURLOPT_LOW_SPEED_TIME, (long)(spec->idle_ms / 1000));
    }
#undef SET
    return code == CURLE_OK ? 0 : -1;
}

/* Until the answer ends, or we are to end it. */
static CURLcode run(CURLM *multi, struct stream_sink *sink)
{
    struct stream_reader *reader = sink->reader;
    struct curl_waitfd wake = {.fd = reader->wake_fd, .events = CURL_WAIT_POLLIN};
    int running = 1, left;
    CURLMsg *message;

    while (!stream_over(reader)) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (!stream_store(sink)) /* only when we are to stop */
            return CURLE_WRITE_ERROR;
        if (running == 0)
            break;
        if (curl_multi_poll(multi, &wake, 1, 1000, NULL) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (wake.revents)
            stream_heard(reader);
    }
    message = curl_multi_info_read(multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_OK;
}

static int conclude(struct sse *sse, CURLcode code, const char *problem, GError **error)
{
    long status = 0;

    if (stream_over(sse->sink->reader))
        return 0;
    curl_easy_getinfo(sse->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 0 && status != 200)
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s answers with status %ld%s", sse->sink->spec->url, status,
                    status == 421 ? ": base_url must be written as in the daemon's --http option" : "");
    else if (code != CURLE_OK)
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s: %s", sse->sink->spec->url,
                    *problem ? problem : curl_easy_strerror(code));
    else
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s has closed the connection", sse->sink->spec->url);
    return -1;
}

static struct curl_slist *headers_of(struct stream_reader *reader)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: text/event-stream");
    g_autofree char *position = stream_position_get(reader);
    g_autofree char *field = position ? g_strconcat("Last-Event-ID: ", position, NULL) : NULL;

    return field ? curl_slist_append(headers, field) : headers;
}

int stream_sse(struct stream_sink *sink, GError **error)
{
    g_autoptr(CURL) easy = curl_easy_init();
    g_autoptr(curl_slist) headers = headers_of(sink->reader);
    CURLM *multi = curl_multi_init();
    char problem[CURL_ERROR_SIZE] = "";
    struct sse sse = {.sink = sink, .easy = easy};
    CURLcode code = CURLE_FAILED_INIT;
    int result;

    sse_parser_init(&sse.parser, sink->spec->max_line);
    sse.parser.event = on_event;
    sse.parser.taken = on_taken;
    sse.parser.context = &sse;
    if (easy && multi && set(easy, &sse, headers, problem) == 0 && curl_multi_add_handle(multi, easy) == CURLM_OK) {
        code = run(multi, sink);
        result = conclude(&sse, code, problem, error);
        curl_multi_remove_handle(multi, easy);
    } else {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_FAILED, "libcurl refuses the request");
        result = -1;
    }
    curl_multi_cleanup(multi);
    sse_parser_clear(&sse.parser);
    return result;
}
