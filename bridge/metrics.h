/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters for /metrics: one table, atomics, no locks.  A name with labels is a row of its own.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* X(id, type, name with labels, help) */
#define METRICS(X)                                                                                             \
    X(WEB_CONNECTIONS, "gauge", "ump_web_connections", "Open HTTP connections")                                \
    X(WEB_REFUSED, "counter", "ump_web_connections_refused_total", "Connections over a limit")                 \
    X(WEB_SWEPT, "counter", "ump_web_connections_swept_total", "Connections closed at a deadline")             \
    X(WEBHOOK_NEW, "counter", "ump_webhooks_total{result=\"new\"}", "Webhooks by what became of them")         \
    X(WEBHOOK_REPEATED, "counter", "ump_webhooks_total{result=\"repeated\"}", "")                              \
    X(WEBHOOK_JOURNALED, "counter", "ump_webhooks_total{result=\"journaled\"}", "")                            \
    X(WEBHOOK_UNSIGNED, "counter", "ump_webhooks_total{result=\"unsigned\"}", "")                              \
    X(WEBHOOK_LOST, "counter", "ump_webhooks_total{result=\"lost\"}", "")                                      \
    X(WEBHOOK_ODD, "counter", "ump_webhooks_total{result=\"odd\"}", "")                                        \
    X(WEBHOOK_REFUSED, "counter", "ump_webhooks_total{result=\"refused\"}", "")                                \
    X(WEBHOOK_US, "counter", "ump_webhook_microseconds_total", "Time from request to answer, in all")          \
    X(MEDIA_SERVED, "counter", "ump_media_served_total", "Media handed out")                                   \
    X(JOURNAL_REPLAYED, "counter", "ump_journal_replayed_total", "Events replayed into the database")          \
    X(STREAMS_CONNECTED, "gauge", "ump_streams_connected", "Connections by which events come")                 \
    X(STREAMED_NEW, "counter", "ump_streamed_total{result=\"new\"}", "Events of such connections")             \
    X(STREAMED_REPEATED, "counter", "ump_streamed_total{result=\"repeated\"}", "")                             \
    X(STREAMED_JOURNALED, "counter", "ump_streamed_total{result=\"journaled\"}", "")                           \
    X(STREAMED_STUCK, "counter", "ump_streamed_total{result=\"stuck\"}", "")                                   \
    X(POLLED_NEW, "counter", "ump_polled_total{result=\"new\"}", "Events found by polls")                      \
    X(POLLED_REPEATED, "counter", "ump_polled_total{result=\"repeated\"}", "")                                \
    X(ENDPOINTS_WELL, "counter", "ump_endpoint_looks_total{result=\"well\"}", "Looks at endpoints by what they found") \
    X(ENDPOINTS_FAULTY, "counter", "ump_endpoint_looks_total{result=\"fault\"}", "")                          \
    X(INBOUND_DELIVERED, "counter", "ump_inbound_total{result=\"delivered\"}", "Inbound messages by result")   \
    X(INBOUND_BLOCKED, "counter", "ump_inbound_total{result=\"blocked\"}", "")                                 \
    X(INBOUND_RETRIED, "counter", "ump_inbound_total{result=\"retried\"}", "")                                 \
    X(INBOUND_DEAD, "counter", "ump_inbound_total{result=\"dead\"}", "")                                       \
    X(INBOUND_US, "counter", "ump_inbound_microseconds_total", "Time from webhook to mailbox, in all")         \
    X(STATUS_APPLIED, "counter", "ump_statuses_total{result=\"applied\"}", "Provider statuses by result")      \
    X(STATUS_STALE, "counter", "ump_statuses_total{result=\"stale\"}", "")                                     \
    X(STATUS_PARKED, "counter", "ump_statuses_total{result=\"parked\"}", "")                                   \
    X(STATUS_ORPHANED, "counter", "ump_statuses_total{result=\"orphaned\"}", "")                               \
    X(MEDIA_FETCHED, "counter", "ump_media_fetched_total{result=\"ok\"}", "Inbound media by result")           \
    X(MEDIA_FAILED, "counter", "ump_media_fetched_total{result=\"failed\"}", "")                               \
    X(REPORTS_SENT, "counter", "ump_reports_total{result=\"sent\"}", "Reports and notices by result")          \
    X(REPORTS_DIGESTED, "counter", "ump_reports_total{result=\"digested\"}", "")                               \
    X(REPORTS_DEAD, "counter", "ump_reports_total{result=\"dead\"}", "")                                       \
    X(READ_SENT, "counter", "ump_read_receipts_total{result=\"sent\"}", "Read receipts to networks by result")  \
    X(READ_RETRIED, "counter", "ump_read_receipts_total{result=\"retried\"}", "")                             \
    X(READ_DROPPED, "counter", "ump_read_receipts_total{result=\"dropped\"}", "")                             \
    X(OUTBOUND_CLAIMED, "counter", "ump_outbound_claimed_total", "Messages taken from the outbox")             \
    X(OUTBOUND_ACCEPTED, "counter", "ump_outbound_total{outcome=\"accepted\"}", "Attempts by outcome")         \
    X(OUTBOUND_FAILED, "counter", "ump_outbound_total{outcome=\"failed\"}", "")                                \
    X(OUTBOUND_RETRY, "counter", "ump_outbound_total{outcome=\"retry\"}", "")                                  \
    X(OUTBOUND_UNCERTAIN, "counter", "ump_outbound_total{outcome=\"uncertain\"}", "")                          \
    X(OUTBOUND_HELD, "counter", "ump_outbound_total{outcome=\"hold\"}", "")                                    \
    X(LOOKUP_FOUND, "counter", "ump_lookups_total{answer=\"found\"}", "Look-ups of uncertain requests")        \
    X(LOOKUP_NONE, "counter", "ump_lookups_total{answer=\"none\"}", "")                                       \
    X(LOOKUP_UNKNOWN, "counter", "ump_lookups_total{answer=\"unknown\"}", "")                                 \
    X(OUTBOUND_IN_FLIGHT, "gauge", "ump_outbound_in_flight", "Requests under way")                             \
    X(OUTBOUND_US, "counter", "ump_outbound_microseconds_total", "Time of requests to providers, in all")

enum metric {
#define X(id, type, name, help) METRIC_##id,
    METRICS(X)
#undef X
    METRIC_COUNT
};

void metrics_add(enum metric metric, int64_t n);
#define metrics_inc(metric) metrics_add((metric), 1)
int64_t metrics_get(enum metric metric);
/* Prometheus text format 0.0.4. */
void metrics_write(GString *out);
