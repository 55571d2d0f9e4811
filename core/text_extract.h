/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which text of a mail is new: what its author wrote, without quoted history, attribution lines, signatures, footers
 * of phones and legal notices.  When it is not certain it says so and why, and nothing should be sent.
 * `core/text_lines` gives each line a class, `core/text_opening` finds where quoted mail begins, `core/text_sequence`
 * has the rules over the sequence, `core/html_text` knows how mail programs mark quotes in HTML.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/mail_parse.h"
#include "core/text_known.h"

enum text_certainty {
    TEXT_CERTAIN, /* send it */
    TEXT_UNCERTAIN, /* hold it, show the preview with the reason */
    TEXT_EMPTY /* nothing new was written */
};

enum text_style_kind { TEXT_STYLE_BOLD, TEXT_STYLE_ITALIC, TEXT_STYLE_STRIKE, TEXT_STYLE_MONO };
struct text_style {
    enum text_style_kind kind;
    gsize start, len; /* bytes of the text */
};

struct extracted_text {
    char *text;     /* never NULL; the best reading; UTF-8, LF, no mark-up */
    GArray *styles; /* struct text_style, emphasis in it; NULL: none (text_format makes a channel's own of it) */
    enum text_certainty certainty;
    const char *reason; /* static words for a person when uncertain ("it looks as if quoted text remains"); NULL */
};

/* One line of the part that was chosen. */
struct text_explained {
    char *line;
    const char *class, *rule; /* static; rule "" when none was needed */
    bool kept;
};

/* Of a parsed mail (chooses plain or HTML).  known: what was delivered to its author before, borrowed; may be NULL.
 * Linear time. */
void text_extract(const struct parsed_mail *mail, const struct text_known *known, struct extracted_text *out);
/* The same; the lines (struct text_explained *, the array owns them) are added to `lines`. */
void text_extract_explain(const struct parsed_mail *mail, const struct text_known *known, struct extracted_text *out, GPtrArray *lines);
GPtrArray *text_explained_array(void);
/* Of plain text as written (LF lines, flowed rejoined). */
void text_extract_plain(const char *text, struct extracted_text *out);
void extracted_text_clear(struct extracted_text *text);
