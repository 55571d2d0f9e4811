/* SPDX-License-Identifier: Apache-2.0 */
/* Telnyx's error codes: what each means for the message, and for the person who sent it. */
#include "bridge/channels/telnyx.h"

#include <string.h>

#include "core/clock.h"

#define ADMIN "Tell the administrator of this gateway; nothing is wrong with your message."
#define LATER "Send it again later."

const struct channel_error telnyx_errors[] = {
    /* later, by itself */
    {"10007", CHANNEL_ERROR_RETRY, "4.3.0", "The provider had an unexpected error.", LATER, false},
    {"10008", CHANNEL_ERROR_RETRY, "4.4.7", "The provider's own request timed out.", LATER, false},
    {"10011", CHANNEL_ERROR_RETRY, "4.4.5", "The provider takes no more messages from us at the moment.", LATER, false},
    {"40004", CHANNEL_ERROR_RETRY, "4.7.0", "The recipient's network rejected the message without a reason.",
     "Send it again later; if that fails too, reach the person in another way.", false},
    {"40006", CHANNEL_ERROR_RETRY, "4.4.1", "The recipient's network did not answer.", LATER, false},
    {"40008", CHANNEL_ERROR_RETRY, "4.2.0", "The recipient's network did not take the message.",
     "Check the number, and send it again later.", false},
    {"40318", CHANNEL_ERROR_RETRY, "4.3.2", "The provider's queue for this sender is full.", LATER, false},

    /* mend it, then send it again */
    {"40002", CHANNEL_ERROR_FIX, "5.7.1", "A spam filter of the recipient's network stopped the message.",
     "Word it differently, without shortened links, and send it again later.", false},
    {"40005", CHANNEL_ERROR_FIX, "4.4.7", "The recipient's phone could not be reached before the message expired.",
     "The phone may be off; send it again when it is likely to be on.", false},
    {"40009", CHANNEL_ERROR_FIX, "5.6.0", "The recipient's network does not accept the content of the message.",
     "Leave out unusual characters and send it again.", false},
    {"40011", CHANNEL_ERROR_FIX, "4.4.5", "Too many messages went to the recipient's network at once.",
     "Send it again in a few minutes.", false},
    {"40014", CHANNEL_ERROR_FIX, "4.4.7", "The message waited too long in the provider's queue and expired.", LATER, false},
    {"40015", CHANNEL_ERROR_FIX, "5.7.1", "The provider's spam filter stopped the message.",
     "Word it differently and send it again.", false},
    {"40016", CHANNEL_ERROR_FIX, "4.4.5", "This sender has reached the daily limit of the recipient's network (T-Mobile).",
     "The limit is lifted at midnight, Pacific time; send it again then.", false},
    {"40017", CHANNEL_ERROR_FIX, "5.7.1", "A spam filter of the recipient's network (AT&T) stopped the message.",
     "Word it differently, without shortened links, and send it again.", false},
    {"40018", CHANNEL_ERROR_FIX, "4.4.5", "This sender has reached the limit per minute of the recipient's network (AT&T).",
     "Send it again in a few minutes.", false},
    {"40302", CHANNEL_ERROR_FIX, "5.3.4", "The message is too long for SMS.", "Shorten it, or send it as several.", false},
    {"40304", CHANNEL_ERROR_FIX, "5.6.0", "The provider cannot send text and attachments in this combination.",
     "Send the text and the attachments one by one.", false},
    {"40316", CHANNEL_ERROR_FIX, "5.6.0", "There was nothing to send: neither text nor an attachment.",
     "Write something above the quoted text and send it again.", false},
    {"40317", CHANNEL_ERROR_FIX, "5.3.4", "The attachments are too many or too large: at most 10, together 1 MB.",
     "Make them smaller, or send a link.", false},
    {"40008-whatsapp", CHANNEL_ERROR_FIX, "5.7.1",
     "WhatsApp did not take the message, and the provider does not say why: the person may not have written to you for 24 "
     "hours, or the template is not approved, paused or switched off.",
     "Write to the address with +<template> before the @, or wait until the person writes to you.", false},
    {"40322", CHANNEL_ERROR_FIX, "5.7.1", "The provider does not send content of this kind.", "Word it differently.", false},
    {"40328", CHANNEL_ERROR_FIX, "5.3.4", "The message is longer than is advisable for SMS.", "Shorten it.", false},

    /* the sender must wait */
    {"40020", CHANNEL_ERROR_HOLD, "4.7.1",
     "The provider suspects artificial traffic and has stopped our number for 24 hours.", ADMIN, false},
    {"40312", CHANNEL_ERROR_HOLD, "4.7.1", "The messaging profile of our number is disabled at the provider.", ADMIN, false},
    {"40314", CHANNEL_ERROR_HOLD, "4.7.1", "Messaging is disabled for our account at the provider.", ADMIN, false},
    {"40315", CHANNEL_ERROR_HOLD, "4.7.1",
     "The provider has paused our number because too many of its messages fail or count as spam.", ADMIN, false},
    {"40320", CHANNEL_ERROR_HOLD, "4.3.2", "The provider has not finished setting up our number.", ADMIN, false},
    {"40333", CHANNEL_ERROR_HOLD, "4.7.1", "The spending limit of our account at the provider is reached.", ADMIN, false},
    {"20100", CHANNEL_ERROR_HOLD, "4.7.1", "Our account at the provider has no money left.", ADMIN, false},
    {"10009", CHANNEL_ERROR_HOLD, "4.7.8", "The provider does not accept our API key.", ADMIN, false},
    {"10010", CHANNEL_ERROR_HOLD, "4.7.8", "Our API key may not send messages.", ADMIN, false},
    {"20002", CHANNEL_ERROR_HOLD, "4.7.8", "Our API key has been revoked.", ADMIN, false},

    /* this recipient cannot be reached */
    {"10002", CHANNEL_ERROR_PERMANENT, "5.1.1", "This is not a valid phone number.", "Check the number.", false},
    {"10016", CHANNEL_ERROR_PERMANENT, "5.1.3", "This is not a complete phone number.",
     "Write it as +<country><number>.", false},
    {"40001", CHANNEL_ERROR_PERMANENT, "5.1.1", "This number is a landline, or no network takes messages for it.",
     "Check the number, or call it.", false},
    {"40012", CHANNEL_ERROR_PERMANENT, "5.1.1", "The recipient's network says that this number does not exist.",
     "Check the number.", false},
    {"40300", CHANNEL_ERROR_PERMANENT, "5.7.1", "The recipient has opted out of our messages by answering STOP.",
     "They can lift it by sending START to our number.", true},
    {"40301", CHANNEL_ERROR_PERMANENT, "5.1.1", "Messages of this kind cannot be sent from our number to this one.", NULL,
     false},
    {"40309", CHANNEL_ERROR_PERMANENT, "5.7.1", "Our account at the provider may not write to this country.", ADMIN, false},
    {"40310", CHANNEL_ERROR_PERMANENT, "5.1.1", "The provider says that this is not a valid number.", "Check the number.",
     false},

    /* the administrator must act */
    {"10001", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number is not active at the provider.", ADMIN, false},
    {"10003", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider refused one of the addresses (URL) in our request.", ADMIN, false},
    {"10004", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider misses something in our request.", ADMIN, false},
    {"10005", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider does not know the service that we asked for.", ADMIN, false},
    {"10015", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider did not understand our request.", ADMIN, false},
    {"40003", CHANNEL_ERROR_CONFIG, "5.7.1", "The recipient's network has blocked our number for good, as a source of spam.",
     ADMIN, false},
    {"40010", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number is not registered for messages to US networks (10DLC).", ADMIN,
     false},
    {"40013", CHANNEL_ERROR_CONFIG, "5.3.5", "The recipient's network does not accept our number as a sender.", ADMIN, false},
    {"40019", CHANNEL_ERROR_CONFIG, "5.3.5", "The 10DLC registration of our number is wrong.", ADMIN, false},
    {"40100", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number is not enabled for messages.", ADMIN, false},
    {"40150", CHANNEL_ERROR_CONFIG, "5.3.5", "Our toll-free number is not in the registry of toll-free numbers.", ADMIN,
     false},
    {"40151", CHANNEL_ERROR_CONFIG, "5.3.5", "Another provider is still taking over messages for our number.", ADMIN, false},
    {"40155", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider needs a letter of authorization for our number.", ADMIN, false},
    {"40305", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number does not belong to a messaging profile of our account.", ADMIN,
     false},
    {"40306", CHANNEL_ERROR_CONFIG, "5.3.5", "The alphanumeric sender is not set up in our messaging profile.", ADMIN, false},
    {"40307", CHANNEL_ERROR_CONFIG, "5.3.5", "The alphanumeric sender is not the one in our messaging profile.", ADMIN,
     false},
    {"40308", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number cannot send pictures or group messages.", ADMIN, false},
    {"40311", CHANNEL_ERROR_CONFIG, "5.3.5", "The secret of our messaging profile is wrong.", ADMIN, false},
    {"40313", CHANNEL_ERROR_CONFIG, "5.3.5", "Our messaging profile asks for a secret.", ADMIN, false},
    {"40319", CHANNEL_ERROR_CONFIG, "5.3.5", "Messages of this kind cannot be sent from our number to this one.", ADMIN,
     false},
    {"40321", CHANNEL_ERROR_CONFIG, "5.3.5", "Our messaging profile has no number that can be used.", ADMIN, false},
    {"40323", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider could not enable messages for our number.", ADMIN, false},
    {"40325", CHANNEL_ERROR_CONFIG, "5.3.5", "The alphanumeric sender has a wrong form.", ADMIN, false},
    {"40329", CHANNEL_ERROR_CONFIG, "5.3.5", "Our toll-free number has not been verified yet.", ADMIN, false},
    {"40330", CHANNEL_ERROR_CONFIG, "5.3.5", "Our toll-free number is not set up for messages yet.", ADMIN, false},
    {"40331", CHANNEL_ERROR_CONFIG, "5.3.5", "Our messaging profile names no country that may be written to.", ADMIN, false},

    /* final statuses that come without a code */
    {"delivery_failed", CHANNEL_ERROR_PERMANENT, "5.0.0", "The recipient's network could not deliver the message.",
     "Check the number, and try again later.", false},
    {"sending_failed", CHANNEL_ERROR_PERMANENT, "5.0.0", "The provider could not pass the message on.", LATER, false},
    {"expired", CHANNEL_ERROR_FIX, "4.4.7", "The message expired before the recipient's phone could be reached.", LATER,
     false},
    {NULL, CHANNEL_ERROR_FIX, NULL, NULL, NULL, false},
};

gint64 telnyx_hold_us(const char *code)
{
    static const struct channel_code_time holds[] = {
        {"40020", CLOCK_DAY},         {"40333", 30 * CLOCK_MINUTE}, {"20100", 30 * CLOCK_MINUTE},
        {"40315", 30 * CLOCK_MINUTE}, {"40312", 10 * CLOCK_MINUTE}, {"40314", 10 * CLOCK_MINUTE},
        {"40320", 10 * CLOCK_MINUTE}, {"10009", 5 * CLOCK_MINUTE},  {"10010", 5 * CLOCK_MINUTE},
        {"20002", 5 * CLOCK_MINUTE},
        {NULL, 0},
    };
    return channel_code_time(holds, code, strlen(code) == 6 ? whatsapp_refusals.hold_us(code) : 0);
}

gint64 telnyx_retry_us(const char *code)
{
    static const struct channel_code_time waits[] = {
        {"40004", 5 * CLOCK_MINUTE},
        {"40008", 5 * CLOCK_MINUTE},
        {"40318", CLOCK_MINUTE},
        {NULL, 0},
    };
    return channel_code_time(waits, code, strlen(code) == 6 ? whatsapp_refusals.retry_us(code) : -1);
}
