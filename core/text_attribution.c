/* SPDX-License-Identifier: Apache-2.0 */
/* Attributions by their shape, see text_attribution.h. */
#include "core/text_attribution.h"

#include <string.h>

#include "core/text_shape.h"

enum { ATTRIBUTION_LINES = 5, ATTRIBUTION_LINE_MAX = 400, NAME_WORDS = 6, TAIL_MAX = 20, TAIL_LINES = 8, STAMP_MAX = 120 };

static const char weak_attribution[] = "a line in it looks like the start of quoted mail";

enum verdict { NO, WEAK, STRONG };

/* Behind the verb stands nothing, or a name: "schrieb Bob:", but not "wrote a song:". */
static bool verb_is_late(const struct text_line *line)
{
    return line->words_after_verb == 0 || (line->words_after_verb <= NAME_WORDS && line->name_after_verb);
}

/* What the lines of one together show; `end`: the last one alone. */
static enum verdict judge(guint shape, guint end, bool quote_follows, bool verb_late, bool is_short, bool ruled)
{
    bool address = shape & TEXT_SHOWS_ADDRESS, angled = shape & TEXT_SHOWS_ANGLED, verb = shape & TEXT_SHOWS_VERB;
    bool time = shape & TEXT_SHOWS_TIME, opener = shape & TEXT_SHOWS_OPENER, day = text_shape_has_day(shape);
    bool colon = end & TEXT_SHOWS_COLON, verb_end = end & TEXT_SHOWS_VERB_END;
    if (ruled && verb_end) /* "---- Bob wrote ----" */
        return STRONG;
    bool told = !(end & TEXT_SHOWS_SENTENCE) || (end & (TEXT_SHOWS_VERB_COLON | TEXT_SHOWS_ABBREVIATED));
    if (!colon && !verb_end) /* "… she wrote the list." is a sentence */
        return told && ((verb && angled && day && time) || (quote_follows && verb && day && (address || time))) ? STRONG : NO;
    if (quote_follows && (verb || angled || (day && (time || opener || address))))
        return STRONG;
    if (angled && (day || time || verb))
        return STRONG;
    if (address && day && ((verb) || (time && opener && is_short)))
        return STRONG;
    if (verb && address && time)
        return STRONG;
    if (verb && day && (time || opener) && verb_late)
        return STRONG;
    if (!colon)
        return NO;
    if (verb && (address || ((time || day) && verb_late)))
        return WEAK;
    if (address && opener && (day || time))
        return WEAK;
    return (day && time && opener && !verb) || (text_shape_has(end, TEXT_SHOWS_DATE | TEXT_SHOWS_TIME) && is_short) ? WEAK : NO;
}

bool text_attribution_is(const struct text_line *line)
{
    return judge(line->shape, line->shape, false, verb_is_late(line), line->len <= TEXT_ATTRIBUTION_SHORT, line->ruled) == STRONG;
}

static bool may_belong(const struct text_line *line)
{
    return line->class == TEXT_CLASS_TEXT && line->len <= ATTRIBUTION_LINE_MAX &&
           !(line->shape & (TEXT_SHOWS_COLON | TEXT_SHOWS_VERB_END) && !(line->shape & TEXT_SHOWS_OPEN));
}

/* Begins as an attribution does and tells of a day: "On Mon, 3 Aug 2026 at 10:19, Bob". */
static bool begins(const struct text_line *line)
{
    return (line->shape & TEXT_SHOWS_OPENER) && (line->shape & (TEXT_SHOWS_DATE | TEXT_SHOWS_WEEKDAY | TEXT_SHOWS_TIME));
}

static bool starts_upper(const struct text_line *line)
{
    return line->len > 0 && g_unichar_isupper(g_utf8_get_char(line->start));
}

