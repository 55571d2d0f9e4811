/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that a person received from us already: a line of his answer that stands in it is a quote, however his mail
 * program decorates or wraps it.  Kept as hashes of lines and of runs of words; nothing of the text itself.
 */
#pragma once

#include <glib.h>

struct text_known;

enum text_known_verdict {
    TEXT_KNOWN_NOT,
    TEXT_KNOWN_SHORT, /* stands there, but anybody may have written it again ("yes"): evidence only beside others */
    TEXT_KNOWN_PREFIXED, /* as short, behind a prefix such as "Bob: " */
    TEXT_KNOWN_LINE
};

struct text_known *text_known_new(void);
/* A message as it was delivered (UTF-8; invalid bytes count as no letters); several may be added.  Linear; what is
 * beyond 256 KiB of one text, or a million hashes of all, is not looked at. */
void text_known_add(struct text_known *known, const char *text);
/* Number of hashes: 0 when nothing was added that can be recognised. */
guint text_known_size(const struct text_known *known);
/* One line (not terminated), quote marks, emphasis and a short prefix ("Bob said: ", "[10:15] BJ> ") in it are ignored.
 * known may be NULL: nothing is known. */
enum text_known_verdict text_known_line(const struct text_known *known, const char *line, gsize len);
void text_known_free(struct text_known *known); /* NULL does nothing */
typedef struct text_known text_known;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(text_known, text_known_free)
