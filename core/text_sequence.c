/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines are kept, see text_sequence.h. */
#include "core/text_sequence.h"

#include <string.h>

#include "core/text_opening.h"
#include "core/text_shape.h"

enum { LOOSE_SIGNATURE_LINES = 10, STRICT_SIGNATURE_LINES = 25, LIST_LINES = 8, LONG_QUOTE = 60, WRAP = 68, COMPACT_LEN = 60, COMPACT_LINES = 7, SENTENCE_WORDS = 9, APART_QUOTES = 3,
       RULES_MAX = 200 /* each looks ahead to the end of its part */ };

static const char reason_wrapped[] = "it is not clear whether a line between quotes is yours or a broken quote";
static const char reason_signature[] = "a part follows a line of dashes and may or may not be a signature";
static const char reason_footer[] = "text follows the footer of a phone or mail program";
static const char reason_single[] = "a line begins with '>', and it is not clear whether it is quoted or yours";

static const char reason_prefixed[] = "a line beside what was delivered before may repeat it or be yours";
static const char reason_rules[] = "it is parted by so many drawn lines that it is not clear what they part";
static const char reason_bare[] = "a part is set off as a quotation, and it is not clear whether it is the old mail or yours";

void text_sequence_doubt(struct text_sequence *sequence, const char *reason)
{
    if (!sequence->doubt)
        sequence->doubt = reason;
}

void text_sequence_drop(struct text_sequence *sequence, guint first, guint last, const char *rule)
{
    for (guint i = first; i <= last && i < sequence->lines->len; i++) {
        struct text_line *line = text_line(sequence->lines, i);
        line->keep = false;
        if (rule && (line->rule[0] == '\0' || !text_opening_is(line)))
            line->rule = rule;
    }
}

bool text_sequence_kept(const struct text_sequence *sequence, guint i)
{
    const struct text_line *line = text_line(sequence->lines, i);
    return line->keep && line->class != TEXT_CLASS_BLANK;
}

static enum text_class class_at(const struct text_sequence *sequence, guint i)
{
    return i < sequence->lines->len ? text_line(sequence->lines, i)->class : TEXT_CLASS_BLANK;
}

/* What was dropped stays dropped, so each line is looked at once. */
static bool kept_above(struct text_sequence *sequence, guint i)
{
    guint *k = &sequence->none_kept;
    while (*k < i && (!text_sequence_kept(sequence, *k) || class_at(sequence, *k) == TEXT_CLASS_RULE))
        (*k)++;
    return *k < i;
}

static bool quote_begins(const struct text_sequence *sequence, guint i)
{
    return i < sequence->lines->len &&
           (text_opening_is(text_line(sequence->lines, i)) || class_at(sequence, i) == TEXT_CLASS_QUOTED);
}

/* --- the start of quoted mail --- */

/* Rules, ruled lines and blanks right above belong to it. */
static void drop_rules_above(struct text_sequence *sequence, guint first)
{
    for (guint k = first; k > 0; k--) {
        const struct text_line *above = text_line(sequence->lines, k - 1);
        if (above->class != TEXT_CLASS_RULE && above->class != TEXT_CLASS_BLANK && !above->ruled)
            return;
        text_sequence_drop(sequence, k - 1, k - 1, above->class == TEXT_CLASS_BLANK ? NULL : "rule above quoted mail");
    }
}

/* The old mail has no marks. What was delivered is recognised; an answer behind it counts when there is none above. */
static guint cut_rest(struct text_sequence *sequence, guint first, guint from)
{
    guint n = sequence->lines->len, i = text_lines_next(sequence->lines, from);
    bool alone = !kept_above(sequence, first);
    sequence->cut_text = true;
    if (!alone || !sequence->has_known) {
        text_sequence_drop(sequence, from, n - 1, "unmarked quote, to the end");
        return n;
    }
    guint last_known = G_MAXUINT;
    for (guint k = i; k < n; k++)
        if (text_line(sequence->lines, k)->known == TEXT_KNOWN_LINE)
            last_known = k;
    if (last_known == G_MAXUINT) {
        text_sequence_drop(sequence, from, n - 1, "unmarked quote, to the end");
        return n;
    }
    text_sequence_drop(sequence, from, last_known, "unmarked quote, up to what was delivered");
    sequence->cut_text = false;
    return last_known + 1;
}

