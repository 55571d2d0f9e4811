/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emphasis in a text, and the kept lines put together again.  Private to the extraction; linear.
 */
#pragma once

#include "core/text_extract.h"
#include "core/text_lines.h"

/* In the text that html_text makes, emphasis stands as control characters: TEXT_STYLE_MARK + 2 × style begins, the
 * next one ends.  Takes them out of `marked` in place; the ranges are added to styles (struct text_style). */
#define TEXT_STYLE_MARK '\x11'
void text_join_unmark(char *marked, GArray *styles);

/* The kept lines: blank lines only between paragraphs, lines that a mail program broke joined again when `soft`.
 * styles: ranges in the whole text (ascending), out: those in the result. g_free. */
char *text_join(const GArray *lines, const char *text, const GArray *styles, bool soft, GArray *out);
