/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhooks of one kind of provider, signed and made beforehand, posted over kept connections: as fast as they are answered,
 * or at a given rate (open loop, so that a slow server shows in the latency).  With log= one line
 * "TOKEN NANOSECONDS" per request: when it was sent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/make_event.h"

struct request {
    char *bytes;
    size_t length;
};

#define NS_PER_S INT64_C(1000000000)

struct connection {
    int fd;
    int current; /* index of the request under way, -1: idle */
    size_t sent;
    int64_t started;
    char answer[4096];
    size_t got;
};

struct load {
    const char *address;
    struct request *requests;
    int total, next, done;
    unsigned errors, refused;
    int64_t begin, gap; /* gap: ns between requests, 0: closed loop */
    int64_t *sent_at;
    struct bench_latency latency;
    int epoll;
};

static struct bench_option options[] = {
    {"address", NULL, "where the bridge listens, 127.0.0.1:PORT"},
    {"endpoints", NULL, "endpoint ids, each with its number: ID/+1…,ID/+1…"},
    {"kind", "telnyx", "telnyx, twilio or whatsapp_cloud"},
    {"key", NULL, "what it signs with (telnyx: Ed25519 seed, 64 hexadecimal digits)"},
    {"url", "", "what the bridge calls itself, http://127.0.0.1:PORT (twilio signs it)"},
    {"connections", "50", "kept connections"},
    {"requests", "10000", "how many"},
    {"senders", "200", "different senders"},
    {"rate", "0", "per second; 0: as fast as answered"},
    {"prefix", "", "begins the token of each text, so that runs differ"},
    {"log", "", "file for TOKEN NANOSECONDS"},
    {NULL, NULL, NULL}};

static struct request make_request(int i, const char *endpoint, const char *to)
{
    g_autofree char *url = g_strdup_printf("%s/webhooks/%s", bench_get(options, "url"), endpoint);
    const struct make_event from = {.key = bench_get(options, "key"), .url = url, .to = to, .prefix = bench_get(options, "prefix"),
                                    .number = i, .sender = 100 + i % bench_int(options, "senders")};
    g_autofree char *fields = NULL, *body = NULL;
    make_webhook(bench_get(options, "kind"), &from, &fields, &body);
    char *bytes = g_strdup_printf("POST /webhooks/%s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %zu\r\n\r\n%s", endpoint,
                                  bench_get(options, "address"), fields, strlen(body), body);
    return (struct request){bytes, strlen(bytes)};
}

static void make_all(struct load *load)
{
    g_auto(GStrv) endpoints = g_strsplit(bench_get(options, "endpoints"), ",", -1);
    int n = (int)g_strv_length(endpoints);
    load->requests = g_new(struct request, load->total);
    for (int i = 0; i < load->total; i++) {
        g_auto(GStrv) parts = g_strsplit(endpoints[i % n], "/", 2);
        load->requests[i] = make_request(i, parts[0], parts[1]);
    }
}

static void open_connection(struct load *load, struct connection *c)
{
    c->fd = bench_connect(load->address);
    c->current = -1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void push(struct load *load, struct connection *c)
{
    const struct request *r = &load->requests[c->current];
    while (c->sent < r->length) {
        ssize_t n = send(c->fd, r->bytes + c->sent, r->length - c->sent, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN) {
                struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
                epoll_ctl(load->epoll, EPOLL_CTL_MOD, c->fd, &event);
            }
            return;
        }
        c->sent += (size_t)n;
    }
}

/* Starts the next request on an idle connection when it is time. */
static bool start(struct load *load, struct connection *c, int64_t now)
{
    int64_t due = load->begin + load->gap * load->next;
    if (load->next >= load->total || now < due)
        return false;
    c->current = load->next++;
    c->sent = c->got = 0;
    c->started = load->gap > 0 ? due : now;
    load->sent_at[c->current] = now;
    push(load, c);
    return true;
}

static void finish(struct load *load, struct connection *c, bool good)
{
    if (good)
        bench_latency_add(&load->latency, bench_now() - c->started);
    else
        load->errors++;
    load->done++;
    c->current = -1;
}

static void reopen(struct load *load, struct connection *c)
{
    if (c->current >= 0)
        finish(load, c, false);
    close(c->fd);
    open_connection(load, c);
}

/* The answer is whole when the head and Content-Length bytes are there. */
static void take(struct load *load, struct connection *c)
{
    ssize_t n = recv(c->fd, c->answer + c->got, sizeof c->answer - 1 - c->got, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        reopen(load, c);
        return;
    }
    c->got += (size_t)n;
    c->answer[c->got] = '\0';
    char *end = strstr(c->answer, "\r\n\r\n");
    if (end == NULL)
        return;
    char *length = strcasestr(c->answer, "content-length:");
    size_t body = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
    if (c->got < (size_t)(end + 4 - c->answer) + body)
        return;
    bool good = strncmp(c->answer + 9, "200", 3) == 0;
    if (!good && load->refused++ < 3)
        fprintf(stderr, "answer: %.*s\n", (int)strcspn(c->answer, "\r"), c->answer);
    bool closing = strcasestr(c->answer, "connection: close") != NULL;
    finish(load, c, good);
    if (closing)
        reopen(load, c);
}

/* Starts what is due on idle connections; how long to wait for the next, ns (a second: for an answer). */
static int64_t start_due(struct load *load, struct connection *connections, int n)
{
    int64_t now = bench_now();
    for (int i = 0; i < n && load->next < load->total; i++)
        if (connections[i].current < 0 && !start(load, &connections[i], now))
            return CLAMP(load->begin + load->gap * load->next - now, 0, NS_PER_S - 1);
    return NS_PER_S - 1;
}

static void run(struct load *load, struct connection *connections, int n)
{
    struct epoll_event events[256];
    load->begin = bench_now();
    while (load->done < load->total) {
        struct timespec wait = {.tv_nsec = start_due(load, connections, n)};
        int ready = epoll_pwait2(load->epoll, events, 256, &wait, NULL);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) {
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
                epoll_ctl(load->epoll, EPOLL_CTL_MOD, c->fd, &event);
                if (c->current >= 0)
                    push(load, c);
            }
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                take(load, c);
            if (load->gap == 0 && c->current < 0)
                start(load, c, bench_now());
        }
    }
}

int main(int argc, char **argv)
{
    bench_options(options, argc, argv);
    int n = bench_int(options, "connections"), rate = bench_int(options, "rate");
    struct load load = {.address = bench_get(options, "address"), .total = bench_int(options, "requests"),
                        .gap = rate > 0 ? 1000000000 / rate : 0, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    load.sent_at = g_new0(int64_t, load.total);
    make_all(&load);
    struct connection *connections = g_new0(struct connection, n);
    for (int i = 0; i < n; i++)
        open_connection(&load, &connections[i]);
    run(&load, connections, n);
    bench_report(&load.latency, bench_now() - load.begin, load.errors);
    const char *log = bench_get(options, "log");
    if (*log != '\0') {
        FILE *file = fopen(log, "w");
        for (int i = 0; i < load.total; i++)
            fprintf(file, "%s%d %" PRId64 "\n", bench_get(options, "prefix"), i, load.sent_at[i]);
        fclose(file);
    }
    return load.errors > 0;
}
