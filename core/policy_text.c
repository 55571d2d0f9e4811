/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every refusal of the policy: action, scope, codes (RFC 5321, RFC 3463), the word for the log, and
 * one sentence for a person that says what to do.
 */
#include "core/policy_internal.h"

#include <string.h>

#define SENTENCE_MAX 400

struct row {
    enum policy_action action;
    enum policy_scope scope;
    int code;
    const char *status;
    const char *log;
    const char *sentence;
};

#define RECIPIENT POLICY_REFUSE, POLICY_SCOPE_RECIPIENT
#define CONTENT POLICY_REFUSE, POLICY_SCOPE_CONTENT
#define MAIL POLICY_REFUSE, POLICY_SCOPE_MAIL

static const struct row rows[POLICY_REASONS] = {
    [POLICY_OK] = {POLICY_ACCEPT, POLICY_SCOPE_RECIPIENT, 250, "2.1.5", "accepted", NULL},
    [POLICY_NOT_AUTHENTICATED] = {RECIPIENT, 550, "5.7.1", "not-authenticated",
        "To send to this address, log in to the submission port with your mail password"},
    [POLICY_NO_ACCOUNT] = {RECIPIENT, 550, "5.7.1", "no-account",
        "{who} may not send through this gateway; ask its administrator for an account"},
    [POLICY_NULL_SENDER] = {POLICY_DROP, POLICY_SCOPE_RECIPIENT, 550, "5.7.1", "null-sender",
        "Mail without an envelope sender (a bounce or an automatic answer) is never sent as a message"},
    [POLICY_BAD_ADDRESS] = {RECIPIENT, 550, "5.1.3", "bad-address", "{why}"},
    [POLICY_SOURCE_ROUTE] = {RECIPIENT, 550, "5.7.1", "source-route",
        "Write the address plainly as <number>@<channel>.<domain>; routes through other addresses are not accepted"},
    [POLICY_INVALID_NUMBER] = {RECIPIENT, 550, "5.1.3", "invalid-number",
        "{number} has the right length, but no network has such a number; check its digits"},
    [POLICY_EMERGENCY] = {RECIPIENT, 550, "5.7.1", "emergency",
        "{number} is an emergency number, and nobody there would read this; call it by telephone"},
    [POLICY_PREMIUM] = {RECIPIENT, 550, "5.7.1", "premium",
        "{number} is a premium-rate number; this gateway sends nothing there"},
    [POLICY_SATELLITE] = {RECIPIENT, 550, "5.7.1", "satellite",
        "{number} belongs to a satellite or worldwide network at extra cost; this gateway sends nothing there"},
    [POLICY_SHARED_COST] = {RECIPIENT, 550, "5.7.1", "shared-cost",
        "{number} is a shared-cost or forwarding number; this gateway sends nothing there"},
    [POLICY_SHORT_CODE] = {RECIPIENT, 550, "5.7.1", "short-code",
        "The short code {number} can only be answered after it has written to you, as its price is not known"},
    [POLICY_ALPHANUMERIC] = {RECIPIENT, 550, "5.1.1", "alphanumeric",
        "{number} is a name, not a number: it can send messages, but nobody can answer it"},
    [POLICY_COUNTRY] = {RECIPIENT, 550, "5.7.1", "country",
        "{number} is in {region}, and messages from {endpoint} may go to {regions} only; ask the administrator to "
        "allow it"},
    [POLICY_GROUP_UNKNOWN] = {RECIPIENT, 550, "5.1.1", "group-unknown",
        "You are in no group {number}; answer a message of the group, or write to new-group@ and the members"},
    [POLICY_OPAQUE_UNKNOWN] = {RECIPIENT, 550, "5.1.1", "unknown-id",
        "Nobody with the address {number} has written to you; answer one of his messages instead"},
    [POLICY_NO_ENDPOINT] = {RECIPIENT, 550, "5.7.1", "no-endpoint",
        "You have no {channel} number to send from; ask the administrator of the gateway"},
    [POLICY_MACHINE_CHANNEL] = {RECIPIENT, 550, "5.7.1", "machine-channel",
        "This automatic sender may send from {endpoint} only, which is not for {channel}"},
    [POLICY_ENDPOINT_DISABLED] = {RECIPIENT, 550, "5.7.1", "endpoint-disabled",
        "Sending from {endpoint} is switched off; ask the administrator of the gateway"},
    [POLICY_UMP_FROM] = {RECIPIENT, 550, "5.7.1", "ump-from",
        "UMP-From: {why} is no {channel} number of yours; leave the field out or name one of yours"},
    [POLICY_OPTED_OUT] = {RECIPIENT, 550, "5.7.1", "opted-out",
        "{number} has asked to get no more messages (STOP); only a START from there lifts this"},
    [POLICY_CAP_USER] = {RECIPIENT, 550, "5.7.1", "cap-user",
        "You may send {limit} messages an hour, and that many are sent; try again after the full hour"},
    [POLICY_CAP_MACHINE] = {RECIPIENT, 550, "5.7.1", "cap-machine",
        "This automatic sender may send {limit} messages in {period}, and that many are sent"},
    [POLICY_CAP_SPEND] = {RECIPIENT, 550, "5.7.1", "cap-spend",
        "What may be spent on messages today is spent; try again tomorrow or ask the administrator"},
    [POLICY_CAP_RANGE] = {RECIPIENT, 550, "5.7.1", "cap-range",
        "Too many first messages went to numbers close to {number} within the hour; try again after the full hour"},
    [POLICY_TOO_MANY] = {RECIPIENT, 550, "5.5.3", "too-many-recipients",
        "One mail may go to {limit} such addresses; write to the others in another mail"},
    [POLICY_DUE_FORMAT] = {RECIPIENT, 550, "5.6.0", "due-format",
        "{why} is no time to send at; write +at.20261201T0900 into the address, or Deferred-Delivery as a date of mail"},
    [POLICY_DUE_FAR] = {RECIPIENT, 550, "5.6.0", "due-far",
        "A message can be sent at most {limit} days ahead, and {why} is later than that"},
    [POLICY_NOTICE_UNKNOWN] = {RECIPIENT, 550, "5.1.1", "notice-unknown",
        "This is not the address of a notice of ours; answer the notice itself"},
    [POLICY_NOTICE_EXPIRED] = {RECIPIENT, 550, "5.1.1", "notice-expired",
        "This notice is too old to be answered; write a new mail to the number instead"},
    [POLICY_FROM_MALFORMED] = {MAIL, 550, "5.7.1", "from-malformed", "{why}; send it from your own address alone"},
    [POLICY_FROM_NOT_HIS] = {MAIL, 550, "5.7.1", "from-not-his",
        "You are logged in as {who}, but {from} is neither your address nor your team's; choose another From"},
    [POLICY_AUTO_REPLIED] = {CONTENT, 550, "5.7.1", "auto-replied",
        "Automatic answers are never sent as messages ({why})"},
    [POLICY_AUTO_GENERATED] = {CONTENT, 550, "5.7.1", "auto-generated",
        "Automatic mail ({why}) is sent for declared senders only; ask the administrator to declare this one"},
    [POLICY_TOO_BIG] = {CONTENT, 552, "5.3.4", "too-big", "this mail has {count} KiB, the limit is {limit} KiB"},
    [POLICY_TOO_LONG] = {CONTENT, 552, "5.3.4", "too-long", "this needs {count} SMS, your limit is {limit}"},
    [POLICY_TOO_MANY_MEDIA] = {CONTENT, 552, "5.3.4", "too-many-attachments",
        "this mail has {count} attachments, one message carries {limit}"},
    [POLICY_MEDIA_TOO_BIG] = {CONTENT, 552, "5.3.4", "attachments-too-big",
        "the attachments have {count} KB together, one message carries {limit} KB"},
    [POLICY_MEDIUM_TOO_BIG] = {CONTENT, 552, "5.3.4", "attachment-too-big",
        "an attachment has {count} KB, one message carries {limit} KB"},
    [POLICY_TOO_MANY_PARTS] = {CONTENT, 552, "5.3.4", "too-many-messages",
        "this mail has {count} attachments, a message each; at most {limit} go out of one mail"},
    [POLICY_EMPTY] = {CONTENT, 550, "5.6.0", "empty",
        "There is nothing to send: the mail has no new text and no attachment"},
    [POLICY_ENCRYPTED] = {CONTENT, 550, "5.7.1", "encrypted",
        "The mail is encrypted, so its text cannot be read and sent as a message; send it without encryption"},
    [POLICY_INVITATION] = {CONTENT, 550, "5.6.1", "invitation",
        "A calendar invitation cannot be sent as a message; write date and place in a mail of their own"},
    [POLICY_WINMAIL] = {CONTENT, 550, "5.6.1", "winmail",
        "The text is packed in a winmail.dat that only Outlook reads; let Outlook send plain text or HTML and try again"},
    [POLICY_TEXT_TOO_LONG] = {CONTENT, 552, "5.3.4", "text-too-long",
        "the text has {count} {unit}, one message carries {limit}"},
    [POLICY_WINDOW] = {RECIPIENT, 550, "5.7.1", "window",
        "{number} has not written to you for {count} hours, and {channel} then takes only approved templates; {why}"},
    [POLICY_TEMPLATE_UNKNOWN] = {RECIPIENT, 550, "5.6.0", "template-unknown",
        "{endpoint} has no approved template {why}"},
    [POLICY_TEMPLATE_LINES] = {CONTENT, 550, "5.6.0", "template-lines",
        "the template {from} has {limit} variables, one line of text each; this mail has {count} lines"},
    [POLICY_TEMPLATE_MISSING] = {RECIPIENT, 550, "5.6.0", "template-missing",
        "the template {from} needs {why}, which a mail cannot give"},
    [POLICY_TEMPLATE_MEDIA] = {CONTENT, 550, "5.6.0", "template-attachment",
        "a template carries no attachment; send that in another mail"},
    [POLICY_STAMP_MISSING] = {RECIPIENT, 550, "5.7.1", "stamp-missing",
        "Messages can only be sent by mail that was submitted with a login; use the submission port"},
    [POLICY_STAMP_BAD] = {RECIPIENT, 550, "5.7.1", "stamp-bad",
        "The proof of who sent this mail is too old or belongs to another mail; send it again"},
    [POLICY_REPLAYED] = {RECIPIENT, 550, "5.7.1", "replayed",
        "This mail was sent before with other contents; send it again as a new mail"},
    [POLICY_UNAVAILABLE] = {POLICY_TEMPORARY, POLICY_SCOPE_RECIPIENT, 451, "4.3.0", "unavailable",
        "The gateway cannot look this up at the moment; the mail is kept and tried again by itself"},
};

