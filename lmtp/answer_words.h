/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the one word of an answer to a notice means, in the languages of those who answer it.
 */
#pragma once

#include <glib.h>

enum answer_word {
    ANSWER_SEND,
    ANSWER_CANCEL,
    ANSWER_RESEND,
    ANSWER_CONSENT, /* "ok", "yes", a thumb: consent, or the text itself? */
    ANSWER_TEXT     /* anything else */
};

/*
 * Case, compatibility forms, punctuation, emoji and blanks around it do not matter ("SEND", "Send.", "»send«").
 * A command above more text ("send", a blank line, a name) is ANSWER_CONSENT: neither obeyed nor taken for the text.
 * Pure.
 */
enum answer_word answer_word_of(const char *text);
