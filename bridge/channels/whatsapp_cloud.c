/* SPDX-License-Identifier: Apache-2.0 */
/* The WhatsApp Cloud API adapter (Meta's Graph API).  This file is its data. */
#include "bridge/channels/whatsapp_cloud.h"

static const struct channel_capabilities capabilities[] = {
    {
        .channel = "whatsapp",
        .in = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(STICKER) | KIND(LOCATION) |
              KIND(CARD) | KIND(REPLY) | KIND(REACTION) | KIND(UNREACTION) | KIND(EDIT) | KIND(DELETE) | KIND(CHOICE) |
              KIND(ORDER) | KIND(GROUP) | KIND(MEMBERS) | KIND(SYSTEM) | KIND(UNKNOWN) | KIND(OWN_PHONE) |
              KIND(DELIVERED) | KIND(READ) | KIND(FAILED) | KIND(STOP),
        .out = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(REPLY) | KIND(REACTION) |
               KIND(UNREACTION) | KIND(TEMPLATE) | KIND(GROUP) | KIND(READ),
        .max_text = 4096,
        .max_caption = 1024,
        .max_media = 1,
        .split_media = 30, /* as many as the app itself sends at a time */
        .uncaptioned = "audio/ogg audio/aac audio/mpeg audio/mp4 audio/amr image/webp:100000",
        .max_media_total = 100 * 1000 * 1000, /* as a document; what is larger than its kind allows goes as one */
        .max_media_each = 100 * 1000 * 1000,
        .picture_types = "image/jpeg image/png image/webp:100000", /* WebP: a sticker */
        .sound_types = "audio/ogg audio/aac audio/mpeg audio/mp4",
        .sound_to = "audio/ogg", /* which is shown as a voice message */
        .max_picture = 5 * 1000 * 1000,
        .max_sound = 16 * 1000 * 1000,
        .max_group = 1, /* a group is one recipient: its id */
        .window_s = 24 * 60 * 60,
        .reply = true,
        .reaction = true,
        .typing = true,
        .read_out = true,
        .read_covers_earlier = true,
    },
    {.channel = NULL},
};

static const struct channel_setting_spec settings[] = {
    {"access_token", true, true, "Token of a system user of the business, with whatsapp_business_messaging."},
    {"app_secret", true, true, "The app's secret, which signs webhooks; several, separated by spaces, while it is changed."},
    {"app_secret_previous", true, false, "The secret before the current one: still accepted."},
    {"verify_token", true, true, "A word of yours: Meta says it when the webhook's address is entered in the app."},
    {"phone_number_id", false, true, "The number's id at Meta (digits; not the number itself)."},
    {"waba_id", false, false, "Id of the WhatsApp Business account: for `umpctl template sync`."},
    {"media", false, false, "How attachments go: \"link\" (Meta fetches them here) or \"upload\"; by default links "
                            "where public_url is https."},
    {"reopen_template", false, false,
     "Template that carries a text to who has not written for 24 hours; it needs exactly one variable."},
    {"template_language", false, false, "Language of templates that exist in several (\"en_US\")."},
    {"user_actions", false, false, "Clicks on links of marketing messages: \"show\" (a notice each; default) or \"keep\" (only the "
                                   "raw event is kept)."},
    {"price_marketing", false, false, "Price of a marketing message, for the costs: Meta tells its category only."},
    {"price_utility", false, false, "The same of a utility message."},
    {"price_authentication", false, false, "The same of an authentication message."},
    {"price_service", false, false, "The same of a service message (free since November 2024)."},
    {"price_currency", false, false, "Currency of these prices. Default USD."},
    {"base_url", false, false, "Another base of the API, in place of https://graph.facebook.com/v23.0."},
    {NULL, false, false, NULL},
};

/* The download URLs of media; the description of a medium is on the base itself. */
static const char *const media_hosts[] = {"lookaside.fbsbx.com", ".fbcdn.net", NULL};

void whatsapp_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace)
{
    (void)endpoint;
    whatsapp_pace(pace);
}

const struct channel_ops whatsapp_cloud_ops = {
    .provider = "whatsapp_cloud",
    .capabilities = capabilities,
    .settings = settings,
    .errors = whatsapp_errors,
    .base_url = "https://graph.facebook.com/v23.0",
    .api_host = "graph.facebook.com",
    .media_hosts = media_hosts,
    .max_webhook = 3 * 1024 * 1024,
    .keep_days = 400, /* nothing in a webhook says when it was signed */
    .address_setting = "phone_number_id",
    .default_pace = whatsapp_default_pace,
    .prepare = whatsapp_prepare,
    .dispose = whatsapp_dispose,
    .verify_webhook = whatsapp_verify_webhook,
    .verify_challenge = whatsapp_verify_challenge,
    .parse_webhook = whatsapp_parse_webhook,
    .webhook_addresses = whatsapp_webhook_addresses,
    .build_request = whatsapp_build_request,
    .parse_response = whatsapp_parse_response,
    .build_upload = whatsapp_build_upload,
    .parse_upload = whatsapp_parse_upload,
    .build_read = whatsapp_build_read,
    .build_health = whatsapp_build_health,
    .parse_health = whatsapp_parse_health,
    .build_templates = whatsapp_build_templates,
    .parse_templates = whatsapp_parse_templates,
    .parse_media_location = whatsapp_parse_media_location,
    .media_auth = whatsapp_media_auth,
};
