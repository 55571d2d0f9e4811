/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML of a mail → plain text, over the HTML5 parser gumbo.  Hidden text, scripts, styles and tracking pixels are
 * dropped, links become text and URL once, lists get marks, quotes (blockquote) become "> " lines.  The input is cut
 * and its depth bounded before gumbo (which builds a whole tree) sees it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct html_text {
    char *text; /* UTF-8, LF lines */
    bool cut; /* too big or too deep: only the first part was read */
    bool removed_quote; /* a mail program's quote or signature was found */
    bool rest_quoted;   /* from some place on all was the quoted mail */
};

/* for_extraction: what mail programs mark as the quoted mail (html_client) stands in lines that begin with
 * TEXT_MARK_QUOTE, their signatures are left out, emphasis is marked with TEXT_STYLE_MARK.  Else quotes begin with
 * "> ".  Linear time; at most 1 MiB of HTML and 400 levels are read. */
void html_text(const char *html, gsize len, bool for_extraction, struct html_text *out);
void html_text_clear(struct html_text *text);
