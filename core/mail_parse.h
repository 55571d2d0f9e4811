/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw mail → plain struct, over GMime; nothing of GMime shows.  Reads what a gateway needs to know: who wrote, to what
 * it answers, what the text and attachments are, whether a machine wrote it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/mail_auto.h"
#include "core/mail_from.h"
#include "core/mime_limits.h"

struct mail_address {
    char *name;    /* decoded display name, cleaned; NULL */
    char *address; /* addr-spec; never NULL */
};
void mail_address_free(struct mail_address *address);

struct mail_attachment {
    char *name;   /* safe file name; "" when it had none */
    char *type;   /* "image/png", lower case */
    char *content_id; /* without brackets; NULL */
    bool is_inline;   /* shown within the text (Content-Disposition: inline or referenced by the HTML) */
    GBytes *content;  /* decoded */
};

struct parsed_mail {
    enum mail_from_state from_state;
    char *from;     /* addr-spec when from_state is OK; NULL */
    char *from_name;    /* NULL */
    char *sender;     /* Sender addr-spec; NULL */
    GPtrArray *to;     /* struct mail_address *; never NULL */
    GPtrArray *cc;
    GPtrArray *reply_to;
    char *subject;     /* decoded, one clean line; NULL */
    char *message_id;   /* "<…>"; NULL */
    char *in_reply_to;  /* first id "<…>"; NULL */
    char **references;  /* oldest first, at most the last 100; never NULL */
    gint64 date;     /* µs; 0 when absent or unreadable */
    enum mail_auto_class auto_class; /* headers only; the envelope is the caller's */
    const char *auto_reason;  /* static; NULL */
    bool urgent;  /* Importance: high, X-Priority 1–2, Priority: urgent */
    bool read_report;  /* Disposition-Notification-To names somebody */
    char *read_report_to;  /* its addr-spec; NULL */
    gint64 deferred_until;  /* Deferred-Delivery, µs; 0: none; -1: there is one, but it is no date */
    char *ump_from;  /* UMP-From, UMP-Template: one clean line; NULL */
    char *ump_template;
    char **channel_preference;  /* UMP-Channel-Preference tokens, best first; never NULL */

    char *text;     /* the text/plain that the person wrote (alternative or mixed, joined in order); UTF-8, LF,
                 * flowed rejoined; NULL when the mail has none */
    char *html;     /* the same for text/html; UTF-8; NULL */
    GPtrArray *attachments; /* struct mail_attachment *; never NULL */
    char *reaction;     /* RFC 9078: the emoji; "-" when it is taken back; NULL when this is no reaction */
    bool reaction_removed;
    bool is_flowed;     /* text was format=flowed: its line breaks are the writer's */
    bool is_encrypted;  /* PGP or S-MIME: the text cannot be read */
    bool is_signed;
    bool is_report;     /* multipart/report */
    bool is_calendar;   /* carries text/calendar */
    bool is_forward;    /* carries message/rfc822 */
    bool has_tnef;     /* winmail.dat */
};

void parsed_mail_free(struct parsed_mail *mail);
typedef struct parsed_mail parsed_mail;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(parsed_mail, parsed_mail_free)

/* Is it meant for the recipient: no signature, key, invitation or winmail.dat? */
bool mail_attachment_is_media(const struct mail_attachment *attachment);
/* How many such there are, and their octets together. */
guint parsed_mail_media(const struct parsed_mail *mail, gint64 *bytes);
/* Octets of the largest of them that is not convertible. */
gint64 parsed_mail_largest(const struct parsed_mail *mail);
/* What it is: by its bytes, else as declared (core/media_type.h). */
const char *mail_attachment_type(const struct mail_attachment *attachment);
/* Bytes of those that convert_medium() makes smaller. */
gint64 parsed_mail_convertible(const struct parsed_mail *mail);

/*
 * Everything.  > 0: an enum mime_limits_outcome, nothing was parsed; -1: the bytes are no mail at all (empty).
 * The caller may pass NULL for limits.
 */
int mail_parse(const char *data, gsize len, const struct mime_limits *limits, struct parsed_mail **mail, GError **error);
