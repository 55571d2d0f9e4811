/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The phrases that mail programs and people put around what is new, in many languages (words/ *.txt): looks for all of
 * them in one walk over a folded line.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/words/text_phrases.h"

enum { TEXT_WORD_KEYS = TEXT_WORD_FROM | TEXT_WORD_DATE | TEXT_WORD_TO | TEXT_WORD_CC | TEXT_WORD_SUBJECT | TEXT_WORD_REPLYTO };

struct text_words {
    guint32 anywhere; /* enum text_word: kinds found as whole words */
    guint32 at_start; /* kinds found at the start of the line */
    guint32 keys;     /* header keys with a colon behind them */
    guint32 first_key; /* kinds of the one that the line begins with; 0 */
    guint legal;      /* words of legal notices */
    guint footers;    /* phrases of footers */
    guint devices;    /* names of devices and programs */
    gsize start_end;  /* where the longest phrase at the start ends */
    gsize verb_end;    /* where the last verb ends */
    bool verb_colon;   /* a colon stands right behind a verb */
    bool month_number; /* a month beside a number */
};

/* Lower case, NFC, invisible marks dropped, all blanks one, typographic apostrophes plain; at most 1000 bytes of it.
 * Marks of emphasis and blanks at both ends go.  g_free. */
char *text_fold(const char *text, gsize len);

void text_words_scan(const char *folded, struct text_words *found);

/* How many different stems of legal notices stand in a folded text. */
guint text_words_stems(const char *folded);

/* The folded line is what a phone or mail program adds. *sure: it names a device or program, or nothing else stands
 * in it. */
bool text_words_footer(const char *folded, const struct text_words *found, bool *sure);
