/* SPDX-License-Identifier: Apache-2.0 */
/* The end of what is kept, and whether what is left is plausible; see text_sequence.h. */
#include <string.h>

#include "core/text_sequence.h"
#include "core/text_shape.h"

enum {
    CARD_LINES = 9,
    CARD_LINE_MAX = 100,
    CARD_NAME_MAX = 40,
    PHONE_DIGITS = 7,
    SIGNOFF_WORDS = 60,
    NOTICE_MAX = 4000,
    SIGNOFF_REACH = 14
};

static const char reason_attribution[] = "a line in it looks like the start of quoted mail";
static const char reason_header[] = "it holds lines that look like the header of another mail";
static const char reason_inline[] = "it says that the answer stands within the quoted mail";
static const char reason_footer[] = "it holds the footer of a phone or mail program";
static const char reason_notice[] = "its last lines may be a legal notice";

/* --- cards --- */

/* A telephone number, an address, a link. */
static bool shows_contact(const struct text_line *line)
{
    guint digits = 0;
    bool link = memmem(line->start, line->len, "://", 3) || memmem(line->start, line->len, "www.", 4);
    if ((line->shape & TEXT_SHOWS_ADDRESS) || link)
        return true;
    for (gsize i = 0; i < line->len; i++)
        digits += g_ascii_isdigit(line->start[i]) != 0;
    return digits >= PHONE_DIGITS && !(line->shape & (TEXT_SHOWS_DATE | TEXT_SHOWS_TIME));
}

bool text_trim_is_card(const struct text_sequence *sequence, guint first, guint end)
{
    guint filled = 0, contacts = 0, sentences = 0, times = 0, longest = 0;
    for (guint i = first; i < end; i++) {
        const struct text_line *line = text_line(sequence->lines, i);
        if (line->class == TEXT_CLASS_BLANK || line->class == TEXT_CLASS_RULE)
            continue;
        if (line->class != TEXT_CLASS_TEXT && line->class != TEXT_CLASS_FOOTER)
            return false;
        filled++;
        contacts += shows_contact(line) || line->class == TEXT_CLASS_FOOTER;
        sentences += (line->shape & TEXT_SHOWS_SENTENCE) && line->class != TEXT_CLASS_FOOTER;
        times += (line->shape & (TEXT_SHOWS_TIME | TEXT_SHOWS_DATE)) != 0;
        longest = MAX(longest, (guint)MIN(line->len, (gsize)G_MAXUINT));
    }
    if (filled == 0 || filled > CARD_LINES || longest > CARD_LINE_MAX)
        return false;
    return (contacts > 0 && sentences <= 1) || (filled <= 3 && filled >= 2 && sentences == 0 && times == 0 && longest <= CARD_NAME_MAX);
}

/* --- sign-offs: what the writer typed stays, the card under it goes --- */

static bool is_signoff(const struct text_line *line)
{
    return line->class == TEXT_CLASS_TEXT && line->len <= SIGNOFF_WORDS && (line->words.at_start & TEXT_WORD_SIGNOFF) &&
           line->len <= line->words.start_end + 25 && !shows_contact(line);
}

static void trim_card(struct text_sequence *sequence, guint end)
{
    guint filled = 0, contacts = 0, at = G_MAXUINT;
    for (guint i = end; i > 0 && filled < SIGNOFF_REACH; i--) {
        const struct text_line *line = text_line(sequence->lines, i - 1);
        if (!text_sequence_kept(sequence, i - 1))
            continue;
        if (is_signoff(line)) {
            at = i - 1;
            break;
        }
        filled++;
    }
    if (at == G_MAXUINT)
        return;
    guint name = text_lines_next(sequence->lines, at + 1);
    if (name >= end || text_line(sequence->lines, name)->len > CARD_NAME_MAX || shows_contact(text_line(sequence->lines, name)))
        return;
    for (guint i = name + 1; i < end; i++) {
        const struct text_line *line = text_line(sequence->lines, i);
        if (line->keep && line->class == TEXT_CLASS_TEXT)
            contacts += shows_contact(line);
    }
    if (contacts >= 2 && text_trim_is_card(sequence, name + 1, end))
        text_sequence_drop(sequence, name + 1, end - 1, "card under a sign-off");
}

