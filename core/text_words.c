/* SPDX-License-Identifier: Apache-2.0 */
/* Phrases of many languages, see text_words.h. */
#include "core/text_words.h"

#include <string.h>

#include "core/utf8_text.h"

enum { FOLD_MAX = 1000, FOOTER_BYTES = 140, FOOTER_WORDS = 9, PLAIN_FOOTER_WORDS = 13, MY_WORDS = 6 };

/* --- folding --- */

static bool is_mark_of_emphasis(char c)
{
    return c == ' ' || c == '*' || c == '_' || c == '#';
}

static void fold_char(GString *out, gunichar c, bool *combining)
{
    if (utf8_is_bidi_control(c) || utf8_is_zero_width(c))
        return;
    if (c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x3000 || c < 0x20)
        c = ' ';
    if (c == ' ' && (out->len == 0 || out->str[out->len - 1] == ' '))
        return;
    if (c == 0x2019 || c == 0x02BC)
        c = '\'';
    if (c >= 0x80 && g_unichar_isdigit(c)) /* of any script */
        c = (gunichar)('0' + g_unichar_digit_value(c));
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2500 || c == 0x2501)
        c = '-';
    if (c >= 0x300 && c < 0x370)
        *combining = true;
    g_string_append_unichar(out, g_unichar_tolower(c));
}

char *text_fold(const char *text, gsize len)
{
    if (len > FOLD_MAX) {
        const char *cut = g_utf8_find_prev_char(text, text + FOLD_MAX);
        len = cut ? (gsize)(cut - text) : 0;
    }
    GString *out = g_string_sized_new(len + 1);
    bool combining = false;
    for (const char *p = text, *end = text + len; p < end;) {
        if ((guchar)*p > ' ' && (guchar)*p < 0x7F) {
            g_string_append_c(out, g_ascii_tolower(*p));
            p++;
        } else {
            fold_char(out, g_utf8_get_char(p), &combining);
            p = g_utf8_next_char(p);
        }
    }
    while (out->len > 0 && is_mark_of_emphasis(out->str[out->len - 1]))
        g_string_truncate(out, out->len - 1);
    gsize from = 0;
    while (from < out->len && is_mark_of_emphasis(out->str[from]))
        from++;
    g_string_erase(out, 0, (gssize)from);
    char *folded = g_string_free(out, FALSE);
    if (!combining)
        return folded;
    char *composed = g_utf8_normalize(folded, -1, G_NORMALIZE_NFC);
    if (!composed)
        return folded;
    g_free(folded);
    return composed;
}

/* --- the walk --- */

/* Scripts without blanks; the same ranges as in embed.py. */
static bool alone(gunichar c)
{
    return (c >= 0x0E00 && c < 0x0E80) || (c >= 0x1100 && c < 0x1200) || (c >= 0x2E80 && c < 0xA000) ||
           (c >= 0xA960 && c < 0xA980) || (c >= 0xAC00 && c < 0xD800) || (c >= 0xF900 && c < 0xFB00) || c >= 0x20000;
}

static bool is_letter(gunichar c)
{
    return c < 0x80 ? g_ascii_isalnum((gchar)c) : g_unichar_isalnum(c) || g_unichar_ismark(c);
}

static const char *unit_end(const char *p)
{
    gunichar c = g_utf8_get_char(p);
    if (alone(c) || !is_letter(c))
        return g_utf8_next_char(p);
    while (*p != '\0' && is_letter(c = g_utf8_get_char(p)) && !alone(c))
        p = g_utf8_next_char(p);
    return p;
}

static const struct text_phrase_slot *find_unit(const char *p, gsize len)
{
    guint32 hash = 2166136261u;
    for (gsize i = 0; i < len; i++)
        hash = (hash ^ (guchar)p[i]) * 16777619u;
    for (guint32 at = hash % TEXT_PHRASE_SLOTS;; at = (at + 1) % TEXT_PHRASE_SLOTS) {
        const struct text_phrase_slot *slot = &text_phrase_slots[at];
        if (slot->count == 0)
            return NULL;
        if (slot->hash == hash)
            return slot;
    }
}

static bool ends_word(const char *start, const char *end)
{
    if (*end == '\0')
        return true;
    gunichar last = g_utf8_get_char(g_utf8_find_prev_char(start, end)), next = g_utf8_get_char(end);
    return alone(last) || alone(next) || !is_letter(last) || !is_letter(next);
}

static bool number_beside(const char *line, const char *start, const char *end)
{
    const char *before = start, *after = end;
    for (guint i = 0; i < 4 && before > line && !g_ascii_isdigit(before[-1]) && before[-1] > 0; i++)
        before--;
    while (*after != '\0' && strchr(" .,-/'", *after))
        after++;
    return (before > line && g_ascii_isdigit(before[-1])) || g_ascii_isdigit(*after);
}

