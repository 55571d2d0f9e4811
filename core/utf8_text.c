/* SPDX-License-Identifier: Apache-2.0 */
/* Unicode text as a person sees it, see utf8_text.h. */
#include "core/utf8_text.h"

#include <string.h>

char *utf8_valid(const char *text, gssize len)
{
    return text ? g_utf8_make_valid(text, len) : g_strdup("");
}

bool utf8_is_bidi_control(gunichar c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

bool utf8_is_zero_width(gunichar c)
{
    switch (c) {
    case 0x00AD: /* soft hyphen */
    case 0x034F: /* combining grapheme joiner */
    case 0x115F:
    case 0x1160: /* Hangul fillers */
    case 0x17B4:
    case 0x17B5:
    case 0x180B:
    case 0x180C:
    case 0x180D:
    case 0x180E:
    case 0x180F:
    case 0x200B:
    case 0x200C:
    case 0x200D:
    case 0x3164:
    case 0xFEFF:
    case 0xFFA0:
        return true;
    default:
        break;
    }
    return (c >= 0x2060 && c <= 0x2065) || (c >= 0x206A && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) ||
           (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0x1D173 && c <= 0x1D17A) || (c >= 0xE0000 && c <= 0xE0FFF);
}

bool utf8_is_emoji(gunichar c)
{
    if (c < 0x2000)
        return c == 0xA9 || c == 0xAE;
    if (c < 0x3000)
        return c == 0x203C || c == 0x2049 || c == 0x2122 || c == 0x2139 || (c >= 0x2190 && c <= 0x21FF) ||
               (c >= 0x2300 && c <= 0x23FF) || c == 0x24C2 || (c >= 0x25A0 && c <= 0x27BF) || c == 0x2934 ||
               c == 0x2935 || (c >= 0x2B00 && c <= 0x2BFF);
    return c == 0x3030 || c == 0x303D || c == 0x3297 || c == 0x3299 ||
           (c >= 0x1F000 && c <= 0x1FAFF && !(c >= 0x1F3FB && c <= 0x1F3FF));
}

static bool is_regional(gunichar c)
{
    return c >= 0x1F1E6 && c <= 0x1F1FF;
}

/* Characters that never start a cluster. */
static bool is_extend(gunichar c)
{
    if (c < 0x300)
        return false;
    if (c == 0x200C || c == 0x200D || (c >= 0x1F3FB && c <= 0x1F3FF) || (c >= 0xE0020 && c <= 0xE007F) ||
        c == 0xFF9E || c == 0xFF9F)
        return true;
    GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK || type == G_UNICODE_SPACING_MARK;
}

static bool hangul_joins(gunichar a, gunichar b)
{
    if (a < 0x1100 || b < 0x1100)
        return false;
    GUnicodeBreakType left = g_unichar_break_type(a), right = g_unichar_break_type(b);
    if (left == G_UNICODE_BREAK_HANGUL_L_JAMO)
        return right == G_UNICODE_BREAK_HANGUL_L_JAMO || right == G_UNICODE_BREAK_HANGUL_V_JAMO ||
               right == G_UNICODE_BREAK_HANGUL_LV_SYLLABLE || right == G_UNICODE_BREAK_HANGUL_LVT_SYLLABLE;
    if (left == G_UNICODE_BREAK_HANGUL_LV_SYLLABLE || left == G_UNICODE_BREAK_HANGUL_V_JAMO)
        return right == G_UNICODE_BREAK_HANGUL_V_JAMO || right == G_UNICODE_BREAK_HANGUL_T_JAMO;
    if (left == G_UNICODE_BREAK_HANGUL_LVT_SYLLABLE || left == G_UNICODE_BREAK_HANGUL_T_JAMO)
        return right == G_UNICODE_BREAK_HANGUL_T_JAMO;
    return false;
}

const char *utf8_grapheme_next(const char *p, const char *end)
{
    if (p >= end)
        return p;
    gunichar base = g_utf8_get_char(p), prev = base;
    p = g_utf8_next_char(p);
    if (base == '\r' && p < end && *p == '\n')
        return p + 1;
    if (base < 0x20 || base == 0x7F || base == 0x2028 || base == 0x2029)
        return p;
    bool pictographic = utf8_is_emoji(base);
    guint regionals = is_regional(base) ? 1 : 0;
    while (p < end) {
        if ((guchar)*p < 0x80) /* nothing in ASCII extends */
            break;
        gunichar c = g_utf8_get_char(p);
        if (is_extend(c)) {
            /* joined */
        } else if (prev == 0x200D && pictographic && utf8_is_emoji(c)) {
            /* emoji sequence */
        } else if (regionals == 1 && is_regional(c)) {
            regionals = 2;
        } else if (!hangul_joins(prev, c)) {
            break;
        }
        prev = c;
        p = g_utf8_next_char(p);
    }
    return p;
}

static gsize cluster_columns(const char *p, const char *end)
{
    gunichar c = g_utf8_get_char(p);
    if (c < 0x20 || c == 0x7F)
        return 0;
    if (c < 0x300) { /* keycaps and text symbols shown as emoji */
        const char *q = p + (c < 0x80 ? 1 : 2);
        return q < end && (guchar)*q == 0xEF && g_utf8_get_char(q) == 0xFE0F ? 2 : 1;
    }
    if (is_regional(c) || g_unichar_iswide(c))
        return 2;
    if (g_unichar_iszerowidth(c) || utf8_is_zero_width(c))
        return 0;
    const char *q = g_utf8_next_char(p);
    return q < end && g_utf8_get_char(q) == 0xFE0F ? 2 : 1;
}

gsize utf8_columns(const char *text, gsize len)
{
    gsize columns = 0;
    for (const char *p = text, *end = text + len; p < end;) {
        const char *next = utf8_grapheme_next(p, end);
        columns += cluster_columns(p, next);
        p = next;
    }
    return columns;
}

static bool is_blank(const char *p)
{
    if ((guchar)*p < 0x80)
        return *p == ' ' || (*p >= '\t' && *p <= '\r');
    gunichar c = g_utf8_get_char(p);
    return c == 0x85 || g_unichar_isspace(c);
}

char *utf8_cut(const char *text, gsize columns)
{
    GString *out = g_string_new(NULL);
    gsize width = 0; /* of out */
    gsize word_at = 0; /* a cut here ends with a whole word and leaves room for … */
    gsize cut_at = 0; /* the last cluster boundary that leaves room for … */
    gsize word_width = 0;
    bool blank = false;
    const char *p = text, *end = text + strlen(text);
    while (p < end) {
        if (is_blank(p)) {
            blank = out->len > 0;
            p = g_utf8_next_char(p);
            continue;
        }
        const char *next = utf8_grapheme_next(p, end);
        gsize w = cluster_columns(p, next);
        if (blank && width + 1 <= columns) {
            if (width + 1 <= columns) {
                word_at = out->len;
                word_width = width;
            }
            g_string_append_c(out, ' ');
            width++;
        } else if (blank) {
            w = columns + 1; /* no room for more */
        }
        blank = false;
        if (width + w > columns) {
            gsize at = word_at > 0 && word_width + 1 <= columns && word_width * 3 >= columns ? word_at : cut_at;
            g_string_truncate(out, at);
            while (out->len > 0 && out->str[out->len - 1] == ' ')
                g_string_truncate(out, out->len - 1);
            g_string_append(out, "…");
            return g_string_free(out, FALSE);
        }
        g_string_append_len(out, p, next - p);
        width += w;
        if (width + 1 <= columns)
            cut_at = out->len;
        p = next;
    }
    return g_string_free(out, FALSE);
}

bool utf8_mixes_scripts(const char *text)
{
    enum { JAPANESE = 1, KOREAN = 2, BOPOMOFO = 4, CJK = 7 };
    guint cjk = CJK;
    bool any_cjk = false, latin = false;
    GUnicodeScript other = G_UNICODE_SCRIPT_INVALID_CODE;
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        GUnicodeScript script = c < 0x80 ? (g_ascii_isalpha((char)c) ? G_UNICODE_SCRIPT_LATIN : G_UNICODE_SCRIPT_COMMON)
                         : g_unichar_get_script(c);
        switch (script) {
        case G_UNICODE_SCRIPT_COMMON:
        case G_UNICODE_SCRIPT_INHERITED:
        case G_UNICODE_SCRIPT_UNKNOWN:
            continue;
        case G_UNICODE_SCRIPT_LATIN:
            latin = true;
            continue;
        case G_UNICODE_SCRIPT_HAN:
            any_cjk = true;
            continue;
        case G_UNICODE_SCRIPT_HIRAGANA:
        case G_UNICODE_SCRIPT_KATAKANA:
            any_cjk = true;
            cjk &= JAPANESE;
            continue;
        case G_UNICODE_SCRIPT_HANGUL:
            any_cjk = true;
            cjk &= KOREAN;
            continue;
        case G_UNICODE_SCRIPT_BOPOMOFO:
            any_cjk = true;
            cjk &= BOPOMOFO;
            continue;
        default:
            if (other != G_UNICODE_SCRIPT_INVALID_CODE && other != script)
                return true;
            other = script;
        }
    }
    if (other != G_UNICODE_SCRIPT_INVALID_CODE)
        return latin || any_cjk;
    return any_cjk && cjk == 0;
}
