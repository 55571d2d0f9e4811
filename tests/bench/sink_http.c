/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider as a sink: answers every POST with Telnyx' 200 and a fresh id, over kept connections, at
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

static struct bench_option options[] = {{"address", NULL, "where to listen, 127.0.0.1:PORT"}, {NULL, NULL, NULL}};
static uint64_t count;
static int64_t first, last;

static void answer(struct client *c)
{
    char body[512], head[700];
    last = bench_now();
    if (count++ == 0)
        first = last;
    int n = snprintf(body, sizeof body,
                     "{\"data\":{\"record_type\":\"message\",\"direction\":\"outbound\",\"id\":\"5ca1ab1e-0000-4000-8000-%012" PRIx64 "\","
                     "\"type\":\"SMS\",\"to\":[{\"phone_number\":\"+13125550001\",\"status\":\"queued\"}],\"parts\":1,\"errors\":[]}}",
                     count);
    int h = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, body);
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
        answer(c);
        memmove(c->buffer, c->buffer + whole, c->got - whole);
        c->got -= whole;
    }
}

int main(int argc, char **argv)
{
    bench_options(options, argc, argv);
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
