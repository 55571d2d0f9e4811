/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow rounds behind the hot path: text search, partitions, old rows, daily digests; and the depths of
 * the queues, kept for /metrics and /healthz so that these never wait for the database.
 */
#pragma once

#include "bridge/bridge.h"

struct maintenance;

struct maintenance *maintenance_start(struct bridge *bridge);
void maintenance_stop(struct maintenance *maintenance);
void maintenance_free(struct maintenance *maintenance);

/* Depths as last seen, and how many endpoints are cut off, as Prometheus lines. */
void maintenance_write_depths(GString *out);
/* Depths as JSON {"inbound": {"ready": 3, …}, …}. */
json_t *maintenance_depths(void);
