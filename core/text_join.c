/* SPDX-License-Identifier: Apache-2.0 */
/* The kept lines put together, see text_join.h. */
#include "core/text_join.h"

#include <string.h>

#include "core/text_shape.h"
#include "core/utf8_text.h"

enum { WRAP_MIN = 60, WRAP_MAX = 80, STYLES = 4 };

void text_join_unmark(char *marked, GArray *styles)
{
    gssize open[STYLES] = {-1, -1, -1, -1};
    char *to = marked;
    for (const char *p = marked; *p != '\0'; p++) {
        int mark = *p - TEXT_STYLE_MARK;
        if (mark < 0 || mark >= 2 * STYLES) {
            *to++ = *p;
            continue;
        }
        gssize *begin = &open[mark / 2];
        if (mark % 2 == 0) {
            *begin = *begin < 0 ? to - marked : *begin;
        } else if (*begin >= 0) {
            struct text_style style = {.kind = (enum text_style_kind)(mark / 2), .start = (gsize)*begin, .len = (gsize)(to - marked - *begin)};
            if (style.len > 0)
                g_array_append_val(styles, style);
            *begin = -1;
        }
    }
    *to = '\0';
}

/* --- lines that were broken by a mail program --- */

/* The width at which the writer's program breaks lines; 0: it does not, or nothing tells. */
static gsize wrap_width(const GArray *lines)
{
    gsize longest = 0;
    guint full = 0;
    for (guint i = 0; i < lines->len; i++) {
        const struct text_line *line = text_line(lines, i);
        if (!line->keep || line->class != TEXT_CLASS_TEXT)
            continue;
        gsize columns = utf8_columns(line->start, MIN(line->len, (gsize)400));
        longest = MAX(longest, columns);
        full += columns >= WRAP_MIN;
    }
    return full > 0 && longest <= WRAP_MAX ? longest : 0;
}

static bool begins_item(const struct text_line *line)
{
    const char *p = line->start;
    gsize digits = 0;
    if (line->len == 0 || strchr(" \t-*+#>|`", *p) || (line->len > 2 && memcmp(p, "•", 3) == 0))
        return true;
    while (digits < line->len && g_ascii_isdigit(p[digits]))
        digits++;
    return digits > 0 && digits < 3 && digits < line->len && strchr(".)", p[digits]) != NULL;
}

/* The next line's first word did not fit any more: the break is the program's, not the writer's. */
static bool is_soft_break(const struct text_line *line, const struct text_line *next, gsize width)
{
    if (width == 0 || next->class != TEXT_CLASS_TEXT || line->class != TEXT_CLASS_TEXT || begins_item(next) ||
        strchr(" \t", line->start[0]))
        return false;
    gsize word = 0, columns = utf8_columns(line->start, MIN(line->len, (gsize)400));
    while (word < next->len && next->start[word] != ' ')
        word++;
    return columns >= WRAP_MIN - 15 && columns + 1 + utf8_columns(next->start, word) > width;
}

/* --- joining --- */

static void copy_styles(const GArray *styles, gsize from, gsize len, gsize to, guint *at, GArray *out)
{
    while (*at < styles->len && g_array_index(styles, struct text_style, *at).start + g_array_index(styles, struct text_style, *at).len <= from)
        ++*at;
    for (guint i = *at; i < styles->len && i < *at + 64; i++) {
        const struct text_style *style = &g_array_index(styles, struct text_style, i);
        gsize start = MAX(style->start, from), end = MIN(style->start + style->len, from + len);
        if (start >= end)
            continue;
        struct text_style piece = {.kind = style->kind, .start = to + start - from, .len = end - start};
        g_array_append_val(out, piece);
    }
}

char *text_join(const GArray *lines, const char *text, const GArray *styles, bool soft, GArray *out)
{
    GString *joined = g_string_new(NULL);
    const struct text_line *before = NULL;
    bool blank = false;
    guint at = 0;
    gsize width = soft ? wrap_width(lines) : 0;
    for (guint i = 0; i < lines->len; i++) {
        const struct text_line *line = text_line(lines, i);
        if (!line->keep || line->class == TEXT_CLASS_BLANK) {
            blank = true; /* also where a quote stood */
            continue;
        }
        if (before)
            g_string_append(joined, blank ? "\n\n" : is_soft_break(before, line, width) ? " " : "\n");
        copy_styles(styles, (gsize)(line->start - text), line->len, joined->len, &at, out);
        g_string_append_len(joined, line->start, (gssize)line->len);
        before = line;
        blank = false;
    }
    return g_string_free(joined, FALSE);
}
