/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MIME tree of a mail → its text, its HTML and its attachments.  Used by mail_parse and mail_index.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* In front of flowed lines that begin with '>' and are no quotes: a word joiner, which nobody sees. */
#define MAIL_BODY_OWN_LINE "\u2060"

struct mail_body {
    GString *text; /* NULL until there is one */
    GString *html;
    GPtrArray *attachments; /* struct mail_attachment *; NULL: they are not wanted */
    char *reaction; /* "-": taken back */
    bool reaction_removed;
    bool is_flowed, is_encrypted, is_signed, is_report, is_calendar, is_forward, has_tnef;
};

/* The limits must have been checked. Fields of body must be zero but attachments. */
void mail_body_read(const char *data, gsize len, struct mail_body *body);
void mail_body_clear(struct mail_body *body); /* not the attachments */
