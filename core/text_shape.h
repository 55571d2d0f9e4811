/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a folded line shows of a line above a quote ("On … at …, X <x@y> wrote:"), by its shape in any language:
 * dates, times, addresses, a colon at the end.  Private to the extraction; linear.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/text_words.h"

enum text_shape {
    TEXT_SHOWS_ADDRESS = 1,
    TEXT_SHOWS_ANGLED = 2, /* the address is in brackets, behind a name */
    TEXT_SHOWS_TIME = 4,
    TEXT_SHOWS_DATE = 8,
    TEXT_SHOWS_WEEKDAY = 16,
    TEXT_SHOWS_VERB = 32,
    TEXT_SHOWS_OPENER = 64, /* begins as such lines do: "On", a weekday, a number */
    TEXT_SHOWS_COLON = 128, /* ends with a colon */
    TEXT_SHOWS_VERB_END = 256, /* ends with the verb */
    TEXT_SHOWS_SENTENCE = 512, /* ends as a sentence does */
    TEXT_SHOWS_OPEN = 1024, /* ends within "<…" */
    TEXT_SHOWS_VERB_COLON = 2048, /* "wrote:" anywhere */
    TEXT_SHOWS_ABBREVIATED = 4096 /* ends as "p.m." or "г." does */
};

guint text_shape(const char *folded, const struct text_words *words);

static inline bool text_shape_has(guint shape, guint all)
{
    return (shape & all) == all;
}

/* A date, or a weekday with a time. */
static inline bool text_shape_has_day(guint shape)
{
    return (shape & TEXT_SHOWS_DATE) || text_shape_has(shape, TEXT_SHOWS_WEEKDAY | TEXT_SHOWS_TIME);
}
