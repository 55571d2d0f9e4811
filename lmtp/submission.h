/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail → chat message: what is the same for all gateway recipients of a mail (text, media, references), and what
 * accept_submission is told about one of them.
 *
 * metadata of the message (UMP JSON keys where there is one):
 *   subject, media [{sha256, type, name, size}], parts (core/parts.h; as one message: absent), reaction {emoji, target, removed},
 *   urgent, template, text_reason (held: why),
 *   due (µs; held, and to be sent at a time), waits (why it is sent then, where the author did not ask for it),
 *   recipient (gateway address as it was written to), envelope_sender, from, login, txn,
 *   in_reply_to (Message-ID), envid, ret, notify, orcpt, read_report_to, recipients (of the mail), arrived (µs)
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "core/mail_parse.h"
#include "core/policy.h"
#include "core/text_extract.h"
#include "lmtp/door.h"
#include "lmtp/mail.h"

struct db_params;

struct submission {
    struct door *door;
    const struct txn *txn;
    const struct mail *mail;
    struct parsed_mail *parsed;
    struct extracted_text text;
    struct text_known *known; /* what the author got from us in this thread; NULL: he answers nothing of ours */
    GPtrArray *refs;    /* In-Reply-To, then References newest first; borrowed; NULL-terminated */
    GPtrArray *attached; /* struct mail_attachment * that go out; borrowed */
    bool inline_in_reply; /* pictures within the text of an answer: whose are they? */
    GPtrArray *outgoing; /* struct outgoing *: they, as the channel of the recipient at hand carries them; submission_fit() */
    char *fitted_for;   /* for which limits */
    json_t *media;      /* stored; NULL until submission_store_media() */
    json_t *originals;  /* the attachments as they came, described likewise */
    guint accepted;     /* recipients so far */
};

enum submission_result {
    SUBMISSION_OK = 0,
    SUBMISSION_LIMITS, /* *reply: a sentence about the limit that the mail is over */
    SUBMISSION_UNAVAILABLE /* *reply: the database does not answer */
};

enum submission_result submission_open(struct submission *submission, struct door *door, const struct txn *txn,
                                       const struct mail *mail, char **reply);
void submission_close(struct submission *submission);

/* Converts what the channel of these facts does not carry as it is; may take seconds. */
void submission_fit(struct submission *submission, const struct policy_facts *facts);

/* What the policy wants to know of the mail; text is what would go to this recipient, of whom the facts are (NULL: only
 * the mail is judged). */
void submission_policy_message(const struct submission *submission, const struct policy_facts *facts, const char *text,
                               struct policy_message *out);
/* For a recipient of the mail.  who points into the stamp. */
void submission_request(const struct submission *submission, const struct txn_recipient *rcpt,
                        struct policy_request *out);

/* The text for this endpoint: with the channel's marks of emphasis, the Subject in front where it wants that,
 * transliterated where it helps; g_free. */
char *submission_text(const struct submission *submission, const struct policy_facts *facts);
/* Why it must be confirmed first, or NULL. */
const char *submission_hold(const struct submission *submission, const struct policy_facts *facts);

/* Puts the attachments into the store, once.  0 or -1. */
int submission_store_media(struct submission *submission, GError **error);

/* One message. */
struct submission_message {
    const struct txn_recipient *rcpt;
    const struct policy_facts *facts;
    const char *identifier; /* E.164, group address id … */
    const char *group_id;   /* NULL */
    const char *text;
    const char *hold;       /* NULL */
    json_t *template;       /* policy_template(); NULL */
    gint64 due;             /* µs; 0 */
    const char *waits;      /* why not at once, where that is not the author's wish; NULL */
    char *message_id;       /* uuid; in */
    guint segments;         /* out */
};
struct db_params *submission_params(struct submission *submission, struct submission_message *message);
/* "user/contact": the order of the writer's batch; g_free. */
char *submission_lock_key(const struct submission_message *message);