/* "--Alice": a mark of signatures and a name in one line, which is the last paragraph. */
static void trim_dashed_name(struct text_sequence *sequence, guint end)
{
    if (end < 2 || text_sequence_kept(sequence, end - 2))
        return;
    const struct text_line *line = text_line(sequence->lines, end - 1);
    const char *p = line->start, *stop = p + line->len;
    guint words = 0;
    bool dash = line->class == TEXT_CLASS_TEXT && line->len <= CARD_NAME_MAX &&
                (strncmp(p, "--", 2) == 0 || strncmp(p, "—", 3) == 0 || strncmp(p, "–", 3) == 0);
    while (dash && p < stop && g_unichar_ispunct(g_utf8_get_char(p)))
        p = g_utf8_next_char(p);
    while (dash && p < stop) {
        while (p < stop && *p == ' ')
            p++;
        if (p < stop && !g_unichar_isupper(g_utf8_get_char(p)))
            return;
        words += p < stop;
        while (p < stop && *p != ' ')
            p++;
    }
    if (words >= 1 && words <= 3 && !(line->shape & TEXT_SHOWS_SENTENCE))
        text_sequence_drop(sequence, end - 1, end - 1, "signature");
}

/* A paragraph at the end that begins with the author's full name and goes on: his card without any mark. */
static void trim_author_card(struct text_sequence *sequence, guint end)
{
    guint filled = 0;
    if (!sequence->author || !strchr(sequence->author, ' '))
        return;
    for (guint i = end; i > 1 && filled <= CARD_LINES; i--) {
        const struct text_line *line = text_line(sequence->lines, i - 1);
        if (!text_sequence_kept(sequence, i - 1))
            continue;
        if (line->class != TEXT_CLASS_TEXT || line->len > CARD_LINE_MAX || ((line->shape & TEXT_SHOWS_SENTENCE) && filled == 0 && i < end))
            return;
        g_autofree char *folded = text_fold(line->start, line->len);
        bool apart = !text_sequence_kept(sequence, i - 2);
        if (apart && filled > 0 && strcmp(folded, sequence->author) == 0) {
            text_sequence_drop(sequence, i - 1, end - 1, "the author's card");
            return;
        }
        if (line->shape & TEXT_SHOWS_SENTENCE)
            return;
        filled++;
    }
}

/* --- legal notices --- */

static bool last_paragraph(const struct text_sequence *sequence, guint end, guint *first, guint *last)
{
    guint i = end;
    while (i > 0 && !text_sequence_kept(sequence, i - 1))
        i--;
    if (i == 0)
        return false;
    *last = i - 1;
    while (i > 0 && text_sequence_kept(sequence, i - 1))
        i--;
    *first = i;
    return true;
}

/* The paragraph's words of legal notices; *begins: it begins as they do. */
static guint legal_words(const struct text_sequence *sequence, guint first, guint last, bool *begins, bool *sure)
{
    guint legal = 0;
    gsize len = 0;
    *begins = text_line(sequence->lines, first)->words.at_start & TEXT_WORD_NOTICE;
    for (guint i = first; i <= last; i++) {
        const struct text_line *line = text_line(sequence->lines, i);
        legal += line->words.legal;
        len += line->len;
    }
    guint stems = 0; /* of the same words, bent */
    for (guint i = first; *begins && legal < 2 && i <= last && len <= NOTICE_MAX; i++) {
        g_autofree char *folded = text_fold(text_line(sequence->lines, i)->start, text_line(sequence->lines, i)->len);
        stems += text_words_stems(folded);
    }
    legal = MAX(legal, stems);
    *sure = (legal >= 2 && *begins) || (legal >= 2 && len >= 100) || (legal >= 4);
    return len > NOTICE_MAX ? 0 : legal;
}

