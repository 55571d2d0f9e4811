/* SPDX-License-Identifier: Apache-2.0 */
/* SMS counting and splitting: 3GPP TS 23.038 (alphabets), 23.040 (concatenation). */
#include "core/gsm.h"

#include <string.h>

#include "core/gsm_tables.h"

#define MESSAGE_OCTETS 140
#define HEADER_CONCATENATION 5 /* information element of an 8-bit reference (TS 23.040 section 9.2.3.24.1) */
#define HEADER_NATIONAL 3      /* of a single or a locking shift (9.2.3.24.15 and .16) */
#define GRAPHEME_SLACK 10

/* How a text is encoded: 7 bit with these tables, or UCS-2. */
struct coding {
    enum gsm_encoding encoding;
    enum gsm_language locking, shift;
};

static const struct coding coding_default = {GSM_7BIT, GSM_DEFAULT, GSM_DEFAULT};
static const struct coding coding_ucs2 = {GSM_UCS2, GSM_DEFAULT, GSM_DEFAULT};

static int septets_with(gunichar c, const struct gsm_set *locking, const struct gsm_set *shift)
{
    if (gsm_set_has(locking, c))
        return 1;
    return gsm_set_has(shift, c) ? 2 : 0;
}

int gsm_septets(gunichar c)
{
    return septets_with(c, &gsm_tables[GSM_DEFAULT].locking, &gsm_tables[GSM_DEFAULT].shift);
}

/* The next character; invalid bytes count one by one as U+FFFD. */
static gunichar next_char(const char **p, const char *end)
{
    gunichar c = g_utf8_get_char_validated(*p, end - *p);

    if (c == (gunichar)-1 || c == (gunichar)-2) {
        (*p)++;
        return 0xfffd;
    }
    *p = g_utf8_next_char(*p);
    return c;
}

static guint units_of(gunichar c, const struct coding *coding)
{
    if (coding->encoding == GSM_UCS2)
        return c > 0xffff ? 2 : 1;
    return (guint)septets_with(c, &gsm_tables[coding->locking].locking, &gsm_tables[coding->shift].shift);
}

/* Units that fit into one message: what the user data header leaves, septets behind it on a septet's boundary. */
static guint room_of(const struct coding *coding, bool concatenated)
{
    guint header = (concatenated ? HEADER_CONCATENATION : 0) + (coding->locking != GSM_DEFAULT ? HEADER_NATIONAL : 0) +
                   (coding->shift != GSM_DEFAULT ? HEADER_NATIONAL : 0);

    if (header > 0)
        header++; /* its length */
    return coding->encoding == GSM_7BIT ? (MESSAGE_OCTETS - header) * 8 / 7 : (MESSAGE_OCTETS - header) / 2;
}

/* One segment filled after the other: a character of two units that does not fit leaves a gap. */
static void fill(const char *text, size_t length, const struct coding *coding, struct gsm_count *out)
{
    const char *end = text + length;
    guint room = room_of(coding, false), part = room_of(coding, true), used = part;

    out->encoding = coding->encoding;
    out->locking = coding->locking;
    out->shift = coding->shift;
    out->units = out->segments = 0;
    for (const char *p = text; p < end;) {
        guint n = units_of(next_char(&p, end), coding);
        out->units += n;
        if (used + n > part) {
            out->segments++;
            used = 0;
        }
        used += n;
    }
    if (out->units <= room) {
        out->segments = out->units > 0;
        out->left = room - out->units;
    } else {
        out->left = part - used;
    }
}

static gunichar find_culprit(const char *text, size_t length)
{
    const char *end = text + length;

    for (const char *p = text; p < end;) {
        gunichar c = next_char(&p, end);
        if (units_of(c, &coding_default) == 0)
            return c;
    }
    return 0;
}

/* --- National tables --- */

