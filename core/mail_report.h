/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail that the gateway writes by itself: delivery reports (RFC 3464), read reports (RFC 8098), previews of held text,
 * digests and notices.  Envelope sender is always the null sender; every one carries Auto-Submitted and UMP-Loop and
 * has a deterministic Message-ID made of `id` and kind, so that a repeat is the same mail.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum mail_report_action {
    MAIL_REPORT_FAILED,    /* Action: failed */
    MAIL_REPORT_DELAYED,   /* Action: delayed; also "may have been sent" */
    MAIL_REPORT_DELIVERED, /* Action: delivered */
    MAIL_REPORT_RELAYED    /* Action: relayed: handed on, the network tells nothing more */
};

struct mail_report_recipient {
    const char *recipient;   /* gateway address as we used it */
    const char *original;   /* ORCPT, xtext decoded ("rfc822;…"); NULL */
    enum mail_report_action action;
    const char *status;   /* "5.1.1" */
    const char *diagnostic;   /* provider's code and words ("telnyx; 40300 Blocked due to STOP"); NULL */
    const char *remote;   /* Remote-MTA: api.telnyx.com; NULL */
    const char *reason;   /* one plain sentence for a person: what happened */
    const char *advice;   /* what to do; NULL */
    const char *parts;    /* of a mail that went out as several messages: sentences, what became of each; NULL */
    const char *final_log_id; /* provider's message id; NULL */
    guint segments;   /* SMS that it needed, for a user who wants to know; 0: not told */
    gint64 at;   /* Last-Attempt-Date, µs; 0 */
};

/* Common to all kinds; all borrowed. */
struct mail_report_context {
    const char *id;   /* uuid that the report is about (message or delivery): makes the Message-ID */
    const char *domain;   /* example.org */
    const char *hostname;   /* Reporting-MTA */
    const char *to_address;   /* the user */
    const char *to_name;   /* NULL */
    const char *from_address; /* NULL: postmaster@notice.<domain>; held and "may have been sent": r.<token>@notice.… */
    const char *anchor;   /* of the segment; NULL */
    const char *original_id;  /* Message-ID of the user's mail; NULL */
    const char *original_subject; /* NULL */
    const char *conversation_id; /* UMP-Conversation-ID; NULL */
    gint64 at;   /* Date of the report, µs */
    const char *envid;   /* ENVID, decoded; NULL */
    gint64 arrived;   /* Arrival-Date of the user's mail, µs; 0 */
    const char *original;   /* raw user's mail or its headers; NULL */
    gsize original_len;
};

/* One DSN for n recipients (n ≥ 1). Subject and first sentence by the worst action. */
GBytes *mail_report_dsn(const struct mail_report_context *context, const struct mail_report_recipient *recipients,
            gsize n);

/* What is held. */
struct mail_report_held {
    const char *recipient;  /* gateway address */
    const char *text;   /* "": there is none */
    const char *why;   /* text_extract's reason; NULL */
    guint attachments;   /* that would go out with it */
    guint segments;   /* SMS that it would need, for a user who wants to know; 0: not told */
};

/* The held text goes back: "This is what would go out to …". from_address is the r.<token> address, which is also
 * Reply-To; answering `send` sends it, `cancel` leaves it, anything else replaces it. */
GBytes *mail_report_preview(const struct mail_report_context *context, const struct mail_report_held *held);

/* "May have been sent": reason and advice of the delayed report, which is answered too. */
extern const char mail_report_unknown_reason[], mail_report_unknown_advice[];

/* The sentences that we put into both, without the held text: an answer may quote them; g_free. */
char *mail_report_frame(const char *recipient, const char *why);

/* Read report (RFC 8098) for a message with Disposition-Notification-To. */
GBytes *mail_report_mdn(const struct mail_report_context *context, const char *recipient, gint64 read_at);

/* Many failures in one mail. */
GBytes *mail_report_digest(const struct mail_report_context *context, const struct mail_report_recipient *recipients,
               gsize n);

/* A file that goes with a notice; borrowed. */
struct mail_report_file {
    const char *name; /* "event.json" */
    const char *type; /* "application/octet-stream" */
    const void *data;
    gsize len;
};

/* Anything else: kind is a short ASCII word that goes into the Message-ID ("cap", "welcome"). file: NULL for none. */
GBytes *mail_report_notice(const struct mail_report_context *context, const char *kind, const char *subject,
               const char *text, const struct mail_report_file *file);

/* Message-ID that a report of this kind ("dsn-failed", "preview", …) about this id has; g_free */
char *mail_report_message_id(const char *id, const char *kind, const char *domain);
