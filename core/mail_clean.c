/* SPDX-License-Identifier: Apache-2.0 */
/* Words of strangers made safe, see mail_clean.h. */
#include "core/mail_clean.h"

#include <stdbool.h>
#include <string.h>

#include "core/utf8_text.h"

enum { INPUT_MAX = 16384, MARKS_MAX = 8, NAME_MAX_CHARS = 64, FILE_MAX_CHARS = 100, FILE_MAX_BYTES = 200 };

static bool is_blank_like(gunichar c)
{
    if (c < 0x20 || c == ' ' || (c >= 0x7F && c <= 0xA0) || c == 0x2028 || c == 0x2029 || c == 0x2800)
        return true;
    return c > 0xA0 && g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR;
}

static bool is_mark(gunichar c)
{
    if (c < 0x300)
        return false;
    GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK;
}

static bool is_noncharacter(gunichar c)
{
    return (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}

/* Joiners carry meaning within emoji and between letters of scripts that join; anywhere else they only hide. */
static bool joiner_has_meaning(gunichar prev, gunichar c, gunichar next)
{
    if (c >= 0xFE00 && c <= 0xFE0F)
        return (c == 0xFE0E || c == 0xFE0F) &&
               (utf8_is_emoji(prev) || prev == '#' || prev == '*' || (prev >= '0' && prev <= '9'));
    if (c == 0x200D && utf8_is_emoji(next) && (utf8_is_emoji(prev) || prev == 0xFE0F || (prev >= 0x1F3FB && prev <= 0x1F3FF)))
        return true;
    if (c != 0x200C && c != 0x200D)
        return c >= 0xE0020 && c <= 0xE007F && (prev == 0x1F3F4 || (prev >= 0xE0020 && prev <= 0xE007F));
    return prev >= 0x0600 && prev <= 0x1CFF && next >= 0x0600 && next <= 0x1CFF;
}

/* The shared pass: invisible says whether joiners with meaning may stay. */
static char *clean(const char *text, gsize max_chars, bool invisible)
{
    gsize len = strnlen(text, INPUT_MAX);
    g_autofree char *valid = utf8_valid(text, (gssize)len);
    g_autoptr(GString) out = g_string_sized_new(len + 1);
    gunichar prev = 0;
    guint marks = 0;
    bool blank = false;
    for (const char *p = valid; *p != '\0';) {
        gunichar c = g_utf8_get_char(p);
        p = g_utf8_next_char(p);
        if (is_blank_like(c)) {
            blank = true;
            marks = 0;
            continue;
        }
        if (utf8_is_bidi_control(c) || is_noncharacter(c))
            continue;
        if (utf8_is_zero_width(c) && !(invisible && joiner_has_meaning(prev, c, g_utf8_get_char(p))))
            continue;
        marks = is_mark(c) ? marks + 1 : 0;
        if (marks > MARKS_MAX) /* bounds what normalisation has to sort */
            continue;
        if (blank && out->len > 0)
            g_string_append_c(out, ' ');
        blank = false;
        g_string_append_unichar(out, c);
        prev = c;
    }
    char *normal = g_utf8_normalize(out->str, (gssize)out->len, G_NORMALIZE_NFC);
    if (max_chars > 0 && g_utf8_strlen(normal, -1) > (glong)max_chars) {
        const char *limit = g_utf8_offset_to_pointer(normal, (glong)max_chars - 1), *cut = normal;
        for (const char *p = normal, *end = normal + strlen(normal); p < end;) {
            p = utf8_grapheme_next(p, end);
            if (p > limit)
                break;
            cut = p;
        }
        char *shorter = g_strdup_printf("%.*s…", (int)(cut - normal), normal);
        g_free(normal);
        normal = shorter;
    }
    return normal;
}

char *mail_clean_line(const char *text, gsize max_chars)
{
    return text ? clean(text, max_chars, true) : g_strdup("");
}

char *mail_clean_name(const char *name, const char *address)
{
    g_autofree char *cleaned = name ? clean(name, NAME_MAX_CHARS, false) : g_strdup("");
    g_autofree char *safe_address = address ? clean(address, NAME_MAX_CHARS, false) : g_strdup("");
    if (cleaned[0] == '\0')
        return g_steal_pointer(&safe_address);
    bool doubtful = utf8_mixes_scripts(cleaned);
    for (const char *p = cleaned; *p != '\0' && !doubtful; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        doubtful = c == '@' || c == 0xFF20 || c == 0xFE6B; /* also full width and small commercial at */
    }
    if (!doubtful || safe_address[0] == '\0')
        return g_steal_pointer(&cleaned);
    return g_strdup_printf("%s [%s]", cleaned, safe_address);
}

static bool is_reserved_device(const char *name)
{
    static const char *const reserved[] = {"con", "prn", "aux", "nul", NULL};
    gsize stem = strcspn(name, ".");
    for (guint i = 0; reserved[i]; i++)
        if (stem == strlen(reserved[i]) && g_ascii_strncasecmp(name, reserved[i], stem) == 0)
            return true;
    return stem == 4 && (g_ascii_strncasecmp(name, "com", 3) == 0 || g_ascii_strncasecmp(name, "lpt", 3) == 0) &&
           g_ascii_isdigit(name[3]);
}

/* Shortens "stem.ext" by taking from the stem. */
static char *shorten_filename(const char *name)
{
    const char *dot = strrchr(name, '.');
    gsize ext = dot && strlen(dot) <= 17 ? strlen(dot) : 0;
    gsize stem_end = strlen(name) - ext, keep = 0, chars = 0;
    for (const char *p = name, *end = name + stem_end; p < end;) {
        const char *next = utf8_grapheme_next(p, end);
        chars += (gsize)g_utf8_strlen(p, next - p);
        if (chars > FILE_MAX_CHARS - ext || (gsize)(next - name) > FILE_MAX_BYTES - ext)
            break;
        keep = (gsize)(next - name);
        p = next;
    }
    return g_strdup_printf("%.*s%s", (int)keep, name, ext ? dot : "");
}

char *mail_clean_filename(const char *name)
{
    if (!name)
        return g_strdup("");
    g_autofree char *line = clean(name, 0, false);
    const char *base = line;
    for (const char *p = line; *p != '\0'; p++)
        if (*p == '/' || *p == '\\')
            base = p + 1;
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *p = base; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (out->len == 0 && (c == '.' || c == ' ' || c == '-' || c == '~'))
            continue;
        g_string_append_unichar(out, c < 0x80 && strchr("<>:\"|?*%;$`&'", (int)c) ? '_' : c);
    }
    while (out->len > 0 && (out->str[out->len - 1] == '.' || out->str[out->len - 1] == ' '))
        g_string_truncate(out, out->len - 1);
    if (is_reserved_device(out->str))
        g_string_prepend_c(out, '_');
    if (out->len > FILE_MAX_BYTES || g_utf8_strlen(out->str, -1) > FILE_MAX_CHARS)
        return shorten_filename(out->str);
    return g_strdup(out->str);
}

static bool is_type_token(const char *s, gsize len)
{
    if (len == 0 || len > 100 || !g_ascii_isalnum(s[0]))
        return false;
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(s[i]) && !strchr("!#$&-^_.+", s[i]))
            return false;
    return true;
}

char *mail_clean_type(const char *type)
{
    if (type) {
        gsize len = strcspn(type, "; \t");
        const char *slash = memchr(type, '/', len);
        if (slash && is_type_token(type, (gsize)(slash - type)) &&
            is_type_token(slash + 1, len - (gsize)(slash + 1 - type))) {
            char *lower = g_ascii_strdown(type, (gssize)len);
            if (!g_str_has_prefix(lower, "multipart/") && !g_str_has_prefix(lower, "message/"))
                return lower;
            g_free(lower);
        }
    }
    return g_strdup("application/octet-stream");
}
