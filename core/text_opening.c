/* SPDX-License-Identifier: Apache-2.0 */
/* Header blocks, and all that introduces quoted mail, see text_opening.h. */
#include "core/text_opening.h"

#include <string.h>

#include "core/text_attribution.h"
#include "core/text_shape.h"

enum { BLOCK_WINDOW = 14, BLOCK_OTHERS = 2, BLOCK_BLANKS = 2, TABLE_WINDOW = 14, TABLE_ABOVE = 4 };

static const char weak_header[] = "it holds lines that look like the header of another mail";

enum verdict { NO, WEAK, STRONG };

bool text_opening_is(const struct text_line *line)
{
    return line->class == TEXT_CLASS_ORIGINAL || line->class == TEXT_CLASS_FORWARD || line->class == TEXT_CLASS_MARKER ||
           line->class == TEXT_CLASS_ATTRIBUTION || line->class == TEXT_CLASS_HEADER;
}

bool text_opening_within(const struct text_line *line)
{
    bool field = line->words.first_key && (line->shape & TEXT_SHOWS_ADDRESS);
    return field || text_attribution_is(line);
}

/* --- header blocks --- */

struct block {
    guint32 kinds;
    guint fields, generic, last;
    bool address, angled, time, first_angled;
};

static void take_field(struct block *block, const struct text_line *line, guint i)
{
    guint32 bits = line->words.first_key ? line->words.first_key : 0, fresh = bits & ~block->kinds;
    if (__builtin_popcount(line->words.keys) >= 3 && bits)
        block->kinds |= line->words.keys;
    else if (__builtin_popcount(bits) > 1 && fresh)
        block->kinds |= fresh & (guint32)-(gint32)fresh; /* one word of several meanings: what is missing yet */
    else
        block->kinds |= bits;
    block->fields++;
    block->generic += line->generic_key;
    block->address = block->address || (line->shape & TEXT_SHOWS_ADDRESS);
    block->angled = block->angled || (line->shape & TEXT_SHOWS_ANGLED);
    block->time = block->time || text_shape_has_day(line->shape);
    if (block->fields == 1)
        block->first_angled = line->shape & TEXT_SHOWS_ANGLED;
    block->last = i;
}

static void read_block(const GArray *lines, guint i, struct block *block)
{
    guint others = 0, blanks = 0;
    for (guint k = i; k < lines->len && k < i + BLOCK_WINDOW; k++) {
        const struct text_line *line = text_line(lines, k);
        if (line->class == TEXT_CLASS_BLANK) {
            if (++blanks > BLOCK_BLANKS || (block->fields >= 3 && (block->kinds & TEXT_WORD_SUBJECT)))
                break;
        } else if (line->class != TEXT_CLASS_TEXT && line->class != TEXT_CLASS_FOOTER) {
            break;
        } else if (line->words.first_key || (line->generic_key && (k == i || block->fields > 0))) {
            take_field(block, line, k);
            others = blanks = 0;
        } else if (++others > BLOCK_OTHERS || blanks > 0) {
            break; /* else a wrapped value */
        }
    }
}

static guint count_kinds(guint32 kinds)
{
    return (guint)__builtin_popcount(kinds & (TEXT_WORD_FROM | TEXT_WORD_DATE | TEXT_WORD_TO | TEXT_WORD_SUBJECT | TEXT_WORD_CC | TEXT_WORD_REPLYTO));
}

static enum verdict judge_block(const struct block *block, bool introduced)
{
    guint kinds = count_kinds(block->kinds);
    bool from = block->kinds & TEXT_WORD_FROM, subject = block->kinds & TEXT_WORD_SUBJECT, date = block->kinds & TEXT_WORD_DATE;
    if (introduced && (kinds >= 2 || (from && block->address)))
        return STRONG;
    if (from && kinds >= 3 && (subject || block->address))
        return STRONG;
    if (from && kinds == 2 && block->address)
        return STRONG;
    if (kinds >= 3 && date && subject && block->address)
        return STRONG;
    if (block->fields >= 4 && block->first_angled && block->time)
        return STRONG; /* of no language that we know */
    return (kinds >= 2 && (subject || block->address || block->time)) || (from && kinds >= 3) || (from && block->address) ? WEAK : NO;
}