/* The first line of the attribution that ends at k: lines are added from below while they bring what is missing. */
static guint first_line(const GArray *lines, guint k, guint *shape)
{
    guint s = k;
    *shape = text_line(lines, k)->shape;
    while (s > 0 && k - s + 1 < ATTRIBUTION_LINES) {
        const struct text_line *line = text_line(lines, s);
        if ((line->shape & TEXT_SHOWS_OPENER) && text_shape_has_day(*shape) && begins(line))
            break;
        guint above = 0;
        for (guint n = 1; n <= s && k - s + 1 + n <= ATTRIBUTION_LINES && above == 0; n++) {
            const struct text_line *candidate = text_line(lines, s - n);
            if (!may_belong(candidate))
                break;
            guint gain = candidate->shape & ~*shape & (TEXT_SHOWS_ADDRESS | TEXT_SHOWS_VERB | TEXT_SHOWS_DATE | TEXT_SHOWS_TIME | TEXT_SHOWS_WEEKDAY);
            bool several = (gain & (gain - 1)) != 0;
            bool day = candidate->shape & (TEXT_SHOWS_DATE | TEXT_SHOWS_WEEKDAY); /* "I am home at 10:30" is none */
            if (begins(candidate) && day && gain && (!(candidate->shape & TEXT_SHOWS_SENTENCE) || (candidate->shape & TEXT_SHOWS_ABBREVIATED)))
                above = n;
            else if (n == 1 && ((several && !starts_upper(line)) || (candidate->shape & TEXT_SHOWS_OPEN)))
                above = n;
            else if (candidate->shape & TEXT_SHOWS_SENTENCE)
                break;
        }
        if (above == 0)
            break;
        for (guint n = 1; n <= above; n++)
            *shape |= text_line(lines, s - n)->shape;
        s -= above;
    }
    /* only how the first line begins counts */
    *shape = (*shape & ~(guint)TEXT_SHOWS_OPENER) | (text_line(lines, s)->shape & TEXT_SHOWS_OPENER);
    return s;
}

/* Its end shows something of one itself, or stands right under such a beginning. */
static bool may_end(const GArray *lines, guint k)
{
    const guint any = TEXT_SHOWS_VERB | TEXT_SHOWS_TIME | TEXT_SHOWS_DATE | TEXT_SHOWS_ADDRESS | TEXT_SHOWS_WEEKDAY;
    const struct text_line *line = text_line(lines, k), *above = k > 0 ? text_line(lines, k - 1) : NULL;
    if (line->class != TEXT_CLASS_TEXT || line->len > ATTRIBUTION_LINE_MAX)
        return false;
    bool under = above && above->class == TEXT_CLASS_TEXT && ((above->shape & TEXT_SHOWS_OPEN) || (begins(above) && !(above->shape & TEXT_SHOWS_ADDRESS) && line->len <= TEXT_ATTRIBUTION_SHORT));
    return ((line->shape & (TEXT_SHOWS_COLON | TEXT_SHOWS_VERB_END)) && ((line->shape & any) || under)) || text_shape_has(line->shape, TEXT_SHOWS_VERB | TEXT_SHOWS_DATE) ||
           text_shape_has(line->shape, TEXT_SHOWS_VERB | TEXT_SHOWS_ADDRESS);
}

/* "wrote:" alone ends one that was torn apart, also by blank lines. Where it begins; k: nowhere. */
static guint tail_begin(const GArray *lines, guint k, guint *shape)
{
    guint all = *shape;
    for (guint n = 1; n <= k && n <= TAIL_LINES; n++) {
        const struct text_line *line = text_line(lines, k - n);
        if (line->class != TEXT_CLASS_BLANK && line->class != TEXT_CLASS_TEXT)
            break;
        all |= line->shape;
        if (!begins(line) || !(line->shape & TEXT_SHOWS_DATE))
            continue;
        *shape = all;
        return k - n;
    }
    return k;
}

static bool starts_paragraph(const GArray *lines, guint i)
{
    return i == 0 || text_line(lines, i - 1)->class != TEXT_CLASS_TEXT;
}

/* Do the two words before the last `skip` ones begin with capitals? */
static bool are_capital(const struct text_line *line, guint skip)
{
    gsize i = line->len;
    guint capitals = 0;
    for (guint word = 0; word < skip + 2 && i > 0; word++) {
        while (i > 0 && line->start[i - 1] == ' ')
            i--;
        while (i > 0 && line->start[i - 1] != ' ')
            i--;
        capitals += word >= skip && g_unichar_isupper(g_utf8_get_char(line->start + i));
    }
    return capitals == 2;
}

/* "Bob Jones wrote", not "this is what she wrote" */
static bool names_writer(const struct text_line *line)
{
    return line->words_after_verb == 0 && are_capital(line, 1);
}

/* "On Friday Bob Jones wrote:" tells of no mail for certain, but may. */
static bool may_introduce(const GArray *lines, guint s, guint k, guint shape)
{
    const struct text_line *end = text_line(lines, k);
    return (end->shape & TEXT_SHOWS_COLON) && (shape & TEXT_SHOWS_VERB) && verb_is_late(end) && end->len <= TEXT_ATTRIBUTION_SHORT &&
           (begins(text_line(lines, s)) || names_writer(end)) && starts_paragraph(lines, s) && text_lines_next(lines, k + 1) < lines->len;
}

