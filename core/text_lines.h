/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a text, each with one class, seen alone.  Private to the extraction; pure, linear.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/text_known.h"
#include "core/text_words.h"

/* At the start of a line: what a mail program marked as the quoted mail in its HTML. No text of a mail holds it. */
#define TEXT_MARK_QUOTE '\x01'
#define TEXT_MARK_BARE '\x02' /* a quote of the HTML that no mail program marked as the old mail */

enum text_class {
    TEXT_CLASS_BLANK,
    TEXT_CLASS_TEXT,
    TEXT_CLASS_QUOTED,      /* "> …" */
    TEXT_CLASS_SIGNATURE,   /* "-- " and its kin: what follows is one */
    TEXT_CLASS_RULE,        /* ____, ----, **** */
    TEXT_CLASS_ORIGINAL,    /* -----Original Message----- */
    TEXT_CLASS_FORWARD,     /* ---------- Forwarded message --------- */
    TEXT_CLASS_FOOTER,      /* Sent from my iPhone */
    TEXT_CLASS_MARKER,      /* ##- reply above this line -## */
    TEXT_CLASS_CODE,        /* between ``` and ``` */
    TEXT_CLASS_ATTRIBUTION, /* "On … wrote:"; given by text_opening */
    TEXT_CLASS_HEADER       /* "From: …"; given by text_opening */
};
const char *text_class_name(enum text_class class);

struct text_line {
    const char *start; /* in the text */
    const char *body;  /* behind the blanks that it begins with; NULL where nobody looked */
    gsize len;         /* without the line end and blanks before it */
    enum text_class class;
    guint shape;       /* enum text_shape */
    struct text_words words;
    guint words_after_verb; /* in an attribution only a name stands there, */
    bool name_after_verb;   /* which begins with a capital, or has none */
    guint depth;       /* of a quote */
    char rule_char;    /* what a rule is made of; 'e': em dashes and other lines */
    bool strict_signature; /* exactly "-- " */
    bool sure_footer;
    bool generic_key;  /* "Word: value", of no known language */
    guint32 bare_key;  /* kinds of header keys, when nothing else stands in the line */
    bool ruled;        /* --- words ---, whatever the words */
    bool structural;   /* marked as quoted by the HTML */
    bool bare;         /* a quote of the HTML, of whatever */
    bool barred;       /* "| …" or "JS> …": a quote when several are so */
    enum text_known_verdict known;
    const char *weak;      /* why it may begin a quote; static, NULL */
    bool keep;
    const char *rule;  /* which one decided; static */
};

/* Splits text (valid UTF-8, LF); free with g_array_unref. Elements: struct text_line, all kept. */
GArray *text_lines_split(const char *text, const struct text_known *known);
static inline struct text_line *text_line(const GArray *lines, guint i)
{
    return &g_array_index(lines, struct text_line, i);
}
/* The next line from i on that is not blank; lines->len: none. */
guint text_lines_next(const GArray *lines, guint i);
