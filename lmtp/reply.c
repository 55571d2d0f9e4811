/* SPDX-License-Identifier: Apache-2.0 */
/* The table of replies.  What surprises us is temporary: 451 4.3.0. */
#include "lmtp/reply.h"

#define REPLY_LINE_MAX 500

static const char *const replies[REPLIES] = {
    [REPLY_GREETING] = "220 LMTP ready",
    [REPLY_OK] = "250 2.0.0 Ok",
    [REPLY_SENDER_OK] = "250 2.1.0 Ok",
    [REPLY_RECIPIENT_OK] = "250 2.1.5 Ok",
    [REPLY_HELP] = "214 2.0.0 RFC 2033",
    [REPLY_VRFY] = "252 2.1.5 Send it and see",
    [REPLY_BYE] = "221 2.0.0 Bye",
    [REPLY_DATA] = "354 End data with <CR><LF>.<CR><LF>",

    [REPLY_UNKNOWN_COMMAND] = "500 5.5.2 Command not known",
    [REPLY_NOT_SMTP] = "500 5.5.1 This is LMTP: say LHLO",
    [REPLY_SYNTAX] = "501 5.5.4 Syntax error in the arguments",
    [REPLY_BARE_NEWLINE] = "500 5.5.2 A command ends with <CR><LF>, not with a bare line feed",
    [REPLY_LINE_TOO_LONG] = "500 5.5.2 Line too long",
    [REPLY_LHLO_FIRST] = "421 5.5.1 Say LHLO first",
    [REPLY_EARLY_TALKER] = "421 5.5.1 Wait for the greeting",
    [REPLY_NESTED_MAIL] = "503 5.5.1 A transaction is open already",
    [REPLY_MAIL_FIRST] = "503 5.5.1 Say MAIL first",
    [REPLY_IN_TRANSACTION] = "503 5.5.1 Not within a transaction",
    [REPLY_NO_RECIPIENTS] = "503 5.5.1 No valid recipients",
    [REPLY_TOO_MANY_RECIPIENTS] = "452 4.5.3 Too many recipients",
    [REPLY_TOO_MANY_ERRORS] = "421 4.7.0 Too many errors",
    [REPLY_TIMEOUT] = "421 4.4.2 Timeout",
    [REPLY_STOPPING] = "421 4.3.2 Shutting down",
    [REPLY_MAKING_ROOM] = "421 4.3.2 Making room for another session",

    [REPLY_TOO_BIG] = "552 5.3.4 The mail is larger than this server takes",
    [REPLY_NO_SPACE] = "452 4.3.1 No room for the mail now",

    [REPLY_DELIVERED] = "250 2.0.0 Delivered",
    [REPLY_DELIVERED_BEFORE] = "250 2.0.0 Delivered before",
    [REPLY_STORE_DOWN] = "451 4.3.0 The mailbox store does not answer",
    [REPLY_STORE_LOST] = "451 4.4.2 The mailbox store did not confirm the delivery",
    [REPLY_STORE_ADDRESS] = "553 5.6.7 The mailbox store cannot take this address",
    [REPLY_DATABASE_DOWN] = "451 4.3.0 The database does not answer",
    [REPLY_UNDER_WAY] = "451 4.3.0 An earlier attempt with this mail is still under way",
    [REPLY_INTERNAL] = "451 4.3.0 Internal error, try again later",
    [REPLY_BRIDGED_TWICE] = "451 4.3.0 This message is being delivered already",

    [REPLY_DROPPED] = "250 2.0.0 Dropped: automatic mail is not sent as a chat message",
    [REPLY_GROUP_PART] = "250 2.0.0 Sent as a message to the group",
    [REPLY_GROUP_EMPTY] = "550 5.1.3 To make a group, put at least two other numbers of this channel into To or Cc",
    [REPLY_GROUP_SUPPORT] = "550 5.1.2 A group can be made here on channels whose groups are their members, such as sms",
    [REPLY_MEDIA_FAILED] = "451 4.3.1 The attachments cannot be stored now",

    [REPLY_ANSWER_SENT] = "250 2.0.0 The message goes out",
    [REPLY_ANSWER_CANCELLED] = "250 2.0.0 The message is cancelled",
    [REPLY_ANSWER_UNKNOWN] = "550 5.1.1 There is no message to this notice any more",
    [REPLY_ANSWER_NOT_YOURS] = "550 5.7.1 Only the author of the message may answer this notice",
    [REPLY_ANSWER_WHAT] = "550 5.6.0 Answer with the one word send, cancel or resend, or with the corrected text",
    [REPLY_ANSWER_CONSENT] = ("550 5.6.0 It is not clear whether that is your consent or the new text; answer with the one "
                              "word send, or write the text in a new mail to the number"),
    [REPLY_ANSWER_UNCERTAIN] =
        "550 5.6.0 It is not certain which text is the correction; answer with the new text alone, without the quote",
    [REPLY_ANSWER_WHICH] = "550 5.6.0 It is not known whether the message was sent; answer with the one word resend or cancel",
    [REPLY_ANSWER_OPTED_OUT] =
        "550 5.7.1 The recipient has asked to get no more messages (STOP); only a START from there lifts this",
    [REPLY_ANSWER_LATE] = "550 5.5.1 The message has left already or was cancelled, so it cannot be changed",
};

const char *reply_text(enum reply reply)
{
    return replies[reply];
}

int reply_code(const char *line)
{
    if (!line || !g_ascii_isdigit(line[0]) || !g_ascii_isdigit(line[1]) || !g_ascii_isdigit(line[2]))
        return 0;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

char *reply_clean(const char *line)
{
    GString *out = g_string_sized_new(64);

    for (const char *p = line; *p && out->len < REPLY_LINE_MAX; p++)
        g_string_append_c(out, *p >= ' ' && *p <= '~' ? *p : '?');
    return g_string_free(out, FALSE);
}

char *reply_detail(enum reply reply, const char *detail)
{
    g_autofree char *line = g_strdup_printf("%s: %s", replies[reply], detail);

    return reply_clean(line);
}