static void note(const char *line, const char *p, const struct text_phrase *phrase, struct text_words *found)
{
    const char *end = p + phrase->len;
    guint32 kinds = phrase->kinds;
    if (phrase->tail && !strstr(end, phrase->tail))
        return;
    found->anywhere |= kinds;
    found->legal += (kinds & TEXT_WORD_LEGAL) != 0;
    found->footers += (kinds & TEXT_WORD_FOOTER) != 0;
    found->devices += (kinds & TEXT_WORD_DEVICE) != 0;
    if (kinds & TEXT_WORD_VERB) {
        found->verb_end = MAX(found->verb_end, (gsize)(end - line));
        const char *behind = end + strspn(end, " ");
        found->verb_colon = found->verb_colon || *behind == ':' || strncmp(behind, "：", 3) == 0;
    }
    if (kinds & TEXT_WORD_MONTH)
        found->month_number = found->month_number || number_beside(line, p, end);
    if (p == line) {
        found->at_start |= kinds;
        found->start_end = MAX(found->start_end, (gsize)phrase->len);
    }
    if (!(kinds & TEXT_WORD_KEYS))
        return;
    while (*end != '\0' && strchr(" *_", *end))
        end++;
    if (*end != ':' && memcmp(end, "：", MIN(strlen(end), (gsize)3)) != 0)
        return;
    if (*end == '\0')
        return;
    found->keys |= kinds & TEXT_WORD_KEYS;
    if (p == line)
        found->first_key |= kinds & TEXT_WORD_KEYS;
}

void text_words_scan(const char *folded, struct text_words *found)
{
    *found = (struct text_words){0};
    for (const char *p = folded; *p != '\0';) {
        if (*p == ' ') {
            p++;
            continue;
        }
        const char *end = unit_end(p);
        const struct text_phrase_slot *slot = find_unit(p, (gsize)(end - p));
        for (guint i = 0; slot && i < slot->count; i++) {
            const struct text_phrase *phrase = &text_phrases[slot->first + i];
            if (strncmp(p, phrase->head, phrase->len) == 0 && ends_word(p, p + phrase->len))
                note(folded, p, phrase, found);
        }
        p = end;
    }
}

guint text_words_stems(const char *folded)
{
    guint n = 0;
    for (guint i = 0; i < TEXT_PHRASE_STEMS; i++)
        n += strstr(folded, text_phrase_stems[i]) != NULL;
    return n;
}

/* --- footers --- */

static bool ends_with_known_tail(const char *folded)
{
    gsize len = strlen(folded);
    while (len > 0 && strchr(".!。 >)]", folded[len - 1]))
        len--;
    for (guint i = 0; i < TEXT_PHRASE_TAILS; i++) {
        gsize n = strlen(text_phrase_tails[i]);
        if (len > n && memcmp(folded + len - n, text_phrase_tails[i], n) == 0)
            return true;
    }
    return false;
}

static guint count_words(const char *text)
{
    guint n = 0;
    for (const char *p = text; *p != '\0'; p++)
        n += *p != ' ' && (p == text || p[-1] == ' ');
    return n;
}

/* Words of its first sentence, when only an apology follows ("please excuse my brevity"); of all of it otherwise. */
static guint footer_words(const char *folded, const struct text_words *found)
{
    const char *end = found->footers >= 2 ? strstr(folded, ". ") : NULL;
    if (!end)
        return count_words(folded);
    g_autofree char *first = g_strndup(folded, (gsize)(end - folded));
    return count_words(first);
}

bool text_words_footer(const char *folded, const struct text_words *found, bool *sure)
{
    bool link = strstr(folded, "http") != NULL;
    if (!link && strlen(folded) > FOOTER_BYTES)
        return false;
    bool starts = found->at_start & TEXT_WORD_FOOTER, ends = !starts && ends_with_known_tail(folded);
    if (!starts && !ends)
        return false;
    guint words = footer_words(folded, found), most = strpbrk(folded, ",?!") || found->devices < 2 ? FOOTER_WORDS : PLAIN_FOOTER_WORDS;
    bool device = (found->anywhere & TEXT_WORD_DEVICE) || strstr(folded, "iphon") || strstr(folded, "ipad") || strstr(folded, "android") ||
                  strstr(folded, "outlook"); /* also with endings: "iphonesta" */
    *sure = (device && (words <= most || link)) || link || (starts && strstr(folded, " my ") && words <= MY_WORDS && !strpbrk(folded, ",!?")) ||
            (ends && words <= 4) || folded[found->start_end] == '\0';
    return true;
}
