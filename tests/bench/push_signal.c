/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal-cli's daemon as a source: to whoever subscribes it writes, on SIGUSR1, messages= events that were made
 * beforehand, as fast as they are read.  It prints the time (ns of CLOCK_MONOTONIC) at which it began to write.
 *   kind=sse    HTTP with server-sent events, a chunk for each
 *   kind=lines  JSON-RPC in lines, after subscribeReceive
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/make_event.h"

#define KEEP_ALIVE_MS 15000

static struct bench_option options[] = {
    {"address", NULL, "where to listen, 127.0.0.1:PORT or unix:/path"},
    {"kind", "sse", "sse or lines"},
    {"account", NULL, "our number"},
    {"messages", "10000", "how many at each SIGUSR1"},
    {"senders", "200", "different senders"},
    {NULL, NULL, NULL}};

struct source {
    bool sse;
    int fd;          /* the subscriber's, -1: nobody */
    bool subscribed;
    GString *asked;  /* what it has said, up to a whole request */
    GString *out;    /* to be written */
    size_t written;
    int made;        /* events so far */
    int64_t stamp;   /* of the last */
};

static void chunk(struct source *s, const char *text, size_t length)
{
    g_string_append_printf(s->out, "%zx\r\n", length);
    g_string_append_len(s->out, text, (gssize)length);
    g_string_append(s->out, "\r\n");
}

static void make_one(struct source *s)
{
    const struct make_event from = {.to = bench_get(options, "account"), .prefix = "signal", .number = s->made,
                                    .sender = 100 + s->made % bench_int(options, "senders")};
    g_autofree char *body = make_signal(&from, ++s->stamp);
    s->made++;
    if (s->sse) {
        g_autofree char *event = g_strdup_printf("event:receive\ndata:%s\n\n", body);
        chunk(s, event, strlen(event));
    } else {
        g_string_append_printf(s->out, "{\"jsonrpc\":\"2.0\",\"method\":\"receive\",\"params\":{\"subscription\":0,\"result\":%s}}\n", body);
    }
}

static void leave(struct source *s)
{
    close(s->fd);
    s->fd = -1;
    s->subscribed = false;
    s->written = 0;
    g_string_truncate(s->asked, 0);
    g_string_truncate(s->out, 0);
}

static void push(struct source *s)
{
    while (s->fd >= 0 && s->written < s->out->len) {
        ssize_t n = send(s->fd, s->out->str + s->written, s->out->len - s->written, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            leave(s);
        else
            s->written += (size_t)n;
    }
    g_string_truncate(s->out, 0);
    s->written = 0;
}

/* Anything but a subscription is answered with an empty result: health queries and the like. */
static void answer(struct source *s)
{
    static const char empty[] = "{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":\"0\"}";
    char *end;

    if (s->sse && strstr(s->asked->str, "\r\n\r\n")) {
        s->subscribed = g_str_has_prefix(s->asked->str, "GET /api/v1/events");
        if (s->subscribed) {
            g_string_append(s->out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            chunk(s, ":\n", 2);
        } else {
            g_string_append_printf(s->out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                                           "Content-Length: %zu\r\n\r\n%s", strlen(empty), empty);
        }
        push(s);
        if (!s->subscribed)
            leave(s);
        g_string_truncate(s->asked, 0);
    }
    while (!s->sse && (end = strchr(s->asked->str, '\n'))) {
        *end = '\0';
        if (strstr(s->asked->str, "\"unsubscribeReceive\"")) {
            s->subscribed = false;
            g_string_append(s->out, "{\"jsonrpc\":\"2.0\",\"id\":\"unsubscribe\",\"result\":{}}\n");
        } else if (strstr(s->asked->str, "\"subscribeReceive\"")) {
            s->subscribed = true;
            g_string_append(s->out, "{\"jsonrpc\":\"2.0\",\"id\":\"subscribe\",\"result\":0}\n");
        }
        g_string_erase(s->asked, 0, end + 1 - s->asked->str);
        push(s);
    }
}

static void hear(struct source *s)
{
    char buffer[4096];
    ssize_t n = recv(s->fd, buffer, sizeof buffer, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        leave(s);
        return;
    }
    if (n > 0)
        g_string_append_len(s->asked, buffer, n);
    answer(s);
}

static void begin(struct source *s)
{
    if (!s->subscribed)
        g_error("nobody has subscribed");
    for (int i = bench_int(options, "messages"); i > 0; i--)
        make_one(s);
    printf("%" PRId64 "\n", bench_now());
    fflush(stdout);
    push(s);
}

int main(int argc, char **argv)
{
    bench_options(options, argc, argv);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), listener = bench_listen(bench_get(options, "address"), 16);
    struct source s = {.sse = strcmp(bench_get(options, "kind"), "sse") == 0, .fd = -1, .asked = g_string_new(NULL), .out = g_string_new(NULL),
                       .stamp = (int64_t)time(NULL) * 1000};
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd wait[] = {{.fd = s.fd < 0 ? listener : -1, .events = POLLIN}, {.fd = signals, .events = POLLIN},
                                {.fd = s.fd, .events = (short)(POLLIN | (s.out->len > 0 ? POLLOUT : 0))}};
        int ready = poll(wait, G_N_ELEMENTS(wait), KEEP_ALIVE_MS);
        struct signalfd_siginfo info;
        if (ready == 0 && s.sse && s.subscribed)
            chunk(&s, ":\n", 2);
        if (wait[0].revents)
            s.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (wait[1].revents && read(signals, &info, sizeof info) == sizeof info)
            begin(&s);
        if (wait[2].revents & POLLIN || wait[2].revents & (POLLHUP | POLLERR))
            hear(&s);
        push(&s);
    }
}