/* Under a rule or a caption, blank lines between do not matter. */
static bool is_introduced(const GArray *lines, guint i)
{
    for (guint n = 0; i > 0 && n < 3; n++) {
        const struct text_line *above = text_line(lines, --i);
        if (above->class == TEXT_CLASS_ORIGINAL || above->class == TEXT_CLASS_FORWARD || above->class == TEXT_CLASS_RULE)
            return true;
        if (above->class == TEXT_CLASS_TEXT && (above->words.at_start & (TEXT_WORD_ORIGINAL | TEXT_WORD_FORWARDED)) && above->len <= 60)
            return true;
        if (above->class != TEXT_CLASS_BLANK)
            return false;
    }
    return false;
}

/* The line above that tells of whose mail it is: "Message of: 12/12/2016 13:20", "Bob ---14.08.2019 11:32:00---subject". */
static guint titled_by(const GArray *lines, guint i)
{
    guint above = i;
    for (guint n = 0; above > 0 && n < 2; n++) {
        const struct text_line *line = text_line(lines, --above);
        if (line->class == TEXT_CLASS_BLANK)
            continue;
        bool dashed = memmem(line->start, line->len, "---", 3) != NULL;
        bool titles = line->class == TEXT_CLASS_TEXT && text_shape_has_day(line->shape) && ((line->generic_key && n == 0) || dashed);
        return titles ? above : i;
    }
    return i;
}

/* Returns the last line that was looked at and belongs to it. */
static guint mark_header(GArray *lines, guint i)
{
    struct text_line *line = text_line(lines, i);
    struct block block = {.last = i};
    if (line->class != TEXT_CLASS_TEXT || !(line->words.first_key || (line->generic_key && (line->shape & TEXT_SHOWS_ANGLED))))
        return i;
    read_block(lines, i, &block);
    enum verdict verdict = judge_block(&block, is_introduced(lines, i));
    if (verdict == WEAK)
        line->weak = weak_header;
    if (verdict != STRONG)
        return i;
    i = titled_by(lines, i);
    for (guint k = i; k <= block.last; k++) {
        struct text_line *field = text_line(lines, k);
        if (field->class != TEXT_CLASS_BLANK) {
            field->class = TEXT_CLASS_HEADER;
            field->rule = "header of another mail";
        }
    }
    struct text_line *above = i > 0 ? text_line(lines, i - 1) : NULL;
    if (above && above->class == TEXT_CLASS_TEXT && (above->words.at_start & (TEXT_WORD_ORIGINAL | TEXT_WORD_FORWARDED)) && above->len <= 60)
        above->class = above->words.at_start & TEXT_WORD_ORIGINAL ? TEXT_CLASS_ORIGINAL : TEXT_CLASS_FORWARD;
    return block.last;
}

/* --- a header as a table: keys and values in lines of their own (Lotus Notes) --- */

/* The name and the date above it; i: not there. */
static guint table_begin(const GArray *lines, guint i)
{
    for (guint n = 0, k = i; k > 0 && n < TABLE_ABOVE; n++) {
        const struct text_line *line = text_line(lines, --k);
        if (line->class == TEXT_CLASS_BLANK)
            continue;
        if (!text_attribution_is_moment(line))
            return i;
        bool name = k > 0 && text_line(lines, k - 1)->class == TEXT_CLASS_TEXT && text_line(lines, k - 1)->len <= TEXT_ATTRIBUTION_SHORT;
        return name ? k - 1 : k;
    }
    return i;
}

static void mark_table(GArray *lines, guint i)
{
    guint32 kinds = 0;
    guint last = i;
    for (guint k = i; k < lines->len && k < i + TABLE_WINDOW; k++) {
        const struct text_line *line = text_line(lines, k);
        if (line->class != TEXT_CLASS_TEXT && line->class != TEXT_CLASS_BLANK)
            break;
        kinds |= line->bare_key;
        last = line->bare_key ? k : last;
    }
    guint first = table_begin(lines, i);
    if (count_kinds(kinds) < 3 || !(kinds & TEXT_WORD_SUBJECT))
        return;
    if (first == i) {
        text_line(lines, i)->weak = weak_header;
        return;
    }
    last = MIN(text_lines_next(lines, last + 1), lines->len - 1); /* its value */
    for (guint k = first; k <= last; k++)
        if (text_line(lines, k)->class == TEXT_CLASS_TEXT) {
            text_line(lines, k)->class = TEXT_CLASS_HEADER;
            text_line(lines, k)->rule = "header of another mail, as a table";
        }
}

void text_opening_mark(GArray *lines)
{
    for (guint i = 0; i < lines->len; i++)
        i = mark_header(lines, i);
    for (guint i = 0; i < lines->len; i++)
        if (text_line(lines, i)->class == TEXT_CLASS_TEXT && text_line(lines, i)->bare_key)
            mark_table(lines, i);
    text_attribution_mark(lines);
}