/* Line s goes on what stands above: it begins with a small letter or a bracket. */
static bool continues(const struct text_line *line)
{
    return line->len > 0 && (strchr("<([", line->start[0]) || g_unichar_islower(g_utf8_get_char(line->start)));
}

/* A sentence, or something that another line was to follow. */
static bool is_closed(const struct text_line *line)
{
    bool sentence = (line->shape & TEXT_SHOWS_SENTENCE) && !(line->shape & TEXT_SHOWS_ABBREVIATED);
    return sentence || !may_belong(line);
}

/* What was left of its paragraph above s belongs to it as well, when it is a short paragraph of its own and shows parts
 * of an attribution. Where it begins; s: it does not. */
static guint paragraph_begin(const GArray *lines, guint s, guint k, guint *shape)
{
    bool complete = begins(text_line(lines, s)) && text_shape_has_day(*shape) && (*shape & (TEXT_SHOWS_VERB | TEXT_SHOWS_ADDRESS));
    guint p = s, all = 0;
    while (!complete && p > 0 && text_line(lines, p - 1)->class == TEXT_CLASS_TEXT) {
        if (is_closed(text_line(lines, --p)) || k - p + 1 > ATTRIBUTION_LINES)
            return s;
        all |= text_line(lines, p)->shape;
    }
    bool own = p > 0 || begins(text_line(lines, p)), starts = begins(text_line(lines, p)) && (all & TEXT_SHOWS_DATE);
    bool parts = (all & TEXT_SHOWS_ADDRESS) || (all & ~*shape & TEXT_SHOWS_VERB) || starts;
    if (p == s || !own || !(parts || continues(text_line(lines, s)))) /* "I am home at 10:30" over it is no part */
        return s;
    *shape = ((*shape | all) & ~(guint)TEXT_SHOWS_OPENER) | (text_line(lines, p)->shape & TEXT_SHOWS_OPENER);
    return p;
}

/* In double spaced mails a blank line stands within it: "On …, Bob (<", "", "bob@example.org>) wrote:". */
static guint skip_blank(const GArray *lines, guint s, guint *shape)
{
    if (s < 2 || text_line(lines, s - 1)->class != TEXT_CLASS_BLANK || text_line(lines, s - 2)->class != TEXT_CLASS_TEXT || text_shape_has_day(*shape))
        return s;
    const struct text_line *line = text_line(lines, s - 2);
    bool bracket = text_line(lines, s)->start[0] == '<' && begins(line) && (line->shape & TEXT_SHOWS_DATE);
    if (is_closed(line) || !((line->shape & TEXT_SHOWS_OPEN) || bracket))
        return s;
    *shape |= line->shape;
    return s - 2;
}

/* "Quoting Bob Jones <bob@example.org>:", "According to Bob Jones:" above a quote, "田中さんは書きました:" */
static bool may_name(const GArray *lines, guint k, bool quote_below)
{
    const struct text_line *line = text_line(lines, k);
    if (line->class != TEXT_CLASS_TEXT || !(line->shape & TEXT_SHOWS_COLON) || line->len > STAMP_MAX || !starts_paragraph(lines, k) ||
        text_lines_next(lines, k + 1) >= lines->len)
        return false;
    gunichar first = g_utf8_get_char(line->start);
    bool caseless = (line->shape & TEXT_SHOWS_VERB) && g_unichar_iswide(first) && line->len <= TEXT_ATTRIBUTION_SHORT && line->words_after_verb == 0;
    bool angled = text_shape_has(line->shape, TEXT_SHOWS_ANGLED) && memmem(line->start + line->len - 3, 3, ">:", 2);
    return angled || caseless || (quote_below && k > 0 && are_capital(line, 0));
}

