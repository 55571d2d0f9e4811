/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter of signal-cli's daemon.  This file is its data, and what of it signal_rest shares. */
#include "bridge/channels/signal_cli.h"

const struct channel_capabilities signal_capabilities[] = {
    {
        .channel = "signal",
        .in = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(STICKER) | KIND(CARD) | KIND(REPLY) |
              KIND(REACTION) | KIND(UNREACTION) | KIND(EDIT) | KIND(DELETE) | KIND(POLL) | KIND(GROUP) | KIND(MEMBERS) |
              KIND(SYSTEM) | KIND(UNKNOWN) | KIND(OWN_PHONE) | KIND(DELIVERED) | KIND(READ) | KIND(FAILED) | KIND(STOP),
        .out = KIND(TEXT) | KIND(PICTURE) | KIND(SOUND) | KIND(VIDEO) | KIND(FILE) | KIND(REPLY) | KIND(REACTION) |
               KIND(UNREACTION) | KIND(GROUP) | KIND(READ),
        .max_text = 16000, /* beyond 2000 bytes it travels as an attachment, of 64 KiB at most; signal-cli does that */
        .max_media = 32,
        .max_media_total = 14 * 1000 * 1000, /* as base64 within 20 million characters, all that the daemon's JSON reader takes */
        .max_media_each = 14 * 1000 * 1000,
        .max_group = 1, /* a group is one recipient: its id */
        .reply = true,
        .reaction = true,
        .read_out = true,
    },
    {.channel = NULL},
};

static const struct channel_setting_spec settings[] = {
    {"base_url", false, true, "The daemon's --http address, \"http://127.0.0.1:8080\": requests go there."},
    {"receive", false, false, "Where messages come from: \"sse\" (the same address; default), or \"tcp://host:port\" or \"unix:/path\" of a "
                              "daemon with --receive-mode=manual."},
    {"account", false, false, "The account at signal-cli, where it is not the endpoint's own number."},
    {"uuid", false, false, "The account's own uuid (signal-cli listAccounts): finds what others quote of you in groups where your "
                           "number is hidden."},
    {"disappearing", false, false, "What becomes of disappearing and view-once messages: \"show\" (with a line that says so; default), "
                                   "\"expire\" (the mail goes too, by [dovecot] doveadm_url) or \"refuse\" (a notice that one came)."},
    {NULL, false, false, NULL},
};

const char *signal_account(const struct channel_endpoint *endpoint)
{
    const char *account = channel_setting(endpoint, "account");

    return account ? account : endpoint->address;
}

/* Signal publishes no rates; it answers haste with captchas. */
void signal_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace)
{
    (void)endpoint;
    pace->rate = 5;
    pace->burst = 30;
    pace->pair_rate = 1;
    pace->pair_burst = 10;
}

const struct channel_ops signal_cli_ops = {
    .provider = "signal_cli",
    .capabilities = signal_capabilities,
    .settings = settings,
    .errors = signal_errors,
    .base_url = "http://127.0.0.1:8080",
    .api_host = "signal-cli",
    .max_webhook = 1024 * 1024,
    .keep_days = 400,
    .inline_media = true,
    .default_pace = signal_default_pace,
    .parse_webhook = signal_parse,
    .open_stream = signal_cli_open_stream,
    .read_line = signal_cli_read_line,
    .build_request = signal_cli_build_request,
    .parse_response = signal_cli_parse_response,
    .build_read = signal_cli_build_read,
    .build_health = signal_cli_build_health,
    .parse_health = signal_cli_parse_health,
    .build_media = signal_cli_build_media,
    .parse_media = signal_cli_parse_media,
    .build_group = signal_cli_build_group,
    .parse_group = signal_cli_parse_group,
    .build_link = signal_cli_build_link,
    .parse_link = signal_cli_parse_link,
};
