/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
};

static socklen_t parse_address(const char *text, union address *out)
{
    memset(out, 0, sizeof *out);
    if (g_str_has_prefix(text, "unix:")) {
        out->un.sun_family = AF_UNIX;
        g_strlcpy(out->un.sun_path, text + 5, sizeof out->un.sun_path);
        return sizeof out->un;
    }
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    out->in.sin_family = AF_INET;
    if (parts[1] == NULL || inet_pton(AF_INET, parts[0], &out->in.sin_addr) != 1)
        g_error("not an address: %s", text);
    out->in.sin_port = htons((uint16_t)atoi(parts[1]));
    return sizeof out->in;
}

int bench_connect(const char *address)
{
    union address where;
    socklen_t length = parse_address(address, &where);
    int fd = socket(where.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    while (connect(fd, &where.any, length) != 0)
        if (errno != EINTR && errno != EAGAIN) /* EAGAIN: the backlog of a unix socket is full for a moment */
            g_error("connect %s: %s", address, g_strerror(errno));
    if (where.any.sa_family == AF_INET)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

int bench_listen(const char *address, int backlog)
{
    union address where;
    socklen_t length = parse_address(address, &where);
    int fd = socket(where.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, &where.any, length) != 0 || listen(fd, backlog) != 0)
        g_error("listen %s: %s", address, g_strerror(errno));
    return fd;
}

void bench_latency_add(struct bench_latency *latency, int64_t ns)
{
    if (latency->us == NULL)
        latency->us = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t us = (uint32_t)(ns / 1000);
    g_array_append_val(latency->us, us);
}

void bench_latency_merge(struct bench_latency *into, const struct bench_latency *from)
{
    if (into->us == NULL)
        into->us = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (from->us != NULL)
        g_array_append_vals(into->us, from->us->data, from->us->len);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void bench_report(struct bench_latency *latency, int64_t ns, unsigned errors)
{
    guint n = latency->us != NULL ? latency->us->len : 0;
    uint32_t *us = n > 0 ? (uint32_t *)(void *)latency->us->data : NULL;
    if (n > 0)
        qsort(us, n, sizeof *us, by_value);
    double seconds = (double)ns / 1e9;
    printf("{\"count\": %u, \"seconds\": %.3f, \"rate\": %.1f, \"errors\": %u, \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u}\n",
           n, seconds, n / seconds, errors, n > 0 ? us[n / 2] : 0, n > 0 ? us[(guint)(n * 0.99)] : 0, n > 0 ? us[n - 1] : 0);
}

static struct bench_option *find(struct bench_option *options, const char *name, size_t length)
{
    for (struct bench_option *o = options; o->name != NULL; o++)
        if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

void bench_options(struct bench_option *options, int argc, char **argv)
{
    bool good = true;
    for (int i = 1; i < argc; i++) {
        size_t length = strcspn(argv[i], "=");
        struct bench_option *o = argv[i][length] == '=' ? find(options, argv[i], length) : NULL;
        if (o != NULL)
            o->value = argv[i] + length + 1;
        else
            good = false;
    }
    for (struct bench_option *o = options; o->name != NULL; o++)
        good = good && o->value != NULL;
    if (good)
        return;
    fprintf(stderr, "usage: %s NAME=VALUE…\n", argv[0]);
    for (struct bench_option *o = options; o->name != NULL; o++)
        fprintf(stderr, "  %-14s %s%s%s\n", o->name, o->doc, o->value != NULL ? "; now " : "", o->value != NULL ? o->value : "");
    exit(64);
}

const char *bench_get(const struct bench_option *options, const char *name)
{
    for (const struct bench_option *o = options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o->value;
    g_error("no option %s", name);
}

int bench_int(const struct bench_option *options, const char *name)
{
    return atoi(bench_get(options, name));
}