static void trim_notices(struct text_sequence *sequence)
{
    guint first, last, end = sequence->lines->len;
    while (last_paragraph(sequence, end, &first, &last)) {
        bool begins, sure;
        guint legal = legal_words(sequence, first, last, &begins, &sure);
        if (first == 0 || legal == 0 || (!sure && !begins))
            return;
        if (!sure)
            text_sequence_doubt(sequence, reason_notice);
        text_sequence_drop(sequence, first, last, "legal notice");
        end = first;
    }
}

static guint drop_empty_end(struct text_sequence *sequence)
{
    guint end = sequence->lines->len;
    bool text = false;
    for (guint i = 0; i < end && !text; i++)
        text = text_line(sequence->lines, i)->class != TEXT_CLASS_RULE && text_line(sequence->lines, i)->class != TEXT_CLASS_BLANK;
    if (!text) /* rules and nothing else: that is what was written */
        return end;
    while (end > 0 && (!text_sequence_kept(sequence, end - 1) || text_line(sequence->lines, end - 1)->class == TEXT_CLASS_RULE)) {
        if (text_line(sequence->lines, --end)->class == TEXT_CLASS_RULE)
            text_sequence_drop(sequence, end, end, "rule at the end");
        text_line(sequence->lines, end)->keep = false;
    }
    return end;
}

void text_trim_end(struct text_sequence *sequence)
{
    guint end = drop_empty_end(sequence);
    trim_notices(sequence);
    while (end > 0 && !text_sequence_kept(sequence, end - 1))
        end--;
    while (end > 0 && text_line(sequence->lines, end - 1)->class == TEXT_CLASS_FOOTER && text_line(sequence->lines, end - 1)->sure_footer) {
        text_sequence_drop(sequence, end - 1, end - 1, "footer of a phone or mail program");
        end--;
        while (end > 0 && !text_sequence_kept(sequence, end - 1))
            end--;
    }
    end = drop_empty_end(sequence);
    trim_dashed_name(sequence, end);
    end = drop_empty_end(sequence);
    trim_card(sequence, end);
    trim_author_card(sequence, drop_empty_end(sequence));
}

/* --- what is left --- */

void text_trim_check(struct text_sequence *sequence)
{
    guint32 recent = 0;
    guint recent_at = 0;
    for (guint i = 0; i < sequence->lines->len && !sequence->doubt; i++) {
        const struct text_line *line = text_line(sequence->lines, i);
        if (!line->keep || line->class == TEXT_CLASS_CODE)
            continue;
        if (line->weak)
            text_sequence_doubt(sequence, line->weak);
        if (line->ruled)
            text_sequence_doubt(sequence, reason_attribution);
        if (line->class == TEXT_CLASS_FOOTER && line->sure_footer)
            text_sequence_doubt(sequence, reason_footer);
        guint32 key = line->words.first_key;
        if ((key & TEXT_WORD_FROM) && (line->shape & TEXT_SHOWS_ADDRESS))
            text_sequence_doubt(sequence, reason_header);
        bool told = (key | recent) & TEXT_WORD_SUBJECT || (line->shape & (TEXT_SHOWS_ADDRESS | TEXT_SHOWS_DATE));
        if (key && recent && !(key & recent) && i - recent_at < 4 && ((key | recent) & (TEXT_WORD_FROM | TEXT_WORD_SUBJECT)) && told)
            text_sequence_doubt(sequence, reason_header);
        if (key) {
            recent = key;
            recent_at = i;
        }
        if (sequence->cut_text && (line->words.anywhere & TEXT_WORD_INLINE))
            text_sequence_doubt(sequence, reason_inline);
    }
}