/* shifts[l]: the languages whose shift table, beside the locking table of l, covers the text; 0: none. */
static void find_tables(const char *text, size_t length, guint national, guint shifts[static GSM_LANGUAGES])
{
    const char *end = text + length;

    for (guint l = 0; l < GSM_LANGUAGES; l++)
        shifts[l] = (national >> l & 1) != 0 && gsm_tables[l].locking.ranges != NULL ? national : 0;
    for (const char *p = text; p < end;) {
        gunichar c = next_char(&p, end);
        guint has = 0;
        for (guint s = 0; s < GSM_LANGUAGES; s++)
            if ((national >> s & 1) != 0 && gsm_set_has(&gsm_tables[s].shift, c))
                has |= 1u << s;
        for (guint l = 0; l < GSM_LANGUAGES; l++)
            if (shifts[l] != 0 && !gsm_set_has(&gsm_tables[l].locking, c))
                shifts[l] &= has;
    }
}

/* The default extension costs nothing, the language's own goes well with its letters. */
static enum gsm_language best_shift(guint shifts, enum gsm_language locking)
{
    if (shifts & 1u << GSM_DEFAULT)
        return GSM_DEFAULT;
    return shifts & 1u << locking ? locking : (enum gsm_language)(g_bit_nth_lsf(shifts, -1));
}

static void try_national(const char *text, size_t length, guint national, struct gsm_count *best)
{
    guint shifts[GSM_LANGUAGES];

    find_tables(text, length, national | 1u << GSM_DEFAULT, shifts);
    for (guint l = 0; l < GSM_LANGUAGES; l++) {
        struct gsm_count count = *best;
        if (shifts[l] == 0)
            continue;
        const struct coding coding = {GSM_7BIT, (enum gsm_language)l, best_shift(shifts[l], (enum gsm_language)l)};
        fill(text, length, &coding, &count);
        if (count.segments < best->segments)
            *best = count;
    }
}

guint gsm_count(const char *text, size_t length, guint national, struct gsm_count *out)
{
    memset(out, 0, sizeof *out);
    out->culprit = find_culprit(text, length);
    fill(text, length, out->culprit == 0 ? &coding_default : &coding_ucs2, out);
    if (national != 0 && out->segments > 1)
        try_national(text, length, national, out);
    return out->segments;
}

/* --- Splitting --- */

static bool is_regional(gunichar c)
{
    return c >= 0x1f1e6 && c <= 0x1f1ff;
}

static bool extends(gunichar c)
{
    return g_unichar_ismark(c) || c == 0x200c || c == 0x200d || (c >= 0x1f3fb && c <= 0x1f3ff) ||
           (c >= 0xe0020 && c <= 0xe007f);
}

/* Hangul syllables of separate letters: leading, vowel, trailing. */
static bool joins_hangul(gunichar before, gunichar c)
{
    bool leading = before >= 0x1100 && before <= 0x115f, letters = before >= 0x1160 && before <= 0x11ff;

    return (leading && c >= 0x1100 && c <= 0x11ff) || (letters && c >= 0x1160 && c <= 0x11ff);
}

/* Does a grapheme go on with c after before?  The rules of UAX #29 that matter here; flags: regional indicators
 * directly before c, which come in pairs. */
static bool joins(gunichar before, gunichar c, guint flags)
{
    if (before == '\r' && c == '\n')
        return true;
    if (extends(c) || before == 0x200d) /* zero width joiner */
        return true;
    if (is_regional(before) && is_regional(c))
        return flags % 2 == 1;
    if (g_unichar_combining_class(before) == 9) /* virama: the next consonant is of the same cluster */
        return g_unichar_isalpha(c);
    return joins_hangul(before, c);
}

/* The end of the segment that begins at start. */
static const char *segment_end(const char *start, const char *end, const struct coding *coding, guint room)
{
    const char *p = start, *boundary = start;
    guint used = 0, at_boundary = 0, flags = 0;
    gunichar before = 0;

    while (p < end) {
        const char *here = p;
        gunichar c = next_char(&p, end);
        guint n = units_of(c, coding);
        if (here > start && !joins(before, c, flags)) {
            boundary = here;
            at_boundary = used;
        }
        if (used + n > room)
            return boundary > start && used - at_boundary <= GRAPHEME_SLACK ? boundary : here;
        used += n;
        flags = is_regional(c) ? flags + 1 : 0;
        before = c;
    }
    return end;
}

