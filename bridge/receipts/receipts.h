/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receipts room: reports and notices to senders, copies for teams (journey 4).
 */
#pragma once

#include "bridge/bridge.h"

struct receipts;

struct receipts *receipts_start(struct bridge *bridge, GError **error);
void receipts_stop(struct receipts *receipts, unsigned grace_ms);
void receipts_free(struct receipts *receipts);
