/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inbound room: stored events → messages → mail in the mailbox; statuses → deliveries.
 */
#pragma once

#include "bridge/bridge.h"

struct inbound;

struct inbound *inbound_start(struct bridge *bridge, GError **error);
void inbound_stop(struct inbound *inbound, unsigned grace_ms);
void inbound_free(struct inbound *inbound);
