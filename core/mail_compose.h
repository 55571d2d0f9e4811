/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One chat message → one mail, exactly as MAIL.md says.  Deterministic: the same input gives the same bytes (Date is
 * the event's time, boundaries are hashes), so that a repeat after a crash is the same mail (FAILURES I9).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/message.h"

enum mail_subject_style {
    MAIL_SUBJECT_WORDS,  /* first words of the text */
    MAIL_SUBJECT_STABLE, /* "Chat with Bob Jones" / "Re: Chat with Bob Jones" */
    MAIL_SUBJECT_PRIVATE /* "New SMS from Bob Jones" */
};
int mail_subject_style_from_name(const char *name); /* words, stable, private; -1 */

/* What the message itself does not know: addresses in the mail world, the thread, the user's taste. All borrowed. */
struct mail_compose_context {
    const char *domain;       /* example.org: right-hand side of our Message-IDs */
    const char *user_address;     /* the mailbox: alice@example.org */
    const char *user_name;       /* NULL */
    const char *contact_address;  /* gateway address of the contact (group: of the member who wrote) */
    const char *group_address;    /* g.…@whatsapp.example.org; NULL when there is no group */
    const char *sender_address;   /* direction outbound for a team: the member, written as Sender; NULL */
    const char *anchor;       /* Message-ID of the segment's anchor; NULL or our own: this is the anchor */
    const char *target;       /* Message-ID of the mail that is quoted, reacted to, edited or deleted; NULL */
    const char *target_text;      /* its text, for subject and wording; NULL */
    const char *const *channel_preference; /* NULL-terminated; NULL: the channel of the message */
    const char *stamp;       /* value of UMP-Stamp; NULL: none */
    enum mail_subject_style subject_style;
};

/*
 * -1 with error only for what is missing in the call (id, domain, an address); any content of the message composes.
 * `sender.name` is the contact name. Reads msg->media[]->content; without it a readable stub says why (->error).
 */
int mail_compose(const struct ump_message *msg, const struct mail_compose_context *context, GBytes **mail,
         GError **error);

/* "<ump.<uuid>@domain>" */
char *mail_compose_message_id(const char *uuid, const char *domain);
/* Shown name of a channel: "SMS", "WhatsApp"…, else the word itself capitalised; g_free */
char *mail_channel_label(const char *channel);
/* Only the subject; g_free */
char *mail_compose_subject(const struct ump_message *msg, const struct mail_compose_context *context);
