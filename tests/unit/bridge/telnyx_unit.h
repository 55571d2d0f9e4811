/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint of Telnyx, and the provider's examples, for the tests of the adapter. */
#pragma once

#include "bridge/channels/telnyx.h"
#include "channel_unit.h"

static inline struct channel_endpoint *telnyx_endpoint(const char *settings, const char *secrets)
{
    return unit_endpoint("telnyx", "sms", "+17735550002", settings, secrets ? secrets : "{\"api_key\": \"KEY1\"}");
}

static inline void telnyx_endpoint_free(struct channel_endpoint *endpoint)
{
    unit_endpoint_free(endpoint);
}

/* tests/data/telnyx/NAME.json */
static inline char *telnyx_example(const char *name, gsize *length)
{
    return unit_example("telnyx", name, length);
}
