/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits on connections (FAILURES T24): how many at a time from one address, and how long each may
 * take for its head, its body and between two requests.  libmicrohttpd's own timeout never fires on a
 * slow drip, so a sweeper closes what is late.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct web_guard;
struct web_guard_connection;

struct web_guard_options {
    gint64 header_timeout, request_timeout, keepalive; /* µs */
    uint64_t min_rate;                                 /* bytes per second */
    unsigned per_address;
    const char *const *trusted; /* addresses whose X-Forwarded-For is believed; not counted themselves */
};

struct web_guard *web_guard_new(const struct web_guard_options *options);
void web_guard_free(struct web_guard *guard); /* all connections are closed */

/* Before a connection is taken: false: too many from this address. */
bool web_guard_may_connect(struct web_guard *guard, const struct sockaddr *address);
struct web_guard_connection *web_guard_open(struct web_guard *guard, int fd, const struct sockaddr *address);
void web_guard_close(struct web_guard *guard, struct web_guard_connection *connection);

/* The head is there.  forwarded: value of X-Forwarded-For or NULL.  False: too many requests of that
 * address are under way: 429. */
bool web_guard_request(struct web_guard *guard, struct web_guard_connection *connection, const char *forwarded);
void web_guard_bytes(struct web_guard *guard, struct web_guard_connection *connection, size_t n);
/* The body is there: from now on it is our time. */
void web_guard_working(struct web_guard *guard, struct web_guard_connection *connection);
/* Answered: the next head is awaited. */
void web_guard_answered(struct web_guard *guard, struct web_guard_connection *connection);