static void mark_attribution(GArray *lines, guint k)
{
    struct text_line *end = text_line(lines, k);
    guint shape, next = text_lines_next(lines, k + 1);
    if (may_name(lines, k, next == k + 1 && next < lines->len && text_line(lines, next)->class == TEXT_CLASS_QUOTED))
        end->weak = weak_attribution;
    if (!may_end(lines, k))
        return;
    guint s = first_line(lines, k, &shape);
    bool quote_follows = next < lines->len && text_line(lines, next)->class == TEXT_CLASS_QUOTED;
    if (quote_follows && text_line(lines, next)->bare) /* "He said:" over a quotation of his own is none */
        quote_follows = text_shape_has_day(shape) || (shape & TEXT_SHOWS_ADDRESS);
    if ((end->words.at_start & TEXT_WORD_VERB) && end->len <= TAIL_MAX && !text_shape_has_day(shape))
        s = tail_begin(lines, k, &shape);
    if (quote_follows || judge(shape, end->shape, false, verb_is_late(end), end->len <= TEXT_ATTRIBUTION_SHORT, end->ruled) == STRONG) {
        s = paragraph_begin(lines, s, k, &shape);
        s = skip_blank(lines, s, &shape);
    }
    enum verdict verdict = judge(shape, end->shape, quote_follows, verb_is_late(end), end->len <= TEXT_ATTRIBUTION_SHORT, end->ruled);
    if (verdict == WEAK && text_lines_next(lines, 0) == s && !(shape & (TEXT_SHOWS_ADDRESS | TEXT_SHOWS_VERB)))
        return; /* it opens the mail and names nobody: "On 3 June at 10:00 we meet:" */
    if (verdict == WEAK || (verdict == NO && may_introduce(lines, s, k, shape)))
        end->weak = weak_attribution;
    for (guint i = s; verdict == STRONG && i <= k; i++) {
        text_line(lines, i)->class = TEXT_CLASS_ATTRIBUTION;
        text_line(lines, i)->rule = quote_follows ? "attribution above a quote" : "attribution";
    }
}

/* --- a date and an address, without verb and colon --- */

static bool ends_in_address(const struct text_line *line)
{
    return line->class == TEXT_CLASS_TEXT && line->len <= STAMP_MAX && (line->shape & TEXT_SHOWS_ANGLED) && line->start[line->len - 1] == '>';
}

/* "[Bob Jones <bob@example.org>, 2026-11-26 10:15]" */
static bool is_bracketed(const struct text_line *line)
{
    return line->class == TEXT_CLASS_TEXT && line->len <= STAMP_MAX && text_shape_has(line->shape, TEXT_SHOWS_ANGLED | TEXT_SHOWS_DATE) &&
           line->start[0] == '[' && line->start[line->len - 1] == ']';
}

/* "2026/11/26 10:15 Bob Jones <bob@example.org>" */
static bool is_stamp(const struct text_line *line)
{
    return is_bracketed(line) || (ends_in_address(line) && text_shape_has(line->shape, TEXT_SHOWS_OPENER | TEXT_SHOWS_DATE));
}

bool text_attribution_is_moment(const struct text_line *line)
{
    return line->class == TEXT_CLASS_TEXT && line->len <= TEXT_ATTRIBUTION_SHORT && text_shape_has(line->shape, TEXT_SHOWS_OPENER | TEXT_SHOWS_DATE | TEXT_SHOWS_TIME) &&
           !(line->shape & TEXT_SHOWS_SENTENCE);
}

/* One such line opens a mail, several of them are a list. */
static bool stands_alone(const GArray *lines, guint s, guint k)
{
    return !(s > 0 && ends_in_address(text_line(lines, s - 1))) && !(k + 1 < lines->len && ends_in_address(text_line(lines, k + 1)));
}

/* Also "Bob Jones <mailto:bob@example.org>" with the date in the line below, and the name alone above a quote. */
static void mark_stamp(GArray *lines, guint s)
{
    const struct text_line *first = text_line(lines, s);
    if (!(ends_in_address(first) || is_bracketed(first)) || !stands_alone(lines, s, s))
        return;
    bool dated = is_stamp(first), two = !dated && s + 1 < lines->len && text_attribution_is_moment(text_line(lines, s + 1));
    guint k = s + two, next = text_lines_next(lines, k + 1);
    bool quote_follows = next < lines->len && text_line(lines, next)->class == TEXT_CLASS_QUOTED && !text_line(lines, next)->bare;
    if (next >= lines->len || !starts_paragraph(lines, s) || !(dated || two || (quote_follows && next == k + 1)))
        return;
    bool timed = dated && (first->shape & TEXT_SHOWS_TIME), program = two && memmem(first->start, first->len, "<mailto:", 8);
    if (!quote_follows && !timed && !program) {
        text_line(lines, k)->weak = weak_attribution;
        return;
    }
    for (guint i = s; i <= k; i++) {
        text_line(lines, i)->class = TEXT_CLASS_ATTRIBUTION;
        text_line(lines, i)->rule = "date and address";
    }
}

void text_attribution_mark(GArray *lines)
{
    for (guint i = 0; i < lines->len; i++)
        mark_stamp(lines, i);
    for (guint k = 0; k < lines->len; k++)
        mark_attribution(lines, k);
}