/* Printable ASCII without '%' (libmilter and Postfix expand it), bounded. */
static void append_clean(GString *out, const char *text)
{
    for (const char *p = text; p != NULL && *p != '\0' && out->len < SENTENCE_MAX; p++) {
        if (((guchar)*p & 0xc0) == 0x80)
            continue;
        g_string_append_c(out, *p >= ' ' && *p <= '~' && *p != '%' ? *p : '?');
    }
}

static void append_word(GString *out, const char *name, size_t length, const struct policy_words *words)
{
    const struct {
        const char *name, *value;
    } table[] = {
        {"who", words->who},         {"from", words->from},       {"number", words->number},
        {"region", words->region},   {"regions", words->regions}, {"endpoint", words->endpoint},
        {"channel", words->channel}, {"why", words->why},         {"period", words->period},
        {"unit", words->unit ? words->unit : "characters"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0) {
            append_clean(out, table[i].value);
            return;
        }
    g_string_append_printf(out, "%" G_GINT64_FORMAT, length == 5 && memcmp(name, "count", 5) == 0 ? words->count : words->limit);
}

static char *fill_in(const char *sentence, const struct policy_words *words)
{
    GString *out = g_string_new(NULL);
    const char *end;
    for (const char *p = sentence; *p != '\0'; p++) {
        if (*p == '{' && (end = strchr(p, '}')) != NULL) {
            append_word(out, p + 1, (size_t)(end - p - 1), words);
            p = end;
        } else {
            g_string_append_c(out, *p);
        }
    }
    g_string_truncate(out, MIN(out->len, SENTENCE_MAX));
    return g_string_free(out, FALSE);
}

enum policy_action policy_say(enum policy_reason reason, const struct policy_words *words,
                              struct policy_verdict *verdict)
{
    const struct row *row = &rows[reason];
    *verdict = (struct policy_verdict){.action = row->action, .scope = row->scope, .reason = reason,
                                       .code = row->code, .status = row->status, .log = row->log};
    if (words->status != NULL)
        verdict->status = words->status;
    if (row->sentence != NULL)
        verdict->sentence = fill_in(row->sentence, words);
    return verdict->action;
}

enum policy_action policy_verdict_reason(enum policy_reason reason, struct policy_verdict *verdict)
{
    return policy_say(reason, &(struct policy_words){0}, verdict);
}

char *policy_verdict_reply(const struct policy_verdict *verdict)
{
    return g_strdup_printf("%d %s %s", verdict->code, verdict->status, verdict->sentence ? verdict->sentence : "Ok");
}

void policy_verdict_clear(struct policy_verdict *verdict)
{
    g_free(verdict->sentence);
    *verdict = (struct policy_verdict){0};
}
