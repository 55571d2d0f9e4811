/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints of Twilio, for the tests of the adapter. */
#pragma once

#include "bridge/channels/twilio.h"
#include "channel_unit.h"

#define TWILIO_TOKEN "12345678901234567890123456789012"
#define TWILIO_SECRETS "{\"account_sid\": \"AC55555555555555555555555555555555\", \"auth_token\": \"" TWILIO_TOKEN "\"}"

static inline struct channel_endpoint *twilio_endpoint(const char *channel, const char *settings, const char *secrets)
{
    struct channel_endpoint *endpoint =
        unit_endpoint("twilio", channel, "+12125550100", settings, secrets ? secrets : TWILIO_SECRETS);
    g_autoptr(GError) error = NULL;

    endpoint->prepared = endpoint->ops->prepare(endpoint, &error);
    return endpoint;
}

/* ../shared/specs/twilio/examples/NAME.json; skips the test where it is not at hand. */
static inline char *twilio_spec_example(const char *name, gsize *length)
{
    g_autofree char *file = g_strdup_printf("%s.json", name);
    g_autofree char *path = g_build_filename(g_getenv("UMP_SOURCE_DIR"), "..", "shared", "specs", "twilio", "examples", file, NULL);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, length, NULL)) {
        print_message("%s is not at hand\n", path);
        skip();
    }
    return text;
}
