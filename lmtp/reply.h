/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every reply that ump-lmtp gives of its own accord, in one table: reply code, enhanced status code (RFC 3463), one
 * sentence.  What the store and the policy say is passed on by reply_set().
 */
#pragma once

#include <glib.h>
#include <stddef.h>

enum reply {
    REPLY_GREETING,
    REPLY_OK,
    REPLY_SENDER_OK,
    REPLY_RECIPIENT_OK,
    REPLY_HELP,
    REPLY_VRFY,
    REPLY_BYE,
    REPLY_DATA,
    /* protocol */
    REPLY_UNKNOWN_COMMAND,
    REPLY_NOT_SMTP,
    REPLY_SYNTAX,
    REPLY_BARE_NEWLINE,
    REPLY_LINE_TOO_LONG,
    REPLY_LHLO_FIRST,
    REPLY_EARLY_TALKER,
    REPLY_NESTED_MAIL,
    REPLY_MAIL_FIRST,
    REPLY_IN_TRANSACTION,
    REPLY_NO_RECIPIENTS,
    REPLY_TOO_MANY_RECIPIENTS,
    REPLY_TOO_MANY_ERRORS,
    REPLY_TIMEOUT,
    REPLY_STOPPING,
    REPLY_MAKING_ROOM,
    /* content */
    REPLY_TOO_BIG,
    REPLY_NO_SPACE,
    /* delivery */
    REPLY_DELIVERED,
    REPLY_DELIVERED_BEFORE,
    REPLY_STORE_DOWN,
    REPLY_STORE_LOST,
    REPLY_STORE_ADDRESS,
    REPLY_DATABASE_DOWN,
    REPLY_UNDER_WAY,
    REPLY_INTERNAL,
    REPLY_BRIDGED_TWICE,
    /* gateway */
    REPLY_DROPPED,
    REPLY_GROUP_PART,
    REPLY_GROUP_EMPTY,
    REPLY_GROUP_SUPPORT,
    REPLY_MEDIA_FAILED,
    /* answers to notices */
    REPLY_ANSWER_SENT,
    REPLY_ANSWER_CANCELLED,
    REPLY_ANSWER_UNKNOWN,
    REPLY_ANSWER_NOT_YOURS,
    REPLY_ANSWER_WHAT,
    REPLY_ANSWER_CONSENT,
    REPLY_ANSWER_UNCERTAIN,
    REPLY_ANSWER_WHICH,
    REPLY_ANSWER_OPTED_OUT,
    REPLY_ANSWER_LATE,
    REPLIES
};

/* "250 2.0.0 Ok", static. */
const char *reply_text(enum reply reply);
/* The three digits. */
int reply_code(const char *line);
/* "250 2.0.0 Ok: <detail>"; g_free. */
char *reply_detail(enum reply reply, const char *detail);
/* One line of at most 500 printable characters out of what another server or a table said; g_free. */
char *reply_clean(const char *line);
