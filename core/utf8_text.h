/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unicode text as a person sees it: grapheme clusters, display columns, cutting, scripts.
 * Works on valid UTF-8 only (utf8_valid first); linear time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Copy with every invalid byte replaced by U+FFFD; NUL ends. len −1: terminated. g_free. */
char *utf8_valid(const char *text, gssize len);

/* Next grapheme cluster boundary after p (UAX #29 without Indic conjuncts); p itself at the end. */
const char *utf8_grapheme_next(const char *p, const char *end);

/* Display columns of a cluster or a string: wide 2, combining 0. */
gsize utf8_columns(const char *text, gsize len);

/* First `columns` display columns, cut at a word, else at a grapheme boundary, "…" appended when something was cut
 * (and counted). Line breaks become blanks, runs of blanks one. g_free. */
char *utf8_cut(const char *text, gsize columns);

bool utf8_is_bidi_control(gunichar c); /* U+061C 200E/F 202A–E 2066–9 */
bool utf8_is_zero_width(gunichar c); /* ZWSP ZWNJ ZWJ WJ BOM SHY, variation selectors, tags, fillers… */
bool utf8_is_emoji(gunichar c); /* base of an emoji sequence */
/* Letters of more than one script (UTS #39 single-script; Han+Hiragana+Katakana(+Latin), Han+Hangul(+Latin),
 * Han+Bopomofo(+Latin) count as one). */
bool utf8_mixes_scripts(const char *text);