char **gsm_split(const char *text, size_t length, guint national)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new();
    const char *end = text + length;
    struct gsm_count count;

    gsm_count(text, length, national, &count);
    const struct coding coding = {count.encoding, count.locking, count.shift};
    guint room = room_of(&coding, count.segments > 1);
    for (const char *p = text; p < end;) {
        const char *stop = segment_end(p, end, &coding, room);
        g_ptr_array_add(parts, g_strndup(p, (gsize)(stop - p)));
        p = stop;
    }
    g_ptr_array_add(parts, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&parts), FALSE);
}

/* --- Transliteration --- */

/* The fullwidth forms of ASCII. */
#define FULLWIDTH_FIRST 0xff01
#define FULLWIDTH_LAST 0xff5e

/* Typography only: nothing that a reader would miss.  Sorted by code point. */
static const struct {
    gunichar from;
    const char *to;
} TYPOGRAPHY[] = {
    {0x0009, " "},   {0x0060, "'"},   {0x00a0, " "},   {0x00ab, "\""},  {0x00ad, ""},    {0x00b4, "'"},
    {0x00b7, "."},   {0x00bb, "\""},  {0x02bc, "'"},   {0x2000, " "},   {0x2001, " "},   {0x2002, " "},
    {0x2003, " "},   {0x2004, " "},   {0x2005, " "},   {0x2006, " "},   {0x2007, " "},   {0x2008, " "},
    {0x2009, " "},   {0x200a, " "},   {0x200b, ""},    {0x2010, "-"},   {0x2011, "-"},   {0x2012, "-"},
    {0x2013, "-"},   {0x2014, "-"},   {0x2015, "-"},   {0x2018, "'"},   {0x2019, "'"},   {0x201a, ","},
    {0x201b, "'"},   {0x201c, "\""},  {0x201d, "\""},  {0x201e, "\""},  {0x201f, "\""},  {0x2022, "*"},
    {0x2024, "."},   {0x2025, ".."},  {0x2026, "..."}, {0x2028, "\n"},  {0x2029, "\n"},  {0x202f, " "},
    {0x2032, "'"},   {0x2033, "\""},  {0x2039, "'"},   {0x203a, "'"},   {0x2044, "/"},   {0x205f, " "},
    {0x2060, ""},    {0x2212, "-"},   {0x3000, " "},   {0xfb00, "ff"},  {0xfb01, "fi"},  {0xfb02, "fl"},
    {0xfb03, "ffi"}, {0xfb04, "ffl"}, {0xfeff, ""},
};

static const char *typography_of(gunichar c)
{
    size_t low = 0, high = G_N_ELEMENTS(TYPOGRAPHY);

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (TYPOGRAPHY[middle].from == c)
            return TYPOGRAPHY[middle].to;
        if (TYPOGRAPHY[middle].from < c)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

char *gsm_transliterate(const char *text, size_t length, guint *changed)
{
    const char *end = text + length;
    GString *out = g_string_sized_new(length);
    guint count = 0;

    for (const char *p = text; p < end;) {
        gunichar c = next_char(&p, end);
        const char *plain = typography_of(c);
        if (plain != NULL) {
            g_string_append(out, plain);
            count++;
        } else if (c >= FULLWIDTH_FIRST && c <= FULLWIDTH_LAST) {
            g_string_append_c(out, (char)(c - FULLWIDTH_FIRST + '!'));
            count++;
        } else {
            g_string_append_unichar(out, c);
        }
    }
    if (changed != NULL)
        *changed = count;
    return g_string_free(out, FALSE);
}

char *gsm_fit(const char *text, size_t length)
{
    struct gsm_count count;

    gsm_count(text, length, 0, &count);
    if (count.culprit == 0)
        return g_strndup(text, length);
    g_autofree char *plain = gsm_transliterate(text, length, NULL);
    gsm_count(plain, strlen(plain), 0, &count);
    return count.culprit == 0 ? g_steal_pointer(&plain) : g_strndup(text, length);
}
