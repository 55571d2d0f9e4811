/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the index needs of ordinary mail, cheaply: for the hot path of local delivery.
 */
#pragma once

#include <glib.h>

#include "core/mail_auto.h"

/* What the index needs of ordinary mail, cheaply: at most the first 64 KiB are looked at, text is cut at max_text
 * bytes (at a character). Never fails: what is unreadable is NULL. */
struct mail_index {
    char *from; /* first addr-spec; NULL */
    char *from_name;
    char *subject;
    char *message_id;  /* "<…>" */
    char *in_reply_to;
    char **references; /* never NULL */
    gint64 date;    /* µs, 0 */
    char *text;    /* plain, or HTML made into text; NULL */
    enum mail_auto_class auto_class;
};
void mail_parse_index(const char *data, gsize len, gsize max_text, struct mail_index *index);
void mail_index_clear(struct mail_index *index);
