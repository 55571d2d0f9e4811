/* SPDX-License-Identifier: Apache-2.0 */
/* The Telnyx adapter: SMS, MMS, group MMS and WhatsApp.  This file is its data. */
#include "bridge/channels/telnyx.h"

#include <string.h>

static const struct channel_capabilities capabilities[] = {
    {
        .channel = "sms",
        .in = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(CARD) | KIND(GROUP) |
              KIND(DELIVERED) | KIND(FAILED) | KIND(STOP),
        .out = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(GROUP),
        .max_text = 1600,
        .gsm_segments = true,
        .max_segments = 10,
        .max_media = 10,
        .max_media_total = 1000 * 1000,
        .max_media_each = 1000 * 1000,
        .picture_types = "image/jpeg image/png image/gif",
        .sound_types = "audio/mpeg audio/mp4 audio/amr audio/3gpp",
        .sound_to = "audio/mpeg",
        .converted_total = 600 * 1000, /* which every carrier takes */
        .max_group = 8, /* numbers in the USA and Canada only */
        .groups_by_members = true,
    },
    {
        .channel = "whatsapp",
        .in = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(STICKER) | KIND(LOCATION) |
              KIND(CARD) | KIND(REPLY) | KIND(REACTION) | KIND(UNREACTION) | KIND(EDIT) | KIND(DELETE) | KIND(CHOICE) |
              KIND(ORDER) | KIND(SYSTEM) | KIND(UNKNOWN) | KIND(OWN_PHONE) | KIND(DELIVERED) | KIND(READ) | KIND(FAILED) |
              KIND(STOP),
        .out = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(REPLY) | KIND(REACTION) |
               KIND(TEMPLATE),
        .max_text = 4096,
        .max_caption = 1024,
        .text_in_octets = true,
        .max_media = 1,
        .split_media = 30, /* as many as the app itself sends at a time */
        .uncaptioned = "audio/ogg audio/aac audio/mpeg audio/mp4 audio/amr image/webp:100000",
        .max_media_total = 100 * 1000 * 1000, /* as a document; what is larger than its kind allows goes as one */
        .max_media_each = 100 * 1000 * 1000,
        .picture_types = "image/jpeg image/png image/webp:100000", /* WebP: a sticker */
        .sound_types = "audio/ogg audio/aac audio/mpeg audio/mp4",
        .sound_to = "audio/ogg",
        .max_picture = 5 * 1000 * 1000,
        .max_sound = 16 * 1000 * 1000,
        .window_s = 24 * 60 * 60,
        .reply = true,
        .reaction = true,
    },
    {.channel = NULL},
};

static const struct channel_setting_spec settings[] = {
    {"api_key", true, true, "API key (v2), \"KEY…\", from the portal."},
    {"public_key", true, true,
     "The account's public key, base64, which verifies webhooks; several, separated by spaces, while it is changed."},
    {"public_key_previous", true, false, "The public key before the current one: still accepted."},
    {"messaging_profile_id", false, false, "Messaging profile to send under; needed by alphanumeric senders."},
    {"webhook_failover_url", false, false,
     "Base of a second address of this gateway (https://…): statuses go there when the first does not answer."},
    {"waba_id", false, false, "WhatsApp: the business account's id at Telnyx, where there are several: for `umpctl template sync`."},
    {"reopen_template", false, false,
     "WhatsApp: template that carries a text to who has not written for 24 hours; it needs exactly one variable."},
    {"template_language", false, false, "WhatsApp: language of templates that exist in several (\"en_US\")."},
    {"base_url", false, false, "Another base of the API, in place of https://api.telnyx.com/v2."},
    {NULL, false, false, NULL},
};

static const char *const media_hosts[] = {".telnyx.com", NULL};

/*
 * Telnyx queues what is over a sender's rate for up to four hours, and then refuses (40318): our own
 * queue keeps it instead.  Account: 50 SMS a second.  Toll-free numbers 20, short codes 1000; US long
 * codes by their campaign, which we do not know; long codes of other countries 0.1.  WhatsApp: Meta's own.
 */
void telnyx_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace)
{
    const char *address = endpoint->address;

    if (strcmp(endpoint->channel, "whatsapp") == 0) {
        whatsapp_pace(pace);
        return;
    }
    pace->account_rate = 50;
    pace->account_burst = 50;
    if (*address != '+') {
        pace->rate = g_ascii_isdigit(*address) ? 1000 : 0; /* a short code; an alphanumeric sender */
    } else if (channel_is_toll_free(address)) {
        pace->rate = 20;
    } else if (!g_str_has_prefix(address, "+1")) {
        pace->rate = 0.1;
        pace->burst = 6;
    }
}

const struct channel_ops telnyx_ops = {
    .provider = "telnyx",
    .capabilities = capabilities,
    .settings = settings,
    .errors = telnyx_errors,
    .network_errors = whatsapp_errors,
    .base_url = "https://api.telnyx.com/v2",
    .api_host = "api.telnyx.com",
    .media_hosts = media_hosts,
    .keep_days = 14,
    .default_pace = telnyx_default_pace,
    .prepare = telnyx_prepare,
    .dispose = telnyx_dispose,
    .verify_webhook = telnyx_verify_webhook,
    .parse_webhook = telnyx_parse_webhook,
    .webhook_addresses = telnyx_webhook_addresses,
    .webhook_channel = telnyx_webhook_channel,
    .build_request = telnyx_build_request,
    .parse_response = telnyx_parse_response,
    .build_lookup = telnyx_build_lookup,
    .parse_lookup = telnyx_parse_lookup,
    .build_cancel = telnyx_build_cancel,
    .build_health = telnyx_build_health,
    .parse_health = telnyx_parse_health,
    .build_poll = telnyx_build_poll,
    .parse_poll = telnyx_parse_poll,
    .build_templates = telnyx_build_templates,
    .parse_templates = telnyx_parse_templates,
    .build_window = telnyx_build_window,
    .parse_window = telnyx_parse_window,
};
