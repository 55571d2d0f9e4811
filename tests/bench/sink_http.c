/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider as a sink: answers every POST with its "accepted" and a fresh id, over kept connections, at
 * the least cost.  Prints "COUNT SECONDS" of the requests (first to last) when it gets SIGTERM, and the
 * running count on SIGUSR1.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

struct client {
    int fd;
    size_t got;
    char buffer[65536];
};

static struct bench_option options[] = {{"address", NULL, "where to listen, 127.0.0.1:PORT"},
                                        {"kind", "telnyx", "telnyx, twilio, whatsapp_cloud or signal_cli"},
                                        {NULL, NULL, NULL}};
static uint64_t count;
static int64_t first, last;

/* ---- What each provider answers, from the request's body, with the number of the request ---- */

static int answer_telnyx(char *out, size_t size, const char *body)
{
    (void)body;
    return snprintf(out, size,
                    "{\"data\":{\"record_type\":\"message\",\"direction\":\"outbound\",\"id\":\"5ca1ab1e-0000-4000-8000-%012" PRIx64 "\","
                    "\"type\":\"SMS\",\"to\":[{\"phone_number\":\"+13125550001\",\"status\":\"queued\"}],\"parts\":1,\"errors\":[]}}",
                    count);
}

static int answer_twilio(char *out, size_t size, const char *body)
{
    (void)body;
    return snprintf(out, size,
                    "{\"account_sid\":\"AC55555555555555555555555555555555\",\"api_version\":\"2010-04-01\",\"direction\":\"outbound-api\","
                    "\"error_code\":null,\"num_media\":\"0\",\"num_segments\":\"1\",\"price\":null,\"price_unit\":\"USD\","
                    "\"sid\":\"SM5ca1ab1e00000000%016" PRIx64 "\",\"status\":\"queued\"}",
                    count);
}

/* The digits behind key in a JSON text; of what is not there "". */
static const char *digits_behind(const char *body, const char *key, int *length)
{
    const char *at = strstr(body, key);
    at = at ? at + strlen(key) : "";
    at += strcspn(at, "+0123456789}");
    *length = (int)strspn(at, "+0123456789");
    return at;
}

static int answer_whatsapp(char *out, size_t size, const char *body)
{
    int n;
    const char *to = digits_behind(body, "\"to\":", &n);
    return snprintf(out, size,
                    "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"%.*s\",\"wa_id\":\"%.*s\"}],"
                    "\"messages\":[{\"id\":\"wamid.5ca1ab1e%016" PRIx64 "\",\"message_status\":\"accepted\"}]}",
                    n, to, n, to, count);
}

static int answer_signal(char *out, size_t size, const char *body)
{
    int n;
    const char *to = digits_behind(body, "\"recipient\":", &n);
    return snprintf(out, size,
                    "{\"jsonrpc\":\"2.0\",\"result\":{\"timestamp\":%" PRIu64 ",\"results\":[{\"recipientAddress\":{\"uuid\":"
                    "\"5ca1ab1e-0000-4000-8000-0%.*s\",\"number\":\"%.*s\"},\"type\":\"SUCCESS\"}]},\"id\":\"1\"}",
                    UINT64_C(1790000000000) + count, n > 0 ? n - 1 : 0, n > 0 ? to + 1 : to, n, to);
}

static const struct {
    const char *name;
    int status;
    int (*answer)(char *out, size_t size, const char *body);
} kinds[] = {{"telnyx", 200, answer_telnyx}, {"twilio", 201, answer_twilio}, {"whatsapp_cloud", 200, answer_whatsapp}, {"signal_cli", 200, answer_signal}};
static size_t kind;

static void answer(struct client *c, const char *request)
{
    char body[512], head[700];
    last = bench_now();
    if (count++ == 0)
        first = last;
    int n = kinds[kind].answer(body, sizeof body, request);
    int h = snprintf(head, sizeof head, "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                     kinds[kind].status, n, body);
    if (send(c->fd, head, (size_t)h, MSG_NOSIGNAL) != h)
        shutdown(c->fd, SHUT_RDWR);
}

/* false: the peer has closed */
static bool serve(struct client *c)
{
    ssize_t n = recv(c->fd, c->buffer + c->got, sizeof c->buffer - 1 - c->got, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    c->got += (size_t)n;
    for (;;) {
        c->buffer[c->got] = '\0';
        char *end = strstr(c->buffer, "\r\n\r\n");
        if (end == NULL)
            return true;
        char *length = strcasestr(c->buffer, "content-length:");
        size_t whole = (size_t)(end + 4 - c->buffer) + (length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0);
        if (c->got < whole)
            return true;
        answer(c, end + 4);
        memmove(c->buffer, c->buffer + whole, c->got - whole);
        c->got -= whole;
    }
}

int main(int argc, char **argv)
{
    bench_options(options, argc, argv);
    while (strcmp(kinds[kind].name, bench_get(options, "kind")) != 0)
        if (++kind == sizeof kinds / sizeof *kinds)
            g_error("no such kind: %s", bench_get(options, "kind"));
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = bench_listen(bench_get(options, "address"), 1024);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &listener});
    epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &signals});
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listener) {
                struct client *c = calloc(1, sizeof *c);
                c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (c->fd < 0)
                    free(c);
                else
                    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
            } else if (events[i].data.ptr == &signals) {
                struct signalfd_siginfo info;
                if (read(signals, &info, sizeof info) != sizeof info)
                    continue;
                printf("%" PRIu64 " %.3f\n", count, (double)(last - first) / 1e9);
                fflush(stdout);
                if (info.ssi_signo == SIGTERM)
                    return 0;
            } else {
                struct client *c = events[i].data.ptr;
                if (!serve(c)) {
                    close(c->fd);
                    free(c);
                }
            }
        }
    }
}
