/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Signal says no with.  Words are those of a recipient's result, numbers those of JSON-RPC errors
 * (signal-cli-jsonrpc(5)); a word, where there is one, says more.
 */
#include "bridge/channels/signal.h"

#include <string.h>

#include "core/clock.h"

#define ADMIN "Tell the administrator of this gateway; nothing is wrong with your message."
#define UNREACHED "Signal's server could not be reached, or only its answer was lost: the message may have arrived, or not."
#define COMPARE "He may have a new phone, or somebody else has his number. Ask him, by another way, to compare the safety number; then " \
                "the administrator trusts it (signal-cli trust -a or -v), and you send the message again."

const struct channel_error signal_errors[] = {
    /* libsignal says this also when only the answer of Signal's server was lost, and a message that is sent again has another time, so
     * that no phone would know it for the same: what a receipt does not settle, its author is asked about */
    {"-3", CHANNEL_ERROR_UNCERTAIN, "4.4.1", UNREACHED, NULL, false},
    {"NETWORK_FAILURE", CHANNEL_ERROR_UNCERTAIN, "4.4.1", UNREACHED, NULL, false},

    /* later, by itself */
    {"RATE_LIMIT_FAILURE", CHANNEL_ERROR_RETRY, "4.4.5", "Signal lets our number send more only after a while.", NULL, false},
    {"INVALID_PRE_KEY_FAILURE", CHANNEL_ERROR_RETRY, "4.3.0", "The keys of this person's phone at Signal are broken at the moment.",
     "If it does not pass: he opens Signal once, or installs it again.", false},

    /* mend it, then send it again */
    {"-4", CHANNEL_ERROR_FIX, "5.7.5", "The safety number of this person has changed, and nothing is sent until it is trusted.", COMPARE, false},
    {"IDENTITY_FAILURE", CHANNEL_ERROR_FIX, "5.7.5", "The safety number of this person has changed, and nothing is sent until it is trusted.",
     COMPARE, false},
    {"-1", CHANNEL_ERROR_FIX, "5.6.0", "Signal does not accept the message.",
     "Check the recipient, and send it again as plain text; if that fails too, tell the administrator.", false},
    {"-32602", CHANNEL_ERROR_FIX, "5.6.0", "signal-cli does not accept something in the message.",
     "Send it again as plain text; if that fails too, tell the administrator.", false},

    /* the sender must wait */
    {"-5", CHANNEL_ERROR_HOLD, "4.7.1", "Signal wants proof that a person writes from our number.", ADMIN, false},
    {"PROOF_REQUIRED", CHANNEL_ERROR_HOLD, "4.7.1", "Signal wants proof that a person writes from our number.", ADMIN, false},
    {"-6", CHANNEL_ERROR_HOLD, "4.7.1", "Signal did not accept the solved captcha.", ADMIN, false},
    {"UNKNOWN_ACCOUNT", CHANNEL_ERROR_HOLD, "4.7.8", "signal-cli does not know our number (any more); it is to be linked again.", ADMIN, false},

    /* this recipient cannot be reached */
    {"UNREGISTERED_FAILURE", CHANNEL_ERROR_PERMANENT, "5.1.1", "This person does not use Signal.",
     "Write to him by another way, or check the number.", false},

    /* the administrator must act */
    {"-32600", CHANNEL_ERROR_CONFIG, "5.3.5", "signal-cli does not understand our requests.", ADMIN, false},
    {"-32601", CHANNEL_ERROR_CONFIG, "5.3.5", "signal-cli is too old for this.", ADMIN, false},
    {NULL, CHANNEL_ERROR_PERMANENT, NULL, NULL, NULL, false},
};

static gint64 hold_us(const char *code)
{
    return strcmp(code, "UNKNOWN_ACCOUNT") == 0 ? CLOCK_HOUR / 4 : CLOCK_HOUR;
}

static gint64 retry_us(const char *code)
{
    return strcmp(code, "RATE_LIMIT_FAILURE") == 0 ? CLOCK_HOUR / 4 : -1;
}

const struct channel_refusals signal_refusals = {.unauthorized = "-32600", .hold_us = hold_us, .retry_us = retry_us};