static guint opening(struct text_sequence *sequence, guint i)
{
    guint last = i, n = sequence->lines->len;
    sequence->opened = true;
    sequence->cut_forward = sequence->cut_forward || class_at(sequence, i) == TEXT_CLASS_FORWARD;
    for (guint k = i + 1; k < n; k++) {
        if (class_at(sequence, k) == TEXT_CLASS_BLANK)
            continue;
        if (!text_opening_is(text_line(sequence->lines, k)))
            break;
        last = k;
    }
    text_sequence_drop(sequence, i, last, text_class_name(class_at(sequence, i)));
    drop_rules_above(sequence, i);
    guint next = text_lines_next(sequence->lines, last + 1);
    if (next >= n || class_at(sequence, next) == TEXT_CLASS_QUOTED)
        return last + 1;
    return cut_rest(sequence, i, last + 1);
}

/* --- signatures, footers, rules --- */

static guint end_of_part(const struct text_sequence *sequence, guint from, guint *filled)
{
    guint k = from;
    *filled = 0;
    while (k < sequence->lines->len && !quote_begins(sequence, k)) {
        *filled += class_at(sequence, k) != TEXT_CLASS_BLANK && class_at(sequence, k) != TEXT_CLASS_RULE;
        k++;
    }
    return k;
}

/* "-- ": away with it up to the quoted mail or the end. */
static guint signature(struct text_sequence *sequence, guint i)
{
    guint filled, end = end_of_part(sequence, i + 1, &filled);
    const struct text_line *line = text_line(sequence->lines, i);
    guint limit = line->strict_signature ? STRICT_SIGNATURE_LINES : LOOSE_SIGNATURE_LINES;
    if (filled > limit)
        text_sequence_doubt(sequence, reason_signature);
    for (guint k = i + 1; k < end && !line->strict_signature; k++)
        if (text_line(sequence->lines, k)->len > 160 && text_line(sequence->lines, k)->words.legal < 2)
            text_sequence_doubt(sequence, reason_signature);
    text_sequence_drop(sequence, i, end - 1, "signature");
    return end;
}

static bool is_sentence(const struct text_line *line)
{
    guint words = 1;
    for (gsize i = 0; i < line->len; i++)
        words += line->start[i] == ' ';
    return (line->shape & TEXT_SHOWS_SENTENCE) && (words >= SENTENCE_WORDS || memchr(line->start, ',', line->len));
}

/* A footer counts only at the end of what was written; behind a program's own one the old mail stands. */
static guint footer(struct text_sequence *sequence, guint i)
{
    guint next = text_lines_next(sequence->lines, i + 1);
    enum text_class class = class_at(sequence, next);
    const struct text_line *line = text_line(sequence->lines, i);
    if (next >= sequence->lines->len || class == TEXT_CLASS_SIGNATURE || class == TEXT_CLASS_RULE || class == TEXT_CLASS_FOOTER ||
        quote_begins(sequence, next)) {
        bool quote = quote_begins(sequence, next);
        bool only = !kept_above(sequence, i) && (line->shape & TEXT_SHOWS_SENTENCE);
        if (!line->sure_footer && !quote && (only || is_sentence(line)))
            return i + 1; /* somebody tells where he is */
        if (!line->sure_footer && !quote)
            text_sequence_doubt(sequence, reason_footer);
        text_sequence_drop(sequence, i, i, "footer of a phone or mail program");
        return i + 1;
    }
    bool apart = (i == 0 || class_at(sequence, i - 1) == TEXT_CLASS_BLANK) && class_at(sequence, i + 1) == TEXT_CLASS_BLANK;
    if (!apart)
        return i + 1;
    bool link = memmem(line->start, line->len, "http", 4) != NULL;
    if (!link || !line->sure_footer || !kept_above(sequence, i))
        text_sequence_doubt(sequence, reason_footer);
    sequence->cut_text = true;
    text_sequence_drop(sequence, i, sequence->lines->len - 1, "behind the footer of a mail program");
    return sequence->lines->len;
}

