/* SPDX-License-Identifier: Apache-2.0 */
/* Twilio's error codes: what each means for the message, and for the person who sent it. */
#include "bridge/channels/twilio.h"

#include <string.h>

#include "core/clock.h"

#define ADMIN "Tell the administrator of this gateway; nothing is wrong with your message."
#define LATER "Send it again later."
#define WINDOW "Wait until they write, or send one of the approved templates."

const struct channel_error twilio_errors[] = {
    /* later, by itself */
    {"20429", CHANNEL_ERROR_RETRY, "4.4.5", "The provider takes no more messages from us at the moment.", LATER, false},
    {"14107", CHANNEL_ERROR_RETRY, "4.4.5", "The provider's limit of messages for our number is reached.", LATER, false},
    {"21611", CHANNEL_ERROR_RETRY, "4.3.2", "The provider's queue for our number is full.", LATER, false},
    {"30001", CHANNEL_ERROR_RETRY, "4.3.2", "The message waited too long in the provider's queue and was dropped.", LATER,
     false},
    {"30008", CHANNEL_ERROR_RETRY, "4.3.0", "The recipient's network did not deliver the message and gave no reason.",
     "Send it again later; if that fails too, reach the person in another way.", false},
    {"30017", CHANNEL_ERROR_RETRY, "4.4.5", "The recipient's network is congested.", LATER, false},
    {"30022", CHANNEL_ERROR_RETRY, "4.4.5", "Our number sent more messages than its registration (10DLC) allows at once.",
     "Send it again in a few minutes.", false},
    {"30410", CHANNEL_ERROR_RETRY, "4.4.1", "The recipient's network did not answer in time.", LATER, false},
    {"63010", CHANNEL_ERROR_RETRY, "4.3.0", "The provider had an error of its own with this network.", LATER, false},
    {"63012", CHANNEL_ERROR_RETRY, "4.3.0", "The recipient's network had an error of its own.", LATER, false},
    {"63017", CHANNEL_ERROR_RETRY, "4.4.5", "The recipient's network takes no more messages from us at the moment.", LATER,
     false},
    {"63018", CHANNEL_ERROR_RETRY, "4.4.5", "The recipient's network takes no more messages from us at the moment.", LATER,
     false},

    /* mend it, then send it again */
    {"30003", CHANNEL_ERROR_FIX, "4.4.1", "The recipient's phone cannot be reached: it is off, or out of service.",
     "Send it again when it is likely to be on.", false},
    {"30004", CHANNEL_ERROR_FIX, "5.7.1", "The recipient, or their network, has blocked the message.",
     "Reach the person in another way.", false},
    {"30007", CHANNEL_ERROR_FIX, "5.7.1", "A spam filter of the provider or of the recipient's network stopped the message.",
     "Word it differently, without shortened links, and send it again later.", false},
    {"63013", CHANNEL_ERROR_FIX, "5.7.1", "The recipient's network says that the message is against its rules.",
     "Word it differently and send it again.", false},
    {"63026", CHANNEL_ERROR_FIX, "5.7.1", "The recipient's network did not accept the content of the message.",
     "Word it differently and send it again.", false},
    {"63016", CHANNEL_ERROR_FIX, "5.7.1",
     "WhatsApp allows free text within 24 hours after the person's last message only.", WINDOW, false},
    {"63032", CHANNEL_ERROR_FIX, "5.7.1", "WhatsApp does not let us write to this person at the moment.", WINDOW, false},
    {"63049", CHANNEL_ERROR_FIX, "5.7.1", "WhatsApp chose not to deliver this marketing message to the person.",
     "Send it again after a day at the earliest.", false},
    {"21602", CHANNEL_ERROR_FIX, "5.6.0", "There was nothing to send: neither text nor an attachment.",
     "Write something above the quoted text and send it again.", false},
    {"21619", CHANNEL_ERROR_FIX, "5.6.0", "There was nothing to send: neither text nor an attachment.",
     "Write something above the quoted text and send it again.", false},
    {"21605", CHANNEL_ERROR_FIX, "5.3.4", "The message is longer than 160 characters, which this sender cannot send.",
     "Shorten it.", false},
    {"21617", CHANNEL_ERROR_FIX, "5.3.4", "The message is longer than 1600 characters.",
     "Shorten it, or send it as several.", false},
    {"21623", CHANNEL_ERROR_FIX, "5.3.4", "The attachments are too many: at most 10.", "Send them as several messages.",
     false},
    {"30011", CHANNEL_ERROR_FIX, "5.6.1", "Pictures cannot be sent to this number: its network has no MMS.",
     "Send the text alone, or a link.", false},
    {"30019", CHANNEL_ERROR_FIX, "5.3.4", "The attachment is larger than the recipient's network takes.",
     "Make it smaller, or send a link.", false},
    {"63019", CHANNEL_ERROR_FIX, "5.6.1", "The provider could not fetch or use the attachment.",
     "Send it again, in another format if that fails too.", false},
    {"63021", CHANNEL_ERROR_FIX, "5.6.0", "The recipient's network did not accept the form of the message.",
     "Leave out unusual content and send it again.", false},
    {"63034", CHANNEL_ERROR_FIX, "5.3.4", "The attachment is larger than the recipient's network takes.",
     "Make it smaller, or send a link.", false},
    {"12300", CHANNEL_ERROR_FIX, "5.6.1", "The provider does not send attachments of this type.",
     "Send it in another format, or as a link.", false},
    {"11751", CHANNEL_ERROR_FIX, "5.3.4", "The attachment is larger than the provider takes.",
     "Make it smaller, or send a link.", false},
    {"30023", CHANNEL_ERROR_FIX, "4.4.5", "Our number has reached the daily limit of the recipient's network.",
     "Send it again tomorrow.", false},
    {"30027", CHANNEL_ERROR_FIX, "4.4.5", "Our number has reached the daily limit of the recipient's network (T-Mobile).",
     "The limit is lifted at midnight, Pacific time; send it again then.", false},
    {"30036", CHANNEL_ERROR_FIX, "4.4.7", "The message expired before it could be delivered.", LATER, false},

    /* the sender must wait */
    {"20003", CHANNEL_ERROR_HOLD, "4.7.8", "The provider does not accept our account SID and auth token.", ADMIN, false},
    {"20005", CHANNEL_ERROR_HOLD, "4.7.1", "Our account at the provider is not active.", ADMIN, false},
    {"30002", CHANNEL_ERROR_HOLD, "4.7.1", "Our account at the provider is suspended.", ADMIN, false},
    {"30037", CHANNEL_ERROR_HOLD, "4.7.1", "Our account at the provider may send no messages at the moment.", ADMIN, false},
    {"63038", CHANNEL_ERROR_HOLD, "4.4.5", "Our account has reached the provider's daily limit of messages.", ADMIN, false},

    /* this recipient cannot be reached */
    {"21211", CHANNEL_ERROR_PERMANENT, "5.1.1", "This is not a valid phone number.", "Check the number.", false},
    {"21214", CHANNEL_ERROR_PERMANENT, "5.1.1", "This number cannot be reached.", "Check the number.", false},
    {"21265", CHANNEL_ERROR_PERMANENT, "5.1.1", "Messages cannot be sent to a short code.", "Check the number.", false},
    {"21266", CHANNEL_ERROR_PERMANENT, "5.1.1", "The message is addressed to our own number.", "Check the number.", false},
    {"21610", CHANNEL_ERROR_PERMANENT, "5.7.1", "The recipient has opted out of our messages by answering STOP.",
     "They can lift it by sending START to our number.", true},
    {"21612", CHANNEL_ERROR_PERMANENT, "5.1.1", "Messages cannot be sent from our number to this one.",
     "Reach the person in another way.", false},
    {"21614", CHANNEL_ERROR_PERMANENT, "5.1.1", "This is not a mobile number.", "Check the number, or call it.", false},
    {"21635", CHANNEL_ERROR_PERMANENT, "5.1.1", "This number is a landline.", "Check the number, or call it.", false},
    {"30005", CHANNEL_ERROR_PERMANENT, "5.1.1", "The recipient's network does not know this number, or it is no longer in use.",
     "Check the number.", false},
    {"30006", CHANNEL_ERROR_PERMANENT, "5.1.1", "This number is a landline, or no network takes messages for it.",
     "Check the number, or call it.", false},
    {"63003", CHANNEL_ERROR_PERMANENT, "5.1.1", "The recipient cannot be found on this network.",
     "Check the number, or write to them by SMS.", false},
    {"63024", CHANNEL_ERROR_PERMANENT, "5.1.1", "The recipient cannot be reached on this network.",
     "Check the number, or write to them by SMS.", false},
    {"63031", CHANNEL_ERROR_PERMANENT, "5.1.1", "The message is addressed to our own number.", "Check the number.", false},
    {"63033", CHANNEL_ERROR_PERMANENT, "5.7.1", "The recipient has blocked us.", "Reach the person in another way.", false},

    /* the administrator must act */
    {"20404", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider does not know our account, or what was asked of it.", ADMIN, false},
    {"21408", CHANNEL_ERROR_CONFIG, "5.7.1", "Our account at the provider may not write to this country.", ADMIN, false},
    {"21603", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider misses our number in the request.", ADMIN, false},
    {"21604", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider misses the recipient in the request.", ADMIN, false},
    {"21606", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number cannot send messages to this destination.", ADMIN, false},
    {"21608", CHANNEL_ERROR_CONFIG, "5.3.5",
     "Our trial account at the provider may write to verified numbers only.", ADMIN, false},
    {"21609", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider does not accept the address for its reports (public_url).", ADMIN,
     false},
    {"21620", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider does not accept the address of the attachment (public_url).", ADMIN,
     false},
    {"21659", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number does not belong to our account at the provider.", ADMIN, false},
    {"21660", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number does not belong to our account at the provider.", ADMIN, false},
    {"21661", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number cannot send SMS.", ADMIN, false},
    {"21701", CHANNEL_ERROR_CONFIG, "5.3.5", "The messaging service does not exist.", ADMIN, false},
    {"21703", CHANNEL_ERROR_CONFIG, "5.3.5", "The messaging service has no number that can be used.", ADMIN, false},
    {"21705", CHANNEL_ERROR_CONFIG, "5.3.5", "The messaging service is not valid.", ADMIN, false},
    {"30024", CHANNEL_ERROR_CONFIG, "5.3.5", "The recipient's network does not accept our number as a sender.", ADMIN, false},
    {"30032", CHANNEL_ERROR_CONFIG, "5.3.5", "Our toll-free number has not been verified yet.", ADMIN, false},
    {"30034", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number is not registered for messages to US networks (10DLC).", ADMIN, false},
    {"63007", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number is not set up for this network.", ADMIN, false},
    {"63008", CHANNEL_ERROR_CONFIG, "5.3.5", "The provider's connection to this network is not set up right.", ADMIN, false},
    {"63015", CHANNEL_ERROR_CONFIG, "5.3.5", "Our number is a sandbox, which this recipient has not joined.", ADMIN, false},
    {"63027", CHANNEL_ERROR_CONFIG, "5.3.5", "The template does not exist in this language.", ADMIN, false},
    {"63028", CHANNEL_ERROR_CONFIG, "5.3.5", "The template has another number of variables than were given.", ADMIN, false},
    {"63040", CHANNEL_ERROR_CONFIG, "5.3.5", "The template was rejected by WhatsApp.", ADMIN, false},
    {"63041", CHANNEL_ERROR_CONFIG, "5.3.5", "The template is paused by WhatsApp.", ADMIN, false},
    {"63042", CHANNEL_ERROR_CONFIG, "5.3.5", "The template is disabled by WhatsApp.", ADMIN, false},

    /* final statuses that come without a code */
    {"undelivered", CHANNEL_ERROR_PERMANENT, "5.0.0", "The recipient's network could not deliver the message.",
     "Check the number, and try again later.", false},
    {"failed", CHANNEL_ERROR_PERMANENT, "5.0.0", "The provider could not pass the message on.", LATER, false},
    {"canceled", CHANNEL_ERROR_FIX, "5.0.0", "The message was cancelled at the provider.", LATER, false},
    {NULL, CHANNEL_ERROR_FIX, NULL, NULL, NULL, false},
};

static gint64 hold_us(const char *code)
{
    if (strcmp(code, "63038") == 0)
        return CLOCK_HOUR;
    return strcmp(code, "20003") == 0 ? 5 * CLOCK_MINUTE : 10 * CLOCK_MINUTE;
}

static gint64 retry_us(const char *code)
{
    if (strcmp(code, "21611") == 0 || strcmp(code, "30001") == 0)
        return 5 * CLOCK_MINUTE;
    return strcmp(code, "30022") == 0 || strcmp(code, "30017") == 0 ? CLOCK_MINUTE : -1;
}

const struct channel_refusals twilio_refusals = {.unauthorized = "20003", .hold_us = hold_us, .retry_us = retry_us};
