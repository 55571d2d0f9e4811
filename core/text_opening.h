/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where quoted mail begins: lines like "On …, X <x@y> wrote:" (also wrapped) and blocks of header fields ("From: …
 * Sent: …"), by their shape, in any language.  Private to the extraction; linear.
 */
#pragma once

#include "core/text_lines.h"

/* Gives the lines that it is sure of the class ATTRIBUTION or HEADER; of others that may be one, `weak` tells why. */
void text_opening_mark(GArray *lines);

/* A line within a quotation that introduces another mail: the quotation is the old mail, not some other text. */
bool text_opening_within(const struct text_line *line);

/* One of the classes that introduce quoted mail (ORIGINAL, FORWARD, MARKER, ATTRIBUTION, HEADER). */
bool text_opening_is(const struct text_line *line);
