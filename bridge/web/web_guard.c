/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/web/web_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#include "bridge/metrics.h"
#include "bridge/web/web_check.h"
#include "core/clock.h"
#include "core/cond.h"

#define SWEEP_EVERY_US 100000
#define RATE_GRACE (2 * CLOCK_SECOND) /* a body is not judged by its speed before */

enum phase { PHASE_FIRST_HEAD, PHASE_NEXT_HEAD, PHASE_BODY, PHASE_WORK };

struct web_guard_connection {
    int fd;
    enum phase phase;
    gint64 since;
    uint64_t bytes;
    char address[64];  /* counted under this name; "" for a trusted proxy */
    char forwarded[64]; /* counted while a request of it is under way */
    bool trusted;
    bool shut;
    struct web_guard_connection *next, *previous;
};

struct web_guard {
    struct web_guard_options options;
    char **trusted;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop;
    struct web_guard_connection head; /* ring */
    GHashTable *counts;               /* address → number */
    pthread_t sweeper;
};

static void name_of(const struct sockaddr *address, char out[static 64])
{
    out[0] = '\0';
    if (address && address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, out, 64);
    } else if (address && address->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(six))
            inet_ntop(AF_INET, six->s6_addr + 12, out, 64);
        else
            inet_ntop(AF_INET6, six, out, 64);
    }
}

static bool is_trusted(const struct web_guard *guard, const char *name)
{
    return name[0] == '\0' || g_strv_contains((const char *const *)guard->trusted, name);
}

static guint count_of(struct web_guard *guard, const char *name)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(guard->counts, name));
}

static void count_add(struct web_guard *guard, const char *name, int n)
{
    guint count = (guint)((int)count_of(guard, name) + n);

    if (count == 0)
        g_hash_table_remove(guard->counts, name);
    else
        g_hash_table_replace(guard->counts, g_strdup(name), GUINT_TO_POINTER(count));
}

bool web_guard_may_connect(struct web_guard *guard, const struct sockaddr *address)
{
    char name[64];
    bool may;

    name_of(address, name);
    if (is_trusted(guard, name))
        return true;
    pthread_mutex_lock(&guard->mutex);
    may = count_of(guard, name) < guard->options.per_address;
    pthread_mutex_unlock(&guard->mutex);
    if (!may)
        metrics_inc(METRIC_WEB_REFUSED);
    return may;
}

struct web_guard_connection *web_guard_open(struct web_guard *guard, int fd, const struct sockaddr *address)
{
    struct web_guard_connection *c = g_new0(struct web_guard_connection, 1);

    c->fd = fd;
    c->since = ump_clock_mono_us();
    name_of(address, c->address);
    c->trusted = is_trusted(guard, c->address);
    pthread_mutex_lock(&guard->mutex);
    if (!c->trusted)
        count_add(guard, c->address, 1);
    c->next = guard->head.next;
    c->previous = &guard->head;
    c->next->previous = c;
    guard->head.next = c;
    pthread_mutex_unlock(&guard->mutex);
    metrics_inc(METRIC_WEB_CONNECTIONS);
    return c;
}

void web_guard_close(struct web_guard *guard, struct web_guard_connection *c)
{
    pthread_mutex_lock(&guard->mutex);
    if (!c->trusted)
        count_add(guard, c->address, -1);
    if (c->forwarded[0])
        count_add(guard, c->forwarded, -1);
    c->next->previous = c->previous;
    c->previous->next = c->next;
    pthread_mutex_unlock(&guard->mutex);
    metrics_add(METRIC_WEB_CONNECTIONS, -1);
    g_free(c);
}

