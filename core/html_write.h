/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of text being written from HTML: collapses blanks, counts line breaks, puts marks in front of quoted lines and
 * around emphasis.  Private to html_text.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct html_writer {
    GString *out;
    bool marks;     /* our marks (TEXT_MARK_QUOTE, TEXT_STYLE_MARK) instead of "> " and nothing */
    guint newlines; /* wanted before the next character */
    bool space;     /* one blank wanted before the next character */
    guint quote, bare; /* depth; of those, how many no mail program marked */
    guint pre;      /* depth of preformatted text */
    guint wanted[4], open; /* emphasis by enum text_style_kind: depth, and a bit for each that was begun */
};

void html_write_break(struct html_writer *w, guint n); /* at least n line breaks before what follows */
void html_write_hard_break(struct html_writer *w);     /* <br>: each one is a line more */
void html_write_space(struct html_writer *w);          /* between cells and words */
/* Text as it stands in the HTML; a no-break space is a blank. */
void html_write_text(struct html_writer *w, const char *text);
/* A string of our own: a list mark, a link. */
void html_write_string(struct html_writer *w, const char *text);
void html_write_style(struct html_writer *w, guint kind, bool begin);
