/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint of the WhatsApp Cloud API, and the provider's examples, for the tests of the adapter. */
#pragma once

#include "bridge/channels/whatsapp_cloud.h"
#include "channel_unit.h"

#define WHATSAPP_NUMBER "+15550783881"

static inline struct channel_endpoint *whatsapp_endpoint(const char *settings)
{
    return unit_endpoint("whatsapp_cloud", "whatsapp", WHATSAPP_NUMBER,
                         settings ? settings : "{\"phone_number_id\": \"106540352242922\"}",
                         "{\"access_token\": \"EAA1\", \"app_secret\": \"s3cret\", \"verify_token\": \"say friend\"}");
}

/* ../shared/specs/whatsapp/…; NULL where it is not at hand. */
static inline char *whatsapp_spec(const char *name, gsize *length)
{
    g_autofree char *path = g_build_filename(g_getenv("UMP_SOURCE_DIR"), "..", "shared", "specs", "whatsapp", name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, length, NULL) ? text : NULL;
}
