/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times and addresses by shape, see text_shape.h. */
#include "core/text_shape.h"

#include <stdbool.h>
#include <string.h>

enum { DOMAIN_MAX = 200 };

static guint addresses(const char *text, gsize len)
{
    guint found = 0;
    const char *open = NULL;
    for (gsize i = 0; i < len; i++) {
        if (strchr("<([", text[i]) != NULL)
            open = text + i;
        if (open && strchr(">)]", text[i]) != NULL)
            open = NULL;
        if (text[i] != '@' || i == 0 || i + 2 >= len || text[i - 1] == ' ')
            continue;
        bool host = g_ascii_isalnum(text[i + 1]) || (guchar)text[i + 1] >= 0x80;
        if (host && memchr(text + i, '.', MIN(len - i, (gsize)DOMAIN_MAX)))
            found |= TEXT_SHOWS_ADDRESS | (open ? TEXT_SHOWS_ANGLED : 0);
    }
    return found | (open && *open == '<' ? TEXT_SHOWS_OPEN : 0);
}

struct number {
    gsize digits;
    guint value;
};

static struct number number_at(const char *text, gsize len, gsize i)
{
    struct number n = {0};
    while (i + n.digits < len && g_ascii_isdigit(text[i + n.digits])) {
        if (n.digits < 4)
            n.value = n.value * 10 + (guint)(text[i + n.digits] - '0');
        n.digits++;
    }
    return n;
}

static bool is_clock_word(const char *p)
{
    static const char *const words[] = {"時", "时", "点", "點", "시", " am", " pm", "am", "pm", " a.m", " p.m", " uhr", " h"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize n = strlen(words[i]);
        if (strncmp(p, words[i], n) == 0 && !g_ascii_isalpha(p[n]))
            return true;
    }
    return false;
}

/* hh:mm, hh.mm, hhhmm, 5 pm; years; d.m.y, d/m/y, y-m-d: walks over the numbers once. */
static guint times_and_dates(const char *text, gsize len)
{
    guint found = 0;
    for (gsize i = 0; i < len; i++) {
        struct number n = number_at(text, len, i);
        if (n.digits == 0)
            continue;
        char before = i > 0 ? text[i - 1] : ' ', sep = i + n.digits < len ? text[i + n.digits] : ' ';
        struct number m = number_at(text, len, i + n.digits + 1);
        gsize next = i + n.digits + 1 + m.digits;
        char after = next < len ? text[next] : ' ';
        bool open = !strchr("./-:@+", before) && !g_ascii_isalpha(before);
        if (n.digits <= 2 && m.digits == 2 && n.value <= 24 && m.value < 60 && open && strchr(":h.", sep) &&
            !(sep == '.' && strchr("./", after) && g_ascii_isdigit(next + 1 < len ? text[next + 1] : ' ')))
            found |= TEXT_SHOWS_TIME;
        if (n.digits <= 2 && open && is_clock_word(text + i + n.digits))
            found |= TEXT_SHOWS_TIME;
        if (n.digits == 4 && !g_ascii_isalpha(before) && ((n.value >= 1990 && n.value < 2100) || (n.value >= 2540 && n.value < 2600)))
            found |= TEXT_SHOWS_DATE;
        if (n.digits <= 2 && m.digits > 0 && m.digits <= 2 && n.value > 0 && m.value > 0 && open && strchr("./-", sep) && after == sep &&
            number_at(text, len, next + 1).digits >= 2)
            found |= TEXT_SHOWS_DATE;
        i += n.digits - 1;
    }
    return found;
}

/* "p.m.", "г.": its last word has one letter for each full stop. */
static bool ends_abbreviated(const char *folded, gsize end)
{
    gsize from = end;
    guint stops = 0, letters = 0;
    while (from > 0 && folded[from - 1] != ' ')
        from--;
    for (const char *p = folded + from; p < folded + end; p = g_utf8_next_char(p)) {
        stops += *p == '.';
        letters += *p != '.';
    }
    return end > 0 && folded[end - 1] == '.' && letters == stops;
}

guint text_shape(const char *folded, const struct text_words *words)
{
    gsize len = strlen(folded);
    guint found = addresses(folded, len) | times_and_dates(folded, len);
    if (words->month_number)
        found |= TEXT_SHOWS_DATE;
    if (words->anywhere & TEXT_WORD_WEEKDAY)
        found |= TEXT_SHOWS_WEEKDAY;
    if (words->anywhere & TEXT_WORD_VERB)
        found |= TEXT_SHOWS_VERB;
    if (words->verb_colon)
        found |= TEXT_SHOWS_VERB_COLON;
    if ((words->at_start & (TEXT_WORD_OPENER | TEXT_WORD_WEEKDAY | TEXT_WORD_MONTH)) || g_ascii_isdigit(folded[0]))
        found |= TEXT_SHOWS_OPENER;
    gsize end = len;
    while (end > 0 && strchr(" *_>)]\"'-=~", folded[end - 1]))
        end--;
    if (end == 0)
        return found;
    if (folded[end - 1] == ':' || (end >= 3 && memcmp(folded + end - 3, "：", 3) == 0))
        found |= TEXT_SHOWS_COLON;
    if (words->verb_end == end)
        found |= TEXT_SHOWS_VERB_END;
    if (ends_abbreviated(folded, end))
        found |= TEXT_SHOWS_ABBREVIATED;
    if (strchr(".!?", folded[end - 1]) || (end >= 3 && (memcmp(folded + end - 3, "。", 3) == 0 || memcmp(folded + end - 3, "？", 3) == 0 || memcmp(folded + end - 3, "！", 3) == 0)))
        found |= TEXT_SHOWS_SENTENCE;
    return found;
}