/* "____" and what a list server put under it */
static bool list_footer(struct text_sequence *sequence, guint i)
{
    guint filled = 0;
    bool list = false;
    for (guint k = i + 1; k < sequence->lines->len; k++) {
        const struct text_line *line = text_line(sequence->lines, k);
        if (line->class == TEXT_CLASS_BLANK || line->class == TEXT_CLASS_RULE)
            continue;
        if (++filled > LIST_LINES || text_opening_is(line))
            break;
        list = list || (line->words.anywhere & TEXT_WORD_LIST);
    }
    if (list && filled <= LIST_LINES)
        text_sequence_drop(sequence, i, sequence->lines->len - 1, "footer of a mailing list");
    return list && filled <= LIST_LINES;
}

/* Under dashes, which people draw for many reasons, only one paragraph of short lines is a card. */
static bool is_compact(const struct text_sequence *sequence, guint first, guint end)
{
    guint filled = 0;
    bool over = false;
    for (guint i = text_lines_next(sequence->lines, first); i < end; i++) {
        const struct text_line *line = text_line(sequence->lines, i);
        if (line->class == TEXT_CLASS_BLANK)
            over = true;
        else if (over || line->len > COMPACT_LEN || ++filled > COMPACT_LINES)
            return false;
    }
    return true;
}

/* A rule and a few short lines before the quoted mail or the end: somebody's card, as good as a signature. */
static guint ruled_signature(struct text_sequence *sequence, guint i)
{
    guint filled, end = end_of_part(sequence, i + 1, &filled);
    const struct text_line *line = text_line(sequence->lines, i);
    bool drawn = line->rule_char == '_' || line->rule_char == 'e';
    if (filled == 0 || !kept_above(sequence, i))
        return 0;
    if (!drawn && line->rule_char != '-') /* "====" underlines */
        return 0;
    if (text_trim_is_card(sequence, i + 1, end) && (drawn || is_compact(sequence, i + 1, end))) {
        text_sequence_drop(sequence, i, end - 1, "signature under a rule");
        return end;
    }
    if (!drawn || filled > LOOSE_SIGNATURE_LINES)
        return 0;
    for (guint k = i + 1; k < end; k++)
        if (text_line(sequence->lines, k)->len > 80)
            return 0;
    text_sequence_doubt(sequence, reason_signature);
    text_sequence_drop(sequence, i, end - 1, "signature under a rule");
    return end;
}

/* --- between quotes --- */

static gsize first_word(const struct text_line *line)
{
    gsize n = 0;
    while (n < line->len && line->start[n] != ' ')
        n++;
    return n;
}

/* A line that is not marked, right under a long quoted one: its broken end, or an answer? */
static void check_wrapped(struct text_sequence *sequence, guint i)
{
    if (i == 0 || class_at(sequence, i - 1) != TEXT_CLASS_QUOTED || class_at(sequence, i) != TEXT_CLASS_TEXT)
        return;
    struct text_line *line = text_line(sequence->lines, i);
    const struct text_line *quoted = text_line(sequence->lines, i - 1);
    if (quoted->structural || quoted->len < LONG_QUOTE)
        return;
    guint next = i + 1;
    bool lower = g_unichar_islower(g_utf8_get_char(line->start)), quote_follows = class_at(sequence, next) == TEXT_CLASS_QUOTED;
    bool ended = strchr(".?!:;", quoted->start[quoted->len - 1]) != NULL;
    bool full = quoted->len + 1 + first_word(line) > WRAP;
    if (lower && !ended && full && (quote_follows || line->len < LONG_QUOTE) && line->len <= quoted->len + 20) {
        line->class = TEXT_CLASS_QUOTED;
        sequence->mended = true;
        text_sequence_drop(sequence, i, i, "the broken end of a quoted line");
        if (!quote_follows)
            text_sequence_doubt(sequence, reason_wrapped);
    } else if ((lower && !ended) || (quote_follows && full && (lower || !ended))) {
        text_sequence_doubt(sequence, reason_wrapped);
    }
}

/* A quoted line of some words opens the mail and an answer follows. */
static bool is_question_first(const GArray *lines)
{
    guint first = text_lines_next(lines, 0), next = text_lines_next(lines, first + 1), blanks = 0;
    if (next >= lines->len || next == first + 1 || text_line(lines, first)->class != TEXT_CLASS_QUOTED)
        return false;
    const struct text_line *line = text_line(lines, first);
    for (gsize i = 0; i < line->len; i++)
        blanks += line->start[i] == ' ';
    return blanks >= 3 && strchr("?.!", line->start[line->len - 1]);
}