bool web_guard_request(struct web_guard *guard, struct web_guard_connection *c, const char *forwarded)
{
    char name[64];
    bool may = true;

    pthread_mutex_lock(&guard->mutex);
    c->phase = PHASE_BODY;
    c->since = ump_clock_mono_us();
    c->bytes = 0;
    if (c->trusted && forwarded && web_forwarded_for(forwarded, name) && !is_trusted(guard, name)) {
        may = count_of(guard, name) < guard->options.per_address;
        if (may) {
            memcpy(c->forwarded, name, sizeof name);
            count_add(guard, name, 1);
        }
    }
    pthread_mutex_unlock(&guard->mutex);
    if (!may)
        metrics_inc(METRIC_WEB_REFUSED);
    return may;
}

void web_guard_bytes(struct web_guard *guard, struct web_guard_connection *c, size_t n)
{
    pthread_mutex_lock(&guard->mutex);
    c->bytes += n;
    pthread_mutex_unlock(&guard->mutex);
}

void web_guard_working(struct web_guard *guard, struct web_guard_connection *c)
{
    pthread_mutex_lock(&guard->mutex);
    c->phase = PHASE_WORK;
    pthread_mutex_unlock(&guard->mutex);
}

void web_guard_answered(struct web_guard *guard, struct web_guard_connection *c)
{
    pthread_mutex_lock(&guard->mutex);
    c->phase = PHASE_NEXT_HEAD;
    c->since = ump_clock_mono_us();
    if (c->forwarded[0]) {
        count_add(guard, c->forwarded, -1);
        c->forwarded[0] = '\0';
    }
    pthread_mutex_unlock(&guard->mutex);
}

static bool is_late(const struct web_guard *guard, const struct web_guard_connection *c, gint64 now)
{
    const struct web_guard_options *o = &guard->options;
    gint64 age = now - c->since;

    switch (c->phase) {
    case PHASE_FIRST_HEAD:
        return age > o->header_timeout;
    case PHASE_NEXT_HEAD:
        return age > o->keepalive;
    case PHASE_BODY:
        return age > o->request_timeout ||
               (age > RATE_GRACE && c->bytes < o->min_rate * (uint64_t)(age / CLOCK_SECOND));
    case PHASE_WORK:
        break;
    }
    return false;
}

/* The descriptor is open as long as its connection is in the ring: it is taken out, under the mutex,
 * before libmicrohttpd closes it. */
static void sweep(struct web_guard *guard)
{
    gint64 now = ump_clock_mono_us();

    for (struct web_guard_connection *c = guard->head.next; c != &guard->head; c = c->next) {
        if (c->shut || !is_late(guard, c, now))
            continue;
        c->shut = true;
        shutdown(c->fd, SHUT_RDWR);
        metrics_inc(METRIC_WEB_SWEPT);
    }
}

static void *sweeper(void *data)
{
    struct web_guard *guard = data;

    pthread_mutex_lock(&guard->mutex);
    while (!guard->stop) {
        cond_wait_until(&guard->wake, &guard->mutex, ump_clock_mono_us() + SWEEP_EVERY_US);
        sweep(guard);
    }
    pthread_mutex_unlock(&guard->mutex);
    return NULL;
}

struct web_guard *web_guard_new(const struct web_guard_options *options)
{
    struct web_guard *guard = g_new0(struct web_guard, 1);

    guard->options = *options;
    guard->trusted = g_strdupv((char **)options->trusted);
    guard->head.next = guard->head.previous = &guard->head;
    guard->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pthread_mutex_init(&guard->mutex, NULL);
    cond_init(&guard->wake);
    pthread_create(&guard->sweeper, NULL, sweeper, guard);
    return guard;
}

void web_guard_free(struct web_guard *guard)
{
    if (!guard)
        return;
    pthread_mutex_lock(&guard->mutex);
    guard->stop = true;
    pthread_cond_signal(&guard->wake);
    pthread_mutex_unlock(&guard->mutex);
    pthread_join(guard->sweeper, NULL);
    g_hash_table_unref(guard->counts);
    g_strfreev(guard->trusted);
    pthread_mutex_destroy(&guard->mutex);
    pthread_cond_destroy(&guard->wake);
    g_free(guard);
}
