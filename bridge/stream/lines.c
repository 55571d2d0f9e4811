/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of lines, over TCP or a unix socket.  Events come between our hello and our farewell: it is said when
 * an event can be stored nowhere, and when we stop; what still comes before it is answered is stored as well.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bridge/stream/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#define CONNECT_MS 10000
#define READY_MS 30000
#define FAREWELL (3 * CLOCK_SECOND)

enum state { ASKED, READY, ENDING, DONE };

struct lines {
    struct stream_sink *sink;
    int fd;
    enum state state;
    GString *line;
    bool overlong;
    char *farewell;
    gint64 until; /* monotonic µs: of what we wait for; 0: nothing */
};

/* ---- Connecting ---- */

static int wait_connected(int fd, GError **error)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int problem = 0;
    socklen_t size = sizeof problem;

    if (poll(&wait, 1, CONNECT_MS) <= 0)
        return ump_error_errno(error, ETIMEDOUT, "connect");
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0 || problem != 0)
        return ump_error_errno(error, problem ? problem : errno, "connect");
    return 0;
}

/* A daemon whose machine is gone says nothing, as one that has nothing to say: it is known after two minutes. */
static void keep_alive(int fd)
{
    const int on = 1, idle = 60, interval = 20, count = 3;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static int connect_to(const struct sockaddr *address, socklen_t length, int family, GError **error)
{
    autofd int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return ump_error_errno(error, errno, "socket");
    if (family != AF_UNIX)
        keep_alive(fd);
    if (connect(fd, address, length) < 0 && errno != EINPROGRESS)
        return ump_error_errno(error, errno, "connect");
    if (wait_connected(fd, error) < 0)
        return -1;
    return cleanup_steal_fd(&fd);
}

static int connect_unix(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        return ump_error_errno(error, ENAMETOOLONG, "%s", path);
    memcpy(address.sun_path, path, strlen(path));
    return connect_to((const struct sockaddr *)&address, sizeof address, AF_UNIX, error);
}

static int connect_tcp(const char *place, GError **error)
{
    const char *colon = strrchr(place, ':');
    g_autofree char *host = colon ? g_strndup(place, (gsize)(colon - place)) : NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int fd = -1, code;

    if (!host || !*host || !colon[1]) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "tcp://%s is not tcp://host:port", place);
        return -1;
    }
    if (*host == '[' && host[strlen(host) - 1] == ']') {
        memmove(host, host + 1, strlen(host));
        host[strlen(host) - 1] = '\0';
    }
    code = getaddrinfo(host, colon + 1, &hints, &list);
    if (code != 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s: %s", host, gai_strerror(code));
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        if (error)
            g_clear_error(error);
        fd = connect_to(a->ai_addr, a->ai_addrlen, a->ai_family, error);
    }
    freeaddrinfo(list);
    return fd;
}

/* ---- Writing ---- */