/* Lines that begin with '>' where nothing else tells of a quote: one alone may be a person's own. */
static void check_quotes(struct text_sequence *sequence)
{
    bool marked = sequence->opened || is_question_first(sequence->lines);
    guint run = 0, longest = 0, deepest = 0, quotes = 0, last = 0, apart = 0;
    bool bare = false;
    for (guint i = 0; i < sequence->lines->len; i++) {
        const struct text_line *line = text_line(sequence->lines, i);
        apart = line->class == TEXT_CLASS_QUOTED ? apart + 1 : line->class == TEXT_CLASS_BLANK ? apart : 0;
        marked = marked || apart >= APART_QUOTES; /* with blank lines between, nothing else */
        run = line->class == TEXT_CLASS_QUOTED ? run + 1 : 0;
        quotes += line->class == TEXT_CLASS_QUOTED;
        last = line->class == TEXT_CLASS_QUOTED ? i : last;
        longest = MAX(longest, run);
        deepest = MAX(deepest, line->class == TEXT_CLASS_QUOTED ? line->depth : 0);
        marked = marked || line->structural || ((line->bare || line->barred) && text_opening_within(line));
        bare = bare || line->bare || (line->class == TEXT_CLASS_QUOTED && line->barred);
        marked = marked || (line->class == TEXT_CLASS_QUOTED && line->known == TEXT_KNOWN_LINE);
    }
    if (!marked && bare)
        text_sequence_doubt(sequence, reason_bare);
    if (marked || longest != 1 || (deepest != 1 && quotes != 1))
        return;
    text_sequence_doubt(sequence, reason_single);
    if (quotes == 1 && !bare) { /* shown in the preview: it may be all that he wrote */
        text_line(sequence->lines, last)->keep = true;
        sequence->none_kept = 0;
        text_line(sequence->lines, last)->rule = "begins with '>', may be the writer's own";
    }
}

/* --- what was delivered before --- */

static void drop_known(struct text_sequence *sequence)
{
    bool near = false;
    for (guint i = 0; i < sequence->lines->len; i++) {
        const struct text_line *line = text_line(sequence->lines, i);
        if (line->class == TEXT_CLASS_BLANK)
            continue;
        bool prefixed = line->known == TEXT_KNOWN_PREFIXED && near;
        bool drop = line->class == TEXT_CLASS_TEXT && (line->known == TEXT_KNOWN_LINE || (line->known == TEXT_KNOWN_SHORT && near) || prefixed);
        if (drop && prefixed) /* "Bob: yes" repeats him, "Answer: yes" does not */
            text_sequence_doubt(sequence, reason_prefixed);
        if (drop) {
            text_line(sequence->lines, i)->class = TEXT_CLASS_QUOTED;
            text_line(sequence->lines, i)->depth = 1;
            text_line(sequence->lines, i)->structural = true;
            text_sequence_drop(sequence, i, i, "stands in the conversation already");
        }
        near = drop;
    }
}

static guint step(struct text_sequence *sequence, guint i)
{
    guint next;
    if (text_opening_is(text_line(sequence->lines, i)))
        return opening(sequence, i);
    switch (class_at(sequence, i)) {
    case TEXT_CLASS_QUOTED:
        text_sequence_drop(sequence, i, i, text_line(sequence->lines, i)->rule[0] ? NULL : "quoted");
        break;
    case TEXT_CLASS_SIGNATURE:
        return signature(sequence, i);
    case TEXT_CLASS_FOOTER:
        return footer(sequence, i);
    case TEXT_CLASS_RULE:
        if (++sequence->rules > RULES_MAX) {
            text_sequence_doubt(sequence, reason_rules);
            break;
        }
        if (list_footer(sequence, i))
            return sequence->lines->len;
        next = ruled_signature(sequence, i);
        if (next > 0)
            return next;
        break;
    case TEXT_CLASS_TEXT:
        check_wrapped(sequence, i);
        break;
    default:
        break;
    }
    return i + 1;
}

void text_sequence_run(struct text_sequence *sequence)
{
    text_opening_mark(sequence->lines);
    if (sequence->has_known)
        drop_known(sequence);
    for (guint i = 0; i < sequence->lines->len;)
        i = step(sequence, i);
    check_quotes(sequence);
    text_trim_end(sequence);
    if (sequence->mended && !kept_above(sequence, sequence->lines->len))
        text_sequence_doubt(sequence, reason_wrapped);
    text_trim_check(sequence);
}
