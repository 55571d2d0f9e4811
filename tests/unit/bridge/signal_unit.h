/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints of both ways to Signal, for the tests of the adapters. */
#pragma once

#include "bridge/channels/signal.h"
#include "channel_unit.h"

#define SIGNAL_NUMBER "+15550001000"
#define SIGNAL_UUID "11111111-1111-4111-8111-111111111111" /* of +15550001001, who writes to us */

static inline struct channel_endpoint *signal_endpoint(const char *provider, const char *settings)
{
    return unit_endpoint(provider, "signal", SIGNAL_NUMBER, settings, "{\"webhook_secret\": \"s3cret\"}");
}

/* ../shared/specs/signal/…; NULL where it is not at hand. */
static inline char *signal_spec(const char *name, gsize *length)
{
    g_autofree char *path = g_build_filename(g_getenv("UMP_SOURCE_DIR"), "..", "shared", "specs", "signal", name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, length, NULL) ? text : NULL;
}
