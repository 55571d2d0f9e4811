/* SPDX-License-Identifier: Apache-2.0 */
/* WhatsApp's error codes, by whichever provider they come: what each means for the message, and for its sender. */
#include "bridge/channels/whatsapp.h"

#include <string.h>

#include "core/clock.h"

#define ADMIN "Tell the administrator of this gateway; nothing is wrong with your message."
#define LATER "Send it again later."
#define TEMPLATE "Write to the address with +<template> before the @, or wait until the person writes to you."

const struct channel_error whatsapp_errors[] = {
    /* later, by itself */
    {"1", CHANNEL_ERROR_RETRY, "4.3.0", "WhatsApp did not understand the request, or had an error of its own.", LATER, false},
    {"2", CHANNEL_ERROR_RETRY, "4.3.0", "WhatsApp is overloaded or down for a moment.", LATER, false},
    {"4", CHANNEL_ERROR_RETRY, "4.4.5", "Too many requests were made to WhatsApp within the hour.", LATER, false},
    {"80007", CHANNEL_ERROR_RETRY, "4.4.5", "Our WhatsApp account has reached its rate limit.", LATER, false},
    {"130429", CHANNEL_ERROR_RETRY, "4.4.5", "Our number sends more messages a second than WhatsApp allows.", LATER, false},
    {"131000", CHANNEL_ERROR_RETRY, "4.3.0", "WhatsApp had an unknown error.", LATER, false},
    {"131016", CHANNEL_ERROR_RETRY, "4.3.0", "WhatsApp's service is not available at the moment.", LATER, false},
    {"131056", CHANNEL_ERROR_RETRY, "4.4.5", "Too many messages went to this person within a short time.", LATER, false},
    {"131057", CHANNEL_ERROR_RETRY, "4.3.0", "Our WhatsApp account is in maintenance.", LATER, false},
    {"132069", CHANNEL_ERROR_RETRY, "4.4.5", "The form in the message is slowed down by WhatsApp.", LATER, false},
    {"133004", CHANNEL_ERROR_RETRY, "4.3.0", "WhatsApp's server is not available at the moment.", LATER, false},
    {"133016", CHANNEL_ERROR_RETRY, "4.4.5", "Our number was registered too often within a short time.", LATER, false},

    /* mend it, then send it again */
    {"100", CHANNEL_ERROR_FIX, "5.6.0", "WhatsApp does not accept something in the message.",
     "Send it again as plain text; if that fails too, tell the administrator.", false},
    {"131008", CHANNEL_ERROR_FIX, "5.6.0", "WhatsApp misses something in the message.",
     "Send it again as plain text; if that fails too, tell the administrator.", false},
    {"131009", CHANNEL_ERROR_FIX, "5.6.0", "WhatsApp does not accept a value in the message.",
     "Check the recipient, and leave out what is unusual.", false},
    {"131047", CHANNEL_ERROR_FIX, "5.7.1",
     "The person has not written to you for more than 24 hours, and WhatsApp lets only approved templates pass then.",
     TEMPLATE, false},
    {"131049", CHANNEL_ERROR_FIX, "5.7.1", "WhatsApp limits how many marketing messages this person gets.",
     "Send it again after a day at the earliest, or wait until the person writes to you.", false},
    {"131051", CHANNEL_ERROR_FIX, "5.6.0", "WhatsApp cannot carry a message of this kind.", "Send it as text or as a file.",
     false},
    {"131052", CHANNEL_ERROR_FIX, "5.6.0", "WhatsApp could not hand over an attachment.", "Ask for it to be sent again.",
     false},
    {"131053", CHANNEL_ERROR_FIX, "5.6.0", "WhatsApp could not take the attachment.",
     "Check its format and size, and send it again; as a PDF or a JPEG it is the surest.", false},
    {"132000", CHANNEL_ERROR_FIX, "5.6.0", "The template needs another number of variables.",
     "Write one line for each variable of the template.", false},
    {"132005", CHANNEL_ERROR_FIX, "5.3.4", "The template becomes too long with these variables.", "Shorten them.", false},
    {"132012", CHANNEL_ERROR_FIX, "5.6.0", "A variable of the template has a form that WhatsApp does not accept.",
     "Leave out line breaks and repeated spaces.", false},
    {"135000", CHANNEL_ERROR_FIX, "5.6.0", "WhatsApp had an error with something in the message.",
     "Send it again as plain text; if that fails too, tell the administrator.", false},

    /* the sender must wait */
    {"0", CHANNEL_ERROR_HOLD, "4.7.8", "WhatsApp does not accept our access token.", ADMIN, false},
    {"10", CHANNEL_ERROR_HOLD, "4.7.8", "Our access token lacks a permission at WhatsApp.", ADMIN, false},
    {"190", CHANNEL_ERROR_HOLD, "4.7.8", "Our access token for WhatsApp has expired.", ADMIN, false},
    {"200", CHANNEL_ERROR_HOLD, "4.7.8", "Our access token lacks a permission at WhatsApp.", ADMIN, false},
    {"368", CHANNEL_ERROR_HOLD, "4.7.1", "WhatsApp has restricted our account for a violation of its rules.", ADMIN, false},
    {"131005", CHANNEL_ERROR_HOLD, "4.7.8", "A permission of our access token at WhatsApp was taken away.", ADMIN, false},
    {"131031", CHANNEL_ERROR_HOLD, "4.7.1", "Our WhatsApp account is locked.", ADMIN, false},
    {"131042", CHANNEL_ERROR_HOLD, "4.7.1", "There is a problem with how our WhatsApp account is paid for.", ADMIN, false},
    {"131048", CHANNEL_ERROR_HOLD, "4.7.1", "WhatsApp slows our number down because people have marked its messages as spam.",
     ADMIN, false},
    {"131064", CHANNEL_ERROR_HOLD, "4.7.1", "WhatsApp limits our account because templates were of the wrong category.",
     ADMIN, false},

    /* this recipient cannot be reached */
    {"130403", CHANNEL_ERROR_PERMANENT, "5.7.1", "Our account has blocked this person.", ADMIN, false},
    {"130472", CHANNEL_ERROR_PERMANENT, "5.7.1",
     "WhatsApp does not deliver marketing messages to this person, as part of an experiment.",
     "Reach the person in another way, or wait until they write to you.", false},
    {"131021", CHANNEL_ERROR_PERMANENT, "5.1.1", "The recipient is our own number.", "Check the number.", false},
    {"131026", CHANNEL_ERROR_PERMANENT, "5.1.1",
     "This number does not use WhatsApp, has an old version of it, or has not accepted its terms.",
     "Check the number, or write to it as SMS.", false},
    {"131050", CHANNEL_ERROR_PERMANENT, "5.7.1", "The person has asked WhatsApp for no more marketing messages of ours.",
     "Other messages may still be sent.", false},
    {"131062", CHANNEL_ERROR_PERMANENT, "5.7.1",
     "Messages of this kind cannot be sent to somebody whose phone number is not known.", "Ask the person for the number.",
     false},

    /* the administrator must act */
    {"3", CHANNEL_ERROR_CONFIG, "5.3.5", "Our app may not do this at WhatsApp.", ADMIN, false},
    {"33", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number was deleted at WhatsApp.", ADMIN, false},
    {"131037", CHANNEL_ERROR_CONFIG, "5.3.5", "WhatsApp has not approved the name that our number shows.", ADMIN, false},
    {"131045", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number is not registered at WhatsApp.", ADMIN, false},
    {"131063", CHANNEL_ERROR_CONFIG, "5.3.5", "Our account may not send marketing templates by this interface.", ADMIN, false},
    {"132001", CHANNEL_ERROR_CONFIG, "5.3.5", "WhatsApp knows no approved template of this name and language.", ADMIN, false},
    {"132007", CHANNEL_ERROR_CONFIG, "5.3.5", "The template violates a rule of WhatsApp.", ADMIN, false},
    {"132015", CHANNEL_ERROR_CONFIG, "5.3.5", "WhatsApp has paused the template because people did not like it.", ADMIN,
     false},
    {"132016", CHANNEL_ERROR_CONFIG, "5.3.5", "WhatsApp has switched the template off for good.", ADMIN, false},
    {"132068", CHANNEL_ERROR_CONFIG, "5.3.5", "The form in the message is blocked.", ADMIN, false},
    {"133010", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number is not registered at WhatsApp.", ADMIN, false},
    {"134011", CHANNEL_ERROR_CONFIG, "5.3.5", "WhatsApp's terms of payment have not been accepted for our account.", ADMIN,
     false},

    /* failures that come without a code */
    {"failed", CHANNEL_ERROR_PERMANENT, "5.0.0", "WhatsApp could not deliver the message.", LATER, false},
    {NULL, CHANNEL_ERROR_FIX, NULL, NULL, NULL, false},
};

/* What an administrator can mend at any moment is tried again soon. */
static gint64 hold_us(const char *code)
{
    static const struct channel_code_time holds[] = {
        {"368", CLOCK_HOUR},             {"131031", 30 * CLOCK_MINUTE}, {"131042", 30 * CLOCK_MINUTE},
        {"131048", 30 * CLOCK_MINUTE},   {"131064", CLOCK_HOUR},
        {NULL, 0},
    };
    return channel_code_time(holds, code, 5 * CLOCK_MINUTE);
}

static gint64 retry_us(const char *code)
{
    static const struct channel_code_time waits[] = {
        {"4", 5 * CLOCK_MINUTE},
        {"80007", 5 * CLOCK_MINUTE},
        {"130429", 2 * CLOCK_SECOND},
        {"131056", 6 * CLOCK_SECOND},
        {"131057", CLOCK_MINUTE},
        {"133016", 5 * CLOCK_MINUTE},
        {NULL, 0},
    };
    return channel_code_time(waits, code, -1);
}

const struct channel_refusals whatsapp_refusals = {.unauthorized = "190", .hold_us = hold_us, .retry_us = retry_us};
