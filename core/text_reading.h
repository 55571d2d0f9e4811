/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One form of a mail (plain or HTML) read by the rules.  Private to the extraction.
 */
#pragma once

#include "core/text_extract.h"

struct text_reading {
    struct extracted_text out;
    bool structural; /* the mail program marked the quote in the HTML, and it was left out */
    bool opened;     /* a line that introduces quoted mail was found */
};

struct text_context {
    const struct text_known *known; /* NULL: nothing */
    const char *author;             /* his display name; NULL */
    bool soft;                      /* plain text whose line breaks may be the mail program's */
    GPtrArray *lines;               /* of struct text_explained; NULL: not wanted */
};

/* Never fail. */
void text_reading_plain(const char *text, const struct text_context *context, struct text_reading *reading);
void text_reading_html(const char *html, const struct text_context *context, struct text_reading *reading);
