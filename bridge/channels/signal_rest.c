/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapter of signal-cli-rest-api, in its modes json-rpc and json-rpc-native.  This file is its data and its
 * webhook: RECEIVE_WEBHOOK_URL posts every account's messages to one address, once, unsigned.  Go's HTTP client
 * makes an Authorization field of "http://gateway:<secret>@host/…", and that is what we verify.
 *
 * Its traps: while it waits for our answer it sends nothing (we answer once the event is durable, and send from the
 * outbox later); only 200 and 201 count; the answer of /v2/send has two shapes, of which the newer alone tells of
 * failures; receiving by GET takes messages away (never used).
 */
#include "bridge/channels/signal_rest.h"

#include <string.h>

#include "core/hmac.h"

const struct channel_capabilities signal_rest_capabilities[] = {
    {
        .channel = "signal",
        .in = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(CARD) | KIND(REPLY) | KIND(REACTION) |
              KIND(UNREACTION) | KIND(EDIT) | KIND(DELETE) | KIND(POLL) | KIND(GROUP) | KIND(MEMBERS) | KIND(SYSTEM) |
              KIND(UNKNOWN) | KIND(OWN_PHONE) | KIND(DELIVERED) | KIND(READ) | KIND(FAILED) | KIND(STOP),
        .out = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(REPLY) | KIND(REACTION) |
               KIND(UNREACTION) | KIND(GROUP) | KIND(READ),
        .max_text = 16000,
        .max_media = 32,
        .max_media_total = 14 * 1000 * 1000,
        .max_media_each = 14 * 1000 * 1000,
        .max_group = 1, /* a group is one recipient: its id */
        .reply = true,
        .reaction = true,
        .read_out = true,
    },
    {.channel = NULL},
};

static const struct channel_setting_spec settings[] = {
    {"base_url", false, true, "Where it listens, \"http://127.0.0.1:8080\"; it has no authentication of its own: keep it on the loopback."},
    {"webhook_secret", true, true, "A word of yours, in RECEIVE_WEBHOOK_URL=http://gateway:<it>@<gateway>/webhooks/<endpoint>."},
    {"account", false, false, "The account there, where it is not the endpoint's own number."},
    {"uuid", false, false, "The account's own uuid: finds what others quote of you in groups where your number is hidden."},
    {"disappearing", false, false, "What becomes of disappearing and view-once messages: \"show\" (with a line that says so; default), "
                                   "\"expire\" (the mail goes too, by [dovecot] doveadm_url) or \"refuse\" (a notice that one came)."},
    {NULL, false, false, NULL},
};

/* Hashes are compared, so that the time tells neither the word nor its length. */
static bool same_text(const char *a, const char *b)
{
    uint8_t left[32], right[32];

    hmac_sha256(a, strlen(a), left);
    hmac_sha256(b, strlen(b), right);
    return hmac_equal(left, right, sizeof left);
}

static enum channel_verify verify_webhook(const struct channel_webhook *webhook, const struct channel_endpoint *endpoint, gint64 now)
{
    const char *secret = channel_secret(endpoint, "webhook_secret"), *text = channel_webhook_header(webhook, "authorization");
    g_autofree char *pair = secret ? g_strconcat("gateway:", secret, NULL) : NULL;
    g_autofree char *base64 = pair ? g_base64_encode((const guchar *)pair, strlen(pair)) : NULL;

    (void)now;
    if (!secret)
        return CHANNEL_UNVERIFIABLE;
    if (!text || g_ascii_strncasecmp(text, "Basic ", 6) != 0 || text[6] == '\0')
        return CHANNEL_NO_SIGNATURE;
    return same_text(text + 6, base64) ? CHANNEL_VERIFIED : CHANNEL_BAD_SIGNATURE;
}

const struct channel_ops signal_rest_ops = {
    .provider = "signal_rest",
    .capabilities = signal_rest_capabilities,
    .settings = settings,
    .errors = signal_errors,
    .base_url = "http://127.0.0.1:8080",
    .api_host = "signal-cli-rest-api",
    .max_webhook = 1024 * 1024,
    .keep_days = 400,
    .inline_media = true,
    .address_setting = "account",
    .default_pace = signal_default_pace,
    .verify_webhook = verify_webhook,
    .parse_webhook = signal_parse,
    .webhook_addresses = signal_webhook_addresses,
    .build_request = signal_rest_build_request,
    .parse_response = signal_rest_parse_response,
    .build_read = signal_rest_build_read,
    .build_group = signal_rest_build_group,
    .parse_group = signal_rest_parse_group,
    .build_health = signal_rest_build_health,
    .parse_health = signal_rest_parse_health,
};
