/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines like "On …, X <x@y> wrote:" above a quote, also wrapped over several lines or without a verb, in any language.
 * Private to the extraction; linear.
 */
#pragma once

#include "core/text_lines.h"

enum { TEXT_ATTRIBUTION_SHORT = 60 }; /* bytes of a short line */

/* Gives the lines that it is sure of the class ATTRIBUTION; of others that may be one, `weak` tells why. */
void text_attribution_mark(GArray *lines);

/* The line alone is one for certain. */
bool text_attribution_is(const struct text_line *line);

/* A short line with date and time: "28 May 2026 at 22:26" */
bool text_attribution_is_moment(const struct text_line *line);
