/* SPDX-License-Identifier: Apache-2.0 */
/* What the load generators share: clock, sockets, latencies, "key=value" options. */
#pragma once

#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC: comparable between processes of one machine. */
int64_t bench_now(void);

/* "unix:/path" or "host:port" (numeric); a connected, non-blocking socket, TCP without delay.  Ends the
 * program when it cannot. */
int bench_connect(const char *address);
int bench_listen(const char *address, int backlog);

/* Latencies in microseconds; not thread safe, one per thread. */
struct bench_latency {
    GArray *us; /* uint32_t */
};
void bench_latency_add(struct bench_latency *latency, int64_t ns);
void bench_latency_merge(struct bench_latency *into, const struct bench_latency *from);
/* Prints one JSON object: {"count":…,"seconds":…,"rate":…,"errors":…,"p50_us":…,"p99_us":…,"max_us":…}. */
void bench_report(struct bench_latency *latency, int64_t ns, unsigned errors);

/* name=value arguments; ends the program with usage when one is unknown or wanted and absent. */
struct bench_option {
    const char *name;
    const char *value; /* the default; NULL: must be given */
    const char *doc;
};
void bench_options(struct bench_option *options, int argc, char **argv);
const char *bench_get(const struct bench_option *options, const char *name);
int bench_int(const struct bench_option *options, const char *name);
