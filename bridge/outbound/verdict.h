/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer, or the lack of one, means for the message (FAILURES 4).  Pure.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "bridge/channels/channel.h"
#include "core/http_client.h"

struct verdict_limits {
    gint64 retry_min, retry_max;   /* µs */
    gint64 uncertain_first;        /* µs until an uncertain one is looked at */
};

struct verdict {
    enum channel_outcome outcome; /* never CHANNEL_HOLD: that is RETRY with hold_us */
    gint64 after_us;              /* RETRY, UNCERTAIN */
    gint64 hold_us;               /* the endpoint is to be held so long; 0: not */
    bool provider_down;           /* says something about the provider, not about the message */
};

/*
 * class: of the exchange (http_outcome); result: what the adapter read in the answer; attempts: made
 * before this one; dice: 0…1, spreads the retries.
 */
void verdict_decide(enum http_class class, const struct channel_result *result, int status, guint attempts,
                    const struct verdict_limits *limits, double dice, struct verdict *verdict);

/* retry_min, doubled with every attempt, at most retry_max, ± 20 %. */
gint64 verdict_backoff(guint attempts, const struct verdict_limits *limits, double dice);