static int say(struct lines *lines, const char *text)
{
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    size_t left = strlen(line);
    const char *p = line;

    while (left > 0) {
        ssize_t n = send(lines->fd, p, left, MSG_NOSIGNAL);
        struct pollfd wait = {.fd = lines->fd, .events = POLLOUT};
        if (n > 0) {
            p += n;
            left -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (poll(&wait, 1, CONNECT_MS) <= 0)
                return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

static void say_farewell(struct lines *lines)
{
    if (lines->state != READY)
        return;
    if (lines->farewell && say(lines, lines->farewell) == 0) {
        lines->state = ENDING;
        lines->until = ump_clock_mono_us() + FAREWELL;
    } else {
        lines->state = DONE;
    }
    g_clear_pointer(&lines->farewell, g_free);
}

static void on_stuck(void *data)
{
    struct lines *lines = data;

    if (lines->farewell)
        say_farewell(lines);
}

static int ask(struct lines *lines, GError **error)
{
    if (!lines->sink->spec->hello) {
        lines->state = READY;
        return 0;
    }
    lines->state = ASKED;
    lines->until = ump_clock_mono_us() + READY_MS * G_GINT64_CONSTANT(1000);
    return say(lines, lines->sink->spec->hello) == 0 ? 0 : ump_error_errno(error, errno, "%s", lines->sink->spec->url);
}

/* ---- Reading ---- */

/* 0: go on. */
static int take_line(struct lines *lines, GError **error)
{
    const struct channel_endpoint *endpoint = &lines->sink->reader->endpoint->channel;
    g_autofree char *farewell = NULL;

    if (lines->overlong) {
        stream_gather_long(lines->sink, lines->line->str, lines->line->len);
        return 0;
    }
    switch (endpoint->ops->read_line(lines->line->str, lines->line->len, endpoint, &farewell, error)) {
    case CHANNEL_LINE_EVENT: /* may come before READY: the daemon does not wait */
        stream_gather(lines->sink, lines->line->str, lines->line->len);
        return 0;
    case CHANNEL_LINE_READY:
        log_notice("endpoint", endpoint->id, "status", "stream-open");
        lines->state = READY;
        lines->until = 0;
        g_free(lines->farewell);
        lines->farewell = g_steal_pointer(&farewell);
        return 0;
    case CHANNEL_LINE_ENDED:
        if (stream_over(lines->sink->reader)) {
            lines->state = DONE;
            return 0;
        }
        return ask(lines, error); /* it was said because an event was stuck, and that is over */
    case CHANNEL_LINE_REFUSED:
        return -1;
    case CHANNEL_LINE_NOTHING:
        return 0;
    }
    return 0;
}

static int feed_lines(struct lines *lines, const char *bytes, size_t length, GError **error)
{
    for (size_t i = 0; i < length && lines->state != DONE; i++) {
        if (bytes[i] != '\n') {
            if (lines->line->len < lines->sink->spec->max_line)
                g_string_append_c(lines->line, bytes[i]);
            else
                lines->overlong = true;
            continue;
        }
        if (lines->line->len > 0 && lines->line->str[lines->line->len - 1] == '\r')
            g_string_truncate(lines->line, lines->line->len - 1);
        if ((lines->line->len > 0 || lines->overlong) && take_line(lines, error) < 0)
            return -1;
        g_string_truncate(lines->line, 0);
        lines->overlong = false;
    }
    return 0;
}

/* Whatever became of the connection: what it brought before is stored. */
static int feed(struct lines *lines, const char *bytes, size_t length, GError **error)
{
    int result = feed_lines(lines, bytes, length, error);

    return stream_store(lines->sink) ? result : -1;
}

/* Milliseconds for poll; -1: as long as it takes. */
static int patience(const struct lines *lines)
{
    gint64 left = lines->until - ump_clock_mono_us();

    return lines->until == 0 ? -1 : left <= 0 ? 0 : (int)MIN(left / 1000 + 1, G_MAXINT);
}

static int closed(const struct lines *lines, GError **error)
{
    if (lines->state == ENDING)
        return 0;
    g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s has closed the connection", lines->sink->spec->url);
    return -1;
}

static int read_some(struct lines *lines, bool *end, GError **error)
{
    char buffer[STREAM_READ];
    ssize_t n = recv(lines->fd, buffer, sizeof buffer, 0);

    if (n > 0)
        return feed(lines, buffer, (size_t)n, error);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    *end = true;
    return n == 0 ? closed(lines, error) : ump_error_errno(error, errno, "%s", lines->sink->spec->url);
}

static int run(struct lines *lines, GError **error)
{
    bool end = false;

    while (!end && lines->state != DONE) {
        /* once the farewell is said, the wake-up has been heard */
        struct pollfd wait[2] = {{.fd = lines->fd, .events = POLLIN},
                                 {.fd = lines->state == ENDING ? -1 : lines->sink->reader->wake_fd, .events = POLLIN}};
        if (stream_over(lines->sink->reader) && lines->state != ENDING) {
            if (lines->state == ASKED) /* it will subscribe us, and find nobody */
                return 0;
            say_farewell(lines);
            continue;
        }
        if (poll(wait, 2, patience(lines)) == 0) {
            if (lines->state == ENDING)
                return 0;
            g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s does not answer", lines->sink->spec->url);
            return -1;
        }
        if (wait[1].revents)
            stream_heard(lines->sink->reader);
        if (wait[0].revents && read_some(lines, &end, error) < 0)
            return -1;
    }
    return 0;
}

int stream_lines(struct stream_sink *sink, GError **error)
{
    const char *url = sink->spec->url;
    struct lines lines = {.sink = sink, .fd = -1, .line = g_string_new(NULL)};
    int result = -1;

    sink->stuck = on_stuck;
    sink->data = &lines;
    lines.fd = g_str_has_prefix(url, "unix:") ? connect_unix(url + strlen("unix:"), error)
                                              : connect_tcp(url + strlen("tcp://"), error);
    if (lines.fd >= 0 && ask(&lines, error) == 0)
        result = run(&lines, error);
    cleanup_close_fd(&lines.fd);
    g_string_free(lines.line, TRUE);
    g_free(lines.farewell);
    return result;
}
