/* SPDX-License-Identifier: Apache-2.0 */
/* The Twilio adapter: SMS, MMS, and WhatsApp by prefix.  This file is its data. */
#include "bridge/channels/twilio.h"

#include <string.h>

/*
 * Pictures (JPEG, PNG, GIF) may have 5 MB, anything else 500 KB, which build_request looks at.  A
 * WhatsApp message carries one file.  The text of either is 1600 characters at most.
 */
static const struct channel_capabilities capabilities[] = {
    {
        .channel = "sms",
        .in = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(CARD) | KIND(DELIVERED) |
              KIND(FAILED) | KIND(STOP),
        .out = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE),
        .max_text = 1600,
        .gsm_segments = true,
        .max_segments = 10,
        .max_media = 10,
        .max_media_total = 5 * 1000 * 1000,
        .max_media_each = 5 * 1000 * 1000,
        .picture_types = "image/jpeg image/png image/gif",
        .sound_types = "audio/mpeg audio/mp4 audio/amr audio/3gpp",
        .sound_to = "audio/mpeg",
        .max_sound = 500 * 1000,
    },
    {
        .channel = "whatsapp",
        .in = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(STICKER) | KIND(LOCATION) |
              KIND(CARD) | KIND(REPLY) | KIND(REACTION) | KIND(UNREACTION) | KIND(CHOICE) | KIND(UNKNOWN) |
              KIND(DELIVERED) | KIND(READ) | KIND(FAILED) | KIND(STOP),
        .out = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(TEMPLATE),
        .max_text = 1600,
        .max_media = 1,
        .split_media = 30, /* as many as the app itself sends at a time */
        .uncaptioned = "audio/ogg audio/aac audio/mpeg audio/mp4 audio/amr image/webp",
        .max_media_total = 16 * 1000 * 1000,
        .max_media_each = 16 * 1000 * 1000,
        .picture_types = "image/jpeg image/png image/webp",
        .sound_types = "audio/ogg audio/aac audio/mpeg audio/mp4",
        .sound_to = "audio/ogg",
        .window_s = 24 * 60 * 60, /* else error 63016 */
    },
    {.channel = NULL},
};

static const struct channel_setting_spec settings[] = {
    {"account_sid", true, true, "Account SID, \"AC…\", from the console."},
    {"auth_token", true, true,
     "The account's auth token, which signs webhooks and requests; several, separated by spaces, while it is rotated: "
     "the first is used for requests, each verifies."},
    {"auth_token_previous", true, false, "The auth token before the current one: webhooks that it signed are accepted."},
    {"api_key", true, false, "API key, \"SK…\", for requests in place of account_sid and auth_token; needs api_secret."},
    {"api_secret", true, false, "The secret of api_key."},
    {"messaging_service_sid", false, false,
     "Messaging service, \"MG…\", that our number belongs to: messages are sent under it."},
    {"base_url", false, false, "Another base of the API, in place of https://api.twilio.com/2010-04-01."},
    {NULL, false, false, NULL},
};

/* What MediaUrl leads to by redirects: the API, then its CDN (of older accounts: an S3 bucket). */
static const char *const media_hosts[] = {".twilio.com", ".twiliocdn.com", "s3-external-1.amazonaws.com", NULL};

/*
 * Twilio queues what is over a sender's rate for hours, and then drops it (21611, 30001): our own
 * queue keeps it instead.  Long codes 1 a second (in the USA by their campaign, which we do not
 * know), toll-free numbers 3, short codes 100, WhatsApp 80.
 */
void twilio_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace)
{
    const char *address = endpoint->address;

    if (strcmp(endpoint->channel, "whatsapp") == 0)
        pace->rate = 80;
    else if (*address != '+')
        pace->rate = g_ascii_isdigit(*address) ? 100 : 10; /* a short code; an alphanumeric sender */
    else if (channel_is_toll_free(address))
        pace->rate = 3;
    else
        pace->rate = g_str_has_prefix(address, "+1") ? 0 : 10;
}

const struct channel_ops twilio_ops = {
    .provider = "twilio",
    .capabilities = capabilities,
    .settings = settings,
    .errors = twilio_errors,
    .base_url = "https://api.twilio.com/2010-04-01",
    .api_host = "api.twilio.com",
    .media_hosts = media_hosts,
    .keep_days = 400, /* nothing in a webhook says when it was signed: a replay is known by its key alone */
    .webhook_reply_type = "text/xml; charset=utf-8",
    .webhook_reply = "<Response/>", /* plain text would be sent to the person as an answer */
    .lookup_complete = true,
    .default_pace = twilio_default_pace,
    .prepare = twilio_prepare,
    .dispose = twilio_dispose,
    .verify_webhook = twilio_verify_webhook,
    .parse_webhook = twilio_parse_webhook,
    .build_request = twilio_build_request,
    .parse_response = twilio_parse_response,
    .build_lookup = twilio_build_lookup,
    .parse_lookup = twilio_parse_lookup,
    .build_cancel = twilio_build_cancel,
    .build_health = twilio_build_health,
    .parse_health = twilio_parse_health,
    .media_auth = twilio_media_auth,
    .build_poll = twilio_build_poll,
    .parse_poll = twilio_parse_poll,
};
