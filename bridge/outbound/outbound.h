/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbound room: outbox → provider.
 */
#pragma once

#include "bridge/bridge.h"

struct outbound;

/* NULL with error: cannot start.  A database that is down is no error: it waits for it. */
struct outbound *outbound_start(struct bridge *bridge, GError **error);
/* Claims no more; what is in flight may finish within grace_ms. */
void outbound_stop(struct outbound *outbound, unsigned grace_ms);
void outbound_free(struct outbound *outbound);
