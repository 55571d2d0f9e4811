/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules over the sequence of classified lines: which are kept, and whether that is certain.  Private to the
 * extraction; linear.
 */
#pragma once

#include "core/text_lines.h"

struct text_sequence {
    GArray *lines;     /* struct text_line; keep and rule are set */
    const char *author; /* his display name, folded; NULL */
    bool has_known;    /* what was delivered before is at hand */
    const char *doubt; /* the first reason found; NULL: none */
    bool cut_text;     /* text that is not marked as quoted was cut off */
    bool cut_forward;  /* and it was a forwarded mail */
    bool mended;       /* a line between quotes was taken for the broken end of one */
    bool opened;       /* some quoted mail was introduced */
    guint none_kept;   /* no line above this one is kept: where the next look begins */
    guint rules;       /* drawn lines that were looked at */
};

void text_sequence_run(struct text_sequence *sequence);

/* Its parts, for text_sequence.c and text_trim.c alone. */
void text_sequence_doubt(struct text_sequence *sequence, const char *reason);
void text_sequence_drop(struct text_sequence *sequence, guint first, guint last, const char *rule);
bool text_sequence_kept(const struct text_sequence *sequence, guint i); /* kept and not blank */
/* Short lines with a telephone number, an address or a link: somebody's card.  [first, end) */
bool text_trim_is_card(const struct text_sequence *sequence, guint first, guint end);
/* What mailing lists and lawyers put at the end. */
void text_trim_end(struct text_sequence *sequence);
/* What is left must not look like anything of another mail. */
void text_trim_check(struct text_sequence *sequence);
